/*
 * Workloads from files and logs. What is expected is counted by hand, and what statements mean is left to
 * the grammar: the texts that come out have to have the fingerprints of those that went in.
 */
#include "support/test.h"

#include <math.h>

#include "index/intake/intake.h"
#include "lang/sql.h"

static const char *
put(struct ctx *ctx, const char *folder, const char *name, const char *text)
{
    const char *path = file_join(ctx->arena, folder, name);

    assert_true(file_write(ctx, path, text, strlen(text), 0600));
    return path;
}

static struct intake
read_sql(struct ctx *ctx, const char *text)
{
    const char *folder = test_folder(ctx);
    struct text_list paths = { 0 };
    struct intake intake;

    text_list_add(ctx->arena, &paths, put(ctx, folder, "work.sql", text));
    if (!intake_files(ctx, &paths, &intake))
        fail_msg("%s", ctx->error.message);
    assert_true(file_remove(ctx, folder));
    return intake;
}

static const struct intake_statement *
find(const struct intake *intake, const char *text)
{
    for (size_t i = 0; i < intake->count; i++)
        if (strcmp(intake->items[i].text, text) == 0)
            return &intake->items[i];
    for (size_t i = 0; i < intake->count; i++)
        print_message("# %s\n", intake->items[i].text);
    fail_msg("no statement \"%s\"", text);
    return NULL;
}

/* What varies becomes a parameter, what does not stays. */
static void
test_constants(void **state)
{
    struct ctx *ctx = *state;
    struct intake intake =
        read_sql(ctx, "SELECT * FROM a WHERE x = 1 AND s = 'open' LIMIT 10;\n"
                      "SELECT * FROM a WHERE x = -27 AND s = 'open' LIMIT 10;\n"
                      "select *  from a where x = 300 and s = 'open' limit 10;\n"
                      "SELECT * FROM b WHERE t = E'it\\'s' AND u = $$a;b$$ ORDER BY 1;\n"
                      "SELECT * FROM b WHERE t = 'plain' AND u = $$a;b$$ ORDER BY 1;\n"
                      "SELECT * FROM c WHERE x IN (1, 2, 3) AND y = 5;\n"
                      "SELECT * FROM c WHERE x IN (7, 8) AND y = 5;\n"
                      "SELECT * FROM d WHERE at > '2026-01-01'::timestamptz;\n"
                      "SELECT * FROM d WHERE at > '2026-02-01'::timestamptz;\n"
                      "SELECT * FROM e WHERE x BETWEEN -5 AND -3;\n"
                      "SELECT * FROM e WHERE x BETWEEN -5 AND 4;\n");

    assert_int_equal(intake.count, 5);

    const struct intake_statement *a =
        find(&intake, "SELECT * FROM a WHERE x = $1 AND s = 'open' LIMIT 10");

    assert_int_equal(a->samples.count, 3);
    assert_true(a->calls == 3 && a->total_ms < 0 && a->is_read && !a->problem);
    assert_string_equal(a->source, "work.sql:1");
    assert_string_equal(
        a->samples.items[1], "SELECT * FROM a WHERE x = -27 AND s = 'open' LIMIT 10");
    find(&intake, "SELECT * FROM b WHERE t = $1 AND u = $$a;b$$ ORDER BY 1");
    find(&intake, "SELECT * FROM c WHERE x IN ($1, $2, $3) AND y = 5");
    find(&intake, "SELECT * FROM d WHERE at > $1::timestamptz");
    find(&intake, "SELECT * FROM e WHERE x BETWEEN -5 AND $1");
    for (size_t i = 0; i < intake.count; i++) {
        const char *fingerprint;

        assert_true(sql_fingerprint(ctx, intake.items[i].text, &fingerprint));
        assert_string_equal(fingerprint, intake.items[i].fingerprint);
        for (size_t j = 0; j < intake.items[i].samples.count; j++) {
            assert_true(sql_fingerprint(ctx, intake.items[i].samples.items[j], &fingerprint));
            assert_string_equal(fingerprint, intake.items[i].fingerprint);
            assert_null(
                strchr(intake.items[i].samples.items[j], '$') == intake.items[i].samples.items[j]
                    ? "a parameter"
                    : NULL);
        }
    }
}

/* One fingerprint of libpg_query, and yet not one statement. */
static void
test_apart(void **state)
{
    struct ctx *ctx = *state;
    struct intake intake = read_sql(ctx, "SELECT * FROM log_2025 WHERE x = 1;\n"
                                         "SELECT * FROM log_2026 WHERE x = 1;\n"
                                         "SELECT * FROM LOG_2026 WHERE x = 2;\n"
                                         "SELECT * FROM log_2026 WHERE x IN (1, 2);\n"
                                         "SELECT * FROM log_2026 WHERE x IN (SELECT y FROM s1);\n");

    assert_int_equal(intake.count, 4);
    assert_true(find(&intake, "SELECT * FROM log_2026 WHERE x = $1")->calls == 2);
}

static void
test_weights(void **state)
{
    struct ctx *ctx = *state;
    struct intake intake =
        read_sql(ctx, "-- the list\n-- weight: 12.5\n\nSELECT 1 FROM a; SELECT 2 FROM b;\n"
                      "-- calls: 300\n-- time: 40ms\nUPDATE a SET x = 1 WHERE id = 2;\n"
                      "SELECT 3 FROM c; -- calls: 9\nSELECT 4 FROM d;\n");

    assert_true(find(&intake, "SELECT 1 FROM a")->calls == 12.5);
    assert_true(find(&intake, "SELECT 3 FROM c")->calls == 1);
    assert_true(find(&intake, "SELECT 4 FROM d")->calls == 1);

    const struct intake_statement *update = find(&intake, "UPDATE a SET x = 1 WHERE id = 2");

    assert_true(update->calls == 300 && fabs(update->total_ms - 12000) < 1e-6);
    assert_false(update->is_read);
    assert_ptr_equal(&intake.items[0], update);
    assert_false(intake.has_times);
}

static void
test_problems(void **state)
{
    struct ctx *ctx = *state;
    struct intake intake = read_sql(ctx,
        "SELECT 1 FROM a;\n\nSELECT *\n  FROM b WHER x = 1;\nVACUUM a;\nBEGIN;\nSET work_mem = '1GB';\n"
        "SELECT relname FROM pg_class WHERE relname = 'x';\n"
        "WITH w AS (SELECT oid FROM pg_catalog.pg_class) SELECT * FROM w;\n"
        "SELECT * FROM pg_class c JOIN a ON a.x = c.oid;\nEXPLAIN SELECT 1 FROM a;\n"
        "SELECT /* pgmend */ count(*) FROM a;\n");
    size_t problems = 0;

    assert_null(find(&intake, "SELECT 1 FROM a")->problem);
    assert_int_equal(intake.own, 3);
    assert_null(find(&intake, "SELECT * FROM pg_class c JOIN a ON a.x = c.oid")->problem);
    for (size_t i = 0; i < intake.count; i++) {
        const char *problem = intake.items[i].problem;

        problems += problem != NULL;
        if (problem && strstr(intake.items[i].text, "WHER"))
            assert_true(text_starts_with(problem, "work.sql:4:"));
    }
    assert_int_equal(problems, 5);
}

/* A quote that is not closed takes that file's rest with it, and nothing else. */
static void
test_broken_file(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct text_list paths = { 0 };
    struct intake intake;

    put(ctx, folder, "a.sql", "SELECT 1 FROM a; SELECT 'open FROM b;");
    put(ctx, folder, "b.sql",
        "\\set id random(1, 100)\nSELECT * FROM t WHERE id = :id AND s = :'x'::text;");
    put(ctx, folder, "c.txt", "SELECT 1 FROM never");
    text_list_add(ctx->arena, &paths, folder);
    assert_true(intake_files(ctx, &paths, &intake));
    assert_int_equal(intake.count, 2);
    assert_string_equal(intake.source, "2 files of SQL");
    for (size_t i = 0; i < intake.count; i++)
        if (strstr(intake.items[i].source, "a.sql"))
            assert_true(strstr(intake.items[i].problem, "a.sql:1:") != NULL);
    assert_true(file_remove(ctx, folder));
}

static void
test_variables(void **state)
{
    struct ctx *ctx = *state;
    struct intake intake = read_sql(
        ctx, "\\set id random(1, 99)\nSELECT * FROM t WHERE id = :id AND s = 'x' LIMIT 5;\n");

    assert_int_equal(intake.count, 1);
    assert_string_equal(intake.items[0].text, "SELECT * FROM t WHERE id = $1 AND s = 'x' LIMIT 5");
    assert_int_equal(intake.items[0].samples.count, 1);
    assert_string_equal(
        intake.items[0].samples.items[0], "SELECT * FROM t WHERE id = '50' AND s = 'x' LIMIT 5");
}

static void
test_no_statement(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct text_list paths = { 0 };
    struct intake intake;

    text_list_add(ctx->arena, &paths, put(ctx, folder, "empty.sql", "-- nothing\n"));
    assert_false(intake_files(ctx, &paths, &intake));
    assert_error(ctx, ERR_INPUT, "no statement");
    assert_non_null(ctx->error.hint);
    assert_true(file_remove(ctx, folder));
}

static struct intake
read_log(struct ctx *ctx, const char *text, const char *database)
{
    const char *folder = test_folder(ctx);
    struct text_list paths = { 0 };
    struct log_options options = { .database = database };
    struct intake intake;

    text_list_add(ctx->arena, &paths, put(ctx, folder, "app.log", text));
    if (!intake_logs(ctx, &paths, &options, &intake))
        fail_msg("%s", ctx->error.message);
    assert_true(file_remove(ctx, folder));
    return intake;
}

#define LINE(second, text)   "2026-11-20 10:00:" second ".000 UTC [77] app@shop LOG:  " text "\n"
#define DETAIL(second, text) "2026-11-20 10:00:" second ".000 UTC [77] app@shop DETAIL:  " text "\n"

static void
test_log(void **state)
{
    struct ctx *ctx = *state;
    struct intake intake = read_log(ctx,
        LINE(
            "01", "duration: 10.000 ms  execute <unnamed>: SELECT * FROM a WHERE x = $1 AND y = $2")
            DETAIL("01", "parameters: $1 = 'it''s', $2 = NULL") LINE("02",
                "duration: 30.500 ms  execute s1: SELECT * FROM a WHERE x = $1 AND y = $2") DETAIL("02",
                "parameters: $1 = 'two', $2 = '7'") LINE("03",
                "duration: 1.250 ms  statement: SELECT * FROM b WHERE id = 5") LINE("04",
                "duration: 2.250 ms  statement: SELECT * FROM b WHERE id = 6") "2026-11-20 10:00:05.000 UTC [78] app@other LOG:  duration: 9.000 ms  statement: SELECT 1 FROM c\n",
        "shop");

    assert_int_equal(intake.count, 2);
    assert_true(intake.has_times && intake.span_s > 2.9 && intake.span_s < 3.2);
    assert_int_equal(intake.other_databases, 1);
    assert_string_equal(intake.source, "1 log file");

    const struct intake_statement *a = find(&intake, "SELECT * FROM a WHERE x = $1 AND y = $2");

    assert_true(a->calls == 2 && fabs(a->total_ms - 40.5) < 1e-9);
    assert_int_equal(a->samples.count, 2);
    assert_string_equal(a->samples.items[0], "SELECT * FROM a WHERE x = 'it''s' AND y = NULL");
    assert_string_equal(a->source, "app.log:1");

    const struct intake_statement *b = find(&intake, "SELECT * FROM b WHERE id = $1");

    assert_true(b->calls == 2 && fabs(b->total_ms - 3.5) < 1e-9);
}

/* The four forms of auto_explain, and a statement that both it and log_min_duration_statement tell of. */
static void
test_auto_explain(void **state)
{
    static const char plan[] =
        "Seq Scan on a  (cost=0.00..1.00 rows=1 width=4)\n\t  Filter: (x < 5)";
    struct ctx *ctx = *state;
    const char *text = arena_printf(ctx->arena,
        LINE("01",
            "duration: 4.000 ms  plan:\n\tQuery Text: SELECT * FROM a WHERE x < 5\n\t%s") LINE("01",
            "duration: 4.100 ms  statement: SELECT * FROM a WHERE x < 5") LINE("02",
            "duration: 2.000 ms  plan:\n\t{\n\t  \"Query Text\": \"SELECT * FROM a WHERE x < 6\",\n\t"
            "  \"Plan\": {\n\t    \"Node Type\": \"Seq Scan\"\n\t  }\n\t}") LINE("03",
            "duration: 1.000 ms  plan:\n\t<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n\t"
            "  <Query-Text>SELECT * FROM a WHERE x &lt; 7</Query-Text>\n\t  <Plan>\n\t  </Plan>\n\t</explain>")
            LINE("04",
                "duration: 0.500 ms  plan:\n\tQuery Text: \"SELECT * FROM a WHERE x < 8\"\n\tPlan: \n\t"
                "  Node Type: \"Seq Scan\""),
        plan);
    struct intake intake = read_log(ctx, text, NULL);

    assert_int_equal(intake.count, 1);
    assert_string_equal(intake.items[0].text, "SELECT * FROM a WHERE x < $1");
    assert_true(intake.items[0].calls == 4);
    assert_true(intake.items[0].total_ms > 7.4 && intake.items[0].total_ms < 7.7);
    assert_int_equal(intake.items[0].samples.count, 4);
    assert_string_equal(intake.items[0].samples.items[2], "SELECT * FROM a WHERE x < 7");
    assert_string_equal(intake.items[0].samples.items[3], "SELECT * FROM a WHERE x < 8");
}

/* Memory is that of distinct statements, not of lines. */
static void
test_many(void **state)
{
    struct ctx *ctx = *state;
    struct buffer text = { .arena = ctx->arena };
    struct arena *arena = arena_new();
    struct ctx small = { .arena = arena };
    const char *folder = test_folder(ctx);
    struct text_list paths = { 0 };
    struct log_options options = { 0 };
    struct intake intake;
    size_t before;

    for (int i = 0; i < 40000; i++)
        buffer_printf(&text,
            LINE("01",
                "duration: 1.000 ms  statement: SELECT * FROM a WHERE x = %d AND t = 'some text'"),
            i);
    text_list_add(ctx->arena, &paths, put(ctx, folder, "app.log", buffer_text(&text)));
    before = arena_used(arena);
    assert_true(intake_logs(&small, &paths, &options, &intake));
    assert_int_equal(intake.count, 1);
    assert_true(intake.items[0].calls == 40000);
    assert_int_equal(intake.items[0].samples.count, INTAKE_MOST_SAMPLES);
    assert_true(arena_used(arena) - before < 3 * 1024 * 1024);
    arena_free(arena);
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_constants),
        test_with_ctx(test_apart),
        test_with_ctx(test_weights),
        test_with_ctx(test_problems),
        test_with_ctx(test_broken_file),
        test_with_ctx(test_variables),
        test_with_ctx(test_no_statement),
        test_with_ctx(test_log),
        test_with_ctx(test_auto_explain),
        test_with_ctx(test_many),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("index_intake", tests, NULL, NULL);
}
