/* Records of steps, kept plans and the journal's step, against the server. */
#include "support/test.h"

#include "change/step.h"
#include "test_change_support.h"

static struct step_record
record_of(const char *hash, const char *step, int32_t phase, const char *state)
{
    return (struct step_record){ .plan_hash = hash,
        .step = step,
        .phase = phase,
        .title = "a title",
        .feature = "index",
        .state = state };
}

static void
put(struct bench *bench, struct step_record record)
{
    must(bench, step_put(&bench->ctx, bench->db, &record));
}

static void
records_are_replaced_and_ordered(void **state)
{
    struct bench *bench = *state;
    struct step_records records;
    struct step_record done = record_of("b", "1.2", 1, STEP_PROVEN);

    done.why = "it pays";
    done.before = "{\"seconds\": 1}";
    put(bench, record_of("b", "1.10", 1, STEP_DONE));
    put(bench, record_of("b", "1.2", 1, STEP_RUNNING));
    assert_answer(bench, "SELECT ended_at FROM pgmend.step WHERE step = '1.2'", "(null)");
    put(bench, record_of("a", "2.1", 2, STEP_WAITING));
    put(bench, done);
    assert_answer(bench, "SELECT ended_at IS NOT NULL FROM pgmend.step WHERE step = '1.2'", "t");
    must(bench, step_load(&bench->ctx, bench->db, NULL, &records));
    assert_int_equal(records.count, 3);
    assert_string_equal(records.items[0].step, "1.2");
    assert_string_equal(records.items[0].state, STEP_PROVEN);
    assert_string_equal(records.items[0].why, "it pays");
    assert_string_equal(records.items[0].before, "{\"seconds\": 1}");
    assert_null(records.items[0].after);
    assert_string_equal(records.items[1].step, "1.10");
    assert_string_equal(records.items[2].plan_hash, "a");
    must(bench, step_load(&bench->ctx, bench->db, "a", &records));
    assert_int_equal(records.count, 1);
    assert_null(step_find(&records, "1.2"));
    assert_string_equal(step_find(&records, "2.1")->state, STEP_WAITING);
}

static void
unknown_state_is_refused(void **state)
{
    struct bench *bench = *state;
    struct step_record record = record_of("a", "1.1", 1, "fine");

    assert_false(step_put(&bench->ctx, bench->db, &record));
    assert_error(&bench->ctx, ERR_SERVER, "recording that step 1.1 is fine");
    error_clear(&bench->ctx);
}

static void
make_plan(struct bench *bench, const char *note, struct plan *ret)
{
    struct arena *arena = bench->ctx.arena;
    struct change *change = ARENA_NEW(arena, struct change);
    struct plan_step *step = ARENA_NEW(arena, struct plan_step);

    *change = column_change(bench);
    *step = (struct plan_step){
        .id = "1.1", .phase = 1, .title = note, .feature = "test", .count = 1, .undo_us = -1
    };
    *ret = (struct plan){ .items = change,
        .count = 1,
        .database = bench->database,
        .server_version = "",
        .created_at = "2026-01-01T00:00:00Z" };
    ret->steps.items = step;
    ret->steps.count = 1;
    must(bench, plan_seal(&bench->ctx, bench->db, ret));
}

static void
plans_are_kept_by_hash(void **state)
{
    struct bench *bench = *state;
    struct plan first;
    struct plan second;
    struct plan found;
    bool is_found;

    make_plan(bench, "first", &first);
    make_plan(bench, "second", &second);
    must(bench, plan_find_kept(&bench->ctx, bench->db, NULL, &found, &is_found));
    assert_false(is_found);
    must(bench, plan_keep(&bench->ctx, bench->db, &first));
    must(bench, plan_keep(&bench->ctx, bench->db, &second));
    must(bench, plan_find_kept(&bench->ctx, bench->db, NULL, &found, &is_found));
    assert_true(is_found);
    assert_string_equal(found.hash, second.hash);
    must(bench, plan_find_kept(&bench->ctx, bench->db, first.hash, &found, &is_found));
    assert_true(is_found);
    assert_string_equal(found.steps.items[0].title, "first");
    assert_string_equal(found.steps.items[0].shape, first.steps.items[0].shape);
    must(bench, plan_keep(&bench->ctx, bench->db, &first));
    must(bench, plan_find_kept(&bench->ctx, bench->db, NULL, &found, &is_found));
    assert_string_equal(found.hash, first.hash);
    run(bench,
        "UPDATE pgmend.plan SET plan = pg_catalog.replace(plan::text, 'second', 'edited')::json");
    assert_false(plan_find_kept(&bench->ctx, bench->db, second.hash, &found, &is_found));
    assert_error(&bench->ctx, ERR_VERIFICATION, "altered after pgmend wrote it");
    error_clear(&bench->ctx);
}

static void
step_is_stale_by_its_own_tables(void **state)
{
    struct bench *bench = *state;
    struct plan plan;

    make_plan(bench, "first", &plan);
    must(bench, plan_check_fresh(&bench->ctx, bench->db, &plan));
    must(bench, plan_check_step_fresh(&bench->ctx, bench->db, &plan, &plan.steps.items[0]));
    run(bench, "ALTER TABLE app.t ADD COLUMN twice bigint");
    must(bench, plan_check_step_fresh(&bench->ctx, bench->db, &plan, &plan.steps.items[0]));
    run(bench, "ALTER TABLE app.t ADD COLUMN other bigint");
    assert_false(plan_check_fresh(&bench->ctx, bench->db, &plan));
    assert_error(&bench->ctx, ERR_STALE, "the plan is stale");
    error_clear(&bench->ctx);
    assert_false(plan_check_step_fresh(&bench->ctx, bench->db, &plan, &plan.steps.items[0]));
    assert_error(&bench->ctx, ERR_STALE, "step 1.1 of the plan is stale");
    error_clear(&bench->ctx);
    /* One that failed has left nothing; one that stands may have altered the table itself. */
    put(bench, record_of(plan.hash, "1.1", 1, STEP_FAILED));
    assert_false(plan_check_fresh(&bench->ctx, bench->db, &plan));
    error_clear(&bench->ctx);
    put(bench, record_of(plan.hash, "1.1", 1, STEP_DONE));
    must(bench, plan_check_fresh(&bench->ctx, bench->db, &plan));
}

static void
entries_carry_their_step(void **state)
{
    struct bench *bench = *state;

    bench->rollout.journal.step = "1.1";
    do_change(bench, column_change(bench), "added");
    bench->rollout.journal.step = NULL;
    assert_string_equal(last_entry(bench).step, "1.1");
    do_change(bench, record_change("{}"), "recorded");
    assert_null(last_entry(bench).step);
    undo_last(bench, "no longer recorded");
    undo_last(bench, "dropped");
    assert_answer(bench, "SELECT step FROM pgmend.journal WHERE object = 'app.t.twice'", "1.1");
}

/* The tables of an older version are read as they are, and get what they lack when something is written. */
static void
older_schema_is_read_and_completed(void **state)
{
    struct bench *bench = *state;
    struct step_records records;
    struct journal_entries entries;
    struct plan plan;
    bool is_found;

    do_change(bench, column_change(bench), "added");
    run(bench, "DROP TABLE pgmend.step, pgmend.plan");
    run(bench, "ALTER TABLE pgmend.journal DROP COLUMN step");
    must(bench, step_load(&bench->ctx, bench->db, NULL, &records));
    assert_int_equal(records.count, 0);
    must(bench, plan_find_kept(&bench->ctx, bench->db, NULL, &plan, &is_found));
    assert_false(is_found);
    must(bench, journal_load(&bench->ctx, bench->db, &entries));
    assert_int_equal(entries.count, 1);
    assert_null(entries.items[0].step);
    must(bench, journal_install(&bench->ctx, bench->db));
    put(bench, record_of("a", "1.1", 1, STEP_DONE));
    must(bench, journal_load(&bench->ctx, bench->db, &entries));
    assert_int_equal(entries.count, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(records_are_replaced_and_ordered),
        test_with_bench(unknown_state_is_refused),
        test_with_bench(plans_are_kept_by_hash),
        test_with_bench(step_is_stale_by_its_own_tables),
        test_with_bench(entries_carry_their_step),
        test_with_bench(older_schema_is_read_and_completed),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
