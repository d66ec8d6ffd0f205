/*
 * The indexes that are there, with how often each server of a cluster used them and since when it
 * counts: what is needed to say which of them are dead, doubled or broken.
 */
#pragma once

#include "base/text.h"
#include "base/vec.h"
#include "change/journal.h"
#include "db/db.h"

struct sql_index_state_indexes;

/* How a server used an index. */
struct index_use {
    int64_t scans;         /* since the server's counters began */
    const char *last_scan; /* "2026-11-22T13:30:00Z"; NULL: never, or not known (before 16) */
};

struct index_state {
    const struct sql_index_state_indexes *row;
    const char *object;   /* schema.name, quoted */
    const char *relation; /* schema.table, quoted */
    size_t parent; /* position of the partitioned index that it is a part of; SIZE_MAX: none */
    size_t parts;  /* of a partitioned index: indexes below it */
    int64_t bytes; /* of the file; of a partitioned index: of all its parts */
    int64_t scans; /* on all servers, of all parts */
    const char *last_scan;  /* the latest; NULL: never, or not known */
    struct index_use *uses; /* by server; of a partitioned index: of all its parts */
    const char *run;        /* of pgmend that built it and what it built still stands; or NULL */
    const char *built_at;   /* by the journal, or by the server where it keeps times of commits */
};

/* A server whose counters were read. */
struct index_server {
    const char *label;
    bool is_standby;
    bool is_counting;   /* track_counts */
    int64_t since_us;   /* wall clock: its counters hold all since then; -1: not known */
    int64_t started_us; /* wall clock */
    int64_t now_us;
};

struct index_states {
    VEC(struct index_state) items;    /* by schema and name */
    VEC(struct index_server) servers; /* the one asked first, then the standbys */
    int32_t connected;                /* standbys that the first one sends to; given or not */
};

/*
 * replicas: URLs of standbys of the same cluster. ERR_CONNECTION when one of them cannot be reached,
 * ERR_INPUT when one is no standby of it: without its counters nothing can be said.
 */
bool index_states_load(struct ctx *ctx, struct db *db, const struct text_list *replicas,
    struct index_states *ret) MUST_CHECK;

/*
 * An index by "name" or "schema.name", as it is or quoted. ERR_NOT_FOUND, perhaps with one that is named
 * nearly so; ERR_INPUT when there are several.
 */
bool index_states_find(struct ctx *ctx, const struct index_states *states, const char *name,
    const struct index_state **ret) MUST_CHECK;

/* Whether "schema.name", quoted where needed, is called so: all of it, or without the schema. */
bool index_state_is_called(const char *object, const char *name);

/*
 * ERR_BUSY when somebody holds its table exclusively, so that the server would not tell its definition
 * without waiting.
 */
bool index_state_require_open(struct ctx *ctx, const struct index_state *index) MUST_CHECK;

/* Valid, ready and live. */
bool index_state_is_good(const struct index_state *index);

/* How long all servers have been counting; -1: one of them does not tell or does not count. */
int64_t index_states_window_us(const struct index_states *states);

/* "since 2026-11-22T13:30:00Z (7 d)", or why that is not known. */
const char *index_server_since(struct arena *arena, const struct index_server *server);
