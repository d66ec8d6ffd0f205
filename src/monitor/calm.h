/*
 * How long each server has been watched without a critical alert: 48 hours of it are what the end of
 * a project waits for. Time in which nobody watched does not count: the span begins anew.
 */
#pragma once

#include "base/json.h"
#include "monitor/alert/alert.h"

#define CALM_WANTED_US INT64_C(172800000000) /* 48 hours */
#define CALM_FILE      "monitor/alerts.json" /* in the state folder, member "calm" */

struct calm {
    const char *server; /* as the monitor names it */
    const char *database;
    const char *cluster;   /* the number that initdb gave it; "" when it is not known */
    int64_t since_wall_us; /* when the span began; 0: a critical alert fires */
    int64_t seen_wall_us;  /* the last tick */
    int64_t last_wall_us;  /* when the last critical alert began to fire; 0: none is known */
    char last[256];        /* that alert in a line */
};

struct calms {
    struct arena *arena;
    struct calm *items;
    size_t count;
    size_t capacity;
};

/* Takes a tick of a server and the alerts as they are after it. */
void calm_tick(struct calms *calms, const struct watched *server, const struct alerts *alerts);

json_t *calm_save(const struct calms *calms);
void calm_restore(struct calms *calms, const json_t *saved);

/* The one of this database; the last seen, if several monitors wrote there. NULL: never watched. */
const struct calm *calm_find(const struct calms *calms, const char *cluster, const char *database);
