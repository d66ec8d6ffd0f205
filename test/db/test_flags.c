/*
 * The table of the flags: setting, the journal, going back, and following on a loop while the server does
 * what servers do. Each test begins with nothing of pgmend in the database and another run of pgmend that
 * holds the run lock: setting a flag must not wait for it.
 */
#include "support/test.h"

#include <signal.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "flags/store.h"
#include "test_change_support.h"

enum { LIMIT_US = 60000000 };

static struct flag
flag_of(const char *name, int32_t percent)
{
    return (struct flag){
        .name = name, .variant = "optimised", .percent = percent, .salt = name, .reason = "test"
    };
}

static struct flag_change
change_to(struct bench *bench, struct flag flag)
{
    return (struct flag_change){ .to = flag, .command = "flags set", .state_dir = bench->folder };
}

static struct flag_changed
set(struct bench *bench, struct flag flag)
{
    struct flag_change change = change_to(bench, flag);
    struct flag_changed changed;

    must(bench, flag_change(&bench->ctx, bench->db, &change, &changed));
    return changed;
}

/* ---- setting ---- */

static void
a_change_stands_in_table_and_journal(void **state)
{
    struct bench *bench = *state;
    struct flag_changed changed = set(bench, flag_of("app.a", 5));

    assert_false(changed.was_there);
    changed = set(bench, flag_of("app.a", 25));
    assert_int_equal(changed.before.percent, 5);
    assert_answer(bench, "SELECT percent || ' ' || variant || ' ' || salt FROM pgmend.flag",
        "25 optimised app.a");
    assert_answer(bench,
        "SELECT string_agg(concat_ws(' ', kind, object, state, detail->'before'->>'percent',"
        " detail->'after'->>'percent'), ', ' ORDER BY id) FROM pgmend.journal",
        "flag app.a done 5, flag app.a done 5 25");
    assert_answer(bench,
        "SELECT count(*) FROM pgmend.run WHERE command = 'flags set' AND state = 'done'", "2");
    assert_true(changed.entry > 0);
}

static void
what_the_table_would_refuse_is_refused_before(void **state)
{
    struct bench *bench = *state;
    struct flag bad[] = { flag_of("A", 5), flag_of("", 5), flag_of("app a", 5), flag_of("a", 101),
        flag_of("a", -1), flag_of("a", 5), flag_of("a", 5), flag_of("a", 5) };

    bad[5].variant = "Opt";
    bad[6].shadow_ratio = 1.01;
    bad[7].salt = "\xff";
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct flag_change change = change_to(bench, bad[i]);
        struct flag_changed changed;

        assert_false(flag_change(&bench->ctx, bench->db, &change, &changed));
        assert_int_equal(bench->ctx.error.kind, ERR_INPUT);
        assert_non_null(bench->ctx.error.state);
    }
    assert_answer(bench, "SELECT to_regclass('pgmend.flag') IS NULL", "t");
}

static void
an_expected_value_that_is_not_there_stops_a_change(void **state)
{
    struct bench *bench = *state;
    struct flag_change change = change_to(bench, flag_of("app.a", 25));
    struct flag_changed changed;

    set(bench, flag_of("app.a", 5));
    set(bench, flag_of("app.a", 0));
    change.expected = flag_of("app.a", 5);
    assert_false(flag_change(&bench->ctx, bench->db, &change, &changed));
    assert_error(&bench->ctx, ERR_CONFLICT, "0 %");
    assert_answer(bench, "SELECT percent FROM pgmend.flag", "0");
    change.expected.percent = 0;
    must(bench, flag_change(&bench->ctx, bench->db, &change, &changed));
}

/* Turning off must not fail because the disk is full or the folder is gone; turning on must. */
static void
without_a_local_journal_only_off_works(void **state)
{
    struct bench *bench = *state;
    struct flag_change change;
    struct flag_changed changed;

    set(bench, flag_of("app.a", 5));
    change = change_to(bench, flag_of("app.a", 25));
    change.state_dir = "/proc/nothing";
    assert_false(flag_change(&bench->ctx, bench->db, &change, &changed));
    assert_answer(bench, "SELECT percent FROM pgmend.flag", "5");
    change.to.percent = 0;
    must(bench, flag_change(&bench->ctx, bench->db, &change, &changed));
    assert_non_null(changed.note);
    assert_answer(bench, "SELECT percent FROM pgmend.flag", "0");
    assert_answer(bench, "SELECT count(*) FROM pgmend.journal WHERE kind = 'flag off'", "1");
}

/* ---- going back ---- */

static const char *
undo_newest(struct bench *bench)
{
    struct journal_entries entries;
    struct rollout_outcome outcome;

    must(bench, journal_load(&bench->ctx, bench->db, &entries));
    for (size_t i = entries.count; i-- > 0;) {
        if (!rollout_can_undo(&entries.items[i]) || !change_kind_find(entries.items[i].kind)->undo)
            continue;
        if (!rollout_undo(&bench->ctx, &bench->rollout, &entries.items[i], &outcome))
            return NULL;
        return outcome.result;
    }
    return "nothing";
}

static void
a_rollback_gives_back_what_was_before(void **state)
{
    struct bench *bench = *state;

    set(bench, flag_of("app.a", 5));
    set(bench, flag_of("app.a", 25));
    assert_string_equal(undo_newest(bench), "back to 5 %");
    assert_answer(bench, "SELECT percent FROM pgmend.flag", "5");
    assert_non_null(undo_newest(bench));
    assert_answer(bench, "SELECT count(*) FROM pgmend.flag", "0");
    assert_string_equal(undo_newest(bench), "nothing");
}

static void
a_rollback_turns_nothing_on_that_was_turned_off(void **state)
{
    struct bench *bench = *state;

    set(bench, flag_of("app.a", 5));
    set(bench, flag_of("app.a", 25));
    set(bench, flag_of("app.a", 0));
    assert_non_null(undo_newest(bench));
    assert_non_null(undo_newest(bench));
    assert_string_equal(undo_newest(bench), "nothing");
    assert_answer(bench, "SELECT percent FROM pgmend.flag", "0");
}

static void
a_rollback_keeps_what_was_set_anew(void **state)
{
    struct bench *bench = *state;

    set(bench, flag_of("app.a", 5));
    run(bench, "UPDATE pgmend.flag SET percent = 7");
    assert_null(undo_newest(bench));
    assert_int_equal(bench->ctx.error.kind, ERR_CONFLICT);
    assert_answer(bench, "SELECT percent FROM pgmend.flag", "7");
}

/* The local file knows of a change that the database lost: a crash before the commit. */
static void
an_entry_that_was_cut_off_is_put_right(void **state)
{
    struct bench *bench = *state;

    set(bench, flag_of("app.a", 5));
    set(bench, flag_of("app.b", 5));
    run(bench, "UPDATE pgmend.journal SET state = 'started'");
    run(bench, "DELETE FROM pgmend.flag WHERE name = 'app.b'");
    must(bench, rollout_heal(&bench->ctx, &bench->rollout));
    assert_answer(bench,
        "SELECT string_agg(object || ' ' || state, ', ' ORDER BY id) FROM pgmend.journal",
        "app.a done, app.b failed");
}

/* ---- rights ---- */

static void
a_role_that_was_granted_reads_and_lowers_only(void **state)
{
    struct bench *bench = *state;
    const char *role = arena_printf(bench->ctx.arena, "flags role %d", (int)getpid());
    const char *quoted = arena_printf(bench->ctx.arena, "\"%s\"", role);
    const char *unwanted[] = {
        "UPDATE pgmend.flag SET percent = 100",
        "DELETE FROM pgmend.flag",
        "INSERT INTO pgmend.journal (entry) VALUES ('x')",
    };

    run(bench, arena_printf(bench->ctx.arena, "CREATE ROLE %s", quoted));
    set(bench, flag_of("app.a", 5));
    run(bench, arena_printf(bench->ctx.arena, "SET ROLE %s", quoted));
    assert_false(db_exec(&bench->ctx, bench->db, "SELECT pgmend.flag_off('app.a', 'x')"));
    run(bench, "RESET ROLE");
    must(bench, flags_grant(&bench->ctx, bench->db, role));
    run(bench, arena_printf(bench->ctx.arena, "SET ROLE %s", quoted));
    assert_answer(bench, "SELECT percent FROM pgmend.flag", "5");
    for (size_t i = 0; i < COUNT_OF(unwanted); i++) {
        assert_false(db_exec(&bench->ctx, bench->db, unwanted[i]));
        assert_string_equal(bench->ctx.error.sqlstate, "42501");
    }
    assert_answer(bench, "SELECT pgmend.flag_off('app.a', 'wrong answers')", "t");
    assert_answer(bench, "SELECT pgmend.flag_off('app.a', 'again')", "f");
    assert_answer(bench, "SELECT pgmend.flag_off('app.none', 'x')", "f");
    run(bench, "RESET ROLE");
    assert_answer(bench, "SELECT percent || ' ' || reason FROM pgmend.flag", "0 wrong answers");
    assert_answer(bench,
        "SELECT detail->'before'->>'percent' FROM pgmend.journal WHERE kind = 'flag off'", "5");
    run(bench, arena_printf(bench->ctx.arena, "DROP OWNED BY %s", quoted));
    run(bench, arena_printf(bench->ctx.arena, "DROP ROLE %s", quoted));
}

static void
a_role_that_is_not_there_is_an_error(void **state)
{
    struct bench *bench = *state;

    must(bench, flags_install(&bench->ctx, bench->db));
    assert_false(flags_grant(&bench->ctx, bench->db, "no \"such\" role"));
    assert_string_equal(bench->ctx.error.sqlstate, "42704");
}

/* ---- following ---- */

struct follow {
    struct bench *bench;
    struct loop *loop;
    struct flag_follower *follower;
    struct loop_timer *guard;
    struct loop_timer *look;
    bool (*is_there)(struct follow *follow);
    const char *name;
    int32_t percent;
    size_t changes;
};

static void
changed(void *data, const struct flag_list *flags)
{
    struct follow *follow = data;

    (void)flags;
    follow->changes++;
}

static void
hangs(void *data)
{
    (void)data;
    fail_msg("the loop waits for what does not come");
}

static void
look(void *data)
{
    struct follow *follow = data;

    if (follow->is_there(follow))
        loop_stop(follow->loop);
    else
        loop_timer_set(follow->look, 2000);
}

static void
wait_for(struct follow *follow, bool (*is_there)(struct follow *follow))
{
    follow->is_there = is_there;
    loop_timer_set(follow->guard, LIMIT_US);
    loop_timer_set(follow->look, 0);
    loop_run(follow->loop);
    loop_timer_stop(follow->guard);
}

static bool
has_percent(struct follow *follow)
{
    const struct flag *flag = flag_find(flag_follow_list(follow->follower), follow->name);

    return flag && flag->percent == follow->percent;
}

static void
wait_percent(struct follow *follow, const char *name, int32_t percent)
{
    follow->name = name;
    follow->percent = percent;
    wait_for(follow, has_percent);
}

static bool
has_error(struct follow *follow)
{
    return flag_follow_error(follow->follower);
}

static bool
has_no_error(struct follow *follow)
{
    return !flag_follow_error(follow->follower);
}

static void
begin_follow(struct bench *bench, struct follow *follow, int64_t check_us, const char *role)
{
    struct flag_follower_options options = {
        .db = { .database = bench->database, .application = "test/follow" },
        .check_us = check_us,
        .changed = changed,
        .data = follow,
    };

    if (role)
        options.db.url = arena_printf(bench->ctx.arena, "user=%s", role);
    *follow = (struct follow){ .bench = bench };
    must(bench, loop_new(&bench->ctx, &follow->loop));
    follow->guard = loop_timer_new(follow->loop, hangs, follow);
    follow->look = loop_timer_new(follow->loop, look, follow);
    must(bench, flag_follow(&bench->ctx, follow->loop, &options, &follow->follower));
    assert_int_equal(flag_follow_list(follow->follower)->count, 0);
}

static void
end_follow(struct follow *follow)
{
    flag_follow_end(follow->follower);
    loop_timer_free(follow->guard);
    loop_timer_free(follow->look);
    loop_free(follow->loop);
}

/* With an hour between two looks only the message can be why it is known. */
static void
a_follower_hears_of_changes(void **state)
{
    struct bench *bench = *state;
    struct follow follow;
    size_t before;

    set(bench, flag_of("app.a", 5));
    begin_follow(bench, &follow, INT64_C(3600000000), NULL);
    wait_percent(&follow, "app.a", 5);
    for (int32_t percent = 10; percent <= 50; percent += 10) {
        set(bench, flag_of("app.a", percent));
        wait_percent(&follow, "app.a", percent);
    }
    before = follow.changes;
    /* Nothing new is no change. */
    run(bench, "NOTIFY pgmend_flag");
    set(bench, flag_of("app.b", 1));
    wait_percent(&follow, "app.b", 1);
    assert_int_equal(follow.changes, before + 1);
    end_follow(&follow);
}

/* The table is made after the process was started, and its right given later still. */
static void
a_follower_waits_for_table_and_right(void **state)
{
    struct bench *bench = *state;
    const char *role = arena_printf(bench->ctx.arena, "flags_follower_%d", (int)getpid());
    struct follow follow;

    run(bench, arena_printf(bench->ctx.arena, "CREATE ROLE %s LOGIN", role));
    begin_follow(bench, &follow, 50000, role);
    wait_for(&follow, has_error);
    set(bench, flag_of("app.a", 5));
    wait_for(&follow, has_error);
    assert_int_equal(flag_follow_list(follow.follower)->count, 0);
    must(bench, flags_grant(&bench->ctx, bench->db, role));
    wait_percent(&follow, "app.a", 5);
    wait_for(&follow, has_no_error);
    end_follow(&follow);
    run(bench, arena_printf(bench->ctx.arena, "DROP OWNED BY %s", role));
    run(bench, arena_printf(bench->ctx.arena, "DROP ROLE %s", role));
}

static void
a_follower_keeps_the_last_good_values(void **state)
{
    static const char *const damages[] = {
        "ALTER TABLE pgmend.flag RENAME TO gone",
        "ALTER TABLE pgmend.gone RENAME TO flag",
        "ALTER TABLE pgmend.flag RENAME COLUMN percent TO share",
        "ALTER TABLE pgmend.flag RENAME COLUMN share TO percent",
        "ALTER TABLE pgmend.flag ALTER COLUMN salt DROP NOT NULL; UPDATE pgmend.flag SET salt = NULL",
    };
    struct bench *bench = *state;
    struct follow follow;

    set(bench, flag_of("app.a", 5));
    begin_follow(bench, &follow, 20000, NULL);
    wait_percent(&follow, "app.a", 5);
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        char *statements = arena_strdup(bench->ctx.arena, damages[i]);
        char *statement;

        while ((statement = strsep(&statements, ";")) != NULL)
            run(bench, statement);
        wait_for(&follow, strstr(damages[i], "TO flag") || strstr(damages[i], "TO percent")
                              ? has_no_error
                              : has_error);
        assert_true(has_percent(&follow));
    }
    set(bench, flag_of("app.a", 6));
    wait_percent(&follow, "app.a", 6);
    end_follow(&follow);
}

static int
session_of(struct bench *bench)
{
    return (int)strtol(ask(bench, "SELECT coalesce(max(pid), 0) FROM pg_stat_activity"
                                  " WHERE datname = current_database() AND application_name = "
                                  "'test/follow'"),
        NULL, 10);
}

static bool
has_session(struct follow *follow)
{
    return session_of(follow->bench) != 0;
}

static long
listen_calls(struct bench *bench)
{
    return strtol(
        ask(bench, "SELECT coalesce(sum(s.calls), 0) FROM public.pg_stat_statements AS s"
                   " JOIN pg_database AS d ON d.oid = s.dbid"
                   " WHERE d.datname = current_database() AND s.query = 'LISTEN pgmend_flag'"),
        NULL, 10);
}

/* A session listens until it ends, so it is told to only once. */
static void
a_session_is_told_to_listen_once(void **state)
{
    struct bench *bench = *state;
    struct follow follow;
    long before;

    set(bench, flag_of("app.a", 1));
    run(bench, "CREATE EXTENSION pg_stat_statements SCHEMA public");
    before = listen_calls(bench);
    begin_follow(bench, &follow, 2000, NULL);
    for (int32_t percent = 2; percent <= 20; percent++) {
        set(bench, flag_of("app.a", percent));
        wait_percent(&follow, "app.a", percent);
    }
    assert_int_equal(listen_calls(bench) - before, 1);
    end_follow(&follow);
    run(bench, "DROP EXTENSION pg_stat_statements");
}

/* ---- a table that is gone ---- */

static void
a_table_that_is_gone_is_told_and_made_anew(void **state)
{
    struct bench *bench = *state;
    const char *role = arena_printf(bench->ctx.arena, "flags_lost_%d", (int)getpid());
    struct flag_list list;
    struct text_list followers;
    const char *problem;

    must(bench, flags_check_lost(&bench->ctx, bench->db));
    set(bench, flag_of("app.a", 5));
    run(bench, arena_printf(bench->ctx.arena, "CREATE ROLE %s", role));
    must(bench, flags_followers(&bench->ctx, bench->db, &followers));
    assert_int_equal(followers.count, 0);
    must(bench, flags_grant(&bench->ctx, bench->db, role));
    must(bench, flags_check_lost(&bench->ctx, bench->db));
    run(bench, "DROP TABLE pgmend.flag");
    assert_false(flags_check_lost(&bench->ctx, bench->db));
    assert_error(&bench->ctx, ERR_ATTENTION, "keep what they last saw");
    must(bench, flags_load(&bench->ctx, bench->db, &list, &problem));
    assert_non_null(problem);
    assert_true(set(bench, flag_of("app.b", 7)).was_lost);
    must(bench, flags_followers(&bench->ctx, bench->db, &followers));
    assert_true(text_list_has(&followers, role));
    assert_false(set(bench, flag_of("app.b", 8)).was_lost);
    run(bench, arena_printf(bench->ctx.arena, "DROP OWNED BY %s", role));
    run(bench, arena_printf(bench->ctx.arena, "DROP ROLE %s", role));
}

static void
a_follower_connects_again(void **state)
{
    struct bench *bench = *state;
    struct follow follow;

    set(bench, flag_of("app.a", 5));
    begin_follow(bench, &follow, INT64_C(3600000000), NULL);
    wait_percent(&follow, "app.a", 5);
    for (int32_t i = 0; i < 3; i++) {
        run(bench, arena_printf(bench->ctx.arena, "SELECT pg_terminate_backend(%d, 10000)",
                       session_of(bench)));
        /* What is set while nobody listens is read when it is there again. */
        set(bench, flag_of("app.a", 50 + i));
        wait_for(&follow, has_session);
        wait_percent(&follow, "app.a", 50 + i);
        set(bench, flag_of("app.a", 60 + i));
        wait_percent(&follow, "app.a", 60 + i);
    }
    end_follow(&follow);
}

/* A server process that does not answer any more: what is known holds, and another one is asked. */
static void
a_stopped_server_process_is_left(void **state)
{
    struct bench *bench = *state;
    struct follow follow;
    int pid;

    set(bench, flag_of("app.a", 5));
    begin_follow(bench, &follow, 20000, NULL);
    wait_percent(&follow, "app.a", 5);
    pid = session_of(bench);
    if (kill(pid, SIGSTOP) != 0) {
        end_follow(&follow);
        skip();
    }
    set(bench, flag_of("app.a", 7));
    wait_percent(&follow, "app.a", 7);
    kill(pid, SIGCONT);
    end_follow(&follow);
}

static void
turning_off_holds_at_once_and_is_written(void **state)
{
    struct bench *bench = *state;
    struct follow follow;
    struct follow other;

    set(bench, flag_of("app.a", 100));
    begin_follow(bench, &follow, INT64_C(3600000000), NULL);
    begin_follow(bench, &other, INT64_C(3600000000), NULL);
    wait_percent(&follow, "app.a", 100);
    wait_percent(&other, "app.a", 100);
    flag_turn_off(follow.follower, "app.a", "shadow: another answer");
    flag_turn_off(follow.follower, "app.a", "twice");
    follow.percent = 0;
    assert_true(has_percent(&follow));
    wait_for(&follow, has_percent);
    /* The first process writes while its loop runs; the second hears of it. */
    while (strcmp(ask(bench, "SELECT percent FROM pgmend.flag"), "0") != 0)
        wait_for(&follow, has_percent);
    wait_percent(&other, "app.a", 0);
    assert_answer(bench, "SELECT reason FROM pgmend.flag", "shadow: another answer");
    /* What is set later counts again. */
    set(bench, flag_of("app.a", 3));
    wait_percent(&follow, "app.a", 3);
    end_follow(&other);
    end_follow(&follow);
}

/* Without the right the process itself still holds to it. */
static void
turning_off_without_the_right_holds_in_the_process(void **state)
{
    struct bench *bench = *state;
    const char *role = arena_printf(bench->ctx.arena, "flags_reader_%d", (int)getpid());
    struct follow follow;

    run(bench, arena_printf(bench->ctx.arena, "CREATE ROLE %s LOGIN", role));
    set(bench, flag_of("app.a", 100));
    run(bench, arena_printf(bench->ctx.arena, "GRANT USAGE ON SCHEMA pgmend TO %s", role));
    run(bench, arena_printf(bench->ctx.arena, "GRANT SELECT ON pgmend.flag TO %s", role));
    begin_follow(bench, &follow, 20000, role);
    wait_percent(&follow, "app.a", 100);
    flag_turn_off(follow.follower, "app.a", "shadow");
    wait_for(&follow, has_error);
    follow.percent = 0;
    assert_true(has_percent(&follow));
    set(bench, flag_of("app.b", 9));
    wait_percent(&follow, "app.b", 9);
    wait_percent(&follow, "app.a", 0);
    assert_answer(bench, "SELECT percent FROM pgmend.flag WHERE name = 'app.a'", "100");
    /* With it, it is written. */
    must(bench, flags_grant(&bench->ctx, bench->db, role));
    wait_for(&follow, has_no_error);
    assert_answer(bench, "SELECT percent FROM pgmend.flag WHERE name = 'app.a'", "0");
    end_follow(&follow);
    run(bench, arena_printf(bench->ctx.arena, "DROP OWNED BY %s", role));
    run(bench, arena_printf(bench->ctx.arena, "DROP ROLE %s", role));
}

static void
it_can_end_at_any_time(void **state)
{
    struct bench *bench = *state;

    set(bench, flag_of("app.a", 5));
    for (int64_t us = 0; us < 20000; us += 1500) {
        struct follow follow;
        struct loop_timer *end;

        begin_follow(bench, &follow, 1000, NULL);
        end = loop_timer_new(follow.loop, (loop_callback *)loop_stop, follow.loop);
        loop_timer_set(end, us);
        loop_run(follow.loop);
        loop_timer_free(end);
        end_follow(&follow);
    }
}

#define test_flags(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        test_flags(a_change_stands_in_table_and_journal),
        test_flags(what_the_table_would_refuse_is_refused_before),
        test_flags(an_expected_value_that_is_not_there_stops_a_change),
        test_flags(without_a_local_journal_only_off_works),
        test_flags(a_rollback_gives_back_what_was_before),
        test_flags(a_rollback_turns_nothing_on_that_was_turned_off),
        test_flags(a_rollback_keeps_what_was_set_anew),
        test_flags(an_entry_that_was_cut_off_is_put_right),
        test_flags(a_role_that_was_granted_reads_and_lowers_only),
        test_flags(a_role_that_is_not_there_is_an_error),
        test_flags(a_follower_hears_of_changes),
        test_flags(a_follower_waits_for_table_and_right),
        test_flags(a_follower_keeps_the_last_good_values),
        test_flags(a_session_is_told_to_listen_once),
        test_flags(a_table_that_is_gone_is_told_and_made_anew),
        test_flags(a_follower_connects_again),
        test_flags(a_stopped_server_process_is_left),
        test_flags(turning_off_holds_at_once_and_is_written),
        test_flags(turning_off_without_the_right_holds_in_the_process),
        test_flags(it_can_end_at_any_time),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
