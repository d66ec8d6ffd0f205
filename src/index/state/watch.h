/*
 * Dropping in two steps: an index is watched first, and dropped only when no server used it meanwhile. What
 * was counted when that began is kept in pgmend.value under index.watch.<schema>.<name>.
 */
#pragma once

#include "base/json.h"
#include "change/change.h"
#include "index/state/state.h"

enum index_watch_verdict {
    WATCH_NONE,    /* it is not watched */
    WATCH_GOES_ON, /* not used so far, and not long enough */
    WATCH_OVER,    /* long enough, and not used */
    WATCH_USED,    /* used meanwhile */
    WATCH_ANEW,    /* what was counted cannot be compared: it has to begin anew */
};

struct index_watch {
    const char *name; /* of the value */
    const char *schema;
    const char *index;
    const char *since; /* "2026-11-22T13:30:00Z"; NULL: not watched */
    int64_t since_us;
    json_t *counts; /* by server: label, scans, since_us */
    uint32_t oid;
    const char *definition;
    bool is_ended; /* used, or dropped */
};

/* What was kept of an index; since NULL when it is not watched (any more). */
bool index_watch_load(struct ctx *ctx, struct db *db, const char *schema, const char *name,
    struct index_watch *ret) MUST_CHECK;
void index_watch_release(struct index_watch *watch);

/* All that go on, by name. */
struct index_watches {
    struct index_watch *items;
    size_t count;
    size_t capacity;
};
bool index_watches_load(struct ctx *ctx, struct db *db, struct index_watches *ret) MUST_CHECK;
void index_watches_release(struct index_watches *watches);

/* *ret_why: a clause, where the verdict is WATCH_USED or WATCH_ANEW. */
enum index_watch_verdict index_watch_judge(struct arena *arena, const struct index_watch *watch,
    const struct index_states *states, const struct index_state *index, int64_t watch_us,
    const char **ret_why);

/* The change that begins a watch, with what is counted now. */
void index_watch_begin(struct arena *arena, const struct index_states *states,
    const struct index_state *index, struct change *ret);

/* The change that ends it; how: "used", "dropped". */
void index_watch_end(
    struct arena *arena, const struct index_state *index, const char *how, struct change *ret);
