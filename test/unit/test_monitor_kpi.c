/* Numbers, times and files that people write of KPIs; and what follows from values. */
#include "support/test.h"

#include <math.h>

#include "monitor/kpi/parts.h"

static void
test_number(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        double value; /* NaN: refused */
    } cases[] = {
        { "bot-uptime", "99.9%", 0.999 },
        { "bot-uptime", "99.9 %", 0.999 },
        { "bot-uptime", "0.999", 0.999 },
        { "bot-uptime", "99.9", NAN },
        { "bot-uptime", "-1%", NAN },
        { "bot-uptime", "101%", NAN },
        { "api-p95", "180ms", 0.18 },
        { "api-p95", " 180 ms ", 0.18 },
        { "api-p95", "1.5 s", 1.5 },
        { "api-p95", "0.2", 0.2 },
        { "api-p95", "2 min", 120 },
        { "api-p95", "2 weeks", NAN },
        { "api-p95", "5%", NAN },
        { "revenue-per-user", "$25", 25 },
        { "revenue-per-user", "25 USD", 25 },
        { "complaints", "4 per day", 4 },
        { "complaints", "$4", NAN },
        { "complaints", "", NAN },
        { "complaints", "four", NAN },
        { "complaints", "1,5", NAN },
        { "complaints", "1e400", NAN },
        { "complaints", "nan", NAN },
        { "complaints", "inf", NAN },
        { "complaints", "0x10", NAN },
        { "complaints", "1 2", NAN },
        { "complaints", "-5", NAN },
        { "complaints", "1e308", NAN },
        { "complaints", "1e15", 1e15 },
        { "api-p95", "-1ms", NAN },
        { "concurrent-users", "-1", NAN },
        { "concurrent-users", "0", 0 },
        { "of-my-own", "-7", -7 },
        { "of-my-own", "-1e16", NAN },
        { "of-my-own", "7", 7 },
        { "of-my-own", "7%", 0.07 },
        { "of-my-own", "7 apples", NAN },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double value = -1;
        bool is_good = kpi_read_number(ctx, cases[i].name, cases[i].text, &value);

        if (is_good != !isnan(cases[i].value))
            fail_msg("%s \"%s\": %g", cases[i].name, cases[i].text, value);
        if (is_good)
            assert_true(fabs(value - cases[i].value) < 1e-12);
        else
            assert_int_equal(ctx->error.kind, ERR_INPUT);
    }
}

static void
test_time(void **state)
{
    struct ctx *ctx = *state;
    int64_t at;

    /* date -u -d 2026-11-23 +%s */
    assert_true(kpi_read_time(ctx, "2026-11-23", &at));
    assert_int_equal(at, INT64_C(1795392000000000));
    assert_true(kpi_read_time(ctx, "2026-11-23T10:00:01Z", &at));
    assert_int_equal(at, INT64_C(1795428001000000));
    assert_false(kpi_read_time(ctx, "2026-02-30", &at));
    assert_false(kpi_read_time(ctx, "23.11.2026", &at));
    assert_false(kpi_read_time(ctx, "yesterday", &at));
    assert_error(ctx, ERR_INPUT, "\"yesterday\" is no time");
}

static bool
read_csv(struct ctx *ctx, const char *text, size_t length, struct kpi_value **values, size_t *count)
{
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "k.csv");
    bool is_good;

    assert_true(file_write(ctx, path, text, length ? length : strlen(text), 0600));
    is_good = kpi_read_csv(ctx, path, values, count);
    assert_true(file_remove(ctx, folder));
    return is_good;
}

static void
test_csv(void **state)
{
    struct ctx *ctx = *state;
    struct kpi_value *values;
    size_t count;

    assert_true(read_csv(ctx,
        "\xef\xbb\xbfnote,name,value,at\r\n"
        "\"a, \"\"b\"\"\nc\",churn,12%,2026-11-23\r\n"
        "\r\n"
        ",complaints,\"7\",",
        0, &values, &count));
    assert_int_equal(count, 2);
    assert_string_equal(values[0].note, "a, \"b\"\nc");
    assert_string_equal(values[0].name, "churn");
    assert_true(fabs(values[0].value - 0.12) < 1e-12);
    assert_int_equal(values[0].at_wall_us, INT64_C(1795392000000000));
    assert_null(values[1].note);
    assert_int_equal(values[1].at_wall_us, 0);
    assert_true(text_ends_with(values[1].place, "k.csv:5"));
    assert_true(read_csv(ctx, "name,value\n", 0, &values, &count));
    assert_int_equal(count, 0);
}

static void
test_csv_errors(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        { "", "k.csv:1: there is no column \"\"" },
        { "name;value\nchurn;1\n", "k.csv:1: cells are parted by semicolons" },
        { "name,at\n", "k.csv:1: the columns \"name\" and \"value\" are needed" },
        { "name,value,name\n", "k.csv:1: the column \"name\" stands there twice" },
        { "name,value,colour\n", "k.csv:1: there is no column \"colour\"" },
        { "name,value\nchurn,1%\nchurn\n", "k.csv:3: 1 cells, but the header has 2" },
        { "name,value\nchurn,1%,x\n", "k.csv:2: 3 cells, but the header has 2" },
        { "name,value\n,5\n", "k.csv:2: there is no name" },
        { "name,value\nchurn,five\n", "k.csv:2: \"five\" is no number for churn" },
        { "name,value,at\nchurn,5%,soon\n", "k.csv:2: \"soon\" is no time" },
        { "name,value\n\"churn,5\n", "k.csv:2: a quote is opened and never closed" },
        { "name,value\n\"churn\"x,5\n", "k.csv:2: a quote ends a cell, but" },
        { "name,value\nch\"urn,5\n", "k.csv:2: a quote stands inside" },
        { "name,value\rchurn,5\r", "k.csv:1: a carriage return stands alone" },
        { "name,value\n1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\n",
            "k.csv:2: there are too many cells" },
        { "name,value\nch\xffrn,5\n", "is not text in UTF-8" },
    };
    struct ctx *ctx = *state;
    struct kpi_value *values;
    size_t count;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_false(read_csv(ctx, cases[i].text, 0, &values, &count));
        assert_error(ctx, ERR_INPUT, cases[i].why);
    }
    assert_false(read_csv(ctx, "name,value\nch\0rn,5\n", 18, &values, &count));
    assert_error(ctx, ERR_INPUT, "is not text in UTF-8");
    assert_false(kpi_read_csv(ctx, "/nowhere/k.csv", &values, &count));
    assert_error(ctx, ERR_IO, "/nowhere/k.csv");
}

/* A title as spreadsheets and people write it; a file without an end; what a terminal would obey. */
static void
test_csv_bounds(void **state)
{
    struct ctx *ctx = *state;
    struct kpi_value *values;
    size_t count;

    assert_true(read_csv(ctx, " Name ,VALUE\t, Note\nchurn,5%,x\n", 0, &values, &count));
    assert_int_equal(count, 1);
    assert_string_equal(values[0].note, "x");
    assert_false(kpi_read_csv(ctx, "/dev/zero", &values, &count));
    assert_error(ctx, ERR_INPUT, "\"/dev/zero\" is larger than 16");
    assert_false(read_csv(ctx, "name,value,note\nchurn,5%,\x1b]0;pwn\a\n", 0, &values, &count));
    assert_error(ctx, ERR_INPUT, "k.csv:2: the note has control characters");
    assert_false(read_csv(ctx, "name,value\nch\x1b[2Jrn,5%\n", 0, &values, &count));
    assert_error(ctx, ERR_INPUT, "k.csv:2: the name has control characters");
    /* U+009B, which some terminals take for ESC [. */
    assert_false(read_csv(ctx,
        "name,value\nch\xc2\x9b"
        "2Jrn,5%\n",
        0, &values, &count));
    assert_error(ctx, ERR_INPUT, "k.csv:2: the name has control characters");
    assert_false(read_csv(ctx, "name,value,\x1b[2J\nchurn,5%,\n", 0, &values, &count));
    assert_error(ctx, ERR_INPUT, "k.csv:1: there is no column \"?[2J\"");
    assert_false(read_csv(ctx, "name,value\nchurn,\x1b[2J\n", 0, &values, &count));
    assert_error(ctx, ERR_INPUT, "\"?[2J\" is no number for churn");
    assert_false(read_csv(ctx, "name,value\ncomplaints,-5\n", 0, &values, &count));
    assert_error(ctx, ERR_INPUT, "k.csv:2: -5 for complaints is less than nothing");
}

static void
test_values_of_sense(void **state)
{
    static const struct {
        struct kpi_value value;
        const char *says; /* NULL: it is good */
    } cases[] = {
        { { "complaints", -1, 0, NULL, NULL }, "-1 for complaints is less than nothing" },
        { { "bot-uptime", 1.5, 0, NULL, NULL }, "1.5 is no share between 0 and 1" },
        { { "bot-uptime", 1, 0, NULL, NULL }, NULL },
        { { "of-my-own", 1e308, 0, NULL, NULL }, "1e+308 for of-my-own is beyond 1e+15" },
        { { "of-my-own", -5, 0, NULL, NULL }, NULL },
        { { "complaints", 5, 0, "\x1b]0;pwn\a", NULL }, "complaints: the note has control" },
        { { "complaints", 5, 0, "two\nlines\tü 👨‍👩‍👧", NULL }, NULL },
        { { "com\x1b[2J", 5, 0, NULL, "x.csv:7" }, "x.csv:7: com?[2J: the name has control" },
        { { "complaints", 5, 0, "del\x7f", NULL }, "the note has control" },
    };
    struct sql_monitor_kpi_definitions rows[] = {
        { .name = "of-my-own", .unit = "ratio" },
        { .name = "mine-too", .unit = "count" },
        { .name = "profit", .unit = "USD" },
    };
    const struct sql_monitor_kpi_definitions_rows definitions = { rows, COUNT_OF(rows) };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (!cases[i].says) {
            assert_true(kpi_check_values(ctx, &cases[i].value, 1));
            continue;
        }
        assert_false(kpi_check_values(ctx, &cases[i].value, 1));
        assert_error(ctx, ERR_INPUT, cases[i].says);
    }
    assert_false(kpi_check_units(
        ctx, &(struct kpi_value){ "of-my-own", 5, 0, NULL, "x.csv:2" }, 1, &definitions));
    assert_error(ctx, ERR_INPUT, "x.csv:2: 5 is no share between 0 and 1 for of-my-own");
    assert_false(kpi_check_units(
        ctx, &(struct kpi_value){ "mine-too", -5, 0, NULL, NULL }, 1, &definitions));
    assert_true(
        kpi_check_units(ctx, &(struct kpi_value){ "profit", -5, 0, NULL, NULL }, 1, &definitions));
}

/* "target_is_met" is what it says; whether the target itself is enough has a name of its own. */
static void
test_json(void **state)
{
    static const struct {
        const char *name;
        double value;
        int is_met; /* -1: nobody knows */
        bool is_inclusive;
    } cases[] = {
        { "cache-hit", 0.99, 1, false },
        { "bot-uptime", 0.997, 0, true },
        { "concurrent-users", NAN, -1, true },
        { "complaints", 0.5, 1, false },
    };
    struct ctx *ctx = *state;
    struct sql_monitor_kpi_values values[COUNT_OF(cases)] = { 0 };
    struct kpi_sources sources = { .values = { values, 0 } };
    struct kpis kpis;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (!isnan(cases[i].value))
            values[sources.values.count++] = (struct sql_monitor_kpi_values){ cases[i].name,
                INT64_C(1609459200000000), cases[i].value, NULL, "me" };
    kpi_make(ctx->arena, &sources, &kpis);

    json_t *all CLEANUP(json_release) = kpi_json(&kpis);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const json_t *json = NULL;

        for (size_t j = 0; j < json_array_size(all); j++)
            if (text_equal(json_string_value(json_object_get(json_array_get(all, j), "name")),
                    cases[i].name))
                json = json_array_get(all, j);

        const json_t *is_met = json_object_get(json, "target_is_met");

        assert_int_equal(json_is_null(is_met) ? -1 : json_is_true(is_met), cases[i].is_met);
        assert_int_equal(
            json_is_true(json_object_get(json, "target_is_inclusive")), cases[i].is_inclusive);
        assert_string_equal(
            json_string_value(json_object_get(json, "state")), cases[i].is_met < 0 ? "unknown"
                                                               : cases[i].is_met   ? "met"
                                                                                   : "open");
    }
}

/* Random bytes and random edits of a good file: read or refused, never anything else. */
static void
test_csv_random(void **state)
{
    static const char good[] = "name,value,at,note\nchurn,1%,2026-11-23,\"a \"\"b\"\"\"\nx,5,,\n";
    static const char bytes[] = "\",\n\r;%a1\xff\xc3";
    struct ctx *ctx = *state;
    struct test_random random = test_random_new();
    struct kpi_value *values;
    size_t count;
    size_t read = 0;

    for (int i = 0; i < 1500; i++) {
        char text[sizeof(good)];

        memcpy(text, good, sizeof(good));
        for (size_t j = test_random_below(&random, 4); j > 0; j--)
            text[test_random_below(&random, sizeof(good) - 1)] =
                bytes[test_random_below(&random, sizeof(bytes) - 1)];
        if (read_csv(ctx, text, sizeof(good) - 1, &values, &count)) {
            read++;
            for (size_t j = 0; j < count; j++)
                assert_true(isfinite(values[j].value) && *values[j].name);
        } else {
            assert_int_equal(ctx->error.kind, ERR_INPUT);
        }
    }
    assert_true(read > 0 && read < 1500);
}

static double
trend_of(struct ctx *ctx, const double *days, const double *values, size_t count)
{
    struct kpi_points points = { 0 };

    for (size_t i = 0; i < count; i++) {
        struct kpi_point point = { INT64_C(1795392000000000) + (int64_t)(days[i] * 86400e6),
            values[i], "" };

        VEC_PUSH(ctx->arena, &points, point);
    }
    return kpi_trend(&points);
}

/* Slopes worked out by hand: three points at weeks 0, 1, 3 have the slope sum(dx dy) / sum(dx^2). */
static void
test_trend(void **state)
{
    static const double line_days[] = { 0, 7, 14, 21 };
    static const double line[] = { 10, 8, 6, 4 };
    static const double bent_days[] = { 0, 7, 21 };
    static const double bent[] = { 1, 5, 6 };
    static const double same_days[] = { 3, 3 };
    static const double near_days[] = { 3, 3.9 };
    struct ctx *ctx = *state;

    assert_true(fabs(trend_of(ctx, line_days, line, 4) + 2) < 1e-9);
    /* dx -4/3 -1/3 5/3, dy -3 1 2: (4 - 1/3 + 10/3) / (42/9) = 7 / (14/3) = 1.5 */
    assert_true(fabs(trend_of(ctx, bent_days, bent, 3) - 1.5) < 1e-9);
    assert_true(isnan(trend_of(ctx, same_days, line, 2)));
    assert_true(isnan(trend_of(ctx, near_days, line, 2)));
    assert_true(isnan(trend_of(ctx, line_days, line, 1)));
    assert_true(isnan(trend_of(ctx, line_days, line, 0)));
    /* Such values can stand in a table from before they were refused. */
    assert_true(isnan(trend_of(ctx, line_days, (double[]){ -1e308, 1e308 }, 2)));
}

static const struct kpi *
kpi_of(const struct kpis *kpis, const char *name)
{
    for (size_t i = 0; i < kpis->count; i++)
        if (text_equal(kpis->items[i].name, name))
            return &kpis->items[i];
    fail_msg("there is no %s", name);
    return NULL;
}

/* The plan's tables: targets and deadlines, counted from the first change. */
static void
test_plan(void **state)
{
    static const struct {
        const char *name;
        const char *group;
        double target;
        bool less_is_better;
        const char *deadline; /* of a change on 2026-12-31 */
        const char *planned;
    } plan[] = {
        { "api-p95", "technical", 0.2, true, NULL, "2-5 s" },
        { "vector-search", "technical", 0.1, true, NULL, "2-5 s" },
        { "queries-per-request", "technical", 5, true, NULL, "10-50" },
        { "cache-hit", "technical", 0.95, false, NULL, "85-90 %" },
        { "concurrent-users", "technical", 10000, false, NULL, "100" },
        { "db-cpu", "technical", 0.5, true, NULL, "60-80 %" },
        { "complaints", "business", 1, true, "2027-01-14", "10 per day" },
        { "support-tickets", "business", 10, true, "2027-01-21", "50 per day" },
        { "bot-uptime", "business", 0.999, false, "2027-01-28", "80 %" },
        { "churn", "business", 0.05, true, "2027-03-03", "15 %" },
        { "revenue-per-user", "business", 25, false, "2027-03-31", "$10" },
    };
    struct ctx *ctx = *state;
    struct kpi_sources sources = { .first_change_wall_us = INT64_C(1798675200000000) };
    struct kpis kpis;

    kpi_make(ctx->arena, &sources, &kpis);
    assert_int_equal(kpis.count, COUNT_OF(plan));
    for (size_t i = 0; i < COUNT_OF(plan); i++) {
        const struct kpi *kpi = kpi_of(&kpis, plan[i].name);

        assert_string_equal(kpi->group, plan[i].group);
        assert_true(fabs(kpi->target - plan[i].target) < 1e-12);
        assert_int_equal(kpi->less_is_better, plan[i].less_is_better);
        assert_string_equal(kpi->planned, plan[i].planned);
        if (plan[i].deadline)
            assert_string_equal(kpi->deadline, plan[i].deadline);
        else
            assert_null(kpi->deadline);
        /* Nothing was measured, so nothing is known. */
        assert_true(isnan(kpi->before) && isnan(kpi->now) && isnan(kpi->trend));
        assert_int_equal(kpi->state, KPI_UNKNOWN);
        assert_true(text_starts_with(kpi->source, "not known yet"));
    }
    sources.first_change_wall_us = 0;
    kpi_make(ctx->arena, &sources, &kpis);
    assert_string_equal(kpi_of(&kpis, "complaints")->deadline, "week 2");
    assert_string_equal(kpi_of(&kpis, "churn")->deadline, "month 2");
}

/* Exactly the target is not yet "below one", but it is "99.9 %". */
static void
test_state(void **state)
{
    struct ctx *ctx = *state;
    struct sql_monitor_kpi_values values[] = {
        { "complaints", INT64_C(1609459200000000), 1, NULL, "me" },
        { "bot-uptime", INT64_C(1609459200000000), 0.999, NULL, "me" },
        { "churn", INT64_C(1609459200000000), 0.04, NULL, "me" },
    };
    struct kpi_sources sources = {
        .first_change_wall_us = INT64_C(1577836800000000), /* 2020 */
        .values = { values, COUNT_OF(values) },
    };
    struct kpis kpis;

    kpi_make(ctx->arena, &sources, &kpis);
    assert_int_equal(kpi_of(&kpis, "complaints")->state, KPI_LATE);
    assert_int_equal(kpi_of(&kpis, "bot-uptime")->state, KPI_MET);
    assert_int_equal(kpi_of(&kpis, "churn")->state, KPI_MET);
    /* They were told after the first change, so nobody knows what was before. */
    assert_true(isnan(kpi_of(&kpis, "churn")->before));
    sources.first_change_wall_us = 0;
    kpi_make(ctx->arena, &sources, &kpis);
    assert_int_equal(kpi_of(&kpis, "complaints")->state, KPI_OPEN);
    assert_true(kpi_of(&kpis, "churn")->before < 0.05);
}

static void
test_show(void **state)
{
    struct arena *arena = ((struct ctx *)*state)->arena;

    assert_string_equal(kpi_show(arena, "ratio", 0.9987), "99.87 %");
    assert_string_equal(kpi_show(arena, "ratio", -0.005), "-0.5 %");
    assert_string_equal(kpi_show(arena, "USD", -2.5), "-$2.5");
    assert_string_equal(kpi_show(arena, "per day", 4), "4 per day");
    assert_string_equal(kpi_show(arena, "count", 10000), "10000");
    assert_string_equal(kpi_show(arena, "seconds", NAN), "unknown");
    assert_true(text_starts_with(kpi_show(arena, "seconds", 0.18), "180"));
    assert_true(text_starts_with(kpi_show(arena, "seconds", -0.18), "-180"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_number),
        test_with_ctx(test_time),
        test_with_ctx(test_csv),
        test_with_ctx(test_csv_errors),
        test_with_ctx(test_csv_bounds),
        test_with_ctx(test_values_of_sense),
        test_with_ctx(test_json),
        test_with_ctx(test_csv_random),
        test_with_ctx(test_trend),
        test_with_ctx(test_plan),
        test_with_ctx(test_state),
        test_with_ctx(test_show),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
