/* What vacuum and analyze keep in order: ids, dead rows, statistics, bloat. */
#include <math.h>

#include "monitor/doctor/check.h"

static const double wraparound_critical = 0.6; /* of the ids that there are */
static const int64_t least_rows = 1000;
static const int64_t least_dead = 10000;
static const int64_t behind_factor = 3;
static const double bloat_ratio = 0.4;
static const double bloat_bytes = 104857600.0;

/* autovacuum begins to freeze at freeze_max_age; at twice that it has not come through. */
static void
look_at_wraparound(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    double worst = 0;
    const struct sql_monitor_wraparound *rows =
        patient_rows(patient, COLLECT_WRAPAROUND, item, &count);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct sql_monitor_wraparound *row = &rows[i];
        bool is_late = row->xid_age > 2 * row->freeze_max_age ||
                       row->mxid_age > 2 * row->multixact_freeze_max_age;

        if (row->ratio > worst)
            worst = row->ratio;
        if (!is_late && row->ratio < wraparound_critical)
            continue;
        item_worsen(item, row->ratio >= wraparound_critical ? HEALTH_CRITICAL : HEALTH_WARNING);
        item_show(patient, item, "%s: %s transactions and %s multixacts old%s%s", row->datname,
            text_from_count(patient->arena, row->xid_age),
            text_from_count(patient->arena, row->mxid_age),
            row->oldest_relation ? ", held back by " : "",
            row->oldest_relation ? row->oldest_relation : "");
        if (row->oldest_relation)
            item_mend(patient, item, "VACUUM (FREEZE, VERBOSE) %s;", row->oldest_relation);
    }
    item_say(
        patient, item, "%s of the ids used before they must be frozen", say_ratio(patient, worst));
    if (item->health != HEALTH_GOOD && !item->mend)
        item_mend(patient, item,
            "VACUUM (FREEZE); -- in the database named; look for old transactions and slots");
}

static bool
is_behind(const struct sql_monitor_doctor_table *table)
{
    return table->dead > least_dead && table->dead > behind_factor * table->dead_limit;
}

/* One clause or both: numbers of what is not there are left out. */
static const char *
say_two(const struct patient *patient, const char *first, const char *second)
{
    if (!first || !second)
        return first ? first : second;
    return arena_printf(patient->arena, "%s, %s", first, second);
}

static void
look_at_tables_of_autovacuum(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    size_t off = 0;
    size_t behind = 0;
    const struct sql_monitor_doctor_table *tables =
        patient_facts(patient, DOCTOR_TABLE, item, &count);

    for (size_t i = 0; tables && i < count; i++) {
        const struct sql_monitor_doctor_table *table = &tables[i];

        if (table->is_off && table->rows_now >= least_rows) {
            off++;
            item_show(patient, item, "%s: switched off", table->relation);
            item_mend(patient, item, "ALTER TABLE %s RESET (autovacuum_enabled);", table->relation);
        } else if (is_behind(table)) {
            behind++;
            item_show(patient, item, "%s: %s dead rows, autovacuum should have begun at %s",
                table->relation, text_from_count(patient->arena, table->dead),
                text_from_count(patient->arena, table->dead_limit));
            item_mend(patient, item, "VACUUM (ANALYZE) %s;", table->relation);
        }
    }
    if (off + behind == 0)
        return;
    item_worsen(item, HEALTH_WARNING);
    item_say(patient, item, "on; %s",
        say_two(patient,
            behind ? say_count(patient, behind, "table is behind", "tables are behind") : NULL,
            off ? say_count(patient, off, "table is switched off", "tables are switched off")
                : NULL));
}

static void
look_at_autovacuum(const struct patient *patient, struct checkup_item *item)
{
    const struct sql_monitor_server *server = patient_server(patient, item);

    if (!server)
        return;
    if (!server->autovacuum || !server->track_counts) {
        const char *what = server->autovacuum ? "track_counts" : "autovacuum";

        item_worsen(item, HEALTH_CRITICAL);
        item_say(patient, item, "%s is off: dead rows stay and statistics grow old", what);
        item_mend(patient, item, "ALTER SYSTEM SET %s = on; SELECT pg_reload_conf();", what);
        return;
    }
    item_say(patient, item, "on, and no table is far behind");
    look_at_tables_of_autovacuum(patient, item);
}

/* The server has forgotten when they were analysed, and their statistics are not for this role. */
static void
hide_statistics(const struct patient *patient, struct checkup_item *item,
    const struct sql_monitor_doctor_table *tables, size_t count, size_t hidden)
{
    item_hide(patient, item, "whether %s ever analysed, role %s may not see",
        say_count(patient, hidden, "table was", "tables were"), patient_role(patient));
    for (size_t i = 0; i < count; i++)
        if (tables[i].is_unclear && tables[i].rows_now >= least_rows)
            item_mend(patient, item, "GRANT SELECT ON %s TO %s;", tables[i].relation,
                patient_role(patient));
}

static void
look_at_statistics(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    size_t never = 0;
    size_t stale = 0;
    size_t hidden = 0;
    const struct sql_monitor_doctor_table *tables =
        patient_facts(patient, DOCTOR_TABLE, item, &count);

    if (!tables)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct sql_monitor_doctor_table *table = &tables[i];

        if (table->rows_now < least_rows)
            continue;
        if (table->is_unclear) {
            hidden++;
            continue;
        }
        if (!table->was_analysed) {
            never++;
            item_show(patient, item, "%s: never analysed, about %s rows", table->relation,
                text_from_count(patient->arena, table->rows_now));
        } else if (table->changed > behind_factor * table->changed_limit) {
            stale++;
            item_show(patient, item, "%s: %s rows changed since, of %s", table->relation,
                text_from_count(patient->arena, table->changed),
                text_from_count(patient->arena, table->rows_now));
        } else {
            continue;
        }
        item_worsen(item, HEALTH_WARNING);
        item_mend(patient, item, "ANALYZE %s;", table->relation);
    }
    if (never + stale == 0)
        item_say(patient, item, "up to date");
    else
        item_say(patient, item, "%s",
            say_two(patient,
                never ? say_count(patient, never, "table was never analysed",
                            "tables were never analysed")
                      : NULL,
                stale ? say_count(patient, stale, "table has stale statistics",
                            "tables have stale statistics")
                      : NULL));
    if (hidden > 0)
        hide_statistics(patient, item, tables, count, hidden);
}

/* The table of a row whose statistics this role may not see, or NULL. */
static const struct sql_monitor_doctor_table *
find_unseen(const struct patient *patient, const struct sql_monitor_bloat *row)
{
    const struct reading *reading = patient->facts ? &patient->facts->answers[DOCTOR_TABLE] : NULL;
    const struct sql_monitor_doctor_table *tables;

    if (!reading || !reading->is_good)
        return NULL;
    tables = READING_ROWS(reading, struct sql_monitor_doctor_table);
    for (size_t i = 0; i < reading->rows.count; i++)
        if (tables[i].is_unseen && text_equal(tables[i].schema, row->schemaname) &&
            text_equal(tables[i].name, row->relname))
            return &tables[i];
    return NULL;
}

/* An estimate that is missing is good only where nothing was to be had: no statistics at all. */
static void
look_at_missing_bloat(const struct patient *patient, struct checkup_item *item,
    const struct sql_monitor_bloat *rows, size_t count)
{
    size_t missing = 0;
    size_t unseen = 0;

    for (size_t i = 0; i < count; i++) {
        const struct sql_monitor_doctor_table *table;

        if (isfinite(rows[i].bloat_ratio))
            continue;
        missing++;
        table = find_unseen(patient, &rows[i]);
        if (!table)
            continue;
        unseen++;
        item_mend(
            patient, item, "GRANT SELECT ON %s TO %s;", table->relation, patient_role(patient));
    }
    if (unseen > 0)
        item_hide(patient, item, "the statistics of %s are not for role %s",
            say_count(patient, unseen, "table or index", "tables and indexes"),
            patient_role(patient));
    else if (missing > 0 && missing == count)
        item_hide(patient, item, "%s no statistics that role %s may see",
            say_count(patient, missing, "table or index has", "tables and indexes have"),
            patient_role(patient));
}

static void
look_at_bloat(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    size_t found = 0;
    double waste = 0;
    const struct sql_monitor_bloat *rows = patient_rows(patient, COLLECT_BLOAT, item, &count);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct sql_monitor_bloat *row = &rows[i];
        bool is_index = !text_is_empty(row->indexrelname);
        const char *name = db_qualified(
            patient->arena, row->schemaname, is_index ? row->indexrelname : row->relname);

        if (!(row->bloat_ratio >= bloat_ratio) || !(row->bloat_bytes >= bloat_bytes))
            continue;
        found++;
        waste += row->bloat_bytes;
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item, "%s: about %s of %s", name, say_bytes(patient, row->bloat_bytes),
            text_from_bytes(patient->arena, row->size_bytes));
        if (is_index)
            item_mend(patient, item, "REINDEX INDEX CONCURRENTLY %s;", name);
        else
            item_mend(patient, item,
                "VACUUM (FULL) %s; -- locks it all the while; pg_repack does it without", name);
    }
    if (found == 0)
        item_say(patient, item, "no table or index is estimated to be mostly empty");
    else
        item_say(patient, item, "%s waste about %s (an estimate)",
            say_count(patient, found, "table or index", "tables and indexes"),
            say_bytes(patient, waste));
    look_at_missing_bloat(patient, item, rows, count);
}

const struct check checks_vacuum[] = {
    { "wraparound", "id wraparound", look_at_wraparound },
    { "autovacuum", "autovacuum", look_at_autovacuum },
    { "statistics", "planner statistics", look_at_statistics },
    { "bloat", "bloat", look_at_bloat },
};
const size_t checks_vacuum_count = COUNT_OF(checks_vacuum);
