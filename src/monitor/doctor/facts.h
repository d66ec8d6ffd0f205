/*
 * What a doctor asks of a server besides the collectors: queries that are too dear for every tick, or
 * whose answers change with the schema only. And what was told about the machine.
 */
#pragma once

#include "db/db.h"
#include "monitor/monitor.h"

#define DOCTOR_QUERIES(X)                                                                   \
    X(DOCTOR_SEQUENCE, doctor_sequence)         /* numbers that run out */                  \
    X(DOCTOR_CONSTRAINT, doctor_constraint)     /* not validated */                         \
    X(DOCTOR_INDEX, doctor_index)               /* needless beside another one */           \
    X(DOCTOR_FOREIGN_KEY, doctor_foreign_key)   /* without an index */                      \
    X(DOCTOR_EXTENSION, doctor_extension)       /* out of date */                           \
    X(DOCTOR_ROLE, doctor_role)                 /* of applications, with their time-outs */ \
    X(DOCTOR_PASSWORD, doctor_password)         /* MD5 hashes; superusers alone may look */ \
    X(DOCTOR_FILE_SETTING, doctor_file_setting) /* what ALTER SYSTEM has written */         \
    X(DOCTOR_TABLE, doctor_table)               /* against the thresholds of autovacuum */  \
    X(DOCTOR_PREPARED, doctor_prepared)         /* two-phase commits without an end */

#define DOCTOR_ENUM(id, name) id,
enum doctor_query { DOCTOR_QUERIES(DOCTOR_ENUM) DOCTOR_QUERY_COUNT };
#undef DOCTOR_ENUM

struct doctor_facts {
    struct reading answers[DOCTOR_QUERY_COUNT];
    int64_t memory_bytes; /* of the machine; 0: not known, and nothing is said that rests on it */
    int32_t cpus;         /* 0: not known */
    const char *machine;  /* where they are from: "of this machine", "as given" */
    int disk_rotates;     /* of the data directory: 1, 0, -1: not known */
    const char *backup;   /* the newest one that is proven, a clause; NULL: see backup_problem */
    const char *backup_problem; /* why there is none; NULL with backup NULL: nobody looked */
    double backup_age_s;
};

/*
 * Asks all of them; what the server refuses or takes too long for stays in its reading. False when the
 * connection is lost or a signal came.
 */
bool doctor_ask(struct ctx *ctx, struct db *db, struct doctor_facts *ret) MUST_CHECK;

/* The machine by the host's facts, where they are known. */
void doctor_see_machine(
    struct arena *arena, const struct watched *server, struct doctor_facts *ret);

struct sql_monitor_setting;
/* A parameter by name; NULL when it is not known, or is an enumeration that has its default. */
const struct sql_monitor_setting *doctor_setting_find(
    const struct watched *server, const char *name);

/* What a new session gets, in bytes or microseconds, or as it is when it has no unit. */
double doctor_setting_number(const struct watched *server, const char *name, double otherwise);

/* The same as SHOW prints it: "128MB". */
const char *doctor_setting_shown(struct arena *arena, const struct sql_monitor_setting *setting);
