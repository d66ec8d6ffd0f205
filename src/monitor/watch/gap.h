/* Whether counters of two ticks can be compared: the same server, the same life of it, the same clock. */
#pragma once

#include "base/arena.h"

enum { GAP_IDENTIFIER_SIZE = 32 };

enum gap_scope {
    GAP_NONE = 0,
    GAP_DATABASE = 1,  /* counters of this database: tables, indexes */
    GAP_STATEMENT = 2, /* of pg_stat_statements */
    GAP_ALL = 4,
};

/* What is seen of the server in a tick. Numbers are seconds since 1970, NaN: not known. */
struct gap_marks {
    bool is_known;
    char system_identifier[GAP_IDENTIFIER_SIZE]; /* "": not known */
    int64_t timeline;                            /* 0: not known */
    bool in_recovery;
    double started;
    double checkpoint_reset;
    double database_reset;
    double statement_reset;
    int64_t at_us;
    int64_t at_wall_us;
};

/* What must not be compared (of enum gap_scope, or-ed), and why, for people: NULL when all may be. */
unsigned gap_between(struct arena *arena, const struct gap_marks *before,
    const struct gap_marks *now, const char **ret_why);
