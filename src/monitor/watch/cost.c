#include "monitor/watch/cost.h"

enum {
    TICKS_TO_SLOW = 6,
    TICKS_TO_QUICKEN = 12,
    MOST_DOUBLINGS = 6,
    PATH_SIZE = 64,
};

/* A tick counts for half after seven more. */
static const double decay = 0.9;
/* Twice as often may cost twice as much; some room is left, so that it does not swing. */
static const double quick_share = 0.4;

/* Nanoseconds on a CPU: the first number of schedstat; 0 where the kernel has none. */
static int64_t
process_cpu_ns(int pid)
{
    char path[PATH_SIZE];
    char line[PATH_SIZE];
    int64_t ns = 0;

    snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);

    FILE *file = fopen(path, "re");

    if (!file)
        return 0;
    if (fgets(line, sizeof(line), file))
        ns = strtoll(line, NULL, 10);
    fclose(file);
    return ns;
}

static int64_t
answer_time(struct cost *cost, const struct evented_reply *replies, size_t count)
{
    int64_t sum = 0;
    int64_t first = count > 0 ? replies[0].elapsed_us : 0;

    for (size_t i = 0; i < count; i++)
        sum += replies[i].elapsed_us;
    if (cost->least_first_us == 0 || first < cost->least_first_us)
        cost->least_first_us = first;
    return sum - cost->least_first_us;
}

static double
busy_time(struct cost *cost, const struct evented_reply *replies, size_t count, int64_t ns)
{
    int64_t answers = answer_time(cost, replies, count);
    int64_t before = cost->cpu_ns;

    cost->cpu_ns = ns;
    if (ns <= 0 || ns < before)
        return (double)answers;
    return (double)(ns - before) / 1000;
}

static void
begin_anew(struct cost *cost)
{
    cost->ticks = 0;
    cost->busy_us = 0;
    cost->wall_us = 0;
}

bool
cost_note(struct cost *cost, const struct evented_reply *replies, size_t count, int64_t wall_us,
    int local_pid)
{
    int64_t ns = local_pid > 0 ? process_cpu_ns(local_pid) : 0;

    if (ns > 0 && local_pid != cost->cpu_pid) {
        /* A session's beginning (connecting, reading everything for the first time) is paid once. */
        cost->cpu_pid = local_pid;
        cost->cpu_ns = ns;
        return false;
    }
    cost->busy_us = cost->busy_us * decay + busy_time(cost, replies, count, ns);
    cost->wall_us = cost->wall_us * decay + (double)wall_us;
    cost->ticks++;
    if (cost->ticks >= TICKS_TO_SLOW && cost_ratio(cost) > cost->most_ratio &&
        cost->slowed < MOST_DOUBLINGS) {
        cost->slowed++;
        begin_anew(cost);
        return true;
    }
    if (cost->ticks >= TICKS_TO_QUICKEN && cost->slowed > 0 &&
        cost_ratio(cost) < cost->most_ratio * quick_share) {
        cost->slowed--;
        begin_anew(cost);
        return true;
    }
    return false;
}

double
cost_ratio(const struct cost *cost)
{
    return cost->wall_us > 0 ? cost->busy_us / cost->wall_us : 0;
}
