/*
 * Several servers of one replication: writes go to the primary, reads that may be a moment old to
 * standbys that are fresh enough. Who is what is asked again and again, so that a failover is followed.
 */
#pragma once

#include "db/pool/pool.h"

struct hosts;

struct hosts_options {
    struct text_list urls;    /* each a server; NULL or one: no standbys */
    struct pool_options pool; /* of each of them; .db.url is not read */
    int64_t check_us;         /* between two looks; 1 s */
    int64_t most_lag_us;      /* an older standby gets no reads; 1 s */
};

bool hosts_new(struct ctx *ctx, struct loop *loop, const struct hosts_options *options,
    struct hosts **ret) MUST_CHECK;
void hosts_free(struct hosts *hosts);
void hosts_drain(struct hosts *hosts, loop_callback *done, void *data);

/* The primary's pool; the last one known when there is none at the moment. */
struct pool *hosts_for_writes(struct hosts *hosts);
/*
 * A pool for a read that must see everything up to this WAL position (what its user wrote last; 0: it
 * wrote nothing lately): a standby that has replayed it and whose lag is allowed, in turns by load;
 * else the primary's. While no primary answers: that of the standby which has most, if that is all that
 * the primary was last seen to have written.
 */
struct pool *hosts_for_reads(struct hosts *hosts, uint64_t position);

struct host_state {
    const char *label; /* "replyx @ db:5432" */
    bool is_up;
    bool is_primary;
    bool is_fresh;
    int64_t lag_us;    /* 0 of the primary; -1: unknown */
    uint64_t position; /* written, or replayed */
    struct pool *pool;
};
size_t hosts_count(const struct hosts *hosts);
struct host_state hosts_state(const struct hosts *hosts, size_t number);
