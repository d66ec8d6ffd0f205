/* The schema: numbers that run out, indexes that are broken, missing or of no use. */
#include <math.h>

#include "monitor/doctor/check.h"

static const double overflow_warning = 0.7;
static const double overflow_critical = 0.9;
static const int64_t least_unused_bytes = 1048576;
static const double least_statistics_s = 86400.0 * 7;

static void
look_at_overflow(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    double worst = 0;
    const struct sql_monitor_doctor_sequence *rows =
        patient_facts(patient, DOCTOR_SEQUENCE, item, &count);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        double ratio = (double)rows[i].used / (double)rows[i].limit_value;

        if (ratio > worst)
            worst = ratio;
        if (ratio < overflow_warning)
            continue;
        item_worsen(item, ratio >= overflow_critical ? HEALTH_CRITICAL : HEALTH_WARNING);
        item_show(patient, item, "%s%s%s: %s of %s%s", rows[i].object, rows[i].fills ? " of " : "",
            rows[i].fills ? rows[i].fills : "", text_from_count(patient->arena, rows[i].used),
            text_from_count(patient->arena, rows[i].limit_value),
            rows[i].is_estimate ? " (by its statistics)" : "");
        item_mend(patient, item,
            "make it bigint: add a bigint column, fill it in batches, exchange "
            "them (ALTER COLUMN TYPE rewrites the table under a lock)");
    }
    if (count == 0)
        item_say(patient, item, "nothing counts up here");
    else
        item_say(patient, item, "%s of its range is used by the fullest of %s",
            say_ratio(patient, worst), say_count(patient, count, "number", "numbers"));
}

static void
look_at_invalid(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    size_t invalid = 0;
    const struct sql_monitor_index_state *rows =
        patient_rows(patient, COLLECT_INDEX_STATE, item, &count);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *name = db_qualified(patient->arena, rows[i].schemaname, rows[i].indexrelname);

        if (rows[i].is_building)
            continue;
        invalid++;
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item, "%s on %s: %s%s%s", name,
            db_qualified(patient->arena, rows[i].schemaname, rows[i].relname),
            text_from_bytes(patient->arena, rows[i].size_bytes),
            rows[i].is_ready ? ", each write still keeps it up" : "",
            rows[i].is_ours ? ", left by pgmend" : "");
        if (rows[i].is_ours)
            item_mend(patient, item, "the pgmend command that was cut off, again");
        item_mend(patient, item, "DROP INDEX CONCURRENTLY %s;", name);
    }
    item_say(patient, item, "%s not usable",
        invalid == 0 ? "no index is" : say_count(patient, invalid, "index is", "indexes are"));
}

static void
look_at_constraints(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    const struct sql_monitor_doctor_constraint *rows =
        patient_facts(patient, DOCTOR_CONSTRAINT, item, &count);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item, "%s of %s (%s)", rows[i].name, rows[i].relation, rows[i].kind);
        item_mend(patient, item, "ALTER TABLE %s VALIDATE CONSTRAINT %s;", rows[i].relation,
            rows[i].name);
    }
    item_say(patient, item, "%s not validated",
        count == 0 ? "none is" : say_count(patient, count, "constraint is", "constraints are"));
}

static void
look_at_duplicates(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    int64_t bytes = 0;
    const struct sql_monitor_doctor_index *rows =
        patient_facts(patient, DOCTOR_INDEX, item, &count);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        bytes += rows[i].bytes;
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item, "%s on %s: %s %s, %s", rows[i].name, rows[i].relation,
            rows[i].is_same ? "the same as" : "the beginning of", rows[i].other,
            text_from_bytes(patient->arena, rows[i].bytes));
        item_mend(patient, item, "DROP INDEX CONCURRENTLY %s;", rows[i].name);
    }
    if (count == 0)
        item_say(patient, item, "no index is made needless by another one");
    else
        item_say(patient, item, "%s made needless by others, %s",
            say_count(patient, count, "index is", "indexes are"),
            text_from_bytes(patient->arena, bytes));
}

static void
look_at_foreign_keys(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    const struct sql_monitor_doctor_foreign_key *rows =
        patient_facts(patient, DOCTOR_FOREIGN_KEY, item, &count);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item, "%s (%s) to %s: table of %s, %s changes there", rows[i].relation,
            rows[i].columns, rows[i].target, text_from_bytes(patient->arena, rows[i].bytes),
            text_from_count(patient->arena, rows[i].deletes));
        item_mend(patient, item, "CREATE INDEX CONCURRENTLY ON %s (%s); by pgmend index apply",
            rows[i].relation, rows[i].columns);
    }
    item_say(patient, item, "%s without an index",
        count == 0 ? "no foreign key of a large table is"
                   : say_count(patient, count, "foreign key is", "foreign keys are"));
}

static bool
is_unused(const struct sql_monitor_index *index)
{
    return index->idx_scan == 0 && !index->is_unique && !index->is_primary &&
           !index->is_constraint && index->is_valid && index->size_bytes >= least_unused_bytes;
}

static void
look_at_unused(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    size_t unused = 0;
    int64_t bytes = 0;
    double age = patient_statistics_age(patient);
    const struct sql_monitor_index *rows = patient_rows(patient, COLLECT_INDEX, item, &count);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *name = db_qualified(patient->arena, rows[i].schemaname, rows[i].indexrelname);

        if (!is_unused(&rows[i]))
            continue;
        unused++;
        bytes += rows[i].size_bytes;
        item_show(
            patient, item, "%s: %s", name, text_from_bytes(patient->arena, rows[i].size_bytes));
        if (age >= least_statistics_s)
            item_mend(patient, item,
                "DROP INDEX CONCURRENTLY %s; when the standbys do not use it either", name);
    }
    if (unused == 0) {
        item_say(patient, item, "every index of some size is used");
        return;
    }
    item_say(patient, item, "%s not been used in %s, %s",
        say_count(patient, unused, "index has", "indexes have"), say_seconds(patient, age),
        text_from_bytes(patient->arena, bytes));
    if (age >= least_statistics_s) {
        item_worsen(item, HEALTH_WARNING);
        return;
    }
    item_worsen(item, HEALTH_UNKNOWN);
    item_say(patient, item, "%s: too short a time to judge", item->says);
}

const struct check checks_schema[] = {
    { "integer-overflow", "numbers that run out", look_at_overflow },
    { "invalid-indexes", "invalid indexes", look_at_invalid },
    { "unvalidated-constraints", "constraints", look_at_constraints },
    { "duplicate-indexes", "duplicate indexes", look_at_duplicates },
    { "foreign-keys", "foreign keys", look_at_foreign_keys },
    { "unused-indexes", "unused indexes", look_at_unused },
};
const size_t checks_schema_count = COUNT_OF(checks_schema);
