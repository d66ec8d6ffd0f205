#include "monitor/doctor/advise.h"

#include <math.h>

static const double megabyte = 1048576.0;
static const double gigabyte = 1073741824.0;

/* What ALTER SYSTEM has written of it, or NULL: nothing, or nobody may look. */
static const char *
find_written(const struct patient *patient, const char *name)
{
    const struct reading *reading =
        patient->facts ? &patient->facts->answers[DOCTOR_FILE_SETTING] : NULL;
    const struct sql_monitor_doctor_file_setting *items;

    if (!reading || !reading->is_good)
        return NULL;
    items = READING_ROWS(reading, struct sql_monitor_doctor_file_setting);
    for (size_t i = 0; i < reading->rows.count; i++)
        if (text_equal(items[i].name, name))
            return items[i].value;
    return NULL;
}

void
advise(const struct advisor *advisor, const char *name, const char *better, const char *why)
{
    struct arena *arena = advisor->patient.arena;
    const struct sql_monitor_setting *setting = doctor_setting_find(advisor->patient.server, name);
    const char *written = find_written(&advisor->patient, name);
    const char *now = setting ? doctor_setting_shown(arena, setting) : "the default";

    if (text_equal(now, better))
        return;
    if (setting && text_equal(setting->source, "command line")) {
        advise_not(advisor, "%s should be %s (%s), but it is set on the server's command line",
            name, better, why);
        return;
    }
    /* It is written already, and waits for the restart. */
    if (text_equal(written, better))
        return;
    VEC_PUSH(arena, advisor->advices,
        (struct setting_advice){
            .name = name,
            .now = now,
            .better = better,
            .why = why,
            .needs_restart = setting && text_equal(setting->context, "postmaster"),
            .change = arena_printf(arena, "ALTER SYSTEM SET %s = %s", db_ident(arena, name),
                db_literal(arena, better)),
            .undo = written ? arena_printf(arena, "ALTER SYSTEM SET %s = %s", db_ident(arena, name),
                                  db_literal(arena, written))
                            : arena_printf(arena, "ALTER SYSTEM RESET %s", db_ident(arena, name)),
        });
}

void
advise_role(const struct advisor *advisor, const char *role, const char *name, const char *now,
    const char *better, const char *why)
{
    struct arena *arena = advisor->patient.arena;
    const char *start = arena_printf(arena, "ALTER ROLE %s", db_ident(arena, role));

    VEC_PUSH(arena, advisor->advices,
        (struct setting_advice){
            .name = name,
            .now = now ? now : "not set",
            .better = better,
            .why = why,
            .role = role,
            .change = arena_printf(arena, "%s SET %s = %s", start, name, db_literal(arena, better)),
            .undo = now ? arena_printf(arena, "%s SET %s = %s", start, name, db_literal(arena, now))
                        : arena_printf(arena, "%s RESET %s", start, name),
        });
}

void
advise_table(const struct advisor *advisor, const struct sql_monitor_doctor_table *table,
    const char *name, const char *now, const char *better, const char *why)
{
    struct arena *arena = advisor->patient.arena;
    const char *start = arena_printf(arena, "ALTER TABLE %s", table->relation);

    VEC_PUSH(arena, advisor->advices,
        (struct setting_advice){
            .name = name,
            .now = now ? now : arena_printf(arena, "%g of the server", table->scale_in_force),
            .better = better,
            .why = why,
            .schema = table->schema,
            .table = table->name,
            .table_oid = table->relation_oid,
            .change =
                arena_printf(arena, "%s SET (%s = %s)", start, name, db_literal(arena, better)),
            .undo =
                now ? arena_printf(arena, "%s SET (%s = %s)", start, name, db_literal(arena, now))
                    : arena_printf(arena, "%s RESET (%s)", start, name),
        });
}

void
advise_not(const struct advisor *advisor, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_list_add(advisor->patient.arena, &advisor->advices->notes,
        arena_vprintf(advisor->patient.arena, format, args));
    va_end(args);
}

const char *
advise_bytes(const struct advisor *advisor, double bytes)
{
    double step = bytes >= 4 * gigabyte   ? gigabyte
                  : bytes >= gigabyte     ? gigabyte / 4
                  : bytes >= gigabyte / 8 ? megabyte * 64
                                          : megabyte * 4;
    double whole = floor(bytes / step) * step / megabyte;

    if (whole < 1)
        whole = 1;
    if (fmod(whole, 1024) == 0)
        return arena_printf(advisor->patient.arena, "%.0fGB", whole / 1024);
    return arena_printf(advisor->patient.arena, "%.0fMB", whole);
}

void
doctor_settings(struct arena *arena, const struct watched *server, struct setting_advices *ret)
{
    struct advisor advisor = { { arena, server, server->facts }, ret };

    *ret = (struct setting_advices){ 0 };
    if (!server->now[COLLECT_SETTING].is_good) {
        advise_not(&advisor, "nothing was judged: the settings are not known");
        return;
    }
    advise_on_memory(&advisor);
    advise_on_disk(&advisor);
    advise_on_wal(&advisor);
    advise_on_server(&advisor);
    advise_on_tables(&advisor);
    advise_on_roles(&advisor);
}
