/*
 * Gates against a server on which the faults really are: old transactions, windows that are closed, records of other
 * plans, and gates that turn red between two looks.
 */
#include "support/test.h"

#include "change/gate.h"
#include "cmd/parts/rehearsal_record.h"
#include "test_change_support.h"

#define HOUR_US INT64_C(3600000000)

static struct gate_input
input_of(struct bench *bench, const struct plan *plan)
{
    return (struct gate_input){
        .db = bench->db,
        .plan = plan,
        .backup_dir = bench->folder,
        .state_dir = bench->folder,
        .max_age_us = 24 * HOUR_US,
        .max_transaction_us = 1,
    };
}

static struct gate_result
check(struct bench *bench, const struct gate_input *input, const char *name)
{
    const struct gate *gate = gate_find(name);
    struct gate_result ret = { .name = name, .title = gate->title, .is_hard = gate->is_hard };

    must(bench, gate->check(&bench->ctx, input, &ret));
    return ret;
}

static void
assert_gate(struct bench *bench, const struct gate_input *input, const char *name,
    enum gate_state wanted, const char *text)
{
    struct gate_result result = check(bench, input, name);

    if (result.state != wanted || !strstr(result.text, text))
        fail_msg(
            "%s is %d: %s; wanted %d: %s", name, (int)result.state, result.text, (int)wanted, text);
}

/* A zone in which it is this hour now, by the server's own reckoning. */
static const char *
zone_at(struct bench *bench, int hour)
{
    int64_t now = 0;
    int offset;

    assert_true(text_to_int64(
        ask(bench, "SELECT EXTRACT(hour FROM pg_catalog.now() AT TIME ZONE 'UTC')::int"), &now));
    /* In the zones of this form, plus is west of Greenwich. */
    offset = ((int)now - hour + 36) % 24 - 12;
    return arena_printf(bench->ctx.arena, "Etc/GMT%+d", offset);
}

static void
test_window(void **state)
{
    static const struct {
        int hour;
        const char *window;
        enum gate_state wanted;
    } rows[] = {
        { 3, "02:00-05:00", GATE_GREEN },
        { 12, "02:00-05:00", GATE_RED },
        { 5, "02:00-05:00", GATE_RED },
        { 23, "22:00-02:00", GATE_GREEN },
        { 0, "22:00-02:00", GATE_GREEN },
        { 2, "22:00-02:00", GATE_RED },
        { 21, "22:00-02:00", GATE_RED },
        { 23, "22:00-24:00", GATE_GREEN },
        { 0, "22:00-24:00", GATE_RED },
    };
    struct bench *bench = *state;
    struct plan plan = { 0 };
    struct gate_input input = input_of(bench, &plan);

    assert_gate(bench, &input, "window", GATE_GREEN, "at any time");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *zone = zone_at(bench, rows[i].hour);

        input.low_traffic = arena_printf(bench->ctx.arena, "%s %s", rows[i].window, zone);
        assert_gate(bench, &input, "window", rows[i].wanted,
            rows[i].wanted == GATE_RED ? "opens in" : "is open for");
    }
}

/* How long until it opens: the hours between, at most, and one less at least. */
static void
test_window_tells_when_it_opens(void **state)
{
    struct bench *bench = *state;
    struct plan plan = { 0 };
    struct gate_input input = input_of(bench, &plan);
    const char *minutes = ask(bench, "SELECT EXTRACT(minute FROM pg_catalog.now())::int");
    const char *text;

    input.low_traffic = arena_printf(bench->ctx.arena, "02:00-05:00 %s", zone_at(bench, 20));
    text = check(bench, &input, "window").text;
    /* From 20:xx until 02:00: five hours and the rest of this one, or six at its very start. */
    if (!strstr(text, "opens in 5 h") && !text_equal(minutes, "0") && !text_equal(minutes, "59"))
        fail_msg("%s at minute %s", text, minutes);
}

static void
test_window_refuses(void **state)
{
    static const char *const wrong[] = { "nonsense", "2:00-5:00", "02:00-05:00Europe/Berlin",
        "25:00-26:00", "02:00-05:60", "24:01-05:00", "02:00", "02:00-02:00", "00:00-24:00",
        "02:00-05:00 Mars/North" };
    struct bench *bench = *state;
    struct plan plan = { 0 };
    struct gate_input input = input_of(bench, &plan);

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct gate_result ret = { .name = "window" };

        input.low_traffic = wrong[i];
        if (gate_find("window")->check(&bench->ctx, &input, &ret))
            fail_msg("\"%s\" was taken", wrong[i]);
        assert_int_equal(bench->ctx.error.kind, ERR_USAGE);
        error_clear(&bench->ctx);
    }
}

/* A step that would last beyond the window's end is not begun; a whole plan is only warned of. */
static void
test_window_is_long_enough(void **state)
{
    struct bench *bench = *state;
    struct change change = about_table(bench, KIND_INDEX, "t_new");
    struct plan_step step = { .id = "1.1", .count = 1 };
    struct plan plan = { .items = &change, .count = 1, .capacity = 1 };
    struct gate_input input = input_of(bench, &plan);

    change.us = 4 * HOUR_US;
    input.low_traffic = arena_printf(bench->ctx.arena, "02:00-05:00 %s", zone_at(bench, 3));
    assert_gate(bench, &input, "window", GATE_WARNING, "the plan will take about 4 h");
    input.step = &step;
    assert_gate(bench, &input, "window", GATE_RED, "this step will take about 4 h");
    change.us = 1000;
    assert_gate(bench, &input, "window", GATE_GREEN, "is open for");
    /* What another step takes is not counted. */
    change.us = 4 * HOUR_US;
    step.count = 0;
    assert_gate(bench, &input, "window", GATE_GREEN, "is open for");
}

/* Records of a plan count for that plan; those of people for every plan; a withdrawal ends both. */
static void
test_staging_is_of_a_plan(void **state)
{
    struct bench *bench = *state;
    struct plan one = { .hash = "1111" };
    struct plan two = { .hash = "2222" };
    struct gate_input of_one = input_of(bench, &one);
    struct gate_input of_two = input_of(bench, &two);

    assert_gate(bench, &of_one, "staging", GATE_RED, "nobody has recorded");
    must(bench, gate_record(&bench->ctx, bench->db, "staging", true, "ran", "1111"));
    assert_gate(bench, &of_one, "staging", GATE_GREEN, "ran");
    assert_gate(bench, &of_two, "staging", GATE_RED, "another plan");
    must(bench, gate_record(&bench->ctx, bench->db, "staging", true, "ran too", "2222"));
    assert_gate(bench, &of_one, "staging", GATE_GREEN, "ran");
    assert_gate(bench, &of_two, "staging", GATE_GREEN, "ran too");
    must(bench, gate_record(&bench->ctx, bench->db, "staging", false, "rebuilt", NULL));
    assert_gate(bench, &of_one, "staging", GATE_RED, "withdrawn");
    assert_gate(bench, &of_two, "staging", GATE_RED, "withdrawn");
    must(bench, gate_record(&bench->ctx, bench->db, "staging", true, "by anna", NULL));
    assert_gate(bench, &of_two, "staging", GATE_GREEN, "by anna");
    run(bench, "UPDATE pgmend.gate SET recorded_at = recorded_at - '2 days'::interval");
    assert_gate(bench, &of_two, "staging", GATE_RED, "too old");
}

/* The rehearsal was of a database of a few bytes; this one is larger by far. */
static void
test_staging_is_outgrown(void **state)
{
    struct bench *bench = *state;
    struct plan plan = { .hash = "1111" };
    struct gate_input input = input_of(bench, &plan);
    json_t *small CLEANUP(json_release) = json_pack("{s:s, s:b, s:i, s:i}", "plan_hash", "1111",
        "with_rows", 1, "database_bytes", 1000, "rows", 1);
    json_t *large CLEANUP(json_release) = json_pack("{s:s, s:b, s:I, s:I}", "plan_hash", "1111",
        "with_rows", 1, "database_bytes", (json_int_t)1 << 50, "rows", (json_int_t)1 << 50);

    must(bench, gate_record(&bench->ctx, bench->db, "staging", true, "ran", "1111"));
    must(bench, rehearsal_save(&bench->ctx, bench->db, "1111", large));
    assert_gate(bench, &input, "staging", GATE_GREEN, "ran");
    run(bench, "ANALYZE app.t");
    must(bench, rehearsal_save(&bench->ctx, bench->db, "1111", small));
    assert_gate(bench, &input, "staging", GATE_WARNING, "ran");
}

static void
begin_old_transaction(struct bench *bench, struct db *db)
{
    must(bench, db_exec(&bench->ctx, db, "BEGIN ISOLATION LEVEL REPEATABLE READ"));
    must(bench, db_exec(&bench->ctx, db, "SELECT pg_catalog.count(*) FROM app.t"));
}

/* An old transaction comes after the first look: the step is not begun, unless that was overridden. */
static void
test_turns_red(void **state)
{
    struct bench *bench = *state;
    struct change changes[] = { about_table(bench, KIND_INDEX, "t_new"), column_change(bench) };
    struct plan_step build = { .id = "1.1", .count = 1 };
    struct plan_step add = { .id = "1.2", .first = 1, .count = 1 };
    struct plan plan = { .items = changes, .count = 2, .capacity = 2, .hash = "1111" };
    struct gate_input input = input_of(bench, &plan);
    struct text_list all = { 0 };
    struct gate_results results;
    struct db *other CLEANUP(db_cleanup) = connect_to(bench, bench->database);

    text_list_add(bench->ctx.arena, &all, "backup");
    text_list_add(bench->ctx.arena, &all, "monitoring");
    must(bench, gates_check(&bench->ctx, &input, &results));
    must(bench, gates_override(&bench->ctx, &results, &all, "a test"));
    input.step = &build;
    must(bench, gates_recheck(&bench->ctx, &input, &results));

    begin_old_transaction(bench, other);
    assert_false(gates_recheck(&bench->ctx, &input, &results));
    assert_error(&bench->ctx, ERR_GATE, "sessions (pid");
    /* What was red, and no live gate, is not told again. */
    assert_null(strstr(bench->ctx.error.message, "backup"));
    assert_null(strstr(bench->ctx.error.message, "monitoring"));
    error_clear(&bench->ctx);

    input.step = &add;
    must(bench, gates_recheck(&bench->ctx, &input, &results));
    for (size_t i = 0; i < results.count; i++)
        if (text_equal(results.items[i].name, "sessions"))
            assert_int_equal(results.items[i].state, GATE_WARNING);

    text_list_add(bench->ctx.arena, &all, "sessions");
    must(bench, db_exec(&bench->ctx, other, "ROLLBACK"));
    must(bench, gates_check(&bench->ctx, &input, &results));
    must(bench, gates_override(&bench->ctx, &results, &all, "a test"));
    begin_old_transaction(bench, other);
    input.step = &build;
    must(bench, gates_recheck(&bench->ctx, &input, &results));
    for (size_t i = 0; i < results.count; i++)
        if (text_equal(results.items[i].name, "sessions"))
            assert_string_equal(results.items[i].override, "a test");
}

/* A hard gate that turns red stops it whatever was said before. */
static void
test_hard_gate_turns_red(void **state)
{
    struct bench *bench = *state;
    struct change change = about_table(bench, KIND_INDEX, "t_new");
    struct plan_step step = { .id = "1.1", .count = 1 };
    struct plan plan = { .items = &change, .count = 1, .capacity = 1, .hash = "1111" };
    struct gate_input input = input_of(bench, &plan);
    struct text_list all = { 0 };
    struct gate_results results;

    text_list_add(bench->ctx.arena, &all, "all");
    must(bench, gates_check(&bench->ctx, &input, &results));
    must(bench, gates_override(&bench->ctx, &results, &all, "a test"));
    change.bytes = INT64_C(1) << 60;
    input.step = &step;
    assert_false(gates_recheck(&bench->ctx, &input, &results));
    assert_error(&bench->ctx, ERR_GATE, "wal (pg_wal");
    error_clear(&bench->ctx);
    /* It is another step's. */
    step.count = 0;
    must(bench, gates_recheck(&bench->ctx, &input, &results));
}

/* What the monitor's own tables would hold: a sample of this database, and of another. */
static void
test_monitored_by_store(void **state)
{
    struct bench *bench = *state;
    struct plan plan = { .hash = "1111" };
    struct gate_input input = input_of(bench, &plan);

    assert_gate(bench, &input, "monitoring", GATE_RED, "no monitor");
    assert_gate(bench, &input, "alerts", GATE_WARNING, "not known");
    run(bench, "CREATE TABLE pgmend.monitored_server (id smallint, name text)");
    run(bench, "CREATE TABLE pgmend.series (id int, metric text, labels text, seen date)");
    run(bench, "CREATE TABLE pgmend.sample (server smallint, ts timestamptz, series int[],"
               " value float8[])");
    assert_gate(bench, &input, "monitoring", GATE_RED, "no monitor");
    run(bench, "INSERT INTO pgmend.monitored_server VALUES (1, 'main <&> \"é\"')");
    run(bench, "INSERT INTO pgmend.series VALUES (7, 'x', 'datname=\"other\"', now()),"
               " (8, 'x', 'datname=\"' || pg_catalog.current_database() || '\"', now())");
    run(bench, "INSERT INTO pgmend.sample VALUES (1, pg_catalog.now(), '{7}', '{1}')");
    assert_gate(bench, &input, "monitoring", GATE_RED, "no monitor");
    run(bench, "INSERT INTO pgmend.sample VALUES"
               " (1, pg_catalog.now() - '10 minutes'::interval, '{7,8}', '{1,1}')");
    assert_gate(bench, &input, "monitoring", GATE_RED, "last seen 10 min");
    run(bench, "INSERT INTO pgmend.sample VALUES (1, pg_catalog.now(), '{8}', '{1}')");
    assert_gate(bench, &input, "monitoring", GATE_GREEN, "stores here as \"main <&> \"é\"\"");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(test_window),
        test_with_bench(test_window_tells_when_it_opens),
        test_with_bench(test_window_refuses),
        test_with_bench(test_window_is_long_enough),
        test_with_bench(test_staging_is_of_a_plan),
        test_with_bench(test_staging_is_outgrown),
        test_with_bench(test_turns_red),
        test_with_bench(test_hard_gate_turns_red),
        test_with_bench(test_monitored_by_store),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
