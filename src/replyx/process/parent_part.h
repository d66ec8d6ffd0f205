/* What the files of the parent share. */
#pragma once

#include <sys/types.h>

#include "replyx/process/parent.h"
#include "replyx/tally.h"

/* One byte each, on the control socket of a worker. */
enum message {
    SAY_READY = 'R',    /* it answers requests */
    SAY_ALIVE = 'A',    /* its loop turns; each second */
    SAY_RELOADED = 'L', /* settings were read */
    TELL_DRAIN = 'D',
    TELL_RELOAD = 'H',
};

struct child {
    pid_t pid; /* 0: it is to be started at start_us */
    int control;
    bool is_ready;
    bool is_reloading;
    int64_t heard_us;
    int64_t started_us;
    int64_t start_us;
    int64_t pause_us; /* before it is started again, should it die soon */
};

struct parent {
    struct ctx *ctx;
    const struct settings *settings;
    const struct program_call *call;
    int socket;
    int signals;
    struct tally *tally;
    struct child *children;
    int32_t count;
    pid_t predecessor; /* the program that we take over from, or 0 */
    pid_t successor;   /* the program that takes over from us, or 0 */
    int64_t successor_by_us;
    int64_t drain_by_us;
    int64_t watchdog_us; /* how often systemd wants to hear of us, or 0 */
    int64_t fed_us;
    bool is_serving; /* all workers were ready once */
    bool is_reloading;
    bool is_draining;
    bool is_replaced; /* by the successor, which speaks to systemd from now on */
    bool is_over;
    int status;
};

/* children.c */
void children_start(struct parent *parent);
/* Starts those that are due, kills those that are stuck; *ret_wait_us is made shorter if need be. */
void children_check(struct parent *parent, int64_t now_us, int64_t *ret_wait_us);
/* What the worker says; called when there is something to read. */
void children_hear(struct parent *parent, struct child *child);
void children_ended(struct parent *parent, struct child *child, int wait_status);
void children_tell(struct parent *parent, enum message message);
void children_kill(struct parent *parent);
bool children_are_alive(const struct parent *parent, int64_t now_us, int64_t within_us);

/* listener.c */
bool listener_open(struct ctx *ctx, const struct settings *settings, int *ret_socket) MUST_CHECK;
const char *listener_address(struct arena *arena, int socket);

/* successor.c */
void successor_start(struct parent *parent);
/* In the new program: everything answers, the one before can go. */
void successor_take_over(const struct parent *parent);
/* From the environment, which is cleaned of it. */
pid_t successor_find_predecessor(void);

/* notify.c: to systemd, if it wants to know. */
void notify_ready(const struct parent *parent);
void notify_reloading(void);
void notify_reloaded(const struct parent *parent);
void notify_stopping(void);
void notify_feed(void);
