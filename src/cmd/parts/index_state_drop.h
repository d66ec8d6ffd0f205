/* What "index drop" decides about each index, before anything is changed. */
#pragma once

#include "cmd/parts/index_state.h"
#include "index/state/watch.h"

struct index_drop {
    const struct index_state *index;
    enum index_watch_verdict verdict;
    const char *why;   /* of the verdict, or why it need not be watched; or NULL */
    const char *since; /* that it is watched; NULL: from now on */
    const char *due;   /* when it may be dropped */
    bool is_due;       /* it is dropped now */
    bool is_duplicate; /* because another one makes it needless */
    bool is_watched;   /* it is due without its watch, which is to be ended all the same */
};

struct index_drops {
    struct index_drop *items;
    size_t count;
    size_t capacity;
};

struct index_drop_wish {
    const struct text_list *names;
    int64_t watch_us;
    bool is_now;      /* without a watch */
    bool is_for_file; /* the plan is written into a file and done later */
    int32_t standbys; /* connected, not named, and not to be ignored */
};

/* ERR_CONFLICT for one that has to stay, ERR_NOT_FOUND for one that is not there. */
bool index_drops_decide(struct ctx *ctx, struct db *db, const struct index_states *states,
    const struct index_drop_wish *wish, struct index_drops *ret) MUST_CHECK;
