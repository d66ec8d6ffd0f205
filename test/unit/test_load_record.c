/* A result is written, read again and is the same; what is no result is refused with the place. */
#include "support/test.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/json.h"
#include "load/result/recorder.h"
#include "report/make.h"

enum { SECOND = 1000000 };

static const struct load_statement statements[] = {
    { .sql = "select 1", .fingerprint = "50fde20626009aba" },
    { .sql = "strange", .fingerprint = "" },
    { .sql = "select 2", .fingerprint = "50fde20626009aba" },
};

static struct load_step steps[] = {
    { .name = "stats", .method = "GET" },
    { .name = "dialogs of \"me\"", .statements = statements, .statement_count = 3 },
};

static struct load_group groups[] = {
    { .name = "users",
        .users = 30,
        .think = THINK_UNIFORM,
        .think_us = 1000,
        .think_most_us = 3000 },
    { .name = "bots", .users = 10, .think = THINK_EXPONENTIAL, .think_us = 6000 },
};

static struct load_scenario
scenario_of(void)
{
    return (struct load_scenario){
        .name = "small",
        .kind = LOAD_HTTP,
        .target = "127.0.0.1:8000",
        .duration_us = 10 * SECOND,
        .steps = steps,
        .step_count = COUNT_OF(steps),
        .groups = groups,
        .group_count = COUNT_OF(groups),
        .users = 40,
    };
}

/* A run of 10 s that shows all that a result can hold. */
static void
make_record(struct ctx *ctx, struct load_record *record)
{
    static const char *const messages[] = { "503 Service Unavailable", "bad \xff bytes\x1b[31m" };
    static struct load_fact facts[] = { { "pg_cpu_us", "PostgreSQL's CPU a request", "us", 123.5 },
        { "cache_hit", "Pages found in shared buffers", "share", 0.98 } };
    static struct load_fact_moment moments[] = { { 1700000000, 0.25, 0.5, 0.125, 3, 1 },
        { 1700000001, NAN, 0.5, NAN, 3, NAN } };
    static struct load_goal_result goals[] = { { "p95 < 200ms", 1234.5, true, true },
        { "pg_cpu_share < 50%", NAN, false, false } };
    struct load_scenario scenario = scenario_of();
    struct load_recorder *recorder;
    int64_t start = clock_us();

    load_record_begin(ctx->arena, &scenario, record);
    recorder = load_recorder_new(ctx->arena, record);
    load_recorder_start(recorder, start);
    for (int64_t i = 0; i < 1000; i++) {
        struct load_event event = {
            .step = (size_t)i % 2,
            .group = (size_t)(i / 2) % 2,
            .outcome = i % 50 == 0   ? LOAD_REFUSED
                       : i % 99 == 0 ? LOAD_GARBAGE
                                     : LOAD_GOOD,
            .due_us = start + i * 10000,
            .bytes = 100 + i,
            .statements = i % 2 == 0 ? 3 : -1,
            .message = i % 50 == 0 ? messages[0] : messages[1],
        };

        event.sent_us = event.due_us + i % 7;
        event.at_us = event.sent_us + 100 + i * i % 100003;
        load_recorder_lag(recorder, event.due_us, event.sent_us);
        load_recorder_add(recorder, &event);
        load_recorder_tick(recorder, event.due_us, 40);
    }
    load_recorder_end(recorder, start + 10 * SECOND);
    record->seed = UINT64_MAX - 5;
    record->is_complete = true;
    record->lost = 3;
    record->waited = 4;
    record->unanswered = 5;
    text_list_add(ctx->arena, &record->defines, "scale=1");
    text_list_add(ctx->arena, &record->defines, "who=\xc3\xa9");
    text_list_add(ctx->arena, &record->fact_notes, "The API's process was not found.");
    record->facts = facts;
    record->fact_count = COUNT_OF(facts);
    record->fact_moments = moments;
    record->fact_moment_count = COUNT_OF(moments);
    record->goals = goals;
    record->goal_count = COUNT_OF(goals);
}

static void
assert_histogram(const struct histogram *a, const struct histogram *b)
{
    static const double shares[] = { 0, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1 };

    assert_memory_equal(a, b, sizeof(*a));
    for (size_t i = 0; i < COUNT_OF(shares); i++)
        assert_int_equal(histogram_quantile_us(a, shares[i]), histogram_quantile_us(b, shares[i]));
}

static void
assert_texts(const struct text_list *a, const struct text_list *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        assert_string_equal(a->items[i], b->items[i]);
}

static void
assert_number(double a, double b)
{
    assert_true(isnan(a) ? isnan(b) : a == b);
}

static void
assert_step(const struct load_record *record, const struct load_step_record *a,
    const struct load_step_record *b)
{
    assert_string_equal(a->name, b->name);
    assert_texts(&a->fingerprints, &b->fingerprints);
    assert_histogram(a->latency, b->latency);
    assert_histogram(a->service, b->service);
    assert_memory_equal(a->outcomes, b->outcomes, sizeof(a->outcomes));
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->statements, b->statements);
    for (size_t i = 0; i < record->slice_count; i++) {
        const struct load_sparse *left = &a->slices[i];
        const struct load_sparse *right = &b->slices[i];

        assert_int_equal(a->slice_errors[i], b->slice_errors[i]);
        assert_int_equal(left->count, right->count);
        assert_memory_equal(left->cells, right->cells, left->count * sizeof(left->cells[0]));
        assert_memory_equal(left->counts, right->counts, left->count * sizeof(left->counts[0]));
    }
}

static void
assert_groups(const struct load_record *a, const struct load_record *b)
{
    assert_int_equal(a->group_count, b->group_count);
    for (size_t i = 0; i < a->group_count; i++) {
        assert_string_equal(a->groups[i].name, b->groups[i].name);
        assert_int_equal(a->groups[i].users, b->groups[i].users);
        assert_histogram(a->groups[i].latency, b->groups[i].latency);
        assert_memory_equal(
            a->groups[i].outcomes, b->groups[i].outcomes, sizeof(a->groups[i].outcomes));
    }
}

static void
assert_moments(const struct load_record *a, const struct load_record *b)
{
    assert_int_equal(a->moment_count, b->moment_count);
    for (size_t i = 0; i < a->moment_count; i++) {
        const struct load_moment *left = &a->moments[i];
        const struct load_moment *right = &b->moments[i];

        assert_int_equal(left->at, right->at);
        assert_int_equal(left->calls, right->calls);
        assert_int_equal(left->errors, right->errors);
        assert_int_equal(left->sum_us, right->sum_us);
        assert_int_equal(left->p50_us, right->p50_us);
        assert_int_equal(left->p95_us, right->p95_us);
        assert_int_equal(left->p99_us, right->p99_us);
        assert_int_equal(left->max_us, right->max_us);
        assert_int_equal(left->open, right->open);
        assert_int_equal(left->lag_us, right->lag_us);
        assert_int_equal(left->is_counted, right->is_counted);
    }
}

static void
assert_server_side(const struct load_record *a, const struct load_record *b)
{
    assert_int_equal(a->fact_count, b->fact_count);
    for (size_t i = 0; i < a->fact_count; i++) {
        assert_string_equal(a->facts[i].name, b->facts[i].name);
        assert_string_equal(a->facts[i].label, b->facts[i].label);
        assert_string_equal(a->facts[i].unit, b->facts[i].unit);
        assert_number(a->facts[i].value, b->facts[i].value);
    }
    assert_int_equal(a->fact_moment_count, b->fact_moment_count);
    for (size_t i = 0; i < a->fact_moment_count; i++) {
        assert_int_equal(a->fact_moments[i].at, b->fact_moments[i].at);
        assert_number(a->fact_moments[i].pg_cpu_share, b->fact_moments[i].pg_cpu_share);
        assert_number(a->fact_moments[i].api_cpu_share, b->fact_moments[i].api_cpu_share);
        assert_number(
            a->fact_moments[i].generator_cpu_share, b->fact_moments[i].generator_cpu_share);
        assert_number(a->fact_moments[i].active, b->fact_moments[i].active);
        assert_number(a->fact_moments[i].lock_waits, b->fact_moments[i].lock_waits);
    }
    assert_texts(&a->fact_notes, &b->fact_notes);
    assert_int_equal(a->goal_count, b->goal_count);
    for (size_t i = 0; i < a->goal_count; i++) {
        assert_string_equal(a->goals[i].text, b->goals[i].text);
        assert_number(a->goals[i].value, b->goals[i].value);
        assert_int_equal(a->goals[i].is_known, b->goals[i].is_known);
        assert_int_equal(a->goals[i].is_met, b->goals[i].is_met);
    }
}

static const char *
write_record(struct ctx *ctx, const char *folder, const struct load_record *record)
{
    const char *path = file_join(ctx->arena, folder, "run.json");
    json_t *json = load_record_json(record);

    assert_true(json_write_file(ctx, path, json));
    json_decref(json);
    return path;
}

static void
a_result_that_is_read_again_is_the_same(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct load_record a;
    struct load_record b;

    make_record(ctx, &a);
    assert_true(load_record_read(ctx, write_record(ctx, folder, &a), &b));
    assert_string_equal(a.name, b.name);
    assert_string_equal(a.target, b.target);
    assert_int_equal(a.kind, b.kind);
    assert_int_equal(a.users, b.users);
    assert_true(a.seed == b.seed);
    assert_int_equal(a.planned_us, b.planned_us);
    assert_int_equal(a.think_us, b.think_us);
    assert_int_equal(a.is_closed, b.is_closed);
    assert_texts(&a.defines, &b.defines);
    assert_int_equal(a.started_us, b.started_us);
    assert_int_equal(a.elapsed_us, b.elapsed_us);
    assert_int_equal(a.is_complete, b.is_complete);
    assert_int_equal(a.is_stopped, b.is_stopped);
    assert_int_equal(a.slice_us, b.slice_us);
    assert_int_equal(a.slice_count, b.slice_count);
    assert_int_equal(a.cpu_us, b.cpu_us);
    assert_int_equal(a.rss_bytes, b.rss_bytes);
    assert_int_equal(a.most_open, b.most_open);
    assert_int_equal(a.lost, b.lost);
    assert_int_equal(a.waited, b.waited);
    assert_int_equal(a.unanswered, b.unanswered);
    assert_histogram(a.lag, b.lag);
    assert_int_equal(a.step_count, b.step_count);
    for (size_t i = 0; i < a.step_count; i++)
        assert_step(&a, &a.steps[i], &b.steps[i]);
    assert_groups(&a, &b);
    assert_moments(&a, &b);
    assert_server_side(&a, &b);
    assert_int_equal(b.message_count, 2);
    assert_string_equal(b.messages[0].text, "503 Service Unavailable");
    assert_string_equal(b.messages[1].text, "bad ? bytes\x1b[31m");
    assert_int_equal(b.messages[0].count, 20);
    assert_int_equal(b.messages[1].count, 10);
    assert_true(file_remove(ctx, folder));
}

/* What readers of other kinds look for, with numbers that follow from how the run was made. */
/* By the seconds that counted, of which the answers in the first and last may be few. */
static double
rate_of_seconds(const json_t *json)
{
    const json_t *seconds = json_object_get(json, "seconds");
    int64_t count = 0;
    int64_t calls = 0;
    const json_t *second;
    size_t i;

    json_array_foreach(seconds, i, second)
    {
        if (!json_get_bool(second, "is_counted", false))
            continue;
        count++;
        calls += json_get_int(second, "calls", 0);
    }
    assert_in_range(calls, 800, 970);
    assert_in_range(count, 8, 10);
    return (double)calls / (double)count;
}

static void
members_for_people_are_there(void **state)
{
    struct ctx *ctx = *state;
    struct load_record record;
    json_t *json;
    const json_t *script;

    make_record(ctx, &record);
    json = load_record_json(&record);
    script = json_array_get(json_object_get(json, "scripts"), 1);
    assert_string_equal(json_get_text(ctx->arena, json, "kind", ""), "load");
    assert_int_equal(json_get_int(json, "clients", 0), 40);
    assert_int_equal(json_get_int(json, "elapsed_us", 0), 10 * SECOND);
    /* Of 1,000: 20 refused; 11 are divisible by 99, of which 0 is refused already. */
    assert_int_equal(json_get_int(json, "calls", 0), 970);
    assert_int_equal(json_get_int(json, "errors", 0), 30);
    assert_number(json_get_double(json, "calls_per_second", 0), rate_of_seconds(json));
    assert_true(json_get_double(json, "error_share", 0) == 0.03);
    assert_int_equal(json_get_int(json_object_get(json, "outcomes"), "refused", 0), 20);
    assert_int_equal(json_get_int(json_object_get(json, "outcomes"), "garbage", 0), 10);
    assert_int_equal(json_array_size(json_object_get(json, "seconds")), record.moment_count);
    assert_string_equal(json_get_text(ctx->arena, script, "name", ""), "dialogs of \"me\"");
    assert_int_equal(json_array_size(json_object_get(script, "fingerprints")), 1);
    /* Of the 500 odd ones the five times 99 are garbage, and none is divisible by 50. */
    assert_int_equal(json_get_int(script, "calls", 0), 495);
    assert_int_equal(json_get_int(script, "failed", 0), 5);
    assert_true(json_is_null(json_object_get(script, "statements_per_call")));
    script = json_array_get(json_object_get(json, "scripts"), 0);
    assert_true(json_get_double(script, "statements_per_call", 0) == 3);
    json_decref(json);
}

/* 30 users of 2 ms and 10 of 6 ms think for 3 ms on average. */
static void
think_time_is_the_mean_of_all_users(void **state)
{
    struct ctx *ctx = *state;
    struct load_scenario scenario = scenario_of();
    struct load_group mixed[2];
    struct load_record record;

    load_record_begin(ctx->arena, &scenario, &record);
    assert_int_equal(record.think_us, 3000);
    assert_false(record.is_closed);
    memcpy(mixed, groups, sizeof(mixed));
    scenario.groups = mixed;
    mixed[0].is_closed = true;
    mixed[1].is_closed = true;
    load_record_begin(ctx->arena, &scenario, &record);
    assert_int_equal(record.think_us, 3000);
    assert_true(record.is_closed);
    mixed[1].rate = 5;
    load_record_begin(ctx->arena, &scenario, &record);
    assert_int_equal(record.think_us, -1);
}

/* Everything that is shorter than the document is no document. */
static void
a_cut_file_is_refused(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *text;
    size_t length;
    struct load_record record;
    const char *path;

    make_record(ctx, &record);
    path = write_record(ctx, folder, &record);
    assert_true(file_read(ctx, path, &text, &length));
    for (size_t i = 0; i < 20; i++) {
        assert_true(file_write(ctx, path, text, (length - 2) * i / 19, 0600));
        assert_false(load_record_read(ctx, path, &record));
        assert_error(ctx, ERR_INPUT, "run.json");
        assert_non_null(ctx->error.hint);
    }
    assert_true(file_write(ctx, path, text, length, 0600));
    assert_true(load_record_read(ctx, path, &record));
    assert_true(file_remove(ctx, folder));
}

/* A member of the document that is replaced by something wrong; NULL: it is missing. */
struct damage {
    const char *path; /* "scripts.0.latency.cells" */
    const char *json;
    const char *message;
};

static const struct damage damages[] = {
    { "kind", "\"trace\"", "\"kind\"" },
    { "name", NULL, "\"name\" is missing" },
    { "name", "null", "\"name\"" },
    { "name", "\"a\\u001b[2Jb\"", "control characters" },
    { "scripts.0.name", "\"a\\u009b2Jb\"", "scripts[0].name" },
    { "users", "\"ten\"", "\"users\"" },
    { "users", "-7", "\"users\" is out of range" },
    { "elapsed_us", "9223372036854775807", "\"elapsed_us\"" },
    { "slice_us", "0", "slice_us" },
    { "is_complete", "1", "\"is_complete\"" },
    { "protocol", "\"smtp\"", "\"protocol\"" },
    { "seed", "5", "\"seed\"" },
    { "defines", "[1]", "\"defines\"" },
    { "messages", "{}", "\"messages\"" },
    { "message_counts", "[1]", "message_counts" },
    { "generator", "[]", "\"lag\"" },
    { "generator.lag.cells", "\"0:1\"", "lag" },
    { "scripts", "5", "\"scripts\"" },
    { "scripts.1", "5", "scripts[1]" },
    { "scripts.0.name", "5", "scripts[0].name" },
    { "scripts.0.bytes", NULL, "scripts[0].bytes" },
    { "scripts.0.outcomes.good", "1", "scripts[0].latency" },
    { "scripts.0.outcomes.reset", NULL, "scripts[0].outcomes" },
    { "scripts.0.outcomes.reset", "-1", "scripts[0].outcomes" },
    { "scripts.0.latency", "null", "scripts[0].latency" },
    { "scripts.0.latency.count", "-1", "scripts[0].latency" },
    { "scripts.0.latency.max_us", "1", "scripts[0].latency" },
    { "scripts.0.latency.min_us", "0", "scripts[0].latency" },
    { "scripts.0.latency.cells", "\"5\"", "scripts[0].latency" },
    { "scripts.0.latency.cells", "\"5:\"", "scripts[0].latency" },
    { "scripts.0.latency.cells", "\"99999999999999999999:1\"", "scripts[0].latency" },
    { "scripts.0.latency.cells", "\"24576:1\"", "scripts[0].latency" },
    { "scripts.0.latency.cells", "\"7:4294967296\"", "scripts[0].latency" },
    { "scripts.0.latency.cells", "\"7:1 7:1\"", "scripts[0].latency" },
    { "scripts.0.latency.cells", "\"7:1,8:1\"", "scripts[0].latency" },
    { "scripts.0.latency.cells", "[1, 2]", "scripts[0].latency" },
    { "scripts.0.slices", "[]", "scripts[0].slices" },
    { "scripts.0.slices.0", "\"-1:5\"", "scripts[0].slices" },
    { "scripts.0.slice_errors.0", "1.5", "scripts[0].slice_errors" },
    { "scripts.1.slices", NULL, "scripts[1].slices" },
    { "groups.1.users", "4294967296", "groups[1].users" },
    { "groups.1.latency.sum_us", "\"\"", "groups[1].sum_us" },
    { "seconds.3.p95_us", NULL, "seconds[3].p95_us" },
    { "facts.0.value", "true", "facts[0].value" },
    { "facts.0.unit", "null", "facts[0]" },
    { "fact_moments.1.at", "null", "fact_moments[1].at" },
    { "goals.0.text", "null", "goals[0].text" },
    { "goals.0.is_met", "null", "goals[0].is_met" },
};

static void
do_damage(json_t *document, const struct damage *damage)
{
    char path[100];
    char *rest = path;
    char *key;
    json_t *at = document;

    snprintf(path, sizeof(path), "%s", damage->path);
    while ((key = strsep(&rest, ".")) != NULL) {
        json_t *value = damage->json ? json_loads(damage->json, JSON_DECODE_ANY, NULL) : NULL;
        size_t index = strtoul(key, NULL, 10);

        assert_non_null(at);
        if (rest)
            at = json_is_array(at) ? json_array_get(at, index) : json_object_get(at, key);
        else if (json_is_array(at))
            assert_int_equal(json_array_set(at, index, value), 0);
        else if (value)
            assert_int_equal(json_object_set(at, key, value), 0);
        else
            assert_int_equal(json_object_del(at, key), 0);
        json_decref(value);
    }
}

static void
every_damage_is_named(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "run.json");
    struct load_record record;
    json_t *whole;

    make_record(ctx, &record);
    whole = load_record_json(&record);
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        json_t *json = json_deep_copy(whole);

        do_damage(json, &damages[i]);
        assert_true(json_write_file(ctx, path, json));
        json_decref(json);
        if (load_record_read(ctx, path, &record))
            fail_msg("\"%s\" = %s was read", damages[i].path,
                damages[i].json ? damages[i].json : "(missing)");
        assert_error(ctx, ERR_INPUT, damages[i].message);
    }
    json_decref(whole);
    assert_true(file_remove(ctx, folder));
}

static void
what_is_no_result_is_refused(void **state)
{
    static const char *const texts[] = { "", "null", "[]", "{}", "{\"kind\": 5}", "\xff\xfe",
        "<html>", "{\"kind\": \"load\"}", "{\"kind\": \"load\", \"scripts\": []}" };
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "run.json");
    struct load_record record;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_true(file_write(ctx, path, texts[i], strlen(texts[i]), 0600));
        assert_false(load_record_read(ctx, path, &record));
        assert_error(ctx, ERR_INPUT, "run.json");
    }
    assert_true(file_write(ctx, path, "{}\0{}", 5, 0600));
    assert_false(load_record_read(ctx, path, &record));
    assert_error(ctx, ERR_INPUT, "NUL");
    assert_false(load_record_read(ctx, file_join(ctx->arena, folder, "missing"), &record));
    assert_true(file_remove(ctx, folder));
}

static void
a_generator_that_is_late_is_the_bottleneck(void **state)
{
    struct ctx *ctx = *state;
    struct load_record record = { .lag = histogram_new(ctx->arena) };

    assert_false(load_record_is_bottleneck(&record));
    for (int i = 0; i < 990; i++)
        histogram_record(record.lag, 100);
    for (int i = 0; i < 10; i++)
        histogram_record(record.lag, 50000);
    /* One of a hundred: the 99th percentile is still 0.1 ms. */
    assert_false(load_record_is_bottleneck(&record));
    histogram_record(record.lag, 50000);
    assert_true(load_record_is_bottleneck(&record));
}

/* A run that was cut is told of in the notes, in JSON and on the page; a whole one is not. */
static void
a_report_tells_of_a_run_that_was_cut(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);

    for (int i = 0; i < 2; i++) {
        bool is_whole = i == 1;
        struct report_options options = { 0 };
        const struct report_stretch stretch = { .from = "zero",
            .from_at = "2026-11-22 08:00:00+00",
            .to = "one",
            .to_at = "2026-11-22 09:00:00+00" };
        struct report report = { .database = "db",
            .server_version = "16.4",
            .made_at = "2026-11-22T10:00:00Z",
            .before = stretch,
            .after = stretch };
        struct load_record record;
        json_t *json;

        make_record(ctx, &record);
        record.is_complete = is_whole;
        options.load_after = write_record(ctx, folder, &record);
        assert_true(report_read_loads(ctx, &options, &report));
        assert_int_equal(report.notes.count, is_whole ? 0 : 1);
        if (!is_whole)
            assert_non_null(strstr(report.notes.items[0], "\"after\" did not come to its end"));
        json = report_json(&report);
        assert_int_equal(
            json_is_true(json_object_get(json_object_get(json, "load_after"), "is_complete")),
            is_whole);
        json_decref(json);
        assert_int_equal(strstr(report_html(ctx, &report),
                             "<span class=\"mark\">did not come to its end") != NULL,
            !is_whole);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(a_result_that_is_read_again_is_the_same),
        test_with_ctx(members_for_people_are_there),
        test_with_ctx(think_time_is_the_mean_of_all_users),
        test_with_ctx(a_cut_file_is_refused),
        test_with_ctx(every_damage_is_named),
        test_with_ctx(what_is_no_result_is_refused),
        test_with_ctx(a_generator_that_is_late_is_the_bottleneck),
        test_with_ctx(a_report_tells_of_a_run_that_was_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
