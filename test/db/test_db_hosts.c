/*
 * Several servers of one replication: a real primary and two real standbys, which are paused, cut off,
 * stopped, killed, promoted. The tests share the servers, and the order matters: the last ones promote.
 */
#include "support/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "db/pool/hosts.h"

/* However busy the machine is: what takes longer hangs. */
enum { WAIT_LIMIT_US = 60000000, LOOK_US = 10000, CHECK_US = 200000 };

static const int64_t second = 1000000;

struct scene {
    struct ctx *ctx;
    const char *folder;
    const char *helper;
    struct loop *loop;
    struct loop_timer *looks;
    struct loop_timer *guard;
    struct hosts *hosts;
    int64_t most_lag_us;
    bool (*is_reached)(struct scene *scene);
    const char *waits_for;
    uint64_t position;
    struct pool *chosen;
    const char *answer;
    bool is_answered;
    bool is_good;
    FILE *log;
    int terminal;
};

static void
must(struct scene *scene, bool is_good)
{
    if (!is_good)
        fail_msg("%s", scene->ctx->error.message);
}

/* ---- the servers ---- */

static void
servers(struct scene *scene, const char *action, const char *name, const char *other)
{
    const char *const argv[] = { "bash", scene->helper, scene->folder, action, name, other, NULL };
    struct process_options options = { .argv = argv, .timeout_us = 2 * (int64_t)WAIT_LIMIT_US };
    struct process process;

    must(scene, process_run(scene->ctx, &options, &process));
}

static const char *
url_of(struct scene *scene, const char *name)
{
    return arena_printf(scene->ctx->arena,
        "host=%s/%s/socket port=5432 user=postgres dbname=postgres", scene->folder, name);
}

static const char *
ask(struct scene *scene, const char *name, const char *sql)
{
    struct db_options options = {
        .url = url_of(scene, name),
        .application = "test_hosts",
        .access = ACCESS_WRITE,
    };
    struct db *db CLEANUP(db_cleanup) = NULL;
    const char *cell = NULL;

    must(scene, db_open(scene->ctx, &options, &db));
    must(scene, db_value(scene->ctx, db, sql, NULL, 0, &cell));
    return cell;
}

static uint64_t
position_of_primary(struct scene *scene, const char *name)
{
    int64_t number = 0;

    assert_true(text_to_int64(
        ask(scene, name, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8"),
        &number));
    return (uint64_t)number;
}

static void
await_answer(struct scene *scene, const char *name, const char *sql, const char *wanted)
{
    int64_t until = clock_us() + WAIT_LIMIT_US;

    while (!text_equal(ask(scene, name, sql), wanted)) {
        if (clock_us() > until)
            fail_msg("%s: %s never became %s", name, sql, wanted);
        clock_sleep_us(LOOK_US);
    }
}

/* ---- hosts ---- */

static void
hangs(void *data)
{
    struct scene *scene = data;

    fail_msg("it never came to this: %s", scene->waits_for);
}

static void
look(void *data)
{
    struct scene *scene = data;

    if (scene->is_reached(scene))
        loop_stop(scene->loop);
    else
        loop_timer_set(scene->looks, LOOK_US);
}

static void
await(struct scene *scene, bool (*is_reached)(struct scene *scene), const char *what)
{
    scene->is_reached = is_reached;
    scene->waits_for = what;
    loop_timer_set(scene->looks, 0);
    loop_timer_set(scene->guard, WAIT_LIMIT_US);
    loop_run(scene->loop);
}

static bool
is_later(struct scene *scene)
{
    return clock_us() >= (int64_t)scene->position;
}

static void
run_for(struct scene *scene, int64_t us)
{
    scene->position = (uint64_t)(clock_us() + us);
    await(scene, is_later, "time passes");
}

static struct host_state
state_of(struct scene *scene, const char *name)
{
    for (size_t i = 0; i < hosts_count(scene->hosts); i++) {
        struct host_state state = hosts_state(scene->hosts, i);

        if (strstr(state.label, arena_printf(scene->ctx->arena, "/%s/socket", name)))
            return state;
    }
    fail_msg("there is no host %s", name);
    return (struct host_state){ 0 };
}

static bool
b_is_fresh(struct scene *scene)
{
    return state_of(scene, "b").is_fresh;
}

static bool
b_is_not_fresh(struct scene *scene)
{
    return !state_of(scene, "b").is_fresh;
}

static bool
b_is_down(struct scene *scene)
{
    return !state_of(scene, "b").is_up;
}

static bool
b_lags_much(struct scene *scene)
{
    return state_of(scene, "b").lag_us >= 2 * second;
}

static bool
c_is_fresh(struct scene *scene)
{
    return state_of(scene, "c").is_fresh;
}

static bool
c_is_down(struct scene *scene)
{
    return !state_of(scene, "c").is_up;
}

static bool
all_are_fresh(struct scene *scene)
{
    return state_of(scene, "a").is_fresh && b_is_fresh(scene) && c_is_fresh(scene);
}

static bool
b_leads(struct scene *scene)
{
    return hosts_for_writes(scene->hosts) == state_of(scene, "b").pool;
}

static bool
a_is_down(struct scene *scene)
{
    return !state_of(scene, "a").is_up;
}

static bool
a_is_up(struct scene *scene)
{
    return state_of(scene, "a").is_up;
}

static bool
is_read_from_a_standby(struct scene *scene)
{
    scene->chosen = hosts_for_reads(scene->hosts, 0);
    return scene->chosen != state_of(scene, "a").pool;
}

static bool
b_has_replayed(struct scene *scene)
{
    return state_of(scene, "b").position >= scene->position;
}

static void
open_hosts(struct scene *scene, const char *const *urls, const char *user)
{
    struct hosts_options options = { .check_us = CHECK_US, .most_lag_us = scene->most_lag_us };

    hosts_free(scene->hosts);
    scene->hosts = NULL;
    pool_options_set_defaults(&options.pool);
    options.pool.name = "web";
    options.pool.size = 2;
    options.pool.shared_size = 1;
    options.pool.db.application = "test_hosts";
    options.pool.db.access = ACCESS_WRITE;
    for (size_t i = 0; urls[i]; i++)
        text_list_add(scene->ctx->arena, &options.urls,
            user ? arena_printf(scene->ctx->arena, "%s user=%s", urls[i], user) : urls[i]);
    must(scene, hosts_new(scene->ctx, scene->loop, &options, &scene->hosts));
}

static void
open_three(struct scene *scene, int64_t most_lag_us, const char *user)
{
    const char *const urls[] = { url_of(scene, "a"), url_of(scene, "b"), url_of(scene, "c"), NULL };

    scene->most_lag_us = most_lag_us;
    open_hosts(scene, urls, user);
}

struct name_row {
    const char *name;
};

static const struct field name_fields[] = { FIELD(struct name_row, name) };
static const char *const name_types[] = { "text" };
static const struct query_variant name_variants[] = { { 0,
    "SELECT current_setting('cluster_name')" } };
static const struct query name_query = {
    .name = "test/name",
    .variants = name_variants,
    .variant_count = 1,
    .columns = name_fields,
    .column_count = 1,
    .column_types = name_types,
    .row_size = sizeof(struct name_row),
    .min_major = 14,
};

static void
took(void *data, const struct pool_outcome *outcome)
{
    struct scene *scene = data;

    scene->is_answered = true;
    scene->is_good = outcome->is_good;
    if (!outcome->is_good)
        scene->answer = arena_strdup(scene->ctx->arena, outcome->error.message);
    else if (outcome->rows[0].items)
        scene->answer = arena_strdup(
            scene->ctx->arena, ((const struct name_row *)outcome->rows[0].items)[0].name);
    else
        scene->answer = "done";
}

static bool
is_answered(struct scene *scene)
{
    return scene->is_answered;
}

/* Which server really answered. */
static const char *
run_on(struct scene *scene, struct pool *pool, const char *sql)
{
    struct pool_statement statement = { .query = sql ? NULL : &name_query, .sql = sql };
    struct pool_work work = {
        .statements = &statement,
        .count = 1,
        .lane = POOL_EXCLUSIVE,
        .is_repeatable = !sql,
        .arena = scene->ctx->arena,
        .done = took,
        .data = scene,
    };

    scene->is_answered = false;
    (void)pool_run(pool, &work);
    await(scene, is_answered, "the statement is answered");
    if (!scene->is_good)
        fail_msg("%s", scene->answer);
    return scene->answer;
}

static const char *
read_from(struct scene *scene, uint64_t position)
{
    return run_on(scene, hosts_for_reads(scene->hosts, position), NULL);
}

/*
 * Reads come to be answered by this server, and never by that one. In between others may answer: on a busy
 * machine a server can be late and is left for a moment.
 */
static void
reads_reach(struct scene *scene, uint64_t position, const char *wanted, const char *never)
{
    int64_t until = clock_us() + WAIT_LIMIT_US;

    for (int times = 0; times < 3;) {
        const char *name = read_from(scene, position);

        if (text_equal(name, never))
            fail_msg("%s has answered", never);
        times += text_equal(name, wanted);
        if (clock_us() > until)
            fail_msg("%s never answers", wanted);
    }
}

/* ---- what it logs ---- */

static void
take_log(struct scene *scene)
{
    fflush(stderr);
    scene->log = tmpfile();
    assert_non_null(scene->log);
    scene->terminal = dup(STDERR_FILENO);
    assert_true(dup2(fileno(scene->log), STDERR_FILENO) >= 0);
}

static const char *
give_log(struct scene *scene)
{
    char text[16384];
    size_t length;

    fflush(stderr);
    assert_true(dup2(scene->terminal, STDERR_FILENO) >= 0);
    close(scene->terminal);
    rewind(scene->log);
    length = fread(text, 1, sizeof(text), scene->log);
    fclose(scene->log);
    return arena_strndup(scene->ctx->arena, text, length);
}

/* ---- tests ---- */

static void
reads_are_spread_over_standbys_and_writes_go_to_the_primary(void **state)
{
    struct scene *scene = *state;

    open_three(scene, second, NULL);
    assert_ptr_equal(hosts_for_writes(scene->hosts), hosts_state(scene->hosts, 0).pool);
    await(scene, all_are_fresh, "all are fresh");

    struct pool *first = hosts_for_reads(scene->hosts, 0);
    struct pool *other = hosts_for_reads(scene->hosts, 0);

    assert_ptr_not_equal(first, other);
    assert_ptr_not_equal(first, hosts_for_writes(scene->hosts));
    assert_ptr_not_equal(other, hosts_for_writes(scene->hosts));
    assert_ptr_equal(first, hosts_for_reads(scene->hosts, 0));
    reads_reach(scene, 0, "b", NULL);
    reads_reach(scene, 0, "c", NULL);
    assert_string_equal(run_on(scene, hosts_for_writes(scene->hosts), NULL), "a");
    assert_true(state_of(scene, "a").is_primary);
    assert_false(state_of(scene, "b").is_primary);
}

static void
a_role_without_special_rights_can_tell_who_is_fresh(void **state)
{
    struct scene *scene = *state;

    open_three(scene, second, "reader");
    await(scene, all_are_fresh, "all are fresh");
    assert_string_equal(run_on(scene, hosts_for_writes(scene->hosts), NULL), "a");
}

static void
a_standby_is_fresh_however_long_nothing_was_written(void **state)
{
    struct scene *scene = *state;

    run_on(scene, hosts_for_writes(scene->hosts), "CREATE TABLE public.notes (text text)");
    open_three(scene, 10 * second, NULL);
    await(scene, all_are_fresh, "all are fresh");
    open_three(scene, second / 2, NULL);
    await(scene, all_are_fresh, "all are fresh with a small limit");
    await_answer(scene, "b", "SELECT now() - pg_last_xact_replay_timestamp() > '2 s'", "t");
    run_for(scene, 3 * CHECK_US);
    await(scene, all_are_fresh, "all are fresh long after the last transaction");
    assert_int_equal(state_of(scene, "b").lag_us, 0);
}

static void
a_standby_that_lags_gets_no_reads(void **state)
{
    struct scene *scene = *state;

    int64_t started = clock_us();

    open_three(scene, second / 2, NULL);
    await(scene, all_are_fresh, "all are fresh");
    ask(scene, "b", "SELECT pg_wal_replay_pause()");
    await_answer(scene, "b", "SELECT pg_get_wal_replay_pause_state()", "paused");

    /* Its receiver gets all, and nothing has happened that it lacks. */
    run_for(scene, 3 * CHECK_US);
    await(scene, b_is_fresh, "a paused standby lacks nothing before something is written");
    run_on(scene, hosts_for_writes(scene->hosts), "INSERT INTO public.notes VALUES ('one')");
    await(scene, b_is_not_fresh, "it lags");
    assert_true(state_of(scene, "b").lag_us > second / 2);

    /* What is told grows with what is true: nothing was known of anybody before the start. */
    await(scene, b_lags_much, "it lags for longer and longer");
    assert_true(clock_us() - started >= 2 * second);
    reads_reach(scene, 0, "c", "b");
    ask(scene, "b", "SELECT pg_wal_replay_resume()");
    await(scene, b_is_fresh, "it has caught up");
}

static void
own_writes_are_read_back(void **state)
{
    struct scene *scene = *state;

    open_three(scene, 3600 * second, NULL);
    await(scene, all_are_fresh, "all are fresh");
    for (const char *name = "b"; name; name = text_equal(name, "b") ? "c" : NULL) {
        ask(scene, name, "SELECT pg_wal_replay_pause()");
        await_answer(scene, name, "SELECT pg_get_wal_replay_pause_state()", "paused");
    }
    run_on(scene, hosts_for_writes(scene->hosts), "INSERT INTO public.notes VALUES ('mine')");

    uint64_t position = position_of_primary(scene, "a");

    run_for(scene, 3 * CHECK_US);
    await(scene, all_are_fresh, "all are fresh, since the limit is an hour");
    assert_string_equal(read_from(scene, position), "a");
    reads_reach(scene, 0, "b", NULL);
    ask(scene, "b", "SELECT pg_wal_replay_resume()");
    scene->position = position;
    await(scene, b_has_replayed, "one has replayed it");
    reads_reach(scene, position, "b", "c");
    assert_string_equal(
        ask(scene, "b", "SELECT count(*) FROM public.notes WHERE text = 'mine'"), "1");
    ask(scene, "c", "SELECT pg_wal_replay_resume()");
    await(scene, all_are_fresh, "all are fresh again");
}

static void
a_standby_that_receives_nothing_gets_no_reads(void **state)
{
    struct scene *scene = *state;

    open_three(scene, 3600 * second, NULL);
    await(scene, all_are_fresh, "all are fresh");
    servers(scene, "cut", "b", NULL);
    await(scene, b_is_not_fresh, "its stream is broken, though nothing was written since");
    assert_true(state_of(scene, "b").is_up);
    reads_reach(scene, 0, "c", "b");
    servers(scene, "follow", "b", "a");
    await(scene, b_is_fresh, "it follows again");
}

static void
a_standby_that_hangs_is_left(void **state)
{
    struct scene *scene = *state;

    servers(scene, "freeze", "c", NULL);

    int64_t frozen = clock_us();

    await(scene, c_is_down, "it is left");
    print_message("# left after %lld ms, looked at every %d ms\n",
        (long long)(clock_us() - frozen) / 1000, CHECK_US / 1000);
    reads_reach(scene, 0, "b", "c");
    servers(scene, "thaw", "c", NULL);
    await(scene, c_is_fresh, "it is back");
}

static void
a_standby_that_dies_is_left(void **state)
{
    struct scene *scene = *state;

    take_log(scene);
    servers(scene, "kill", "c", NULL);
    await(scene, c_is_down, "it is left");
    reads_reach(scene, 0, "b", "c");
    servers(scene, "start", "c", NULL);
    await(scene, c_is_fresh, "it is back");
    reads_reach(scene, 0, "c", NULL);

    const char *log = give_log(scene);

    assert_non_null(strstr(log, "/c/socket:5432: "));
    assert_non_null(strstr(log, "its reads go elsewhere"));
    assert_non_null(strstr(log, "it answers again"));
}

static void
reads_go_on_while_there_is_no_primary(void **state)
{
    struct scene *scene = *state;

    servers(scene, "stop", "a", NULL);
    await(scene, a_is_down, "the primary is gone");
    await(scene, b_is_not_fresh, "nobody knows whether a standby is fresh");
    assert_ptr_equal(hosts_for_writes(scene->hosts), state_of(scene, "a").pool);
    await(scene, is_read_from_a_standby, "a standby gets the reads");
    assert_string_not_equal(run_on(scene, scene->chosen, NULL), "a");
}

static void
a_promotion_is_followed(void **state)
{
    struct scene *scene = *state;

    servers(scene, "promote", "b", NULL);
    await(scene, b_leads, "the new primary is found");
    assert_string_equal(run_on(scene, hosts_for_writes(scene->hosts), NULL), "b");
    run_on(scene, hosts_for_writes(scene->hosts), "INSERT INTO public.notes VALUES ('after')");
    assert_string_equal(
        ask(scene, "b", "SELECT count(*) FROM public.notes WHERE text = 'after'"), "1");

    /* The other one still follows the one that is gone. */
    run_for(scene, 3 * CHECK_US);
    assert_false(c_is_fresh(scene));
    reads_reach(scene, 0, "b", "c");
    servers(scene, "follow", "c", "b");
    await(scene, c_is_fresh, "the other standby follows the new primary");
    reads_reach(scene, 0, "c", NULL);
}

static void
of_two_primaries_the_one_with_the_higher_timeline_is_used(void **state)
{
    const char *const old_first[] = { url_of(*state, "a"), url_of(*state, "b"), NULL };
    struct scene *scene = *state;

    take_log(scene);
    servers(scene, "start", "a", NULL);
    await(scene, a_is_up, "the old primary is back, and takes itself for one");
    assert_string_equal(ask(scene, "a", "SELECT pg_is_in_recovery()"), "f");
    ask(scene, "a",
        "SELECT count(*) FROM (SELECT pg_logical_emit_message(false, 'x', repeat('x', 9000)) "
        "FROM generate_series(1, 200)) AS x");
    run_for(scene, 3 * CHECK_US);
    assert_true(position_of_primary(scene, "a") > position_of_primary(scene, "b"));
    assert_true(b_leads(scene));
    reads_reach(scene, 0, "c", "a");

    const char *log = give_log(scene);

    assert_non_null(strstr(log, "two servers say that they are the primary: postgres @ "));
    assert_non_null(strstr(log, "/b/socket:5432, on timeline 2, and "));
    assert_non_null(strstr(log, "/a/socket:5432, on timeline 1"));

    /* Nor when it is the first in the list. */
    open_hosts(scene, old_first, NULL);
    await(scene, b_leads, "the later one is found");

    /* Nor when it is the only one left. */
    servers(scene, "stop", "b", NULL);
    await(scene, b_is_down, "the later one is gone");
    run_for(scene, 3 * CHECK_US);
    assert_true(a_is_up(scene));
    assert_true(b_leads(scene));
}

static void
a_server_of_another_replication_is_not_used(void **state)
{
    const char *const urls[] = { url_of(*state, "a"), "dbname=postgres", NULL };
    struct scene *scene = *state;

    take_log(scene);
    open_hosts(scene, urls, NULL);
    run_for(scene, 5 * CHECK_US);
    await(scene, a_is_up, "the first is up");

    const char *log = give_log(scene);

    assert_false(hosts_state(scene->hosts, 1).is_up);
    assert_ptr_equal(hosts_for_reads(scene->hosts, 0), state_of(scene, "a").pool);
    assert_ptr_equal(hosts_for_writes(scene->hosts), state_of(scene, "a").pool);
    assert_non_null(strstr(log, "it is not of the same replication as the others"));
}

static bool is_drained;

static void
drained(void *data)
{
    is_drained = true;
    loop_stop(((struct scene *)data)->loop);
}

static void
draining_ends_all_of_them(void **state)
{
    struct scene *scene = *state;

    is_drained = false;
    loop_timer_set(scene->guard, WAIT_LIMIT_US);
    scene->waits_for = "all pools are drained";
    hosts_drain(scene->hosts, drained, scene);
    if (!is_drained)
        loop_run(scene->loop);
    assert_true(is_drained);
}

/* ---- all of it ---- */

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct scene *scene = ARENA_NEW(arena, struct scene);
    const char *root = getenv("PGMEND_SOURCE_DIR");
    char folder[] = "/tmp/pgmend-hosts-XXXXXX";

    scene->ctx = ARENA_NEW(arena, struct ctx);
    scene->ctx->arena = arena;
    if (!root || !mkdtemp(folder) || chmod(folder, 0755) != 0)
        return -1;
    scene->folder = arena_strdup(arena, folder);
    scene->helper = arena_printf(arena, "%s/test/support/standbys.sh", root);
    must(scene, loop_new(scene->ctx, &scene->loop));
    scene->looks = loop_timer_new(scene->loop, look, scene);
    scene->guard = loop_timer_new(scene->loop, hangs, scene);
    *state = scene;
    servers(scene, "make", NULL, NULL);
    return 0;
}

static int
tear_down(void **state)
{
    struct scene *scene = *state;

    if (!scene)
        return -1;
    hosts_free(scene->hosts);
    servers(scene, "remove", NULL, NULL);
    rmdir(scene->folder);
    loop_timer_free(scene->looks);
    loop_timer_free(scene->guard);
    loop_free(scene->loop);
    arena_free(scene->ctx->arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_are_spread_over_standbys_and_writes_go_to_the_primary),
        cmocka_unit_test(a_standby_is_fresh_however_long_nothing_was_written),
        cmocka_unit_test(a_standby_that_lags_gets_no_reads),
        cmocka_unit_test(own_writes_are_read_back),
        cmocka_unit_test(a_role_without_special_rights_can_tell_who_is_fresh),
        cmocka_unit_test(a_standby_that_receives_nothing_gets_no_reads),
        cmocka_unit_test(a_standby_that_hangs_is_left),
        cmocka_unit_test(a_standby_that_dies_is_left),
        cmocka_unit_test(reads_go_on_while_there_is_no_primary),
        cmocka_unit_test(a_promotion_is_followed),
        cmocka_unit_test(of_two_primaries_the_one_with_the_higher_timeline_is_used),
        cmocka_unit_test(a_server_of_another_replication_is_not_used),
        cmocka_unit_test(draining_ends_all_of_them),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
