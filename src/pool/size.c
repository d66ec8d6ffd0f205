/* From what was measured to numbers of connections; each step leaves its sentence. */
#include <math.h>

#include "pool/advice.h"

/* One request in a hundred may wait for a connection. */
static const double most_waiting = 0.01;

enum { MOST_COUNT = 100000 };

/*
 * B(0) = 1, B(k) = a B(k-1) / (k + a B(k-1)); C = B / (1 - a/c (1 - B)): the usual recursion, which does
 * not overflow.
 */
double
pool_wait_ratio(double load, int64_t count)
{
    double blocked = 1;

    if (load <= 0)
        return count > 0 ? 0 : 1;
    if (load >= (double)count)
        return 1;
    for (int64_t k = 1; k <= count; k++)
        blocked = load * blocked / ((double)k + load * blocked);
    return blocked / (1 - load / (double)count * (1 - blocked));
}

int64_t
pool_count_for(double load, double most_ratio)
{
    double blocked = 1;

    for (int64_t k = 1; k < MOST_COUNT; k++) {
        blocked = load * blocked / ((double)k + load * blocked);
        if (load < (double)k && blocked / (1 - load / (double)k * (1 - blocked)) <= most_ratio)
            return k;
    }
    return MOST_COUNT;
}

const char *
pool_verdict_name(enum pool_verdict verdict)
{
    static const char *const names[] = { [POOL_FITS] = "fits",
        [POOL_NEEDS_POOLER] = "needs a pooler",
        [POOL_TOO_SMALL] = "too few connections",
        [POOL_OVERLOADED] = "overloaded" };

    return names[verdict];
}

static int64_t
least_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
most_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void PRINTF_LIKE(3, 4)
    say(struct arena *arena, struct pool_advice *advice, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_list_add(arena, &advice->reasons, arena_vprintf(arena, format, args));
    va_end(args);
}

static void
find_needed(struct arena *arena, const struct pool_load *load, const struct pool_limits *limits,
    struct pool_advice *advice)
{
    double measured = load->in_use;

    say(arena, advice,
        "%.2f connections were in use on average: %.2f ran a statement, %.2f were idle in a "
        "transaction (%lld samples in %.1f s, 95 %% of them at most %.0f, the highest %lld)",
        load->in_use, load->active, load->in_transaction, (long long)load->samples, load->seconds,
        load->in_use_p95, (long long)load->in_use_peak);
    if (load->transactions_per_second > 0)
        say(arena, advice,
            "%.1f transactions a second, so one holds its connection for %.1f ms (Little's law: "
            "%.2f / %.1f)",
            load->transactions_per_second, load->hold_seconds * 1000, load->in_use,
            load->transactions_per_second);
    if (load->knows_statements)
        say(arena, advice,
            "%.1f statements a second of %.2f ms each keep %.2f connections busy (Little's law: "
            "%.1f x %.5f)",
            load->statements_per_second, load->statement_seconds * 1000, load->busy,
            load->statements_per_second, load->statement_seconds);
    if (load->knows_statements && load->busy > measured) {
        measured = load->busy;
        say(arena, advice, "the higher of the two counts: %.2f", measured);
    }
    advice->load = measured * limits->growth;
    if (limits->growth != 1)
        say(arena, advice, "for %.2f times that load: %.2f", limits->growth, advice->load);
    advice->needed = pool_count_for(advice->load, most_waiting);
    advice->wait_ratio = pool_wait_ratio(advice->load, advice->needed);
    say(arena, advice,
        "with %lld connections for all together %.1f %% of requests that arrive at random wait for one "
        "(Erlang's formula)",
        (long long)advice->needed, advice->wait_ratio * 100);
}

static void
find_available(struct arena *arena, const struct pool_load *load, const struct pool_limits *limits,
    struct pool_advice *advice)
{
    advice->available = limits->most_connections - limits->reserved - load->others_peak;
    say(arena, advice,
        "max_connections %lld, less %lld reserved, less %lld of others: %lld are there for this "
        "database",
        (long long)limits->most_connections, (long long)limits->reserved,
        (long long)load->others_peak, (long long)advice->available);
    if (load->direct_peak > 0)
        say(arena, advice, "%lld of the others follow the flags of replyx-api, past any pooler",
            (long long)load->direct_peak);
    if (limits->database_limit >= 0 && limits->database_limit < advice->available) {
        advice->available = limits->database_limit;
        say(arena, advice, "the database is limited to %lld", (long long)advice->available);
    }
    if (limits->role_limit >= 0 && limits->role_limit < advice->available) {
        advice->available = limits->role_limit;
        say(arena, advice, "the role is limited to %lld", (long long)advice->available);
    }
    advice->available = most_of(advice->available, 0);
}

/*
 * Twice as many that run as there are processors, and one for the disk: the rule of PostgreSQL's wiki
 * ("Number Of Database Connections"). Those that are idle in a transaction come on top in proportion.
 */
static void
find_useful(struct arena *arena, const struct pool_load *load, const struct pool_limits *limits,
    struct pool_advice *advice)
{
    double running = load->active - load->waiting;

    if (limits->cpus == 0) {
        say(arena, advice,
            "the server's processors are not known (--cpus): no upper bound by them");
        return;
    }

    double most_running = 2 * (double)limits->cpus + 1;
    double share = load->in_use > 0 && running > 0 ? running / load->in_use : 1;

    advice->useful = (int64_t)ceil(most_running / fmin(1, share));
    advice->useful = least_of(advice->useful, MOST_COUNT);
    say(arena, advice,
        "%lld processors do %.0f statements at a time (2 x %lld + 1) and %.0f %% of the connections "
        "in use run one without waiting for a lock: more than %lld connections would only wait "
        "inside of the server",
        (long long)limits->cpus, most_running, (long long)limits->cpus, share * 100,
        (long long)advice->useful);
    if (running * limits->growth > most_running)
        advice->verdict = POOL_OVERLOADED;
}

/* Each process has a pool of its own, and the dice fall for each alone: together they need more. */
static void
find_process(struct arena *arena, const struct pool_load *load, const struct pool_limits *limits,
    struct pool_advice *advice)
{
    int64_t processes = limits->processes;
    int64_t peak = (int64_t)ceil((double)load->in_use_peak * limits->growth);
    struct pool_size *process = &advice->process;
    int64_t most =
        advice->useful > 0 ? least_of(advice->useful, advice->available) : advice->available;

    process->size = pool_count_for(advice->load / (double)processes, most_waiting);
    process->overflow = most_of(
        (3 * peak + 2 * processes - 1) / (2 * processes) - process->size, (process->size + 1) / 2);
    say(arena, advice,
        "%lld process%s: %.2f in use in each, so pool_size %lld; max_overflow %lld for one and a half "
        "times its share of the highest that was seen",
        (long long)processes, processes == 1 ? "" : "es", advice->load / (double)processes,
        (long long)process->size, (long long)process->overflow);
    if (processes * process->size > most) {
        process->size = most_of(most / processes, 1);
        say(arena, advice, "%lld are useful and available: pool_size %lld", (long long)most,
            (long long)process->size);
    }
    if (processes * (process->size + process->overflow) > advice->available) {
        process->overflow = most_of(advice->available / processes - process->size, 0);
        say(arena, advice, "no more than %lld are available: max_overflow %lld",
            (long long)advice->available, (long long)process->overflow);
    }
    advice->total = processes * (process->size + process->overflow);
}

static void
find_verdict(struct arena *arena, const struct pool_load *load, const struct pool_limits *limits,
    struct pool_advice *advice)
{
    double each = advice->load / (double)limits->processes;

    if (advice->available < advice->needed)
        advice->verdict = POOL_TOO_SMALL;
    else if (advice->verdict == POOL_FITS &&
             (advice->total > advice->available ||
                 limits->processes * pool_count_for(each, most_waiting) > advice->available))
        advice->verdict = POOL_NEEDS_POOLER;
    if (advice->verdict == POOL_TOO_SMALL)
        say(arena, advice,
            "%lld connections are not enough: raise max_connections, let others have fewer, or hold "
            "connections for a shorter time",
            (long long)advice->available);
    if (advice->verdict == POOL_NEEDS_POOLER)
        say(arena, advice,
            "pools of %lld processes do not fit into %lld connections, one pooler for all does: %lld",
            (long long)limits->processes, (long long)advice->available, (long long)advice->needed);
    if (advice->verdict == POOL_OVERLOADED)
        say(arena, advice,
            "more statements run at a time than the processors can do: more connections make all of "
            "them slower; make the statements cheaper first");
    if (load->in_transaction > load->active && load->in_transaction >= 0.5)
        say(arena, advice,
            "most connections in use are idle in a transaction: ending transactions before other work "
            "(calls of other services, rendering) would free %.1f of them",
            load->in_transaction);
    if (load->waiting >= 0.5)
        say(arena, advice,
            "%.1f connections wait for a lock on average: more connections do not help them",
            load->waiting);
    if (load->in_use < 0.05)
        say(arena, advice,
            "next to nothing happened while it was measured: measure under the usual load");
}

void
pool_advise(struct arena *arena, const struct pool_load *load, const struct pool_limits *limits,
    struct pool_advice *ret)
{
    *ret = (struct pool_advice){ 0 };
    find_needed(arena, load, limits, ret);
    find_available(arena, load, limits, ret);
    find_useful(arena, load, limits, ret);
    find_process(arena, load, limits, ret);
    find_verdict(arena, load, limits, ret);
}
