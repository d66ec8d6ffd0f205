/*
 * The checklist over rows made by hand. The numbers that are expected were
 * worked out on paper from the rules that are told beside them.
 */
#include "support/test.h"

#include "test_monitor_doctor_support.h"

static const struct checkup_item *
look(struct bench *bench, const char *name)
{
    struct checkup checkup;

    doctor_check(bench->ctx.arena, &bench->server, &checkup);
    for (size_t i = 0; i < checkup.count; i++)
        if (text_equal(checkup.items[i].name, name)) {
            struct checkup_item *item = ARENA_NEW(bench->ctx.arena, struct checkup_item);

            *item = checkup.items[i];
            return item;
        }
    return NULL;
}

/* The item has this health, and somewhere these words. */
static void
assert_item(struct bench *bench, const char *name, enum health health, const char *words)
{
    const struct checkup_item *item = look(bench, name);
    const char *all;

    if (!item)
        fail_msg("there is no item %s", name);
    all = arena_printf(bench->ctx.arena, "%s\n%s\n%s", item->says,
        text_list_join(bench->ctx.arena, &item->evidence, "\n"), item->mend ? item->mend : "");
    if (item->health != health || !strstr(all, words))
        fail_msg("%s: health %d, wanted %d with \"%s\":\n%s", name, (int)item->health, (int)health,
            words, all);
}

static void
what_nobody_asked_is_left_out(void **state)
{
    struct bench *bench = *state;

    bench->server.facts = NULL;
    assert_null(look(bench, "duplicate-indexes"));
    assert_null(look(bench, "replication-lag"));
    assert_non_null(look(bench, "connections"));
}

static void
refused_is_unknown_with_a_remedy(void **state)
{
    struct bench *bench = *state;
    struct reading *reading = &bench->server.now[COLLECT_BLOAT];
    struct checkup checkup;

    reading->is_known = true;
    reading->error = (struct error){ .kind = ERR_RIGHTS, .message = "permission denied" };
    assert_item(bench, "bloat", HEALTH_UNKNOWN, "permission denied");
    assert_item(bench, "bloat", HEALTH_UNKNOWN, "GRANT");
    doctor_check(bench->ctx.arena, &bench->server, &checkup);
    assert_int_equal(checkup.health, HEALTH_GOOD);
}

static void
server_that_is_down(void **state)
{
    struct bench *bench = *state;
    struct checkup checkup;

    bench->server.is_up = false;
    bench->server.error.message = "connection refused";
    doctor_check(bench->ctx.arena, &bench->server, &checkup);
    assert_int_equal(checkup.health, HEALTH_CRITICAL);
    assert_int_equal(checkup.count, 1);
    assert_non_null(strstr(checkup.items[0].says, "connection refused"));
}

static void
cache_is_judged_by_deltas(void **state)
{
    struct bench *bench = *state;

    assert_item(bench, "cache-hit", HEALTH_GOOD, "99.0 % of 1 000 000 blocks");
    /* 600 of 2 000 blocks between the two looks, whatever was before. */
    bench->database_before = bench->database;
    bench->database.blks_hit += 600;
    bench->database.blks_read += 1400;
    put(&bench->server.before[COLLECT_DATABASE], &bench->database_before, 1);
    assert_item(bench, "cache-hit", HEALTH_CRITICAL, "30.0 % of 2 000 blocks");
    bench->server.is_gap = true;
    assert_item(bench, "cache-hit", HEALTH_GOOD, "of 1 002 000 blocks");
    bench->database.blks_hit = 940000;
    bench->database.blks_read = 60000;
    assert_item(bench, "cache-hit", HEALTH_WARNING, "94.0 %");
    bench->database.blks_hit = 890000;
    bench->database.blks_read = 110000;
    assert_item(bench, "cache-hit", HEALTH_CRITICAL, "89.0 %");
    bench->database.blks_hit = 92;
    bench->database.blks_read = 8;
    assert_item(bench, "cache-hit", HEALTH_GOOD, "too little");
}

static void
connections_against_the_limit(void **state)
{
    struct bench *bench = *state;

    assert_item(bench, "connections", HEALTH_GOOD, "20 of 97");
    bench->about.connections = 78; /* 80.4 % */
    assert_item(bench, "connections", HEALTH_WARNING, "78 of 97");
    bench->about.connections = 93; /* 95.9 % */
    assert_item(bench, "connections", HEALTH_CRITICAL, "pooler");
}

static void
sessions_of_all_sorts(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_session rows[] = {
        { .pid = 11,
            .state = "idle in transaction",
            .usename = "app\x1b[2J",
            .application_name = "web",
            .backend_type = "client backend",
            .xact_seconds = 4000,
            .query_seconds = NAN,
            .state_seconds = 700,
            .blocks = 2,
            .query = "UPDATE a\n SET b = 1" },
        { .pid = 12,
            .state = "active",
            .backend_type = "client backend",
            .blocked_by = "11",
            .blocks = 1,
            .xact_seconds = 65,
            .query_seconds = 65,
            .state_seconds = 65 },
        { .pid = 13, .backend_type = "walsender", .xact_seconds = 90000, .query_seconds = NAN },
    };

    PUT(bench, COLLECT_SESSION, rows);
    assert_item(
        bench, "long-transactions", HEALTH_CRITICAL, "the longest transaction is 1 h 6 min");
    assert_item(bench, "long-transactions", HEALTH_CRITICAL, "pid 11, web of app?[2J");
    assert_item(bench, "long-transactions", HEALTH_CRITICAL, "UPDATE a  SET b = 1");
    assert_item(bench, "idle-in-transaction", HEALTH_CRITICAL,
        "SET idle_in_transaction_session_timeout = '5min'");
    assert_item(bench, "blocked-sessions", HEALTH_CRITICAL, "in the end by pid 11");
    rows[0].xact_seconds = 301;
    rows[0].state_seconds = 61;
    rows[1].query_seconds = 2;
    assert_item(bench, "long-transactions", HEALTH_WARNING, "5 min 1 s");
    assert_item(bench, "idle-in-transaction", HEALTH_WARNING, "1 session is idle");
    assert_item(bench, "blocked-sessions", HEALTH_WARNING, "pid 12 waits for pid 11");
    put(&bench->server.now[COLLECT_SESSION], rows, 0);
    assert_item(bench, "long-transactions", HEALTH_GOOD, "no transaction is open");
    assert_item(bench, "idle-in-transaction", HEALTH_GOOD, "no session is idle");
    assert_item(bench, "blocked-sessions", HEALTH_GOOD, "no session is blocked");
}

static void
prepared_transactions_grow_old(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_doctor_prepared rows[] = { { "it's", "app", "shop", 4000 } };

    put(&bench->facts.answers[DOCTOR_PREPARED], rows, 1);
    assert_item(bench, "prepared-transactions", HEALTH_CRITICAL, "ROLLBACK PREPARED 'it''s';");
    rows[0].seconds = 10;
    assert_item(bench, "prepared-transactions", HEALTH_GOOD, "1 is open");
}

static void
replication_and_slots(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_replication standbys[] = { { .application_name = "s1",
        .client_addr = "10.0.0.2",
        .state = "streaming",
        .replay_lag_seconds = 61,
        .replay_lag_bytes = 10 } };
    struct sql_monitor_slot slots[] = { { .slot_name = "s'1",
        .slot_type = "physical",
        .active = 0,
        .wal_status = "reserved",
        .retained_bytes = 1048576 } };

    PUT(bench, COLLECT_REPLICATION, standbys);
    assert_item(bench, "replication-lag", HEALTH_WARNING, "s1 10.0.0.2 (streaming): 1 min 1 s");
    standbys[0].replay_lag_seconds = 700;
    assert_item(bench, "replication-lag", HEALTH_CRITICAL, "11 min 40 s");
    standbys[0].replay_lag_seconds = NAN;
    assert_item(bench, "replication-lag", HEALTH_GOOD, "1 standby");
    PUT(bench, COLLECT_SLOT, slots);
    assert_item(
        bench, "inactive-slots", HEALTH_WARNING, "SELECT pg_drop_replication_slot('s''1');");
    slots[0].wal_status = "lost";
    assert_item(bench, "inactive-slots", HEALTH_CRITICAL, "lost");
    slots[0] = (struct sql_monitor_slot){ .slot_name = "a", .slot_type = "physical", .active = 1 };
    assert_item(bench, "inactive-slots", HEALTH_GOOD, "1 slot is in use");
}

static void
archive_fails_and_comes_back(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_wal rows[] = { { .archive_mode = "on",
        .archived_count = 10,
        .failed_count = 3,
        .last_archive_age = 900,
        .last_failed_age = 5 } };

    PUT(bench, COLLECT_WAL, rows);
    assert_item(bench, "archiver", HEALTH_CRITICAL, "the last attempt failed 5.0 s ago");
    rows[0].last_archive_age = 1;
    assert_item(bench, "archiver", HEALTH_GOOD, "3 attempts failed");
    rows[0].archive_mode = "off";
    assert_item(bench, "archiver", HEALTH_GOOD, "not archived");
}

static void
wraparound_comes_near(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_wraparound rows[] = { { .datname = "shop",
        .xid_age = 450000000,
        .freeze_max_age = 200000000,
        .multixact_freeze_max_age = 400000000,
        .ratio = 0.21,
        .oldest_relation = "public.\"Old\"" } };

    PUT(bench, COLLECT_WRAPAROUND, rows);
    assert_item(bench, "wraparound", HEALTH_WARNING, "VACUUM (FREEZE, VERBOSE) public.\"Old\";");
    rows[0].ratio = 0.7;
    assert_item(bench, "wraparound", HEALTH_CRITICAL, "70.0 %");
    rows[0].xid_age = 200000000;
    rows[0].ratio = 0.1;
    assert_item(bench, "wraparound", HEALTH_GOOD, "10.0 %");
}

static void
autovacuum_off_or_behind(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_doctor_table rows[] = { { .relation = "public.t",
        .rows_now = 100000,
        .dead = 70000,
        .dead_limit = 20050,
        .changed = 10,
        .changed_limit = 10050,
        .was_analysed = true } };

    put(&bench->facts.answers[DOCTOR_TABLE], rows, 1);
    assert_item(bench, "autovacuum", HEALTH_WARNING, "VACUUM (ANALYZE) public.t;");
    rows[0].dead = 50000;
    assert_item(bench, "autovacuum", HEALTH_GOOD, "no table is far behind");
    rows[0].is_off = true;
    assert_item(
        bench, "autovacuum", HEALTH_WARNING, "ALTER TABLE public.t RESET (autovacuum_enabled);");
    bench->about.autovacuum = false;
    assert_item(bench, "autovacuum", HEALTH_CRITICAL, "ALTER SYSTEM SET autovacuum = on");
    bench->about.autovacuum = true;
    bench->about.track_counts = false;
    assert_item(bench, "autovacuum", HEALTH_CRITICAL, "track_counts is off");
    assert_item(bench, "statistics", HEALTH_GOOD, "up to date");
    rows[0].changed = 30151;
    assert_item(bench, "statistics", HEALTH_WARNING, "ANALYZE public.t;");
    rows[0].was_analysed = false;
    assert_item(bench, "statistics", HEALTH_WARNING, "never analysed");
}

static void
bloat_of_tables_and_indexes(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_bloat rows[] = {
        { .schemaname = "public",
            .relname = "t",
            .indexrelname = "I",
            .size_bytes = 400000000,
            .bloat_bytes = 200000000,
            .bloat_ratio = 0.5 },
        { .schemaname = "public",
            .relname = "u",
            .indexrelname = "",
            .size_bytes = 4000000,
            .bloat_bytes = NAN,
            .bloat_ratio = NAN },
    };

    PUT(bench, COLLECT_BLOAT, rows);
    assert_item(bench, "bloat", HEALTH_WARNING, "REINDEX INDEX CONCURRENTLY public.\"I\";");
    rows[0].bloat_ratio = 0.3;
    assert_item(bench, "bloat", HEALTH_GOOD, "mostly empty");
}

static void
numbers_run_out(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_doctor_sequence rows[] = { { .object = "public.s",
        .fills = "public.t.id",
        .used = 1600000000,
        .limit_value = INT32_MAX,
        .schema = "public",
        .relation = "public.t",
        .attribute = "Id",
        .type_limit = INT32_MAX,
        .own_limit = INT32_MAX,
        .sequence_type_limit = INT32_MAX } };

    put(&bench->facts.answers[DOCTOR_SEQUENCE], rows, 1);
    assert_item(bench, "integer-overflow", HEALTH_WARNING, "74.5 %");
    rows[0].used = 2000000000;
    assert_item(bench, "integer-overflow", HEALTH_CRITICAL, "public.s of public.t.id");
    assert_item(bench, "integer-overflow", HEALTH_CRITICAL,
        "ALTER TABLE public.t ALTER COLUMN \"Id\" TYPE bigint;");
    assert_item(bench, "integer-overflow", HEALTH_CRITICAL, "ALTER SEQUENCE public.s AS bigint;");
    rows[0].used = 100;
    assert_item(bench, "integer-overflow", HEALTH_GOOD, "0.0 %");
    /* An end that somebody gave it, in no column. */
    rows[0].fills = rows[0].relation = rows[0].attribute = NULL;
    rows[0].type_limit = rows[0].sequence_type_limit = INT64_MAX;
    rows[0].own_limit = rows[0].limit_value = 1000;
    rows[0].used = 990;
    assert_item(bench, "integer-overflow", HEALTH_CRITICAL,
        "\nALTER SEQUENCE public.s AS bigint NO MAXVALUE;");
    rows[0].used = 0;
    rows[0].is_hidden = true;
    bench->about.role = "mon";
    assert_item(bench, "integer-overflow", HEALTH_UNKNOWN,
        "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO mon;");
    rows[0].is_estimate = true;
    rows[0].relation = "public.t";
    rows[0].attribute = "Id";
    assert_item(
        bench, "integer-overflow", HEALTH_UNKNOWN, "GRANT SELECT (\"Id\") ON public.t TO mon;");
}

/* What a role may not see is not good: it is not known, and the GRANT is told. */
static void
hidden_is_unknown(void **state)
{
    static const char *const names[] = { "long-transactions", "idle-in-transaction",
        "blocked-sessions" };
    struct bench *bench = *state;
    struct sql_monitor_session sessions[] = { { .pid = 7,
        .usename = "app",
        .query = "<insufficient privilege>",
        .xact_seconds = NAN,
        .query_seconds = NAN,
        .state_seconds = NAN } };
    struct sql_monitor_doctor_role roles[] = {
        { .name = "boss", .is_superuser = true, .unclear = 1 }
    };
    struct sql_monitor_doctor_table tables[] = { { .relation = "public.t",
        .schema = "public",
        .name = "t",
        .rows_now = 5000,
        .is_unclear = true,
        .is_unseen = true } };
    struct sql_monitor_bloat bloat[] = { { .schemaname = "public",
        .relname = "t",
        .indexrelname = "",
        .bloat_bytes = NAN,
        .bloat_ratio = NAN } };

    bench->about.role = "mon";
    PUT(bench, COLLECT_SESSION, sessions);
    put(&bench->facts.answers[DOCTOR_ROLE], roles, 1);
    put(&bench->facts.answers[DOCTOR_TABLE], tables, 1);
    PUT(bench, COLLECT_BLOAT, bloat);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_item(bench, names[i], HEALTH_UNKNOWN, "GRANT pg_read_all_stats TO mon;");
    assert_item(bench, "superuser-sessions", HEALTH_UNKNOWN, "GRANT pg_read_all_stats TO mon;");
    assert_item(bench, "statistics", HEALTH_UNKNOWN, "GRANT SELECT ON public.t TO mon;");
    assert_item(bench, "bloat", HEALTH_UNKNOWN, "GRANT SELECT ON public.t TO mon;");
    bench->facts.answers[DOCTOR_PASSWORD].is_known = true;
    assert_item(bench, "passwords", HEALTH_UNKNOWN, "superuser");
    roles[0].sessions = 1;
    assert_item(bench, "superuser-sessions", HEALTH_WARNING, "not seen: role mon");
}

/* Each culprit has its mend, up to ten. */
static void
every_culprit_is_mended(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_doctor_table tables[12] = { 0 };
    struct sql_monitor_session sessions[] = {
        { .pid = 1, .state = "active", .backend_type = "client backend", .blocks = 1 },
        { .pid = 2,
            .state = "idle in transaction (aborted)",
            .backend_type = "client backend",
            .blocks = 1 },
        { .pid = 3,
            .state = "active",
            .backend_type = "client backend",
            .blocked_by = "1,2",
            .query_seconds = 5 },
        { .pid = 4,
            .state = "active",
            .backend_type = "client backend",
            .blocked_by = "0",
            .query_seconds = 5 }
    };
    struct sql_monitor_doctor_prepared prepared[] = { { "x", "app", "shop", 4000 } };

    for (size_t i = 0; i < COUNT_OF(tables); i++)
        tables[i] = (struct sql_monitor_doctor_table){
            .relation = arena_printf(bench->ctx.arena, "public.t%zu", i), .rows_now = 5000
        };
    put(&bench->facts.answers[DOCTOR_TABLE], tables, 2);
    assert_item(bench, "statistics", HEALTH_WARNING, "2 tables were never analysed");
    assert_string_equal(look(bench, "statistics")->mend, "ANALYZE public.t0;\nANALYZE public.t1;");
    assert_null(strstr(look(bench, "statistics")->says, "stale"));
    put(&bench->facts.answers[DOCTOR_TABLE], tables, COUNT_OF(tables));
    assert_item(bench, "statistics", HEALTH_WARNING, "ANALYZE public.t9;\n-- and 2 more");
    put(&bench->facts.answers[DOCTOR_PREPARED], prepared, 1);
    PUT(bench, COLLECT_SESSION, sessions);
    assert_string_equal(look(bench, "blocked-sessions")->mend,
        "SELECT pg_cancel_backend(1);\nSELECT pg_terminate_backend(2);\n"
        "ROLLBACK PREPARED 'x'; -- or COMMIT PREPARED");
}

/* The library is loaded where its parameters are: only the extension is missing then. */
static void
loaded_library_needs_its_extension(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_statements_info info[] = { { .problem = "it is not in this database" } };
    struct sql_monitor_setting rows[] = {
        { .name = "pg_stat_statements.max", .setting = "5000", .reset_value = "5000" }
    };

    PUT(bench, COLLECT_STATEMENTS_INFO, info);
    PUT(bench, COLLECT_SETTING, rows);
    assert_item(bench, "pg-stat-statements", HEALTH_WARNING, "CREATE EXTENSION");
    assert_string_equal(
        look(bench, "pg-stat-statements")->mend, "CREATE EXTENSION pg_stat_statements;");
    put(&bench->server.now[COLLECT_SETTING], rows, 0);
    assert_item(bench, "pg-stat-statements", HEALTH_WARNING, "shared_preload_libraries");
}

static void
unused_indexes_need_old_statistics(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_index rows[] = {
        { .schemaname = "public", .indexrelname = "i", .is_valid = true, .size_bytes = 9000000 },
        { .schemaname = "public",
            .indexrelname = "pk",
            .is_valid = true,
            .is_unique = true,
            .is_primary = true,
            .size_bytes = 9000000 },
        { .schemaname = "public", .indexrelname = "small", .is_valid = true, .size_bytes = 8192 },
    };
    const struct checkup_item *item;

    PUT(bench, COLLECT_INDEX, rows);
    assert_item(bench, "unused-indexes", HEALTH_WARNING, "DROP INDEX CONCURRENTLY public.i;");
    item = look(bench, "unused-indexes");
    assert_int_equal(item->evidence.count, 1);
    bench->database.stats_reset = now_epoch - 3600;
    assert_item(bench, "unused-indexes", HEALTH_UNKNOWN, "too short a time");
    rows[0].idx_scan = 1;
    assert_item(bench, "unused-indexes", HEALTH_GOOD, "is used");
}

static void
statements_and_their_counter(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_statement rows[] = {
        { .queryid = 7, .datname = "shop", .calls = 100, .seconds = 3, .mean_seconds = 0.03 },
        { .queryid = 8, .datname = "shop", .calls = 9000, .seconds = 9, .mean_seconds = 0.001 },
        { .queryid = 9, .datname = "other", .calls = 100, .seconds = 30, .mean_seconds = 0.3 },
    };
    struct sql_monitor_statements_info info[] = {
        { .version = "1.10", .max = 5000, .dealloc = 3000, .stats_reset = now_epoch - 864000 }
    };

    PUT(bench, COLLECT_STATEMENT, rows);
    PUT(bench, COLLECT_STATEMENTS_INFO, info);
    /* 3 of 42 s. */
    assert_item(
        bench, "slow-statements", HEALTH_WARNING, "7.1 % of all time, 100 calls of 30.0 ms");
    assert_item(bench, "slow-statements", HEALTH_WARNING, "1 statement is slow");
    rows[0].calls = 50;
    assert_item(bench, "slow-statements", HEALTH_GOOD, "no statement is slow");
    assert_item(bench, "pg-stat-statements", HEALTH_WARNING,
        "ALTER SYSTEM SET pg_stat_statements.max = 10000; -- and restart");
    info[0].dealloc = 300;
    assert_item(bench, "pg-stat-statements", HEALTH_GOOD, "room for 5 000 statements");
    info[0].problem = "it is not there";
    info[0].max = 0;
    assert_item(bench, "pg-stat-statements", HEALTH_WARNING, "shared_preload_libraries");
}

static void
transactions_that_fail(void **state)
{
    struct bench *bench = *state;

    assert_item(bench, "transactions", HEALTH_GOOD, "0.0 %");
    bench->database.xact_rollback = 25000;
    assert_item(bench, "transactions", HEALTH_WARNING, "20.0 % rolled back");
    bench->database.xact_rollback = 0;
    bench->database.deadlocks = 60; /* in ten days */
    assert_item(bench, "transactions", HEALTH_WARNING, "6.0 deadlocks a day");
}

static void
temp_files_and_checkpoints(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_checkpoint rows[] = {
        { .timed = 10, .requested = 90, .stats_reset = now_epoch - 10000 }
    };

    assert_item(bench, "temp-files", HEALTH_GOOD, "none");
    bench->database.temp_files = 1000;
    bench->database.temp_bytes = INT64_C(240) * 1073741824; /* 1 GB an hour */
    assert_item(bench, "temp-files", HEALTH_WARNING, "1.0 GB an hour");
    bench->database.temp_bytes = 1048576;
    assert_item(bench, "temp-files", HEALTH_GOOD, "1.0 MB");
    PUT(bench, COLLECT_CHECKPOINT, rows);
    assert_item(bench, "checkpoints", HEALTH_WARNING, "90.0 % of 100");
    rows[0].requested = 2;
    assert_item(bench, "checkpoints", HEALTH_GOOD, "16.7 % of 12");
}

static void
disk_is_known_or_not(void **state)
{
    struct bench *bench = *state;

    bench->server.host_now.why_not = "the server is on another machine";
    assert_item(bench, "disk", HEALTH_UNKNOWN, "another machine");
    bench->server.host_now = (struct host_facts){
        .is_known = true, .disk_bytes = INT64_C(100) << 30, .disk_free_bytes = INT64_C(50) << 30
    };
    assert_item(bench, "disk", HEALTH_GOOD, "50 GB free of 100 GB");
    bench->server.host_now.disk_free_bytes = INT64_C(15) << 30;
    assert_item(bench, "disk", HEALTH_WARNING, "15.0 %");
    bench->server.host_now.disk_free_bytes = INT64_C(5) << 30;
    assert_item(bench, "disk", HEALTH_CRITICAL, "5.0 %");
}

static void
settings_that_endanger(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_setting rows[] = {
        { .name = "fsync", .setting = "on", .reset_value = "on" },
        { .name = "full_page_writes", .setting = "off", .reset_value = "off" },
        { .name = "data_checksums", .setting = "off", .reset_value = "off" },
        { .name = "password_encryption", .setting = "md5", .reset_value = "md5" },
        { .name = "max_connections",
            .setting = "100",
            .reset_value = "100",
            .pending_restart = true },
    };

    PUT(bench, COLLECT_SETTING, rows);
    assert_item(bench, "durability", HEALTH_CRITICAL, "ALTER SYSTEM SET full_page_writes = on");
    rows[0].setting = rows[0].reset_value = "off";
    assert_item(bench, "durability", HEALTH_CRITICAL,
        "SET fsync = on; SELECT pg_reload_conf();\nALTER SYSTEM SET full_page_writes = on;");
    assert_item(bench, "checksums", HEALTH_WARNING, "pg_checksums --enable");
    assert_item(bench, "passwords", HEALTH_WARNING, "MD5");
    assert_item(bench, "pending-restart", HEALTH_WARNING, "max_connections is still 100");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rows[i].setting = rows[i].reset_value = i == 3 ? "scram-sha-256" : "on";
        rows[i].pending_restart = false;
    }
    assert_item(bench, "durability", HEALTH_GOOD, "on disk");
    assert_item(bench, "checksums", HEALTH_GOOD, "no page");
    assert_item(bench, "passwords", HEALTH_GOOD, "SCRAM");
    assert_item(bench, "pending-restart", HEALTH_GOOD, "no setting waits");
    bench->database.checksum_failures = 2;
    assert_item(bench, "checksums", HEALTH_CRITICAL, "2 damaged pages");
    bench->about.track_io_timing = false;
    assert_item(bench, "io-timing", HEALTH_WARNING, "ALTER SYSTEM SET track_io_timing = on");
}

static void
vectors_and_backups(void **state)
{
    struct bench *bench = *state;
    struct sql_monitor_vector rows[] = { { .name = "public.t.e",
        .recall_goal = 0.95,
        .recall = 0.97,
        .findings = 0,
        .checked_epoch = now_epoch - 86400 } };

    PUT(bench, COLLECT_VECTOR, rows);
    assert_item(bench, "vector-search", HEALTH_GOOD, "0.970");
    rows[0].recall = 0.9;
    assert_item(bench, "vector-search", HEALTH_CRITICAL, "pgmend vector tune");
    rows[0].recall = NAN;
    rows[0].checked_epoch = NAN;
    assert_item(bench, "vector-search", HEALTH_WARNING, "never checked");
    bench->facts.backup_problem = "there is none";
    assert_item(bench, "backup", HEALTH_WARNING, "pgmend backup create");
    bench->facts.backup = "nightly";
    bench->facts.backup_age_s = 3600;
    assert_item(bench, "backup", HEALTH_GOOD, "nightly, 1 h");
    bench->facts.backup_age_s = 86400 * 3;
    assert_item(bench, "backup", HEALTH_WARNING, "nightly");
}

/* ---- text for terminals ---- */

static void
hostile_text_is_plain(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;

    assert_string_equal(plain_text(arena, "a\x1b[31mb\x07\n\tc"), "a?[31mb?  c");
    assert_string_equal(plain_text(arena, "\xd0\xb6 \xe6\x97\xa5"), "\xd0\xb6 \xe6\x97\xa5");
    assert_string_equal(plain_text(arena, "\xff\xc0\x80 \xe6\x97"), "??? ??");
    assert_string_equal(plain_text(arena, "\xc2\x9b"
                                          "2J"),
        "?2J");
    assert_string_equal(plain_text(arena, "\xe2\x80\xae"
                                          "abc"),
        "?abc");
    assert_string_equal(plain_cut(arena, "abcdef", 6), "abcdef");
    assert_string_equal(plain_cut(arena, "abcdef", 4), "abc\xe2\x80\xa6");
    /* Two columns each. */
    assert_string_equal(plain_cut(arena, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 5),
        "\xe6\x97\xa5\xe6\x9c\xac\xe2\x80\xa6");
    assert_string_equal(plain_cut(arena, "abc", 1), "\xe2\x80\xa6");
    assert_string_equal(plain_cut(arena, "abc", 0), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(what_nobody_asked_is_left_out),
        test_with_bench(refused_is_unknown_with_a_remedy),
        test_with_bench(server_that_is_down),
        test_with_bench(cache_is_judged_by_deltas),
        test_with_bench(connections_against_the_limit),
        test_with_bench(sessions_of_all_sorts),
        test_with_bench(prepared_transactions_grow_old),
        test_with_bench(replication_and_slots),
        test_with_bench(archive_fails_and_comes_back),
        test_with_bench(wraparound_comes_near),
        test_with_bench(autovacuum_off_or_behind),
        test_with_bench(bloat_of_tables_and_indexes),
        test_with_bench(numbers_run_out),
        test_with_bench(hidden_is_unknown),
        test_with_bench(every_culprit_is_mended),
        test_with_bench(loaded_library_needs_its_extension),
        test_with_bench(unused_indexes_need_old_statistics),
        test_with_bench(statements_and_their_counter),
        test_with_bench(transactions_that_fail),
        test_with_bench(temp_files_and_checkpoints),
        test_with_bench(disk_is_known_or_not),
        test_with_bench(settings_that_endanger),
        test_with_bench(vectors_and_backups),
        test_with_bench(hostile_text_is_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
