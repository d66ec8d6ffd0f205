/* Progress of the whole work, for people who wait. */
#pragma once

#include "cli/out.h"
#include "data/load.h"

struct show {
    struct progress progress;
    double expected_bytes; /* of all tables, estimated */
    double done_bytes;     /* of the tables that are finished, estimated in the same way */
    int64_t start_us;
    bool is_shown; /* a log has no use for it */
};

void show_begin(struct show *show, const struct world *world, const struct loading *loading);

/* So many bytes of the table have gone out. */
void show_table(struct show *show, const struct table *table, int64_t bytes);

/* The table is finished. */
void show_next(struct show *show, const struct world *world, const struct table *table);

/* Something else goes on. */
void show_phase(struct show *show, const char *phase);

void show_end(struct show *show);
