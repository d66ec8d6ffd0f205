/*
 * How many connections an application needs: what is measured in a window of time, and what follows from
 * it by Little's law and Erlang's formula. Nothing is changed.
 */
#pragma once

#include "base/json.h"
#include "base/vec.h"
#include "db/db.h"

/* What was measured. A connection is in use while it runs a statement or is idle in a transaction. */
struct pool_load {
    double seconds; /* of the window */
    int64_t samples;
    double active;         /* connections that run a statement, on average */
    double waiting;        /* of these, for a lock */
    double in_transaction; /* idle within a transaction, on average */
    double idle;
    double in_use; /* active and in_transaction */
    double in_use_p95;
    int64_t in_use_peak;
    int64_t open_peak;
    int64_t others_peak; /* connections of other databases, of pgmend itself and direct ones */
    int64_t direct_peak; /* of these: by which replyx-api follows its flags, past any pooler */
    double oldest_idle_seconds;
    double transactions_per_second;
    double hold_seconds; /* a transaction's time on its connection, by Little's law */
    /* By pg_stat_statements; unknown without it. */
    bool knows_statements;
    const char *why_unknown;
    double statements_per_second;
    double statement_seconds; /* the mean one */
    double busy; /* connections that execute, on average: rate times time, Little's law again */
};

struct pool_limits {
    int64_t most_connections;
    int64_t reserved;
    int64_t database_limit; /* -1: none */
    int64_t role_limit;
    int64_t cpus;      /* 0: not known */
    int64_t processes; /* of the application */
    double growth;     /* times the load that was measured */
};

/* One process's pool by SQLAlchemy's names. */
struct pool_size {
    int64_t size;
    int64_t overflow;
};

enum pool_verdict {
    POOL_FITS,
    POOL_NEEDS_POOLER, /* a pool in each process takes more than there are; one for all would fit */
    POOL_TOO_SMALL,    /* not even one for all fits */
    POOL_OVERLOADED,   /* more runs at a time than the processors can do */
};

struct pool_advice {
    double load;       /* connections in use that were sized for */
    int64_t needed;    /* for all processes together, so that hardly anybody waits */
    double wait_ratio; /* of requests that would wait then, by Erlang's formula */
    int64_t useful;    /* more than these only wait within the server; 0: not known */
    int64_t available;
    struct pool_size process;
    int64_t total; /* most connections of all processes together */
    enum pool_verdict verdict;
    struct text_list reasons; /* sentences with the numbers */
};

/*
 * Asks every few milliseconds for the time given, on a session of its own, read-only. ERR_RIGHTS when our
 * role sees nothing of what others do.
 */
bool pool_measure(struct ctx *ctx, struct db *db, int64_t window_us, struct pool_load *ret,
    struct pool_limits *ret_limits) MUST_CHECK;

/*
 * The share of requests that wait when load connections are busy on average and there are so many, by
 * Erlang's C formula (A. K. Erlang, 1917), for arrivals at random; 1 when load is not below count.
 */
double pool_wait_ratio(double load, int64_t count);

/* The least number of connections with which at most that share waits. */
int64_t pool_count_for(double load, double most_ratio);

void pool_advise(struct arena *arena, const struct pool_load *load,
    const struct pool_limits *limits, struct pool_advice *ret);
const char *pool_verdict_name(enum pool_verdict verdict);

/* A habit of the application that does not survive when each transaction may get another session. */
struct pool_hazard {
    const char *name;      /* "set" */
    const char *title;     /* "settings of the session" */
    const char *certainty; /* "certain", "perhaps" */
    int64_t calls;
    struct text_list evidence; /* statements, at most a few */
    size_t statements;         /* how many different ones */
    const char *breaks;        /* what happens then */
    const char *remedy;
    const char *old_pooler; /* what PgBouncer before 1.21 makes of it */
    const char *new_pooler;
};
struct pool_hazards {
    struct pool_hazard *items;
    size_t count;
    size_t capacity;
    bool is_known;         /* statements could be read */
    struct text_list gaps; /* what could not be seen, as sentences */
    bool is_safe;          /* nothing was seen that breaks with PgBouncer from 1.21 on */
};

bool pool_find_hazards(struct ctx *ctx, struct db *db, struct pool_hazards *ret) MUST_CHECK;

/* Settings as files and code would hold them. */
const char *pool_for_sqlalchemy(
    struct arena *arena, const struct pool_advice *advice, const struct pool_hazards *hazards);
const char *pool_for_pgbouncer(struct arena *arena, const struct db *db,
    const struct pool_advice *advice, const struct pool_hazards *hazards);
const char *pool_for_replyx(struct arena *arena, const struct pool_load *load,
    const struct pool_advice *advice, const struct pool_limits *limits);

/* Everything, for --json. The caller owns it. */
struct pool_report {
    const char *database;
    struct pool_load load;
    struct pool_limits limits;
    struct pool_advice advice;
    struct pool_hazards hazards;
    const char *sqlalchemy;
    const char *pgbouncer;
    const char *replyx;
};
json_t *pool_report_json(const struct pool_report *report);
