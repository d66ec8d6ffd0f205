/* What memory and disk have to do with speed: cache, temporary files, checkpoints, room. */
#include <math.h>

#include "monitor/doctor/check.h"

static const double cache_warning = 0.95; /* the plan's threshold */
static const double cache_critical = 0.90;
static const int64_t least_blocks = 10000;
static const int64_t least_blocks_between = 1000;
static const double temp_warning_per_hour = 104857600.0;
static const int64_t least_temp_files = 10;
static const int64_t least_checkpoints = 5;
static const double requested_warning = 0.3;
static const double disk_warning = 0.2;
static const double disk_critical = 0.1;

static void
judge_cache(const struct patient *patient, struct checkup_item *item, double hit, double all,
    const char *when)
{
    double ratio = hit / all;

    item_worsen(item, ratio < cache_critical  ? HEALTH_CRITICAL
                      : ratio < cache_warning ? HEALTH_WARNING
                                              : HEALTH_GOOD);
    item_say(patient, item, "%s of %s blocks came from memory, %s", say_ratio(patient, ratio),
        text_from_count(patient->arena, llround(all)), when);
    if (item->health != HEALTH_GOOD)
        item_mend(
            patient, item, "pgmend doctor --settings # shows whether shared_buffers is too small");
}

/* The tables that are read from disk most. */
static void
show_reads(const struct patient *patient, struct checkup_item *item)
{
    const struct reading *reading = &patient->server->now[COLLECT_TABLE];
    const struct sql_monitor_table *tables = READING_ROWS(reading, struct sql_monitor_table);
    int64_t below = INT64_MAX;

    for (int place = 0; reading->is_good && place < 3; place++) {
        const struct sql_monitor_table *most = NULL;

        for (size_t i = 0; i < reading->rows.count; i++)
            if (tables[i].heap_blocks_read < below && tables[i].heap_blocks_read > 0 &&
                (!most || tables[i].heap_blocks_read > most->heap_blocks_read))
                most = &tables[i];
        if (!most)
            return;
        below = most->heap_blocks_read;
        item_show(patient, item, "%s: %s blocks read from disk",
            db_qualified(patient->arena, most->schemaname, most->relname),
            text_from_count(patient->arena, most->heap_blocks_read));
    }
}

static void
look_at_cache(const struct patient *patient, struct checkup_item *item)
{
    const struct sql_monitor_database *now = patient_database(patient, false);
    const struct sql_monitor_database *before = patient_database(patient, true);
    size_t count;

    if (!patient_rows(patient, COLLECT_DATABASE, item, &count) || !now)
        return;
    if (before && before->blks_hit <= now->blks_hit && before->blks_read <= now->blks_read &&
        now->blks_hit - before->blks_hit + now->blks_read - before->blks_read >=
            least_blocks_between)
        judge_cache(patient, item, (double)(now->blks_hit - before->blks_hit),
            (double)(now->blks_hit - before->blks_hit + now->blks_read - before->blks_read),
            "just now");
    else if (now->blks_hit + now->blks_read >= least_blocks)
        judge_cache(patient, item, (double)now->blks_hit, (double)(now->blks_hit + now->blks_read),
            arena_printf(
                patient->arena, "in %s", say_seconds(patient, patient_statistics_age(patient))));
    else
        item_say(patient, item, "too little was read to tell (%s blocks)",
            text_from_count(patient->arena, now->blks_hit + now->blks_read));
    if (item->health != HEALTH_GOOD)
        show_reads(patient, item);
}

static void
look_at_temp_files(const struct patient *patient, struct checkup_item *item)
{
    const struct sql_monitor_database *now = patient_database(patient, false);
    double hours = patient_statistics_age(patient) / 3600;
    size_t count;
    double per_hour;

    if (!patient_rows(patient, COLLECT_DATABASE, item, &count) || !now)
        return;
    if (now->temp_files == 0) {
        item_say(patient, item, "none since the statistics were reset");
        return;
    }
    /* A young server is judged as if it had run for an hour. */
    per_hour = (double)now->temp_bytes / (hours > 1 ? hours : 1);
    item_say(patient, item, "%s with %s, %s an hour",
        say_count(patient, (size_t)now->temp_files, "file", "files"),
        text_from_bytes(patient->arena, now->temp_bytes), say_bytes(patient, per_hour));
    if (now->temp_files < least_temp_files || per_hour < temp_warning_per_hour)
        return;
    item_worsen(item, HEALTH_WARNING);
    item_show(patient, item, "%s a file on average: sorts and hashes that do not fit into work_mem",
        text_from_bytes(patient->arena, now->temp_bytes / now->temp_files));
    item_mend(patient, item, "pgmend doctor --settings # proposes a work_mem");
}

static void
look_at_checkpoints(const struct patient *patient, struct checkup_item *item)
{
    const struct sql_monitor_server *server = patient_server(patient, item);
    size_t count;
    const struct sql_monitor_checkpoint *row =
        patient_rows(patient, COLLECT_CHECKPOINT, item, &count);
    int64_t all;
    double ratio;
    double every;

    if (!server || count == 0)
        return;
    all = row->timed + row->requested;
    if (all < least_checkpoints) {
        item_say(patient, item, "too few to tell (%s)", text_from_count(patient->arena, all));
        return;
    }
    ratio = (double)row->requested / (double)all;
    every = (server->now_epoch - row->stats_reset) / (double)all;
    item_say(patient, item, "%s of %s were forced by max_wal_size or a command; one every %s",
        say_ratio(patient, ratio), text_from_count(patient->arena, all),
        say_seconds(patient, every));
    if (ratio < requested_warning ||
        every * 1e6 > doctor_setting_number(patient->server, "checkpoint_timeout", 3e8))
        return;
    item_worsen(item, HEALTH_WARNING);
    item_show(
        patient, item, "max_wal_size is %s", text_from_bytes(patient->arena, server->max_wal_size));
    item_mend(patient, item, "pgmend doctor --settings proposes a max_wal_size");
}

/* Where the data is stands in a setting that is not for everybody. */
static bool
may_see_settings(const struct patient *patient)
{
    const struct reading *reading = &patient->server->now[COLLECT_SERVER];

    return !reading->is_good || reading->rows.count != 1 ||
           READING_ROWS(reading, struct sql_monitor_server)->sees_all_settings;
}

static void
look_at_disk(const struct patient *patient, struct checkup_item *item)
{
    const struct host_facts *host = &patient->server->host_now;
    double ratio;

    if (!host->is_known || host->disk_bytes <= 0) {
        if (!host->why_not && !host->is_known)
            return;
        item_worsen(item, HEALTH_UNKNOWN);
        item_say(patient, item, "not known: %s",
            host->why_not ? host->why_not : "the data directory is not seen from here");
        if (!may_see_settings(patient))
            item_mend(patient, item, "GRANT pg_monitor TO %s;", patient_role(patient));
        return;
    }
    ratio = (double)host->disk_free_bytes / (double)host->disk_bytes;
    item_worsen(item, ratio < disk_critical  ? HEALTH_CRITICAL
                      : ratio < disk_warning ? HEALTH_WARNING
                                             : HEALTH_GOOD);
    item_say(patient, item, "%s free of %s (%s)",
        text_from_bytes(patient->arena, host->disk_free_bytes),
        text_from_bytes(patient->arena, host->disk_bytes), say_ratio(patient, ratio));
    if (item->health != HEALTH_GOOD)
        item_mend(patient, item, "-- make room on the volume of the data directory");
}

const struct check checks_memory[] = {
    { "cache-hit", "cache hit ratio", look_at_cache },
    { "disk", "room on disk", look_at_disk },
    { "temp-files", "temporary files", look_at_temp_files },
    { "checkpoints", "checkpoints", look_at_checkpoints },
};
const size_t checks_memory_count = COUNT_OF(checks_memory);
