/* What the files of the settings' advice share; nobody outside this folder includes it. */
#pragma once

#include "monitor/doctor/check.h"

struct advisor {
    struct patient patient;
    struct setting_advices *advices;
};

/*
 * Another value for a parameter of the server, with the sentence why. Nothing is said when it is set
 * on the server's command line already, or when this is its value.
 */
void advise(const struct advisor *advisor, const char *name, const char *better, const char *why);

/* The same for what a role's sessions get; now: what it has of its own, or NULL. */
void advise_role(const struct advisor *advisor, const char *role, const char *name, const char *now,
    const char *better, const char *why);
void advise_table(const struct advisor *advisor, const struct sql_monitor_doctor_table *table,
    const char *name, const char *now, const char *better, const char *why);

/* Tells what could not be judged. */
void advise_not(const struct advisor *advisor, const char *format, ...) PRINTF_LIKE(2, 3);

/* "512MB": rounded down to what people would write. */
const char *advise_bytes(const struct advisor *advisor, double bytes);

/* advise_memory.c, advise_work.c, advise_time.c */
void advise_on_memory(const struct advisor *advisor);
void advise_on_disk(const struct advisor *advisor);
void advise_on_wal(const struct advisor *advisor);
void advise_on_tables(const struct advisor *advisor);
void advise_on_roles(const struct advisor *advisor);
void advise_on_server(const struct advisor *advisor);
