/*
 * Memory, by the rules of PostgreSQL's documentation (a quarter of the machine for shared_buffers,
 * which need be no larger than the data) and by what the workload spills to disk. And what a disk
 * without moving parts changes.
 */
#include <math.h>

#include "monitor/doctor/advise.h"

static const double gigabyte = 1073741824.0;
static const double megabyte = 1048576.0;
static const int64_t least_temp_files = 10;
/* What a sort needs in memory is more than what it writes: rows have headers there. */
static const double memory_of_file = 2;

static double
bytes_of_databases(const struct advisor *advisor)
{
    const struct reading *reading = &advisor->patient.server->now[COLLECT_SIZE];
    const struct sql_monitor_size *sizes = READING_ROWS(reading, struct sql_monitor_size);
    double sum = 0;

    if (!reading->is_good)
        return NAN;
    for (size_t i = 0; i < reading->rows.count; i++)
        sum += sizes[i].size_bytes;
    return sum;
}

/* The share of blocks that came from memory, as a clause; empty when it is not known. */
static const char *
cache_clause(const struct advisor *advisor)
{
    const struct sql_monitor_database *database = patient_database(&advisor->patient, false);
    double all = database ? (double)(database->blks_hit + database->blks_read) : 0;

    if (!database || all < 1)
        return "";
    return arena_printf(advisor->patient.arena, "; %s of the blocks came from it so far",
        say_ratio(&advisor->patient, (double)database->blks_hit / all));
}

static void
advise_shared_buffers(const struct advisor *advisor, double memory)
{
    const struct patient *patient = &advisor->patient;
    double now = doctor_setting_number(patient->server, "shared_buffers", NAN);
    double data = bytes_of_databases(advisor);
    double better = memory / 4;

    /* More than the data and some growth is of no use. */
    if (data * 1.25 < better)
        better = fmax(data * 1.25, 128 * megabyte);
    if (isnan(now) || (now >= better * 0.6 && now <= memory * 0.4))
        return;
    if (now > memory * 0.4)
        better = memory / 4;
    advise(advisor, "shared_buffers", advise_bytes(advisor, better),
        arena_printf(patient->arena,
            "a quarter of the %s of memory %s, no more than the data (%s)%s",
            say_bytes(patient, memory), patient->facts->machine, say_bytes(patient, data),
            cache_clause(advisor)));
}

static void
advise_cache_size(const struct advisor *advisor, double memory)
{
    const struct patient *patient = &advisor->patient;
    double now = doctor_setting_number(patient->server, "effective_cache_size", NAN);

    if (isnan(now) || (now >= memory * 0.5 && now <= memory))
        return;
    advise(advisor, "effective_cache_size", advise_bytes(advisor, memory * 0.75),
        arena_printf(patient->arena,
            "three quarters of the %s of memory %s: what the planner may expect to be cached; it "
            "reserves nothing",
            say_bytes(patient, memory), patient->facts->machine));
}

/*
 * As much as the files that were spilled need, as long as every connection could use it twice at the
 * same time in half of what shared_buffers leave.
 */
/*
 * Temporary files that were written with work_mem as it is now: what was spilled before it was set says
 * nothing of it. False: it is not known which were, and a note says so.
 */
static bool
count_spilled(const struct advisor *advisor, double *ret_files, double *ret_bytes)
{
    const struct patient *patient = &advisor->patient;
    const struct sql_monitor_setting *setting = doctor_setting_find(patient->server, "work_mem");
    const struct sql_monitor_database *now = patient_database(patient, false);
    const struct sql_monitor_database *before = patient_database(patient, true);
    const struct reading *reading = &patient->server->now[COLLECT_SERVER];
    const struct sql_monitor_server *server = READING_ROWS(reading, struct sql_monitor_server);

    *ret_files = 0;
    *ret_bytes = 0;
    if (!now || now->temp_files < least_temp_files)
        return false;
    *ret_files = (double)now->temp_files;
    *ret_bytes = (double)now->temp_bytes;
    if (setting && text_equal(setting->source, "default"))
        return true;
    if (reading->is_good && reading->rows.count == 1 && now->stats_reset >= server->loaded_epoch)
        return true;
    if (before && now->temp_files - before->temp_files >= least_temp_files) {
        *ret_files = (double)(now->temp_files - before->temp_files);
        *ret_bytes = (double)(now->temp_bytes - before->temp_bytes);
        return true;
    }
    advise_not(advisor,
        "work_mem was not judged: %s temporary files were written since the statistics were reset, "
        "but work_mem was set since, or may have been, when the configuration was loaded last; "
        "--wait 10min counts new ones",
        text_from_count(patient->arena, now->temp_files));
    return false;
}

static void
advise_work_mem(const struct advisor *advisor, double memory)
{
    const struct patient *patient = &advisor->patient;
    double now = doctor_setting_number(patient->server, "work_mem", NAN);
    double buffers = doctor_setting_number(patient->server, "shared_buffers", 0);
    double connections = doctor_setting_number(patient->server, "max_connections", NAN);
    double most = (memory - buffers) / 2 / (connections * 2);
    double wanted;
    double files;
    double bytes;
    double file;

    if (isnan(now) || isnan(most) || !count_spilled(advisor, &files, &bytes))
        return;
    file = bytes / files;
    wanted = fmax(file * memory_of_file, now * 2);
    if (wanted > most)
        wanted = most;
    if (wanted < now * 1.5)
        return;
    advise(advisor, "work_mem", advise_bytes(advisor, wanted),
        arena_printf(patient->arena,
            "%s temporary files of %s on average were written; %.0f connections can have it twice "
            "each in half of the %s that shared_buffers leave",
            text_from_count(patient->arena, llround(files)), say_bytes(patient, file), connections,
            say_bytes(patient, memory - buffers)));
}

static void
advise_maintenance(const struct advisor *advisor, double memory)
{
    const struct patient *patient = &advisor->patient;
    const struct reading *reading = &patient->server->now[COLLECT_INDEX];
    const struct sql_monitor_index *indexes = READING_ROWS(reading, struct sql_monitor_index);
    double workers = doctor_setting_number(patient->server, "autovacuum_max_workers", 3);
    double now = doctor_setting_number(patient->server, "maintenance_work_mem", NAN);
    double better = fmin(fmin(memory / 16, memory / 8 / workers), gigabyte);
    const struct sql_monitor_index *largest = NULL;

    for (size_t i = 0; reading->is_good && i < reading->rows.count; i++)
        if (!largest || indexes[i].size_bytes > largest->size_bytes)
            largest = &indexes[i];
    if (isnan(now) || !largest || (double)largest->size_bytes <= now || better < now * 1.5)
        return;
    advise(advisor, "maintenance_work_mem", advise_bytes(advisor, better),
        arena_printf(patient->arena,
            "the largest index, %s, has %s and is built in pieces of %s; %.0f autovacuum workers "
            "with it stay below an eighth of the memory %s",
            db_qualified(patient->arena, largest->schemaname, largest->indexrelname),
            text_from_bytes(patient->arena, largest->size_bytes), say_bytes(patient, now), workers,
            patient->facts->machine));
}

void
advise_on_memory(const struct advisor *advisor)
{
    const struct doctor_facts *facts = advisor->patient.facts;
    const struct host_facts *host = &advisor->patient.server->host_now;

    if (!facts || facts->memory_bytes <= 0) {
        advise_not(advisor,
            "memory (shared_buffers, work_mem, effective_cache_size, maintenance_work_mem) was not "
            "judged: %s; --memory SIZE and --cpus N tell it",
            host->why_not ? host->why_not : "the machine of the server is not known");
        return;
    }
    advise_shared_buffers(advisor, (double)facts->memory_bytes);
    advise_cache_size(advisor, (double)facts->memory_bytes);
    advise_work_mem(advisor, (double)facts->memory_bytes);
    advise_maintenance(advisor, (double)facts->memory_bytes);
}

void
advise_on_disk(const struct advisor *advisor)
{
    const struct patient *patient = &advisor->patient;
    double page = doctor_setting_number(patient->server, "random_page_cost", NAN);
    double io = doctor_setting_number(patient->server, "effective_io_concurrency", NAN);

    if (!patient->facts || patient->facts->disk_rotates < 0) {
        advise_not(advisor,
            "random_page_cost was not judged: the disk of the data is not seen from "
            "here (1.1 is right for SSDs)");
        return;
    }
    if (patient->facts->disk_rotates)
        return;
    if (page >= 2)
        advise(advisor, "random_page_cost", "1.1",
            arena_printf(patient->arena,
                "the data is on a disk without moving parts (/sys/block says so), where a random "
                "page costs about as much as the next one; it is %g now",
                page));
    if (io <= 1)
        advise(advisor, "effective_io_concurrency", "200",
            "the data is on a disk without moving parts, which answers many reads at a time");
}
