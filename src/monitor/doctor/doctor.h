/*
 * The checklist: one look at a server, each item good, a warning or critical, with its evidence and
 * the command that mends it. Also judges the settings by machine and workload.
 */
#pragma once

#include "base/json.h"
#include "monitor/monitor.h"

enum health { HEALTH_GOOD, HEALTH_WARNING, HEALTH_CRITICAL, HEALTH_UNKNOWN };

struct checkup_item {
    const char *name;  /* "cache-hit" */
    const char *title; /* "cache hit ratio" */
    enum health health;
    const char *says;          /* "98.7 % of 1.2 M blocks came from memory" */
    struct text_list evidence; /* lines: objects and numbers, worst first, at most ten */
    const char *mend;          /* commands and statements, one a line, or NULL */
    struct text_list mends;    /* the same, at most ten */
    size_t more_mends;         /* beyond them, which the last line of mend says */
};

struct checkup {
    const char *server;
    enum health health; /* the worst of the items; unknown ones do not count if others are known */
    struct checkup_item *items;
    size_t count;
    size_t capacity;
};

/* Of what is known of the server now. */
void doctor_check(struct arena *arena, const struct watched *server, struct checkup *ret);
json_t *doctor_json(const struct checkup *checkup);
/* Whether a check has this name. */
bool doctor_has_check(const char *name);

/* A setting that should be another: of the server, or of the table or role that is named. */
struct setting_advice {
    const char *name;
    const char *now; /* with its unit, as SHOW prints */
    const char *better;
    const char *why; /* a sentence with the numbers it follows from */
    bool needs_restart;
    const char *change; /* ALTER SYSTEM SET … / ALTER TABLE … SET (…) / ALTER ROLE … SET … */
    const char *undo;
    const char *schema; /* of the table, or NULL */
    const char *table;
    uint32_t table_oid;
    const char *role; /* or NULL */
};
struct setting_advices {
    struct setting_advice *items;
    size_t count;
    size_t capacity;
    struct text_list notes; /* what could not be judged, and why */
};
void doctor_settings(
    struct arena *arena, const struct watched *server, struct setting_advices *ret);
