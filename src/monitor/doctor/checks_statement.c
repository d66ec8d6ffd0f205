/* Statements, by pg_stat_statements, and what became of transactions. */
#include <math.h>

#include "monitor/collect/derive.h"
#include "monitor/doctor/check.h"

/* PgHero's measure, and the plan's. */
static const double slow_seconds = 0.02;
static const int64_t slow_calls = 100;
static const double very_slow_seconds = 1;
static const int64_t very_slow_calls = 5;
static const double deadlocks_per_day = 5;
static const double rollback_warning = 0.1;
static const int64_t least_transactions = 1000;
static const double evictions_per_day = 100;

static bool
is_slow(const struct sql_monitor_statement *row)
{
    return (row->mean_seconds >= slow_seconds && row->calls >= slow_calls) ||
           (row->mean_seconds >= very_slow_seconds && row->calls >= very_slow_calls);
}

/* Its parameters are there where its library is loaded, whatever this database has. */
static void
mend_pg_stat_statements(const struct patient *patient, struct checkup_item *item,
    const struct sql_monitor_statements_info *info)
{
    const struct sql_monitor_setting *max =
        doctor_setting_find(patient->server, "pg_stat_statements.max");

    if (info->max == 0 && !max)
        item_mend(patient, item,
            "-- add pg_stat_statements to shared_preload_libraries, and restart the server");
    if (!info->version)
        item_mend(patient, item, "CREATE EXTENSION pg_stat_statements;");
    else if (strstr(info->problem, "UPDATE"))
        item_mend(patient, item, "ALTER EXTENSION pg_stat_statements UPDATE;");
    else if (info->schema && strstr(info->problem, "GRANT"))
        item_mend(patient, item, "GRANT USAGE ON SCHEMA %s TO %s;",
            db_ident(patient->arena, info->schema), patient_role(patient));
}

/* Why no statement is counted here, or NULL. */
static const struct sql_monitor_statements_info *
find_problem(const struct patient *patient)
{
    const struct reading *reading = &patient->server->now[COLLECT_STATEMENTS_INFO];
    const struct sql_monitor_statements_info *info =
        READING_ROWS(reading, struct sql_monitor_statements_info);

    return reading->is_good && reading->rows.count == 1 && info->problem ? info : NULL;
}

static void
look_at_slow(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    size_t slow = 0;
    double all = 0;
    const struct sql_monitor_statements_info *problem = find_problem(patient);
    const struct sql_monitor_statement *rows;

    if (problem && patient->server->now[COLLECT_STATEMENT].is_known &&
        !patient->server->now[COLLECT_STATEMENT].is_good) {
        item_hide(patient, item, "%s", problem->problem);
        mend_pg_stat_statements(patient, item, problem);
        return;
    }
    rows = patient_rows(patient, COLLECT_STATEMENT, item, &count);
    if (!rows)
        return;
    for (size_t i = 0; i < count; i++)
        all += rows[i].seconds;
    for (size_t i = 0; i < count; i++) {
        const char *text = statement_text(patient->server, rows[i].queryid);

        if (!is_slow(&rows[i]) || !text_equal(rows[i].datname, patient->server->database))
            continue;
        slow++;
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item, "%s of all time, %s calls of %s: %.120s",
            say_ratio(patient, all > 0 ? rows[i].seconds / all : 0),
            text_from_count(patient->arena, rows[i].calls),
            say_seconds(patient, rows[i].mean_seconds),
            text ? text : arena_printf(patient->arena, "queryid %lld", (long long)rows[i].queryid));
    }
    item_say(patient, item, "%s slow (%s or more, %s times or more)",
        slow == 0 ? "no statement is" : say_count(patient, slow, "statement is", "statements are"),
        say_seconds(patient, slow_seconds), text_from_count(patient->arena, slow_calls));
    if (slow > 0)
        item_mend(patient, item,
            "pgmend top # key 2; or pgmend report, EXPLAIN (ANALYZE, BUFFERS) of "
            "the first");
}

static void
look_at_pg_stat_statements(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    const struct sql_monitor_statements_info *info =
        patient_rows(patient, COLLECT_STATEMENTS_INFO, item, &count);
    const struct sql_monitor_server *server = patient_server(patient, item);
    double days;

    if (count == 0)
        return;
    if (info->problem) {
        item_worsen(item, HEALTH_WARNING);
        item_say(patient, item, "statements are not counted: %s", info->problem);
        mend_pg_stat_statements(patient, item, info);
        return;
    }
    item_say(patient, item, "version %s, room for %s statements",
        info->version ? info->version : "unknown", text_from_count(patient->arena, info->max));
    if (info->dealloc <= 0 || !server)
        return;
    days = isfinite(info->stats_reset) ? (server->now_epoch - info->stats_reset) / 86400 : NAN;
    item_show(patient, item, "%s times the least used were thrown out to make room",
        text_from_count(patient->arena, info->dealloc));
    if (isfinite(days) && (double)info->dealloc / (days > 1 ? days : 1) < evictions_per_day)
        return;
    item_worsen(item, HEALTH_WARNING);
    item_say(patient, item, "%s statements do not fit: counts have gaps",
        text_from_count(patient->arena, info->max));
    item_mend(patient, item, "ALTER SYSTEM SET pg_stat_statements.max = %lld; -- and restart",
        (long long)info->max * 2);
}

static void
look_at_transactions(const struct patient *patient, struct checkup_item *item)
{
    const struct sql_monitor_database *now = patient_database(patient, false);
    double age = patient_statistics_age(patient);
    int64_t all;
    double ratio;
    double per_day;
    size_t count;

    if (!patient_rows(patient, COLLECT_DATABASE, item, &count) || !now)
        return;
    all = now->xact_commit + now->xact_rollback;
    ratio = all > 0 ? (double)now->xact_rollback / (double)all : 0;
    per_day = (double)now->deadlocks / (age > 86400 ? age / 86400 : 1);
    item_say(patient, item, "%s rolled back, %s", say_ratio(patient, ratio),
        say_count(patient, (size_t)now->deadlocks, "deadlock", "deadlocks"));
    if (all >= least_transactions && ratio >= rollback_warning) {
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item,
            "%s of %s transactions were rolled back: errors of the application",
            text_from_count(patient->arena, now->xact_rollback),
            text_from_count(patient->arena, all));
        item_mend(patient, item, "-- look for ERROR in the server's log");
    }
    if (per_day >= deadlocks_per_day) {
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item, "%.1f deadlocks a day", per_day);
        item_mend(patient, item, "-- look for \"deadlock detected\" in the server's log");
    }
}

const struct check checks_statement[] = {
    { "slow-statements", "slow statements", look_at_slow },
    { "pg-stat-statements", "pg_stat_statements", look_at_pg_stat_statements },
    { "transactions", "rollbacks and deadlocks", look_at_transactions },
};
const size_t checks_statement_count = COUNT_OF(checks_statement);
