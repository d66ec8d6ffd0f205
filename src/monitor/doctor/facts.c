#include "monitor/doctor/facts.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/clock.h"
#include "sql.h"

/* Smaller tables are read from end to end faster than anybody notices. */
enum { LEAST_TABLE_BYTES = 1048576 };

#define QUERY_ROW(id, name) [id] = &query_monitor_##name,
static const struct query *const queries[] = { DOCTOR_QUERIES(QUERY_ROW) };
#undef QUERY_ROW

bool
doctor_ask(struct ctx *ctx, struct db *db, struct doctor_facts *ret)
{
    struct sql_monitor_doctor_foreign_key_args *keys =
        ARENA_NEW(ctx->arena, struct sql_monitor_doctor_foreign_key_args);

    keys->least_bytes = LEAST_TABLE_BYTES;
    for (size_t i = 0; i < DOCTOR_QUERY_COUNT; i++) {
        struct reading *reading = &ret->answers[i];
        int64_t started = clock_us();

        reading->arena = ctx->arena;
        reading->is_known = reading->is_fresh = true;
        reading->is_good =
            db_select(ctx, db, queries[i], i == DOCTOR_FOREIGN_KEY ? keys : NULL, &reading->rows);
        reading->at_us = clock_us();
        reading->at_wall_us = clock_wall_us();
        reading->elapsed_us = reading->at_us - started;
        if (reading->is_good)
            continue;
        if (!db_is_connected(db) || ctx->error.kind == ERR_INTERRUPTED ||
            ctx->error.kind == ERR_TERMINATED)
            return error_wrap(ctx, "looking at the server");
        reading->error = ctx->error;
        error_clear(ctx);
    }
    return true;
}

/* The disk behind a folder: what the kernel says of its device, or of the one it is a part of. */
static int
find_rotation(struct arena *arena, const char *folder)
{
    static const char *const places[] = { "queue/rotational", "../queue/rotational" };
    struct stat status;

    if (!folder || stat(folder, &status) != 0)
        return -1;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        const char *path = arena_printf(arena, "/sys/dev/block/%u:%u/%s", major(status.st_dev),
            minor(status.st_dev), places[i]);
        FILE *file = fopen(path, "re");
        int answer = file ? fgetc(file) : EOF;

        if (file)
            fclose(file);
        if (answer == '0' || answer == '1')
            return answer - '0';
    }
    return -1;
}

void
doctor_see_machine(struct arena *arena, const struct watched *server, struct doctor_facts *ret)
{
    const struct reading *reading = &server->now[COLLECT_SERVER];
    const struct host_facts *host = &server->host_now;

    ret->disk_rotates = -1;
    if (!host->is_known)
        return;
    if (ret->memory_bytes == 0 && ret->cpus == 0)
        ret->machine = "of this machine";
    if (ret->memory_bytes == 0)
        ret->memory_bytes = host->memory_bytes;
    if (ret->cpus == 0)
        ret->cpus = host->cpus;
    if (reading->is_good && reading->rows.count == 1)
        ret->disk_rotates =
            find_rotation(arena, READING_ROWS(reading, struct sql_monitor_server)->data_directory);
}

const struct sql_monitor_setting *
doctor_setting_find(const struct watched *server, const char *name)
{
    const struct reading *reading = &server->now[COLLECT_SETTING];
    const struct sql_monitor_setting *items;

    if (!reading->is_good)
        return NULL;
    items = READING_ROWS(reading, struct sql_monitor_setting);
    for (size_t i = 0; i < reading->rows.count; i++)
        if (text_equal(items[i].name, name))
            return &items[i];
    return NULL;
}

/* Our own session has time-outs of its own: what counts is what others get. */
static const char *
value_of(const struct sql_monitor_setting *setting)
{
    return setting->reset_value ? setting->reset_value : setting->setting;
}

static const struct {
    const char *name;
    double factor;
} units[] = {
    { "B", 1 },
    { "kB", 1024 },
    { "8kB", 8192 },
    { "MB", 1048576 },
    { "ms", 1e3 },
    { "s", 1e6 },
    { "min", 6e7 },
};

static double
factor_of(const char *unit)
{
    for (size_t i = 0; unit && i < COUNT_OF(units); i++)
        if (text_equal(units[i].name, unit))
            return units[i].factor;
    return 1;
}

double
doctor_setting_number(const struct watched *server, const char *name, double otherwise)
{
    const struct sql_monitor_setting *setting = doctor_setting_find(server, name);
    double number;

    if (!setting || !text_to_double(value_of(setting), &number))
        return otherwise;
    /* -1 and 0 have meanings of their own. */
    return number <= 0 ? number : number * factor_of(setting->unit);
}

/* The largest unit in which the number is whole. */
static const char *
whole(struct arena *arena, double number, bool is_time)
{
    static const struct {
        const char *name;
        double factor;
    } sizes[] = { { "TB", 1099511627776.0 }, { "GB", 1073741824.0 }, { "MB", 1048576.0 },
        { "kB", 1024.0 }, { "B", 1.0 } },
      times[] = { { "d", 8.64e10 }, { "h", 3.6e9 }, { "min", 6e7 }, { "s", 1e6 }, { "ms", 1e3 },
          { "us", 1.0 } };
    size_t count = is_time ? COUNT_OF(times) : COUNT_OF(sizes);

    for (size_t i = 0; i < count; i++) {
        double factor = is_time ? times[i].factor : sizes[i].factor;
        int64_t units_whole = (int64_t)(number / factor);

        if (number >= factor && (double)units_whole * factor == number)
            return arena_printf(
                arena, "%lld%s", (long long)units_whole, is_time ? times[i].name : sizes[i].name);
    }
    return arena_printf(arena, "%.15g", number);
}

const char *
doctor_setting_shown(struct arena *arena, const struct sql_monitor_setting *setting)
{
    double number;

    if (text_is_empty(setting->unit) || !text_to_double(value_of(setting), &number) || number <= 0)
        return value_of(setting);
    return whole(arena, number * factor_of(setting->unit), !text_ends_with(setting->unit, "B"));
}
