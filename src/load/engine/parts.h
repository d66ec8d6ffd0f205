/* What the engine's files share. */
#pragma once

#include <math.h>

#include "load/engine/schedule.h"
#include "load/engine/transport.h"
#include "load/result/recorder.h"

enum {
    MOST_CONNECTING =
        200,           /* connections being opened at a time: more overflow a listener's queue */
    SENDS_A_TURN = 64, /* then the answers that came meanwhile are read */
    CONNECTS_A_TURN = 16,
};
#define LOAD_MOST_REQUESTS INT64_C(200000000)
#define LOAD_DRAIN_US      INT64_C(5000000)

/* How the engine sees time: the machine's, or a test's. */
struct load_clock {
    int64_t (*now_us)(void *data);
    /* Calls back for what happens within this time at most; as edge_wait(). */
    void (*wait)(void *data, struct edge_set *edges, int64_t wait_us);
    void *data;
};

enum load_user_state {
    USER_AWAY,       /* has not come yet */
    USER_PAUSING,    /* has no connection; tries again in a while */
    USER_QUEUED,     /* shall connect as soon as there are not too many at it */
    USER_CONNECTING, /* … */
    USER_IDLE,       /* has a connection and nothing under way */
    USER_BUSY,       /* has a request under way */
};

struct load_user {
    struct load_engine *engine;
    struct load_connection *connection;
    struct load_scope *scope;
    uint64_t random;
    int64_t due_us; /* of the request under way, else of the next one */
    int64_t sent_us;
    int64_t free_us;  /* since when its connection has nothing to do */
    int64_t limit_us; /* until when the answer or the connection must be there */
    int64_t session_end_us;
    struct load_user *older; /* of those that have a limit, by limit */
    struct load_user *younger;
    uint32_t position; /* steps that it has taken: those of the start, then of the mix */
    uint32_t step;     /* under way */
    uint16_t group;
    uint8_t state;
    uint8_t failures; /* connections lost or not opened since the last answer */
    bool has_limit;
    bool is_due;     /* its request shall be sent, but was not yet */
    bool is_planned; /* in dues */
    bool is_ready;   /* in ready */
    bool is_queued;  /* in queue */
    bool is_resting; /* in its group's resting */
    bool is_hopeful; /* connecting, and has not failed to since the last answer */
};

struct load_crowd {
    const struct load_group *group;
    int64_t came;
    int64_t open;
    int64_t hopeful;
    bool is_eager; /* never thinks: the next request follows the answer at once */
    /* By rate: */
    uint64_t random;
    size_t failed;            /* requests that no user could take */
    double next_us;           /* when the next ones come */
    struct load_ring resting; /* users, the one that is idle longest first */
    struct load_ring pending; /* when requests were due for which no user is free */
};

enum load_phase { PHASE_RAMP, PHASE_COUNTED, PHASE_DRAIN };

struct load_engine {
    struct ctx *ctx;
    struct arena *arena;
    const struct load_scenario *scenario;
    const struct load_options *options;
    const struct load_transport *transport;
    const struct load_clock *clock;
    struct load_record *record;
    struct load_recorder *recorder;
    struct edge_set *edges;
    void *shared; /* the transport's */
    struct load_user *users;
    struct load_crowd *crowds;  /* one for each group */
    struct load_schedule dues;  /* when users' next requests are due */
    struct load_schedule links; /* when users come, and when they try again to connect */
    struct load_ring ready;     /* users whose request is due and can be sent */
    struct load_ring queue;     /* users that shall connect */
    struct load_user *oldest;   /* the first one whose limit ends */
    struct load_user *youngest;
    int64_t connecting;
    int64_t open;
    int64_t busy;
    int64_t owed; /* users whose request is due but not sent */
    int64_t sent;
    enum load_phase phase;
    int64_t start_us;
    int64_t counted_us; /* from when it counts */
    int64_t end_us;     /* until when requests are due */
    int signal;         /* that ended the schedule, when it was to */
    bool is_cut;        /* ended by the cap on requests */
    bool has_connected;
    bool is_refused; /* the last try to connect has failed */
    int64_t refusals;
    char cause[256];       /* why the last connection could not be opened */
    const char *late;      /* "no answer within 10 s" */
    const char *late_link; /* "no connection within 10 s" */
};

static inline int64_t
load_engine_now(const struct load_engine *engine)
{
    return engine->clock->now_us(engine->clock->data);
}

/* Uniform in [0, 1). splitmix64; source: Steele, Lea, Flood 2014. */
static inline double
load_draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}

static inline double
load_draw_exponential(uint64_t *state, double mean)
{
    return -log1p(-load_draw(state)) * mean;
}

static inline struct load_crowd *
load_user_crowd(const struct load_user *user)
{
    return &user->engine->crowds[user->group];
}

static inline uint32_t
load_user_number(const struct load_user *user)
{
    return (uint32_t)(user - user->engine->users);
}

/*
 * engine.c: as load_engine_run(), of an engine whose ctx, scenario, options, transport, clock and record
 * are set.
 */
bool load_engine_run_by(struct load_engine *engine) MUST_CHECK;

/* limits.c: ERR_USAGE when there is more than may be, or than the system lets us. */
bool load_limits_check(struct ctx *ctx, const struct load_scenario *scenario,
    const struct load_options *options) MUST_CHECK;
bool load_limits_descriptors(struct ctx *ctx, int64_t users) MUST_CHECK;

/* punctual.c: this thread wakes up when it asked to, as far as the kernel lets it. */
struct load_punctual {
    uint64_t turn_ns;
    int32_t nice;
    int slack_ns;
    bool has_turn;
};
void load_punctual_begin(struct load_punctual *ret);
void load_punctual_end(const struct load_punctual *punctual);

/* plan.c: what a user does next, and when. */
/* The mean; 0: never thinks. */
double load_group_think_us(const struct load_group *group);
int64_t load_user_think(struct load_user *user);
void load_user_come(struct load_user *user, int64_t now_us);
/* After a request, however it ended at that time. */
void load_user_plan(struct load_user *user, int64_t at_us, enum load_outcome outcome);
/* Its planned time has come. */
void load_user_reach(struct load_user *user, int64_t now_us);
void load_user_set_due(struct load_user *user, int64_t due_us);
/* user.c: one of the group's mix, by weight. */
size_t load_step_drawn(const struct load_group *group, uint64_t *random);
/* By rate: takes what waits for a free user, or rests. */
void load_user_rest(struct load_user *user);

/* user.c */
void load_user_send(struct load_user *user);
/* Its request under way has had its time. */
void load_user_give_up(struct load_user *user, int64_t now_us);
/* A request that is due fails, because there is no connection. */
void load_user_fail_due(struct load_user *user, int64_t now_us);

/* link.c: connections. */
void load_link_ask(struct load_user *user, int64_t now_us);
/* The connection that was open is closed, by whomever. */
void load_link_gone(struct load_user *user);
/* It was lost, or could not be opened: tried again, at once or later. */
void load_link_lost(struct load_user *user, int64_t now_us, const char *message);
void load_links_come(struct load_engine *engine, int64_t now_us);
void load_links_open(struct load_engine *engine);
void load_links_sweep(struct load_engine *engine, int64_t now_us);
void load_limit_set(struct load_user *user, int64_t from_us);
void load_limit_clear(struct load_user *user);

/* arrivals.c: groups by rate. */
void load_arrivals_begin(struct load_engine *engine, struct load_crowd *crowd);
void load_arrivals_come(struct load_engine *engine, int64_t now_us);
/* How many of those that wait for a free user are unanswered; fails those of a group without connections. */
int64_t load_arrivals_end(struct load_engine *engine, int64_t now_us);
/* When something happens next; INT64_MAX: never. */
int64_t load_arrivals_next_us(const struct load_engine *engine);
