/*
 * The doctor's checks against a server: what each is about is really made, seen, mended by the command
 * that the item proposes where that is one statement, and gone.
 */
#include "support/test.h"

#include <unistd.h>

#include "base/clock.h"
#include "db/db.h"
#include "monitor/doctor/doctor.h"
#include "monitor/doctor/facts.h"
#include "monitor/watch/look.h"

enum { LIMIT_US = 20000000, TICK_US = 50000 };

struct bench {
    struct ctx ctx;
    struct db *db;    /* makes trouble */
    struct db *other; /* more of it */
    struct db *eye;
    const char *database;
};

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static struct db *
connect_as(struct bench *bench, const char *database, const char *application)
{
    struct db_options options = {
        .database = database, .application = application, .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static void
run(struct bench *bench, const char *sql)
{
    must(bench, db_exec(&bench->ctx, bench->db, sql));
}

/* Each line of the mend, pasted; a comment is for people. */
static void
mend(struct bench *bench, const struct checkup_item *item)
{
    for (size_t i = 0; i < item->mends.count; i++)
        if (!text_starts_with(item->mends.items[i], "--"))
            run(bench, item->mends.items[i]);
}

static int
set_up_all(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "doctor_%d", (int)getpid());

    struct db *admin CLEANUP(db_cleanup) = connect_as(bench, "postgres", "pgmend/test");

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)));
    bench->db = connect_as(bench, bench->database, "pgmend/trouble");
    bench->other = connect_as(bench, bench->database, "pgmend/other");
    bench->eye = connect_as(bench, bench->database, "pgmend/doctor");
    *state = bench;
    return 0;
}

static int
tear_down_all(void **state)
{
    struct bench *bench = *state;

    db_close(bench->db);
    db_close(bench->other);
    db_close(bench->eye);

    struct db *admin CLEANUP(db_cleanup) = connect_as(bench, "postgres", "pgmend/test");

    must(bench, db_exec(&bench->ctx, admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE %s", bench->database)));
    arena_free(bench->ctx.arena);
    return 0;
}

static int
set_up(void **state)
{
    struct bench *bench = *state;

    run(bench, "SET client_min_messages = error");
    run(bench, "DROP SCHEMA IF EXISTS app CASCADE");
    run(bench, "CREATE SCHEMA app");
    return 0;
}

/* A checkup of this moment; its texts live in the test's arena. */
static struct checkup
examine(struct bench *bench)
{
    struct doctor_facts *facts = ARENA_NEW(bench->ctx.arena, struct doctor_facts);
    struct look *look = NULL;
    struct checkup checkup;

    must(bench, look_open(&bench->ctx, bench->eye, HOST_OFF, &look));
    must(bench, look_ask(&bench->ctx, look, NULL, 0));
    must(bench, doctor_ask(&bench->ctx, bench->eye, facts));
    look_server(look)->facts = facts;
    doctor_check(bench->ctx.arena, look_server(look), &checkup);
    look_free(look);
    return checkup;
}

static const struct checkup_item *
find(const struct checkup *checkup, const char *name)
{
    for (size_t i = 0; i < checkup->count; i++)
        if (text_equal(checkup->items[i].name, name))
            return &checkup->items[i];
    fail_msg("there is no item %s", name);
    return NULL;
}

static const char *
words_of(struct bench *bench, const struct checkup_item *item)
{
    return arena_printf(bench->ctx.arena, "%s\n%s\nmend: %s", item->says,
        text_list_join(bench->ctx.arena, &item->evidence, "\n"), item->mend ? item->mend : "-");
}

/* Statistics are told by the server a little later: what is seen is waited for. */
static struct checkup_item
wait_for(struct bench *bench, const char *name, enum health health, const char *words)
{
    int64_t end = clock_us() + LIMIT_US;
    struct checkup_item item;

    do {
        struct checkup checkup;

        /* Before 15 a session tells its counts only when it runs another statement. */
        run(bench, "SELECT 1");
        checkup = examine(bench);
        item = *find(&checkup, name);
        if (item.health == health && strstr(words_of(bench, &item), words))
            return item;
        assert_true(clock_sleep_us(TICK_US));
    } while (clock_us() < end);
    fail_msg("%s: health %d, wanted %d with \"%s\":\n%s", name, (int)item.health, (int)health,
        words, words_of(bench, &item));
    return item;
}

static void
numbers_run_out(void **state)
{
    struct bench *bench = *state;
    struct checkup_item item;

    run(bench, "CREATE TABLE app.t (id serial PRIMARY KEY)");
    run(bench, "CREATE SEQUENCE app.round MAXVALUE 10 CYCLE");
    run(bench, "SELECT setval('app.t_id_seq', 100)");
    run(bench, "SELECT setval('app.round', 10)");
    (void)wait_for(bench, "integer-overflow", HEALTH_GOOD, "0.0 %");
    run(bench, "SELECT setval('app.t_id_seq', 1600000000)");
    (void)wait_for(bench, "integer-overflow", HEALTH_WARNING, "app.t_id_seq of app.t.id");
    run(bench, "SELECT setval('app.t_id_seq', 2100000000)");
    item = wait_for(bench, "integer-overflow", HEALTH_CRITICAL, "97.8 %");
    mend(bench, &item);
    (void)wait_for(bench, "integer-overflow", HEALTH_GOOD, "0.0 %");
    run(bench, "INSERT INTO app.t DEFAULT VALUES");
    /* An identity, and an end of its own. */
    run(bench, "CREATE TABLE app.\"A b\" (\"I d\" smallint GENERATED ALWAYS AS IDENTITY)");
    run(bench, "SELECT setval(pg_get_serial_sequence('app.\"A b\"', 'I d'), 32700)");
    run(bench, "CREATE SEQUENCE app.nearend MAXVALUE 1000");
    run(bench, "SELECT setval('app.nearend', 990)");
    item = wait_for(bench, "integer-overflow", HEALTH_CRITICAL, "app.nearend: 990 of 1 000");
    mend(bench, &item);
    (void)wait_for(bench, "integer-overflow", HEALTH_GOOD, "0.0 %");
    run(bench, "SELECT setval('app.nearend', 1001)");
    run(bench, "INSERT INTO app.\"A b\" SELECT FROM generate_series(1, 100)");
    /* A key that somebody else fills, by its statistics. */
    run(bench, "CREATE TABLE app.small (id smallint PRIMARY KEY)");
    run(bench, "INSERT INTO app.small SELECT i FROM generate_series(1, 32000, 40) AS i");
    run(bench, "ANALYZE app.small");
    item = wait_for(bench, "integer-overflow", HEALTH_CRITICAL, "app.small.id: 31 961 of 32 767");
    mend(bench, &item);
    (void)wait_for(bench, "integer-overflow", HEALTH_GOOD, "0.0 %");
}

static void
invalid_index_is_dropped(void **state)
{
    struct bench *bench = *state;
    struct checkup_item item;

    run(bench, "CREATE TABLE app.\"T\" (a int)");
    run(bench, "INSERT INTO app.\"T\" VALUES (1), (1)");
    (void)wait_for(bench, "invalid-indexes", HEALTH_GOOD, "no index");
    assert_false(
        db_exec(&bench->ctx, bench->db, "CREATE UNIQUE INDEX CONCURRENTLY \"I\" ON app.\"T\" (a)"));
    error_clear(&bench->ctx);
    item = wait_for(bench, "invalid-indexes", HEALTH_WARNING, "app.\"I\" on app.\"T\"");
    assert_string_equal(item.mend, "DROP INDEX CONCURRENTLY app.\"I\";");
    run(bench, item.mend);
    (void)wait_for(bench, "invalid-indexes", HEALTH_GOOD, "no index");
}

static void
constraint_is_validated(void **state)
{
    struct bench *bench = *state;
    struct checkup_item item;

    run(bench, "CREATE TABLE app.t (a int)");
    (void)wait_for(bench, "unvalidated-constraints", HEALTH_GOOD, "none");
    run(bench, "ALTER TABLE app.t ADD CONSTRAINT \"my check\" CHECK (a > 0) NOT VALID");
    item = wait_for(bench, "unvalidated-constraints", HEALTH_WARNING, "\"my check\" of app.t");
    run(bench, item.mend);
    (void)wait_for(bench, "unvalidated-constraints", HEALTH_GOOD, "none");
}

/* Four are needless; the others look like it and are not. */
static void
duplicate_indexes_are_told_apart(void **state)
{
    static const char *const needless[] = { "same", "beginning", "same_expression", "plain" };
    static const char *const needed[] = { "CREATE INDEX partial ON app.t (a) WHERE b > 0",
        "CREATE INDEX falling ON app.t (a DESC)",
        "CREATE INDEX pattern ON app.t (s text_pattern_ops)",
        "CREATE INDEX collated ON app.t (s COLLATE \"C\")",
        "CREATE UNIQUE INDEX strict ON app.t (c)", "CREATE INDEX hashed ON app.t USING hash (a)",
        "CREATE INDEX covering ON app.t (b) INCLUDE (s)", "CREATE INDEX other_way ON app.t (b, a)",
        "CREATE INDEX text_plain ON app.t (s)" };
    struct bench *bench = *state;
    struct checkup_item item;

    run(bench, "CREATE TABLE app.t (a int, b int, c int, s text, u int UNIQUE)");
    for (size_t i = 0; i < COUNT_OF(needed); i++)
        run(bench, needed[i]);
    run(bench, "CREATE INDEX long ON app.t (a, b)");
    run(bench, "CREATE INDEX expression ON app.t (lower(s))");
    (void)wait_for(bench, "duplicate-indexes", HEALTH_GOOD, "no index");
    run(bench, "CREATE INDEX same ON app.t (a, b)");
    run(bench, "CREATE INDEX beginning ON app.t (a)");
    run(bench, "CREATE INDEX same_expression ON app.t (lower(s))");
    run(bench, "CREATE INDEX plain ON app.t (c)");
    item = wait_for(bench, "duplicate-indexes", HEALTH_WARNING, "4 indexes are");
    for (size_t i = 0; i < COUNT_OF(needless); i++) {
        const char *line = arena_printf(bench->ctx.arena, "app.%s on app.t:", needless[i]);

        if (!strstr(words_of(bench, &item), line) &&
            !(i == 0 && strstr(words_of(bench, &item), "app.long on app.t: the same as app.same")))
            fail_msg("%s is not in\n%s", line, words_of(bench, &item));
    }
    while (item.health == HEALTH_WARNING) {
        struct checkup checkup;

        run(bench, item.mends.items[0]);
        checkup = examine(bench);
        item = *find(&checkup, "duplicate-indexes");
    }
    must(bench, db_exec(&bench->ctx, bench->db, "INSERT INTO app.t (c) VALUES (1)"));
    assert_false(db_exec(&bench->ctx, bench->db, "INSERT INTO app.t (c) VALUES (1)"));
    error_clear(&bench->ctx);
}

static void
foreign_key_gets_an_index(void **state)
{
    struct bench *bench = *state;
    struct checkup_item item;

    run(bench, "CREATE TABLE app.p (a int, b int, PRIMARY KEY (a, b))");
    run(bench, "CREATE TABLE app.c (id int, b int, a int, FOREIGN KEY (a, b) REFERENCES app.p)");
    run(bench, "CREATE INDEX only_one ON app.c (a)");
    (void)wait_for(bench, "foreign-keys", HEALTH_GOOD, "no foreign key");
    run(bench, "INSERT INTO app.c (id) SELECT i FROM generate_series(1, 40000) AS i");
    run(bench, "ANALYZE app.c");
    /* Its name is taken already. */
    run(bench, "CREATE INDEX c_a_b_idx ON app.p (b)");
    item = wait_for(bench, "foreign-keys", HEALTH_WARNING,
        "CREATE INDEX CONCURRENTLY c_a_b_idx2 ON app.c (a, b);");
    mend(bench, &item);
    (void)wait_for(bench, "foreign-keys", HEALTH_GOOD, "no foreign key");
    run(bench, "DROP INDEX app.c_a_b_idx2");
    /* The order of the columns does not matter for looking up. */
    run(bench, "CREATE INDEX wide ON app.c (b, a, id)");
    (void)wait_for(bench, "foreign-keys", HEALTH_GOOD, "no foreign key");
    run(bench, "DROP INDEX app.wide");
    run(bench, "CREATE INDEX partly ON app.c (a, b) WHERE id > 7");
    (void)wait_for(bench, "foreign-keys", HEALTH_WARNING, "app.c (a, b) to app.p");
}

static void
tables_without_vacuum(void **state)
{
    struct bench *bench = *state;
    struct checkup_item item;

    run(bench, "CREATE TABLE app.t (a int) WITH (autovacuum_enabled = off)");
    run(bench, "INSERT INTO app.t SELECT i FROM generate_series(1, 30000) AS i");
    item = wait_for(bench, "statistics", HEALTH_WARNING, "app.t: never analysed");
    run(bench, item.mend);
    (void)wait_for(bench, "statistics", HEALTH_GOOD, "up to date");
    item = wait_for(bench, "autovacuum", HEALTH_WARNING, "app.t: switched off");
    run(bench, item.mend);
    (void)wait_for(bench, "autovacuum", HEALTH_GOOD, "no table");
}

/* Cancelling one that is idle in its transaction does nothing: what is proposed frees the other. */
static void
blocker_is_ended(void **state)
{
    struct bench *bench = *state;
    struct db *holder CLEANUP(db_cleanup) = connect_as(bench, bench->database, "pgmend/holder");
    struct checkup_item item;
    bool is_done;

    run(bench, "CREATE TABLE app.t (a int)");
    must(bench, db_exec(&bench->ctx, holder, "BEGIN"));
    must(bench, db_exec(&bench->ctx, holder, "LOCK TABLE app.t"));
    must(bench, db_send(&bench->ctx, bench->other, "SELECT count(*) FROM app.t"));
    item = wait_for(bench, "blocked-sessions", HEALTH_WARNING, "pg_terminate_backend");
    mend(bench, &item);
    do {
        must(bench, db_wait(&bench->ctx, bench->other, TICK_US, &is_done));
    } while (!is_done);
    (void)wait_for(bench, "blocked-sessions", HEALTH_GOOD, "no session");
}

static void
blocked_session_and_its_blocker(void **state)
{
    struct bench *bench = *state;
    bool is_done;

    run(bench, "CREATE TABLE app.t (a int)");
    (void)wait_for(bench, "blocked-sessions", HEALTH_GOOD, "no session");
    run(bench, "BEGIN");
    run(bench, "LOCK TABLE app.t");
    must(bench, db_send(&bench->ctx, bench->other, "SELECT count(*) FROM app.t"));
    (void)wait_for(bench, "blocked-sessions", HEALTH_WARNING,
        arena_printf(bench->ctx.arena, "pid %d waits for pid %d", db_backend_pid(bench->other),
            db_backend_pid(bench->db)));
    (void)wait_for(bench, "blocked-sessions", HEALTH_WARNING,
        arena_printf(bench->ctx.arena, "in the end by pid %d (pgmend/trouble, idle in transaction)",
            db_backend_pid(bench->db)));
    (void)wait_for(bench, "idle-in-transaction", HEALTH_GOOD, "1 session is idle");
    run(bench, "ROLLBACK");
    do {
        must(bench, db_wait(&bench->ctx, bench->other, TICK_US, &is_done));
    } while (!is_done);
    (void)wait_for(bench, "blocked-sessions", HEALTH_GOOD, "no session");
}

static void
application_of_a_superuser(void **state)
{
    struct bench *bench = *state;
    struct db *shop CLEANUP(db_cleanup) = NULL;

    (void)wait_for(bench, "superuser-sessions", HEALTH_GOOD, "no application");
    shop = connect_as(bench, bench->database, "shop\x1b[2J");
    (void)wait_for(bench, "superuser-sessions", HEALTH_WARNING, "1 session (shop");
    db_cleanup(&shop);
    (void)wait_for(bench, "superuser-sessions", HEALTH_GOOD, "no application");
}

static void
weak_passwords(void **state)
{
    struct bench *bench = *state;
    const char *role = arena_printf(bench->ctx.arena, "doctor_md5_%d", (int)getpid());

    run(bench, "SET password_encryption = 'md5'");
    run(bench, arena_printf(bench->ctx.arena, "CREATE ROLE %s LOGIN PASSWORD 'x'", role));
    (void)wait_for(bench, "passwords", HEALTH_WARNING, role);
    run(bench, "SET password_encryption = 'scram-sha-256'");
    run(bench, arena_printf(bench->ctx.arena, "ALTER ROLE %s PASSWORD 'x'", role));
    (void)wait_for(bench, "passwords", HEALTH_GOOD, "SCRAM");
    run(bench, arena_printf(bench->ctx.arena, "DROP ROLE %s", role));
}

static void
slot_that_nobody_uses(void **state)
{
    struct bench *bench = *state;
    const char *slot = arena_printf(bench->ctx.arena, "doctor_%d", (int)getpid());
    struct checkup checkup;

    run(bench, arena_printf(bench->ctx.arena,
                   "SELECT pg_create_physical_replication_slot('%s', true)", slot));
    (void)wait_for(bench, "inactive-slots", HEALTH_WARNING, slot);
    run(bench, arena_printf(bench->ctx.arena, "SELECT pg_drop_replication_slot('%s')", slot));
    checkup = examine(bench);
    assert_null(strstr(words_of(bench, find(&checkup, "inactive-slots")), slot));
}

static void
setting_that_waits(void **state)
{
    struct bench *bench = *state;
    int64_t end = clock_us() + LIMIT_US;
    struct checkup checkup;

    run(bench, "ALTER SYSTEM SET max_locks_per_transaction = 65");
    run(bench, "SELECT pg_reload_conf()");
    (void)wait_for(bench, "pending-restart", HEALTH_WARNING, "max_locks_per_transaction is still");
    run(bench, "ALTER SYSTEM SET max_locks_per_transaction = 64");
    run(bench, "SELECT pg_reload_conf()");
    do {
        checkup = examine(bench);
    } while (strstr(words_of(bench, find(&checkup, "pending-restart")), "max_locks") &&
             clock_us() < end);
    assert_null(strstr(words_of(bench, find(&checkup, "pending-restart")), "max_locks"));
    run(bench, "ALTER SYSTEM RESET max_locks_per_transaction");
    run(bench, "SELECT pg_reload_conf()");
}

static void
extension_is_updated(void **state)
{
    struct bench *bench = *state;
    struct checkup_item item;

    run(bench, "CREATE EXTENSION pg_trgm VERSION '1.3'");
    item = wait_for(bench, "extensions", HEALTH_WARNING, "pg_trgm 1.3");
    run(bench, item.mend);
    (void)wait_for(bench, "extensions", HEALTH_GOOD, "none");
    run(bench, "DROP EXTENSION pg_trgm");
}

static void
sorts_that_spill(void **state)
{
    struct bench *bench = *state;

    run(bench, "SET work_mem = '64kB'");
    (void)wait_for(bench, "temp-files", HEALTH_GOOD, "none");
    for (int i = 0; i < 12; i++)
        run(bench, "SELECT count(*) FROM (SELECT i, repeat('x', 200) AS x FROM"
                   " generate_series(1, 60000) AS i ORDER BY 2, 1 DESC OFFSET 0) AS s");
    (void)wait_for(bench, "temp-files", HEALTH_WARNING, "a file on average");
    run(bench, "RESET work_mem");
}

static struct db *
connect_by(struct bench *bench, const char *role)
{
    struct db_options options = { .url = arena_printf(
                                      bench->ctx.arena, "user=%s dbname=%s", role, bench->database),
        .application = "pgmend/doctor" };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static struct checkup
examine_by(struct bench *bench, const char *role)
{
    struct db *own = bench->eye;
    struct checkup checkup;

    bench->eye = connect_by(bench, role);
    checkup = examine(bench);
    db_close(bench->eye);
    bench->eye = own;
    return checkup;
}

/* That somebody idles in a transaction: this test, and perhaps others on the same server. */
static bool
is_told_of_sessions(const struct checkup *checkup)
{
    const char *says = find(checkup, "idle-in-transaction")->says;

    return strstr(says, "1 session is") || strstr(says, " sessions are");
}

/* What is wrong and what only its owner sees: a number at its end, an idle blocker, a superuser. */
static void
make_trouble(struct bench *bench)
{
    run(bench, "CREATE TABLE app.t (id smallserial, x text)");
    run(bench,
        "INSERT INTO app.t (id, x) SELECT 1, repeat('x', 200) FROM generate_series(1, 9000)");
    run(bench, "ANALYZE app.t");
    run(bench, "SELECT setval('app.t_id_seq', 32700)");
    run(bench, "BEGIN");
    run(bench, "LOCK TABLE app.t IN ACCESS EXCLUSIVE MODE");
}

/* A role without rights is told what it may not see, by which GRANT it sees it, and then does. */
static void
role_without_rights(void **state)
{
    static const char *const hidden[] = { "integer-overflow", "long-transactions",
        "idle-in-transaction", "blocked-sessions", "bloat", "passwords" };
    struct bench *bench = *state;
    const char *role = arena_printf(bench->ctx.arena, "doctor_weak_%d", (int)getpid());
    /* Only to be there. */
    struct db *shop CLEANUP(db_cleanup) = connect_as(bench, bench->database, "shop");
    struct checkup checkup;

    assert_non_null(shop);
    run(bench, arena_printf(bench->ctx.arena, "CREATE ROLE %s LOGIN", role));
    make_trouble(bench);
    checkup = examine_by(bench, role);
    assert_true(checkup.count > 20);
    assert_int_equal(find(&checkup, "connections")->health, HEALTH_GOOD);
    assert_int_equal(find(&checkup, "duplicate-indexes")->health, HEALTH_GOOD);
    assert_int_equal(find(&checkup, "statistics")->health, HEALTH_GOOD);
    assert_int_equal(find(&checkup, "superuser-sessions")->health, HEALTH_WARNING);
    for (size_t i = 0; i < checkup.count; i++)
        assert_non_null(checkup.items[i].says);
    run(bench, "COMMIT");
    for (size_t i = 0; i < COUNT_OF(hidden); i++) {
        const struct checkup_item *item = find(&checkup, hidden[i]);

        if (item->health != HEALTH_UNKNOWN || !item->mend)
            fail_msg("%s: health %d\n%s", hidden[i], (int)item->health, words_of(bench, item));
        mend(bench, item);
    }
    run(bench, "BEGIN");
    checkup = examine_by(bench, role);
    run(bench, "ROLLBACK");
    assert_int_equal(find(&checkup, "integer-overflow")->health, HEALTH_CRITICAL);
    assert_int_equal(find(&checkup, "bloat")->health, HEALTH_GOOD);
    assert_int_equal(find(&checkup, "blocked-sessions")->health, HEALTH_GOOD);
    assert_true(is_told_of_sessions(&checkup));
    run(bench, arena_printf(bench->ctx.arena, "DROP OWNED BY %s", role));
    run(bench, arena_printf(bench->ctx.arena, "DROP ROLE %s", role));
}

/* When the server has forgotten that a table was analysed, its statistics tell, to who may see them. */
static void
monitoring_role(void **state)
{
    struct bench *bench = *state;
    const char *role = arena_printf(bench->ctx.arena, "doctor_mon_%d", (int)getpid());
    struct checkup checkup;
    const struct checkup_item *item;

    run(bench, arena_printf(bench->ctx.arena, "CREATE ROLE %s LOGIN IN ROLE pg_monitor", role));
    make_trouble(bench);
    run(bench, "COMMIT");
    run(bench, "BEGIN");
    checkup = examine_by(bench, role);
    run(bench, "ROLLBACK");
    assert_int_equal(find(&checkup, "autovacuum")->health, HEALTH_GOOD);
    assert_int_equal(find(&checkup, "statistics")->health, HEALTH_GOOD);
    assert_true(is_told_of_sessions(&checkup));
    run(bench, "SELECT pg_stat_reset_single_table_counters('app.t'::regclass)");
    run(bench, "INSERT INTO app.t SELECT 1, 'x' FROM generate_series(1, 2000)");
    do {
        run(bench, "SELECT 1");
        checkup = examine_by(bench, role);
        item = find(&checkup, "statistics");
    } while (item->health == HEALTH_GOOD);
    assert_int_equal(item->health, HEALTH_UNKNOWN);
    /* A session may report some of its rows late, after the ANALYZE. */
    for (int32_t left = 50; left > 0 && item->health != HEALTH_GOOD; left--) {
        mend(bench, item);
        checkup = examine_by(bench, role);
        item = find(&checkup, "statistics");
    }
    assert_int_equal(item->health, HEALTH_GOOD);
    run(bench, arena_printf(bench->ctx.arena, "DROP OWNED BY %s", role));
    run(bench, arena_printf(bench->ctx.arena, "DROP ROLE %s", role));
}

/* Locked catalogues: the checks that cannot look say so, in a bounded time, and the others go on. */
static void
locked_catalogue(void **state)
{
    struct bench *bench = *state;
    struct checkup checkup;
    int64_t started;

    run(bench, "BEGIN");
    run(bench, "LOCK TABLE pg_catalog.pg_constraint IN ACCESS EXCLUSIVE MODE");
    started = clock_us();
    checkup = examine(bench);
    run(bench, "ROLLBACK");
    assert_true(clock_us() - started < LIMIT_US);
    assert_int_equal(find(&checkup, "unvalidated-constraints")->health, HEALTH_UNKNOWN);
    assert_non_null(strstr(find(&checkup, "unvalidated-constraints")->says, "lock timeout"));
    assert_int_equal(find(&checkup, "connections")->health, HEALTH_GOOD);
}

#define test_with_schema(test) cmocka_unit_test_setup(test, set_up)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_schema(numbers_run_out),
        test_with_schema(invalid_index_is_dropped),
        test_with_schema(constraint_is_validated),
        test_with_schema(duplicate_indexes_are_told_apart),
        test_with_schema(foreign_key_gets_an_index),
        test_with_schema(tables_without_vacuum),
        test_with_schema(blocked_session_and_its_blocker),
        test_with_schema(application_of_a_superuser),
        test_with_schema(weak_passwords),
        test_with_schema(slot_that_nobody_uses),
        test_with_schema(setting_that_waits),
        test_with_schema(extension_is_updated),
        test_with_schema(sorts_that_spill),
        test_with_schema(role_without_rights),
        test_with_schema(monitoring_role),
        test_with_schema(blocker_is_ended),
        test_with_schema(locked_catalogue),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
