/* WAL and checkpoints, autovacuum of big tables, connections, and what the server measures of itself. */
#include <math.h>

#include "monitor/doctor/advise.h"

static const double gigabyte = 1073741824.0;
static const int64_t least_checkpoints = 5;
static const double requested_ratio = 0.3;
static const double block_bytes = 8192;
static const int64_t least_full_pages = 10000;
static const double full_page_share = 0.3;
static const double big_table_rows = 1e6;
static const double rows_between_vacuums = 50000;
static const double many_connections = 500;
static const double jit_mean_s = 0.01;
static const double jit_max_s = 5;
static const int64_t jit_calls = 1000;

/* Bytes of WAL a second: between the two readings, or since the reset, whichever is more. */
static double
wal_rate(const struct advisor *advisor, const struct sql_monitor_wal *now, double now_epoch)
{
    const struct watched *server = advisor->patient.server;
    const struct reading *before = &server->before[COLLECT_WAL];
    const struct reading *reading = &server->now[COLLECT_WAL];
    double rate = now->bytes / fmax(now_epoch - now->stats_reset, 1);
    double between;

    if (!before->is_good || server->is_gap || before->rows.count != 1)
        return rate;
    between = (now->bytes - READING_ROWS(before, struct sql_monitor_wal)->bytes) * 1e6 /
              fmax((double)(reading->at_us - before->at_us), 1);
    return between > rate ? between : rate;
}

/* A checkpoint begins when max_wal_size / (1 + completion target) were written since the last one. */
static void
advise_wal_size(const struct advisor *advisor, const struct sql_monitor_checkpoint *checkpoint,
    const struct sql_monitor_wal *wal, double now_epoch)
{
    const struct patient *patient = &advisor->patient;
    double timeout = doctor_setting_number(patient->server, "checkpoint_timeout", 3e8) / 1e6;
    double target = doctor_setting_number(patient->server, "checkpoint_completion_target", 0.9);
    double now = doctor_setting_number(patient->server, "max_wal_size", NAN);
    double rate = wal_rate(advisor, wal, now_epoch);
    double wanted = ceil(rate * timeout * (1 + target) / gigabyte) * gigabyte;
    double all = (double)(checkpoint->timed + checkpoint->requested);

    if (all < (double)least_checkpoints || (double)checkpoint->requested / all < requested_ratio ||
        isnan(now) || wanted < now * 1.2)
        return;
    advise(advisor, "max_wal_size", advise_bytes(advisor, wanted),
        arena_printf(patient->arena,
            "%s of %.0f checkpoints were forced before checkpoint_timeout (%s) had passed; %s of "
            "WAL a second need that much",
            say_ratio(patient, (double)checkpoint->requested / all), all,
            say_seconds(patient, timeout), say_bytes(patient, rate)));
}

/* The first change of a page after a checkpoint writes the whole page into the WAL. */
static void
advise_full_pages(const struct advisor *advisor, const struct sql_monitor_wal *wal)
{
    const struct patient *patient = &advisor->patient;
    const struct sql_monitor_setting *compression =
        doctor_setting_find(patient->server, "wal_compression");
    double share = wal->bytes > 0 ? (double)wal->full_pages * block_bytes / wal->bytes : 0;
    const char *why = arena_printf(patient->arena,
        "%s whole pages are up to %s of the %s of WAL since the statistics were reset",
        text_from_count(patient->arena, wal->full_pages), say_ratio(patient, fmin(share, 1)),
        say_bytes(patient, wal->bytes));

    if (wal->full_pages < least_full_pages || share < full_page_share)
        return;
    if (!compression || text_equal(doctor_setting_shown(patient->arena, compression), "off"))
        advise(advisor, "wal_compression", "on", why);
    if (doctor_setting_number(patient->server, "checkpoint_timeout", 3e8) <= 3e8)
        advise(advisor, "checkpoint_timeout", "15min",
            arena_printf(patient->arena,
                "%s; fewer checkpoints write fewer of them (recovery after a crash takes longer)",
                why));
}

void
advise_on_wal(const struct advisor *advisor)
{
    const struct watched *server = advisor->patient.server;
    const struct reading *checkpoint = &server->now[COLLECT_CHECKPOINT];
    const struct reading *wal = &server->now[COLLECT_WAL];
    const struct reading *about = &server->now[COLLECT_SERVER];

    if (!wal->is_good || wal->rows.count != 1)
        return;
    if (checkpoint->is_good && checkpoint->rows.count == 1 && about->is_good)
        advise_wal_size(advisor, READING_ROWS(checkpoint, struct sql_monitor_checkpoint),
            READING_ROWS(wal, struct sql_monitor_wal),
            READING_ROWS(about, struct sql_monitor_server)->now_epoch);
    advise_full_pages(advisor, READING_ROWS(wal, struct sql_monitor_wal));
}

void
advise_on_tables(const struct advisor *advisor)
{
    const struct patient *patient = &advisor->patient;
    const struct reading *reading = patient->facts ? &patient->facts->answers[DOCTOR_TABLE] : NULL;
    const struct sql_monitor_doctor_table *tables;

    if (!reading || !reading->is_good)
        return;
    tables = READING_ROWS(reading, struct sql_monitor_doctor_table);
    for (size_t i = 0; i < reading->rows.count; i++) {
        const struct sql_monitor_doctor_table *table = &tables[i];
        double rows = (double)table->rows_now;
        double better = fmin(fmax(rows_between_vacuums / fmax(rows, 1), 0.005), 0.05);

        /* What was told for this table, or is finer already, stays. */
        if (rows < big_table_rows || table->scale || table->written == 0 ||
            table->scale_in_force <= better * 1.5)
            continue;
        advise_table(advisor, table, "autovacuum_vacuum_scale_factor", NULL,
            arena_printf(patient->arena, "%.3g", better),
            arena_printf(patient->arena,
                "it has %s rows: autovacuum waits until %s of them are dead (%s are now)",
                text_from_count(patient->arena, table->rows_now),
                text_from_count(patient->arena, table->dead_limit),
                text_from_count(patient->arena, table->dead)));
    }
}

/* What sessions do that run or are in a transaction at the moment. */
static int64_t
count_busy(const struct advisor *advisor)
{
    const struct reading *reading = &advisor->patient.server->now[COLLECT_ACTIVITY];
    const struct sql_monitor_activity *items = READING_ROWS(reading, struct sql_monitor_activity);
    int64_t busy = 0;

    if (!reading->is_good)
        return -1;
    for (size_t i = 0; i < reading->rows.count; i++)
        if (text_equal(items[i].backend_type, "client backend") &&
            !text_equal(items[i].state, "idle"))
            busy += items[i].count;
    return busy;
}

static void
advise_connections(const struct advisor *advisor)
{
    const struct patient *patient = &advisor->patient;
    const struct reading *reading = &patient->server->now[COLLECT_SERVER];
    const struct sql_monitor_server *server;
    int64_t busy = count_busy(advisor);
    double better;

    if (!reading->is_good || reading->rows.count != 1 || busy < 0)
        return;
    server = READING_ROWS(reading, struct sql_monitor_server);
    better = fmax(100, ceil(server->connections * 2 / 50.0) * 50);
    if (server->max_connections < many_connections || better * 2 > server->max_connections)
        return;
    advise(advisor, "max_connections", arena_printf(patient->arena, "%.0f", better),
        arena_printf(patient->arena,
            "%d connections are open and %lld of them busy at the moment%s; each one that is allowed "
            "takes shared memory, and all of them at once would not run faster",
            server->connections, (long long)busy,
            patient->facts && patient->facts->cpus > 0
                ? arena_printf(patient->arena, " on %d CPUs", patient->facts->cpus)
                : ""));
}

/* Compiling takes tens of milliseconds: too much for statements that take less. */
static void
advise_jit(const struct advisor *advisor)
{
    const struct patient *patient = &advisor->patient;
    const struct reading *reading = &patient->server->now[COLLECT_STATEMENT];
    const struct sql_monitor_setting *jit = doctor_setting_find(patient->server, "jit");
    const struct sql_monitor_statement *items = READING_ROWS(reading, struct sql_monitor_statement);
    double seconds = 0;
    double longest = 0;
    int64_t calls = 0;

    if (!reading->is_good || !jit || !text_equal(doctor_setting_shown(patient->arena, jit), "on"))
        return;
    for (size_t i = 0; i < reading->rows.count; i++) {
        calls += items[i].calls;
        seconds += items[i].seconds;
        longest = fmax(longest, items[i].max_seconds);
    }
    if (calls < jit_calls || seconds / (double)calls > jit_mean_s || longest > jit_max_s)
        return;
    advise(advisor, "jit", "off",
        arena_printf(patient->arena,
            "%s statements took %s on average and %s at most: compiling them takes longer than it "
            "saves",
            text_from_count(patient->arena, calls), say_seconds(patient, seconds / (double)calls),
            say_seconds(patient, longest)));
}

void
advise_on_server(const struct advisor *advisor)
{
    const struct patient *patient = &advisor->patient;
    const struct sql_monitor_setting *timing =
        doctor_setting_find(patient->server, "track_io_timing");
    const struct reading *info = &patient->server->now[COLLECT_STATEMENTS_INFO];
    const struct sql_monitor_statements_info *statements =
        READING_ROWS(info, struct sql_monitor_statements_info);

    if (timing && text_equal(doctor_setting_shown(patient->arena, timing), "off"))
        advise(advisor, "track_io_timing", "on",
            "without it nobody can tell a slow disk from a slow statement; it costs some tens of "
            "nanoseconds a read where the clock is fast (pg_test_timing)");
    if (info->is_good && info->rows.count == 1 && !statements->problem && statements->dealloc > 0)
        advise(advisor, "pg_stat_statements.max",
            arena_printf(patient->arena, "%lld", (long long)statements->max * 2),
            arena_printf(patient->arena,
                "%s times statements were thrown out because there is room for %s",
                text_from_count(patient->arena, statements->dealloc),
                text_from_count(patient->arena, statements->max)));
    advise_connections(advisor);
    advise_jit(advisor);
}
