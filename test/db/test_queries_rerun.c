/*
 * Parents of a log's loops, run again on a server: what is proven, and that nothing is run which may do
 * more than read.
 */
#include "support/test.h"

#include "db/db.h"
#include "queries/detect/rerun.h"

#define DATABASE "pgmend_test_rerun"

/* The id of each dialog comes again in the loop; the others must not be run. */
#define PARENT   "SELECT title, id FROM dialogs WHERE user_id = $1 ORDER BY id"
#define COUNTING "SELECT id FROM counted_dialogs WHERE user_id = $1"
#define CHILD    "SELECT count(*) FROM messages WHERE dialog_id = $1"

static bool
execute(struct ctx *ctx, const char *database, const char *sql)
{
    const struct db_options wanted = {
        .database = database, .application = "test", .access = ACCESS_WRITE
    };
    struct db *db CLEANUP(db_cleanup) = NULL;

    return db_open(ctx, &wanted, &db) && db_exec(ctx, db, sql);
}

static void
must(struct ctx *ctx, bool is_good)
{
    if (!is_good)
        fail_msg("%s", ctx->error.message);
}

static struct db *
database(struct ctx *ctx)
{
    const struct db_options wanted = {
        .database = DATABASE, .application = "test", .access = ACCESS_READ
    };
    struct db *db = NULL;

    must(ctx, execute(ctx, "postgres", "DROP DATABASE IF EXISTS " DATABASE));
    must(ctx, execute(ctx, "postgres", "CREATE DATABASE " DATABASE));
    must(ctx,
        execute(ctx, DATABASE,
            "CREATE TABLE public.dialogs AS SELECT g AS id, g % 3 AS user_id, 'title ' || g AS title"
            "  FROM pg_catalog.generate_series(1, 30) AS g"));
    must(ctx, execute(ctx, DATABASE, "CREATE SEQUENCE public.looks"));
    must(ctx, execute(ctx, DATABASE,
                  "CREATE FUNCTION public.look(n int) RETURNS int VOLATILE LANGUAGE sql AS"
                  " 'SELECT n WHERE pg_catalog.nextval(''public.looks'') > 0'"));
    must(ctx,
        execute(ctx, DATABASE,
            "CREATE VIEW public.counted_dialogs AS SELECT public.look(id) AS id, user_id FROM public.dialogs"));
    must(ctx, db_open(ctx, &wanted, &db));
    return db;
}

struct scene {
    struct ctx *ctx;
    struct templates *templates;
    struct detect *detect;
    int64_t now_us;
};

static void
say(struct scene *scene, const char *sql, const char *text)
{
    /* Hashes need only tell the values apart here. */
    struct traced_value value = { .text = text, .hash = 1 };
    struct traced_statement statement = { .session = 1,
        .transaction = 1,
        .started_us = scene->now_us,
        .elapsed_us = 1000,
        .rows = -1,
        .values = &value,
        .value_count = text ? 1 : 0,
        .param_count = text ? 1 : 0 };

    for (const char *c = text; c && *c; c++)
        value.hash = value.hash * 31 + (uint64_t)*c;
    statement.template =
        templates_find(scene->templates, sql, strlen(sql), false, scene->ctx->arena, NULL);
    detect_take(scene->detect, &statement);
    scene->now_us += 1500;
}

/* A request as a log shows it: the parent, and a loop over these keys. */
static void
request(struct scene *scene, const char *parent, const char *const *keys, size_t count)
{
    static const struct detect_options standard;

    scene->templates = templates_new(scene->ctx->arena);
    scene->detect = detect_new(scene->ctx->arena, &standard);
    scene->now_us = 1000000;
    say(scene, "BEGIN", NULL);
    say(scene, parent, "1");
    for (size_t i = 0; i < count; i++)
        say(scene, CHILD, keys[i]);
    say(scene, "COMMIT", NULL);
}

static struct query_finding
rerun(struct scene *scene, struct db *db, struct rerun_counts *ret_counts)
{
    struct query_findings findings;
    struct samples samples;

    detect_finish(scene->detect, &findings);
    assert_int_equal(findings.count, 1);
    detect_samples(scene->detect, &findings, &samples);
    assert_int_equal(samples.count, 1);
    must(scene->ctx, rerun_parents(scene->ctx, db, &samples, &findings, ret_counts));
    detect_free(scene->detect);
    templates_free(scene->templates);
    return findings.items[0];
}

static void
parents_are_proven_by_their_rows(void **state)
{
    static const char *const right[] = { "1", "4", "7", "10", "13" };
    static const char *const wrong[] = { "2", "6", "1", "900" };
    struct ctx *ctx = *state;
    struct scene scene = { .ctx = ctx };
    struct db *db CLEANUP(db_cleanup) = database(ctx);
    struct rerun_counts counts;
    struct query_finding finding;
    const char *looks;

    request(&scene, PARENT, right, COUNT_OF(right));
    finding = rerun(&scene, db, &counts);
    assert_int_equal(counts.proven, 1);
    assert_int_equal(finding.kind, FOUND_N_PLUS_ONE);
    assert_int_equal(finding.provenance, PROVENANCE_RERUN);
    assert_int_equal(finding.parent.key_column, 1);
    assert_string_equal(finding.parent.key_name, "id");
    assert_true(finding.parent.rows_mean == 10);
    assert_int_equal(finding.children[0].slots[0].origin, SLOT_KEY);

    request(&scene, PARENT, wrong, COUNT_OF(wrong));
    finding = rerun(&scene, db, &counts);
    assert_int_equal(counts.ran, 1);
    assert_int_equal(counts.proven, 0);
    assert_int_not_equal(finding.provenance, PROVENANCE_RERUN);
    assert_true(finding.confidence < 0.5);

    /* A view hides the function. */
    request(&scene, COUNTING, right, COUNT_OF(right));
    (void)rerun(&scene, db, &counts);
    assert_int_equal(counts.ran, 0);
    assert_int_equal(counts.unsafe, 1);
    must(ctx, db_value(ctx, db, "SELECT is_called::text FROM public.looks", NULL, 0, &looks));
    assert_string_equal(looks, "false");

    /* What the server does not know is counted, and the session goes on. */
    request(&scene, "SELECT id FROM dropped_dialogs WHERE user_id = $1", right, COUNT_OF(right));
    (void)rerun(&scene, db, &counts);
    assert_int_equal(counts.failed, 1);
    must(ctx, db_value(ctx, db, "SELECT 'here'", NULL, 0, &looks));

    db_close(db);
    db = NULL;
    must(ctx, execute(ctx, "postgres", "DROP DATABASE " DATABASE));
}

int
main(void)
{
    const struct CMUnitTest tests[] = { test_with_ctx(parents_are_proven_by_their_rows) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
