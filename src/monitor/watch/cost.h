/*
 * What watching costs the server, measured by ourselves, and how much less often it is asked while
 * that is more than was allowed.
 */
#pragma once

#include "db/evented.h"

struct cost {
    double most_ratio;
    double busy_us; /* recent ticks, the newest counting most */
    double wall_us;
    int32_t ticks;          /* since the intervals were changed */
    int32_t slowed;         /* intervals are doubled so many times */
    int64_t least_first_us; /* the way to the server and back, at most */
    int64_t cpu_ns;         /* of the server's process at the tick before; 0: not known */
    int cpu_pid;
};

/*
 * After a tick; wall_us since the one before. The server's process is asked when it is on this
 * machine, from its second tick on; else the time of the answers is an upper bound. True: cost->slowed changed.
 */
bool cost_note(struct cost *cost, const struct evented_reply *replies, size_t count,
    int64_t wall_us, int local_pid);
double cost_ratio(const struct cost *cost);
