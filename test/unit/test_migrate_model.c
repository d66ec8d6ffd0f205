/*
 * What the server cannot be asked about: conditions that are undecided, steps that are unknown,
 * who was first, the replay. Its answers to statements are compared in test/db.
 */
#include "support/test.h"

#include "base/text.h"
#include "migrate/model/replay.h"

struct bench {
    struct ctx ctx;
    struct model model;
    struct model_errors errors;
};

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    model_init(&bench->model, arena);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    arena_free(bench->ctx.arena);
    return 0;
}

/* The steps of a text, all under a condition that may be NULL. */
static struct steps
steps_of(struct ctx *ctx, const char *sql, const struct condition *condition)
{
    struct sql_source source = { .text = sql, .place = { .file = "f.py", .line = 1 } };
    struct steps steps = { 0 };

    assert_true(steps_from_sql(ctx, &source, &steps));
    for (size_t i = 0; i < steps.count && condition; i++)
        VEC_PUSH(ctx->arena, &steps.items[i].conditions, *condition);
    return steps;
}

static void
apply(struct bench *bench, const char *sql, const struct condition *condition)
{
    struct steps steps = steps_of(&bench->ctx, sql, condition);

    for (size_t i = 0; i < steps.count; i++)
        assert_true(model_apply(&bench->ctx, &bench->model, &steps.items[i], 7, &bench->errors));
}

/* The only error since the last call. */
static const struct model_error *
only_error(struct bench *bench, const char *sqlstate, bool is_certain)
{
    const struct model_error *error = &bench->errors.items[bench->errors.count - 1];

    assert_int_equal(bench->errors.count, 1);
    assert_string_equal(error->sqlstate, sqlstate);
    assert_int_equal(error->is_certain, is_certain);
    bench->errors.count = 0;
    return error;
}

static const struct condition undecided = { .text = "settings.flag" };

static struct condition
test_of(enum test_kind kind, const char *table, const char *name, bool is_negated)
{
    return (struct condition){ .text = "has",
        .test = { .kind = kind, .table = table, .name = name, .is_negated = is_negated } };
}

static void
undecided_conditions_make_things_doubtful(void **state)
{
    struct bench *bench = *state;

    apply(bench, "CREATE TABLE t (id int); ALTER TABLE nope ADD COLUMN a int", &undecided);
    assert_int_equal(bench->errors.count, 0);
    apply(bench, "ALTER TABLE t ADD COLUMN a int", NULL);
    assert_non_null(only_error(bench, "42P01", false)->first);
    /* The statement would have failed without the table, so it is there from here on. */
    apply(bench, "ALTER TABLE t ADD COLUMN b int", NULL);
    assert_int_equal(bench->errors.count, 0);
    apply(bench, "ALTER TABLE t DROP COLUMN a; DROP TABLE t", &undecided);
    apply(bench, "ALTER TABLE t DROP COLUMN b", NULL);
    only_error(bench, "42P01", false);
    apply(bench, "ALTER TABLE t ADD COLUMN a int", NULL);
    only_error(bench, "42701", false);
}

static void
the_model_answers_inspectors(void **state)
{
    struct bench *bench = *state;
    struct condition has_table = test_of(TEST_TABLE, NULL, "t", false);
    struct condition lacks_table = test_of(TEST_TABLE, NULL, "t", true);
    struct condition has_column = test_of(TEST_COLUMN, "t", "a", false);
    struct condition has_index = test_of(TEST_INDEX, "t", "ix", false);
    struct condition has_key = test_of(TEST_CONSTRAINT, "t", "t_pkey", false);
    struct conditions conditions = { &has_table, 1, 1 };

    assert_int_equal(model_decide(&bench->model, &conditions), VERDICT_NO);
    apply(bench, "CREATE TABLE t (id int PRIMARY KEY)", &lacks_table);
    assert_int_equal(model_decide(&bench->model, &conditions), VERDICT_YES);
    apply(bench, "CREATE TABLE t (id int)", &lacks_table);
    assert_int_equal(bench->errors.count, 0);
    conditions.items = &has_key;
    assert_int_equal(model_decide(&bench->model, &conditions), VERDICT_YES);
    conditions.items = &has_index;
    assert_int_equal(model_decide(&bench->model, &conditions), VERDICT_NO);
    conditions.items = &has_column;
    assert_int_equal(model_decide(&bench->model, &conditions), VERDICT_NO);
    apply(bench, "ALTER TABLE t ADD COLUMN a int", &undecided);
    assert_int_equal(model_decide(&bench->model, &conditions), VERDICT_UNKNOWN);
    apply(bench, "CREATE INDEX ix ON t (id)", NULL);
    conditions.items = &has_index;
    assert_int_equal(model_decide(&bench->model, &conditions), VERDICT_YES);
}

static void
unknown_steps_reach_as_far_as_they_say(void **state)
{
    struct bench *bench = *state;
    struct step unknown = {
        .kind = STEP_UNKNOWN, .unknown = "?", .reach = REACH_TABLE, .object = { .name = "t" }
    };

    apply(bench, "CREATE TABLE t (id int); CREATE TABLE u (id int)", NULL);
    assert_true(model_apply(&bench->ctx, &bench->model, &unknown, 0, &bench->errors));
    apply(bench, "ALTER TABLE t DROP COLUMN a", NULL);
    only_error(bench, "42703", false);
    apply(bench, "ALTER TABLE t DROP CONSTRAINT c", NULL);
    only_error(bench, "42704", false);
    apply(bench, "ALTER TABLE u DROP COLUMN a", NULL);
    only_error(bench, "42703", true);
    unknown.reach = REACH_ALL;
    assert_true(model_apply(&bench->ctx, &bench->model, &unknown, 0, &bench->errors));
    apply(bench, "DROP TABLE w", NULL);
    only_error(bench, "42P01", false);
}

static void
an_unknown_step_may_have_dropped_what_was_before(void **state)
{
    struct bench *bench = *state;
    struct step unknown = { .kind = STEP_DROP_CONSTRAINT,
        .unknown = "?",
        .reach = REACH_TABLE,
        .object = { .name = "t" } };

    apply(bench, "CREATE TABLE t (id int PRIMARY KEY, a int, CONSTRAINT c CHECK (a > 0))", NULL);
    apply(bench, "CREATE TABLE u (id int PRIMARY KEY)", NULL);
    assert_true(model_apply(&bench->ctx, &bench->model, &unknown, 0, &bench->errors));
    apply(bench, "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 1)", NULL);
    only_error(bench, "42710", false);
    apply(bench, "ALTER TABLE t ADD PRIMARY KEY (a)", NULL);
    only_error(bench, "42P16", false);
    apply(bench, "ALTER TABLE t ADD PRIMARY KEY (id)", NULL);
    only_error(bench, "42P16", true);
    apply(bench, "ALTER TABLE u ADD PRIMARY KEY (id)", NULL);
    only_error(bench, "42P16", true);
    unknown = (struct step){ .kind = STEP_UNKNOWN, .unknown = "?", .reach = REACH_ALL };
    assert_true(model_apply(&bench->ctx, &bench->model, &unknown, 0, &bench->errors));
    apply(bench, "CREATE TABLE u (id int)", NULL);
    only_error(bench, "42P07", false);
    apply(bench, "CREATE TABLE u (id int)", NULL);
    only_error(bench, "42P07", true);
    /* What only makes things takes nothing away. */
    unknown = (struct step){ .kind = STEP_CREATE_TABLE, .unknown = "?", .reach = REACH_ALL };
    assert_true(model_apply(&bench->ctx, &bench->model, &unknown, 0, &bench->errors));
    apply(bench, "CREATE TABLE u (id int)", NULL);
    only_error(bench, "42P07", true);
}

static void
errors_say_who_was_first(void **state)
{
    struct bench *bench = *state;

    apply(bench, "CREATE TABLE t (id int, a int);\nALTER TABLE t DROP COLUMN a", NULL);
    apply(bench, "ALTER TABLE t DROP COLUMN a", NULL);
    assert_int_equal(only_error(bench, "42703", true)->first->revision, 7);
    apply(bench, "DROP TABLE t", NULL);
    apply(bench, "DROP TABLE t", NULL);
    assert_non_null(only_error(bench, "42P01", true)->first);
    assert_non_null(model_dropped(&bench->model, "public.t.a"));
    apply(bench, "DROP TABLE never", NULL);
    assert_null(only_error(bench, "42P01", true)->first);
}

static void
a_table_that_failed_halfway_is_still_known(void **state)
{
    struct bench *bench = *state;

    apply(bench, "CREATE TABLE t (id int REFERENCES nope (id))", NULL);
    only_error(bench, "42P01", true);
    apply(bench, "CREATE INDEX ix ON t (id)", NULL);
    assert_int_equal(bench->errors.count, 0);
}

/* ---- the replay ---- */

struct told {
    size_t count;
    struct model_error last;
    struct model_error first;
};

static void
remember(void *self, const struct revision *revision, const struct step *step,
    const struct model_error *error)
{
    struct told *told = self;

    (void)revision;
    (void)step;
    if (told->count++ == 0)
        told->first = *error;
    told->last = *error;
}

/* Replays revisions with these upgrades, one after another. */
static struct told
replay(struct bench *bench, const struct steps *upgrades, size_t count)
{
    struct arena *arena = bench->ctx.arena;
    struct history history = { .items = ARENA_ARRAY(arena, struct revision, count),
        .count = count };
    struct graph graph = { .nodes = ARENA_ARRAY(arena, struct node, count), .count = count };
    struct told told = { 0 };
    struct replay_watcher watcher = { .self = &told, .failed = remember };

    for (size_t i = 0; i < count; i++) {
        history.items[i] = (struct revision){ .index = i, .file = "f.py", .upgrade = upgrades[i] };
        graph.nodes[i].revision = &history.items[i];
        VEC_PUSH(arena, &graph.order, i);
    }
    bench->model.server_major = 0;
    assert_true(replay_run(&bench->ctx, &history, &graph, &watcher, 1, &bench->model));
    return told;
}

static void
a_caught_failure_aborts_the_transaction(void **state)
{
    struct bench *bench = *state;
    struct ctx *ctx = &bench->ctx;
    struct steps steps = steps_of(ctx,
        "CREATE TABLE t (id int); DROP INDEX nope; ALTER TABLE t ADD COLUMN a int;"
        "ALTER TABLE t ADD COLUMN b int",
        NULL);
    struct told told;

    steps.items[1].in_try = true;
    told = replay(bench, &steps, 1);
    assert_int_equal(told.count, 2);
    assert_string_equal(told.first.sqlstate, "42704");
    assert_string_equal(told.last.sqlstate, "25P02");
    assert_string_equal(told.last.message,
        "current transaction is aborted, commands ignored until end of transaction block");
    assert_int_equal(told.last.first->place.line, steps.items[1].place.line);

    /* Outside of a transaction nothing is aborted. */
    steps.items[1].in_autocommit = true;
    assert_int_equal(replay(bench, &steps, 1).count, 1);

    /* As the last statement it makes Alembic's own UPDATE fail. */
    steps.items[1].in_autocommit = false;
    steps.count = 2;
    told = replay(bench, &steps, 1);
    assert_string_equal(told.last.sqlstate, "25P02");
}

static void
handlers_run_when_their_try_failed(void **state)
{
    struct bench *bench = *state;
    struct ctx *ctx = &bench->ctx;
    struct condition except = { .text = "except" };
    struct steps steps =
        steps_of(ctx, "CREATE TABLE t (id int); ALTER TABLE t ADD COLUMN a int", NULL);
    struct steps handler = steps_of(ctx, "DROP TABLE t", &except);
    struct steps after = steps_of(ctx, "ALTER TABLE t ADD COLUMN b int", NULL);

    steps.items[1].in_try = true;
    VEC_PUSH(ctx->arena, &steps, handler.items[0]);
    VEC_PUSH(ctx->arena, &steps, after.items[0]);
    assert_int_equal(replay(bench, &steps, 1).count, 0);
}

static void
what_was_there_before_is_missed_once(void **state)
{
    struct bench *bench = *state;
    struct steps steps[] = {
        steps_of(
            &bench->ctx, "ALTER TABLE users ADD COLUMN a int; CREATE INDEX ix ON users (b)", NULL),
        steps_of(&bench->ctx, "ALTER TABLE users DROP COLUMN c; CREATE TABLE t (id int)", NULL),
        steps_of(&bench->ctx, "CREATE TABLE t (id int)", NULL),
    };
    struct told told = replay(bench, steps, 2);

    assert_int_equal(told.count, 1);
    assert_true(told.last.is_certain);
    assert_true(bench->model.has_baseline);
    told = replay(bench, steps, 3);
    assert_int_equal(told.count, 2);
    assert_string_equal(told.last.sqlstate, "42P07");
    assert_true(told.last.is_certain);
}

static void
the_version_table_is_there(void **state)
{
    struct bench *bench = *state;
    struct steps steps = steps_of(&bench->ctx, "CREATE TABLE alembic_version (x int)", NULL);

    assert_string_equal(replay(bench, &steps, 1).last.sqlstate, "42P07");
}

static void
new_values_are_ordinary_after_an_autocommit_block(void **state)
{
    struct bench *bench = *state;
    struct steps steps[] = {
        steps_of(&bench->ctx, "CREATE TYPE m AS ENUM ('a'); CREATE TABLE t (m m)", NULL),
        steps_of(&bench->ctx,
            "ALTER TYPE m ADD VALUE 'b'; ALTER TABLE t ALTER COLUMN m SET DEFAULT 'b'", NULL),
    };

    assert_string_equal(replay(bench, steps, 2).last.sqlstate, "55P04");
    steps[1].items[0].in_autocommit = true;
    assert_int_equal(replay(bench, steps, 2).count, 0);
}

/* Chosen names are counted on from where the last search ended. */
static void
many_objects_take_little_time(void **state)
{
    enum { MANY = 20000 };
    struct bench *bench = *state;
    struct steps add = steps_of(&bench->ctx, "CREATE INDEX ON t (id)", NULL);
    clock_t start = clock();

    apply(bench, "CREATE TABLE t (id int)", NULL);
    for (int i = 0; i < MANY; i++)
        assert_true(model_apply(&bench->ctx, &bench->model, &add.items[0], 0, &bench->errors));
    assert_int_equal(bench->errors.count, 0);
    assert_non_null(model_relation(&bench->model, (struct object_name){ .name = "t_id_idx19999" }));
    assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(undecided_conditions_make_things_doubtful),
        TEST(the_model_answers_inspectors),
        TEST(unknown_steps_reach_as_far_as_they_say),
        TEST(an_unknown_step_may_have_dropped_what_was_before),
        TEST(errors_say_who_was_first),
        TEST(a_table_that_failed_halfway_is_still_known),
        TEST(a_caught_failure_aborts_the_transaction),
        TEST(handlers_run_when_their_try_failed),
        TEST(what_was_there_before_is_missed_once),
        TEST(the_version_table_is_there),
        TEST(new_values_are_ordinary_after_an_autocommit_block),
        TEST(many_objects_take_little_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
