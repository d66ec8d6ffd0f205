/*
 * Many sockets watched by edges (epoll): the kernel is told of a socket once, and tells of each change once.
 * For what has thousands of them and must not pay for each; a thread of its own waits on the set.
 */
#pragma once

#include "base/ctx.h"

struct edge_set;

enum edge_event { EDGE_READ = 1, EDGE_WRITE = 2, EDGE_ENDED = 4 }; /* or-ed */

/* One socket's: a member of the caller's struct, which must live until the edge is removed. */
struct edge {
    void (*callback)(struct edge *edge, unsigned events);
    int socket; /* -1: not watched */
};

bool edge_set_new(struct ctx *ctx, struct edge_set **ret) MUST_CHECK;
void edge_set_free(struct edge_set *set);

/* Watches for reading and writing, by edges. False with errno. The socket is not ours to close. */
bool edge_add(struct edge_set *set, struct edge *edge, int socket) MUST_CHECK;
/*
 * The same by levels, told again and again until it is done: for a socket that a library reads, which need
 * not take all that is there. events: EDGE_READ, EDGE_WRITE; changed by calling it again.
 */
bool edge_level(struct edge_set *set, struct edge *edge, int socket, unsigned events) MUST_CHECK;
/* Before the socket is closed; what was told of it and is not called back yet is forgotten. */
void edge_remove(struct edge_set *set, struct edge *edge);

/*
 * Waits at most so long (to the microsecond; below zero: for ever) and calls back for all that happened.
 * Returns how many. A signal that asks us to stop ends the wait.
 */
int edge_wait(struct edge_set *set, int64_t wait_us);
