/* The schema: numbers that run out, indexes that are broken, missing or of no use. */
#include <math.h>

#include "monitor/doctor/check.h"

static const double overflow_warning = 0.7;
static const double overflow_critical = 0.9;
static const int64_t least_unused_bytes = 1048576;
static const double least_statistics_s = 86400.0 * 7;

/* Column and sequence become bigint, or the sequence loses the end that somebody gave it. */
static void
mend_overflow(const struct patient *patient, struct checkup_item *item,
    const struct sql_monitor_doctor_sequence *row)
{
    bool is_short_column = row->attribute && row->type_limit < INT64_MAX;

    if (is_short_column)
        item_mend(patient, item,
            "ALTER TABLE %s ALTER COLUMN %s TYPE bigint; -- rewrites the table under a lock: fill a "
            "new column in batches and exchange them where that takes too long",
            row->relation, db_ident(patient->arena, row->attribute));
    if (row->is_estimate)
        return;
    if (row->own_limit < row->sequence_type_limit)
        item_mend(patient, item, "ALTER SEQUENCE %s AS bigint NO MAXVALUE;", row->object);
    else if (row->own_limit < INT64_MAX)
        item_mend(patient, item, "ALTER SEQUENCE %s AS bigint;", row->object);
    else if (!is_short_column)
        item_mend(
            patient, item, "-- %s is at the end of bigint, there is no larger type", row->object);
}

/* What this role may not see of sequences, and of the statistics of keys without one. */
static void
hide_numbers(const struct patient *patient, struct checkup_item *item,
    const struct sql_monitor_doctor_sequence *rows, size_t count, size_t hidden)
{
    item_hide(patient, item, "role %s may not see how far %s", patient_role(patient),
        say_count(patient, hidden, "number is", "numbers are"));
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].is_hidden)
            continue;
        if (rows[i].is_estimate)
            item_mend(patient, item, "GRANT SELECT (%s) ON %s TO %s;",
                db_ident(patient->arena, rows[i].attribute), rows[i].relation,
                patient_role(patient));
        else
            item_mend(patient, item, "GRANT SELECT ON ALL SEQUENCES IN SCHEMA %s TO %s;",
                db_ident(patient->arena, rows[i].schema), patient_role(patient));
    }
}

static void
look_at_overflow(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    size_t hidden = 0;
    double worst = 0;
    const struct sql_monitor_doctor_sequence *rows =
        patient_facts(patient, DOCTOR_SEQUENCE, item, &count);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        double ratio = (double)rows[i].used / (double)rows[i].limit_value;

        hidden += rows[i].is_hidden;
        if (ratio > worst)
            worst = ratio;
        if (ratio < overflow_warning || rows[i].is_hidden)
            continue;
        item_worsen(item, ratio >= overflow_critical ? HEALTH_CRITICAL : HEALTH_WARNING);
        item_show(patient, item, "%s%s%s: %s of %s%s", rows[i].object, rows[i].fills ? " of " : "",
            rows[i].fills ? rows[i].fills : "", text_from_count(patient->arena, rows[i].used),
            text_from_count(patient->arena, rows[i].limit_value),
            rows[i].is_estimate ? " (by its statistics)" : "");
        mend_overflow(patient, item, &rows[i]);
    }
    if (count == hidden)
        item_say(patient, item, "nothing counts up here");
    else
        item_say(patient, item, "%s of its range is used by the fullest of %s",
            say_ratio(patient, worst), say_count(patient, count - hidden, "number", "numbers"));
    if (hidden > 0)
        hide_numbers(patient, item, rows, count, hidden);
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
            item_mend(patient, item, "-- the pgmend command that was cut off, again");
        else
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
        item_mend(patient, item, "CREATE INDEX CONCURRENTLY %s ON %s (%s);",
            db_ident(patient->arena, rows[i].index_name), rows[i].relation, rows[i].columns);
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
                "DROP INDEX CONCURRENTLY %s; -- when the standbys do not use it either", name);
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
