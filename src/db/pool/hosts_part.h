/* What the files of hosts share; nobody else includes this. */
#pragma once

#include "db/evented.h"
#include "db/pool/hosts.h"

enum { HOSTS_SAMPLES = 128 };

struct host {
    struct hosts *hosts;
    const char *label;
    struct db_options db; /* of the connection that asks */
    struct pool *pool;
    struct pool_ticket *trial; /* looks whether the pool can connect again */
    struct evented *evented;   /* asks; NULL: not connected */
    struct arena *arena;       /* of what is under way */
    struct arena *trial_arena;
    int64_t asked_us;
    bool is_complained; /* its trouble stands in the log */
    bool is_stranger;   /* of another replication */

    /* What it said last; of one that is not up nothing else counts. */
    bool is_up;
    bool is_standby;
    bool is_streaming;
    uint64_t position;
    int64_t timeline;
    int64_t family;           /* the system identifier of its data */
    int64_t replayed_wall_us; /* by the primary's clock; 0: nothing yet */

    bool is_fresh;
    int64_t lag_us;
};

/* Where the primary was. Everything that was written before at_us ends before position. */
struct host_sample {
    int64_t at_us;
    uint64_t position;
};

struct hosts {
    struct arena *arena;
    struct loop *loop;
    struct loop_timer *tick;  /* asks primaries and who has said nothing yet */
    struct loop_timer *after; /* asks standbys, a moment later */
    struct host *items;
    size_t count;
    size_t primary;
    size_t rival;       /* the other primary that the log tells of; SIZE_MAX: none */
    int64_t timeline;   /* the highest that a primary had; 0: none was seen */
    int64_t family;     /* of the replication; 0: not known */
    int64_t wall_us;    /* the primary's clock … */
    int64_t wall_at_us; /* … at that time of ours */
    struct host_sample samples[HOSTS_SAMPLES]; /* the latest at the end */
    size_t sample_count;
    size_t turn; /* who was given the last read */
    int64_t check_us;
    int64_t most_lag_us;
    size_t draining;
    loop_callback *drained;
    void *drained_data;
};

void hosts_check_start(struct hosts *hosts);
void hosts_check_stop(struct hosts *hosts);

/* A host has said something, or nothing more: who is the primary, and which standbys are fresh. */
void hosts_judge(struct hosts *hosts, struct host *host);
