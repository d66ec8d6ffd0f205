/*
 * What waits: timers and sockets of one process, called back by one thread. A callback never
 * blocks; what can take long is cut into steps or done by a child process.
 */
#pragma once

#include "base/ctx.h"

struct loop;
struct loop_timer;
struct loop_watch;

typedef void loop_callback(void *data);
typedef void loop_socket_callback(void *data, bool can_read, bool can_write);

bool loop_new(struct ctx *ctx, struct loop **ret) MUST_CHECK;
void loop_free(struct loop *loop);
void loop_cleanup(struct loop **loop);

/* Until loop_stop() is called or a signal asks us to stop (then interrupt_signal() tells which). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* One that is not set yet; it lives until loop_timer_free(), which may be called from a callback. */
struct loop_timer *loop_timer_new(struct loop *loop, loop_callback *callback, void *data);
/* Calls back once, after_us from now; a time set before is forgotten. */
void loop_timer_set(struct loop_timer *timer, int64_t after_us);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer);

/* The socket is not ours to close. It is watched for nothing until loop_watch_set(). */
struct loop_watch *loop_watch_new(
    struct loop *loop, int socket, loop_socket_callback *callback, void *data);
void loop_watch_set(struct loop_watch *watch, bool for_read, bool for_write);
/*
 * For one whose other side says no more: calls back when the connection is lost altogether, and perhaps
 * once before. Until the next loop_watch_set().
 */
void loop_watch_set_loss(struct loop_watch *watch);
void loop_watch_free(struct loop_watch *watch);
