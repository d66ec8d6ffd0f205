/* What the files of watch/ share; nobody else includes this. */
#pragma once

#include "monitor/watch/cost.h"
#include "monitor/watch/gap.h"
#include "monitor/watch/watch.h"

/* What is kept about a collector between ticks. */
struct watch_slot {
    int64_t due_us;
    bool is_cut; /* a gap came after its reading of now: no rate may begin there */
};

struct watch {
    struct watched server; /* what the others see */
    struct monitor *monitor;
    struct watch_options options;
    struct arena *arena;
    struct arena *error_arena;
    struct loop_timer *tick_timer;
    struct loop_timer *connect_timer;
    struct evented *evented; /* NULL: not connected, nor about to be */
    bool is_started;
    bool is_ended;   /* is_once: all that was to be seen was seen */
    bool is_greeted; /* there is a session, and its server said who it is */
    int64_t start_us;
    int64_t slot;    /* place on the grid: start + slot × interval */
    int32_t retries; /* since the last tick that had an answer */
    int64_t ticks_answered;
    int64_t session_ticks; /* of them since it was connected */

    /* The flight. */
    struct arena *flight_arena;
    const void *text_args; /* of the question for texts; NULL: not asked */
    enum collector_id asked[COLLECTOR_COUNT];
    struct arena *asked_arenas[COLLECTOR_COUNT];
    size_t asked_count;
    int64_t sent_us;
    int64_t sent_wall_us;
    VEC(struct arena *) spare_arenas;
    struct arena *host_arenas[2];

    struct watch_slot slots[COLLECTOR_COUNT];
    struct gap_marks marks;
    struct cost cost;
    char system_identifier[GAP_IDENTIFIER_SIZE];
    double started_epoch; /* of the postmaster; 0: not known yet */
    char *data_directory; /* or NULL */
};

/* Asks what is due. The session is open, and nothing is under way. */
void watch_tick(struct watch *watch);
/* Asks the server who it is, before the first tick of a session. */
void watch_greet(struct watch *watch);

/* There was no answer, and there is no session any more. */
void watch_went_down(struct watch *watch, const struct error *error);
/* Shows the server to the others: samples, then options.ticked. */
void watch_publish(struct watch *watch);

/* Arenas of readings go round. */
struct arena *watch_take_arena(struct watch *watch);
void watch_give_arena(struct watch *watch, struct arena *arena);

/* Replies become readings; due times follow. */
void watch_absorb(struct watch *watch, const struct evented_reply *replies);
/* Another watch tells what is the same in all databases: ours would get old. */
void watch_forget_cluster(struct watch *watch);
/* Forgets what rates may not begin at. */
void watch_cut(struct watch *watch, unsigned scope);
