/* Standbys, slots, the archive, backups: what a lost server is got back from. */
#include <math.h>

#include "monitor/doctor/check.h"

static const double lag_warning_s = 60;
static const double lag_critical_s = 600;
static const double lag_warning_bytes = 1073741824.0;
static const double slot_critical_bytes = 10737418240.0;
static const double backup_warning_s = 86400.0 * 2;

static enum health
judge_lag(double seconds, double bytes)
{
    if (seconds >= lag_critical_s)
        return HEALTH_CRITICAL;
    return seconds >= lag_warning_s || bytes >= lag_warning_bytes ? HEALTH_WARNING : HEALTH_GOOD;
}

static bool
may_not_see(const struct patient *patient)
{
    const struct reading *reading = &patient->server->now[COLLECT_SERVER];

    return reading->is_good && reading->rows.count == 1 &&
           !READING_ROWS(reading, struct sql_monitor_server)->sees_all_stats;
}

/* A standby itself. */
static bool
look_at_receiver(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    const struct sql_monitor_receiver *receiver =
        patient_rows(patient, COLLECT_RECEIVER, item, &count);

    if (count == 0 || !receiver->is_replica)
        return false;
    item_worsen(item, judge_lag(receiver->lag_seconds, receiver->replay_gap_bytes));
    item_say(
        patient, item, "this standby is %s behind", say_seconds(patient, receiver->lag_seconds));
    if (receiver->is_paused) {
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item, "its replay is paused");
        item_mend(patient, item, "SELECT pg_wal_replay_resume();");
    }
    if (!receiver->status && may_not_see(patient)) {
        item_hide(patient, item, "role %s may not see what it receives", patient_role(patient));
        item_mend(patient, item, "GRANT pg_read_all_stats TO %s;", patient_role(patient));
    } else if (!receiver->status) {
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item, "it receives nothing: there is no WAL receiver");
    }
    return true;
}

static void
look_at_lag(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    const struct sql_monitor_replication *standbys =
        patient_rows(patient, COLLECT_REPLICATION, item, &count);
    double worst = 0;
    size_t hidden = 0;

    if (look_at_receiver(patient, item) || !standbys)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct sql_monitor_replication *standby = &standbys[i];
        enum health health = judge_lag(standby->replay_lag_seconds, standby->replay_lag_bytes);

        hidden += text_is_empty(standby->state);
        item_worsen(item, health);
        if (standby->replay_lag_seconds > worst)
            worst = standby->replay_lag_seconds;
        if (health != HEALTH_GOOD)
            item_show(patient, item, "%s %s (%s): %s behind, %s of WAL", standby->application_name,
                standby->client_addr, standby->state,
                say_seconds(patient, standby->replay_lag_seconds),
                say_bytes(patient, standby->replay_lag_bytes));
    }
    if (count == 0)
        item_say(patient, item, "no standby is connected");
    else
        item_say(patient, item, "%s, at most %s behind",
            say_count(patient, count, "standby", "standbys"), say_seconds(patient, worst));
    if (item->health != HEALTH_GOOD)
        item_mend(patient, item, "SELECT * FROM pg_stat_replication;");
    if (hidden > 0) {
        item_hide(patient, item, "role %s may not see how far %s", patient_role(patient),
            say_count(patient, hidden, "standby is", "standbys are"));
        item_mend(patient, item, "GRANT pg_read_all_stats TO %s;", patient_role(patient));
    }
}

static void
look_at_slots(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    size_t inactive = 0;
    const struct sql_monitor_slot *slots = patient_rows(patient, COLLECT_SLOT, item, &count);

    if (!slots)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct sql_monitor_slot *slot = &slots[i];
        bool is_lost = text_equal(slot->wal_status, "lost") ||
                       text_equal(slot->wal_status, "unreserved") || slot->invalid_reason;

        if (slot->active && !is_lost)
            continue;
        inactive++;
        item_worsen(item, is_lost || slot->retained_bytes >= slot_critical_bytes ? HEALTH_CRITICAL
                                                                                 : HEALTH_WARNING);
        item_show(patient, item, "%s (%s): keeps %s of WAL%s%s", slot->slot_name, slot->slot_type,
            isfinite(slot->retained_bytes) ? say_bytes(patient, slot->retained_bytes) : "nothing",
            slot->wal_status ? ", " : "", slot->wal_status ? slot->wal_status : "");
        item_mend(patient, item, "SELECT pg_drop_replication_slot(%s);",
            db_literal(patient->arena, slot->slot_name));
    }
    if (count == 0)
        item_say(patient, item, "there is none");
    else if (inactive == 0)
        item_say(patient, item, "%s in use", say_count(patient, count, "slot is", "slots are"));
    else
        item_say(patient, item, "%zu of %s not in use or lost", inactive,
            say_count(patient, count, "slot is", "slots are"));
}

static void
look_at_archive(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    const struct sql_monitor_wal *wal = patient_rows(patient, COLLECT_WAL, item, &count);

    if (count == 0)
        return;
    if (text_equal(wal->archive_mode, "off")) {
        item_say(patient, item, "WAL is not archived");
        return;
    }
    item_say(patient, item, "%s segments archived, %s attempts failed",
        text_from_count(patient->arena, wal->archived_count),
        text_from_count(patient->arena, wal->failed_count));
    if (isnan(wal->last_failed_age) ||
        (isfinite(wal->last_archive_age) && wal->last_archive_age <= wal->last_failed_age))
        return;
    item_worsen(item, HEALTH_CRITICAL);
    item_show(patient, item, "the last attempt failed %s ago, the last success was %s%s",
        say_seconds(patient, wal->last_failed_age),
        isfinite(wal->last_archive_age) ? say_seconds(patient, wal->last_archive_age) : "never",
        isfinite(wal->last_archive_age) ? " ago" : "");
    item_mend(patient, item, "SELECT * FROM pg_stat_archiver; -- the server's log says why");
}

static void
look_at_backup(const struct patient *patient, struct checkup_item *item)
{
    const struct doctor_facts *facts = patient->facts;

    if (!facts || (!facts->backup && !facts->backup_problem))
        return;
    if (!facts->backup) {
        item_worsen(item, HEALTH_WARNING);
        item_say(patient, item, "no backup that is proven by a restore: %s", facts->backup_problem);
        item_mend(patient, item, "pgmend backup create && pgmend backup verify");
        return;
    }
    item_say(patient, item, "%s, %s old", facts->backup, say_seconds(patient, facts->backup_age_s));
    if (facts->backup_age_s > backup_warning_s) {
        item_worsen(item, HEALTH_WARNING);
        item_mend(patient, item, "pgmend backup create && pgmend backup verify");
    }
}

const struct check checks_replication[] = {
    { "replication-lag", "replication lag", look_at_lag },
    { "inactive-slots", "replication slots", look_at_slots },
    { "archiver", "WAL archive", look_at_archive },
    { "backup", "proven backup", look_at_backup },
};
const size_t checks_replication_count = COUNT_OF(checks_replication);
