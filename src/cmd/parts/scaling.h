/* What a server carries and what could be carried elsewhere: by its replicas, or by a cluster that is distributed. */
#pragma once

#include "base/vec.h"
#include "db/db.h"
#include "sql.h"

struct scaling_replica {
    const char *label;
    const char *problem; /* why it could not be looked at, or NULL */
    struct sql_partition_scaling_replica facts;
};

/* How the time of the statements is spent; NaN: none were seen. */
struct scaling_statements {
    double
        read_share; /* SELECTs that lock nothing, of all the time: at most this could go to replicas */
    double
        keyless_share; /* of the time on tables that would be distributed: without a condition on the key */
    VEC(struct scaling_keyless {
        const char *query;
        double share;
    })
    keyless;                 /* the dearest first */
    const char *none_reason; /* why none were seen, or NULL */
};

struct scaling {
    int64_t window_us;
    double transactions_per_s; /* in the window, as the next ones */
    double wal_per_s;          /* bytes; NaN: not known */
    double written_per_s;      /* rows */
    double read_per_s;
    struct sql_partition_scaling_load load; /* at its end */
    VEC(struct scaling_replica) replicas;
    struct sql_partition_scaling_tables_rows tables;
    struct scaling_statements statements;
    int64_t citus_shards; /* -1: not a Citus server */
};

/* Watches for the window and asks the replicas (URLs); one that does not answer is told, not fatal. */
bool scaling_measure(struct ctx *ctx, struct db *db, int64_t window_us, const char *tenant,
    const struct text_list *replicas, struct scaling *ret) MUST_CHECK;
