/*
 * Two threads look, so that a server that hangs does not keep the processors from being read: one of
 * them asks PostgreSQL, the other one reads /proc.
 */
#include "load/facts/facts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "load/facts/part.h"

enum { END_LIMIT_US = 12000000 };

struct load_watch {
    struct server *server; /* or NULL */
    const char *no_server; /* why there is none, or NULL: nobody asked for it */
    struct machine *machine;
    struct ticker *asking; /* or NULL */
    struct ticker *reading;
    int64_t begun_us; /* 0: not yet */
    bool is_ended;
    bool hangs; /* PostgreSQL did not answer at the end: that thread cannot be joined */
    bool was_waited_for;
};

bool
load_watch_new(struct ctx *ctx, const struct load_watch_options *options, struct load_watch **ret)
{
    struct load_watch *watch = ARENA_NEW(ctx->arena, struct load_watch);
    struct side side = { .place = SIDE_NONE };

    watch->machine = machine_new(options->target);
    if (options->db)
        watch->server = server_new(ctx->arena, options->db, &watch->no_server);
    else
        watch->no_server =
            "PostgreSQL was not watched: no database is named (--db-url or DATABASE_URL)";
    if (watch->server)
        server_find_process(ctx->arena, watch->server, &side);
    machine_set_server(watch->machine, &side);
    *ret = watch;
    if (ticker_new(ctx, machine_look, watch->machine, &watch->reading) &&
        (!watch->server || ticker_new(ctx, server_look, watch->server, &watch->asking)))
        return true;
    load_watch_free(watch);
    return false;
}

static void
ask_both(struct load_watch *watch, enum look kind)
{
    ticker_ask(watch->reading, kind);
    if (watch->asking)
        ticker_ask(watch->asking, kind);
}

void
load_watch_begin(struct load_watch *watch)
{
    if (watch->begun_us == 0)
        watch->begun_us = clock_us();
    ask_both(watch, LOOK_BEGIN);
}

void
load_watch_end(struct load_watch *watch)
{
    watch->is_ended = true;
    ask_both(watch, LOOK_END);
}

/* With the signal taken, so that the last statements are not interrupted by it. */
static void
wait_for_end(struct load_watch *watch)
{
    int signal_number = interrupt_take();

    load_watch_end(watch);
    (void)ticker_wait(watch->reading, END_LIMIT_US);
    watch->hangs = watch->asking && !ticker_wait(watch->asking, END_LIMIT_US);
    watch->was_waited_for = true;
    interrupt_put(signal_number);
}

static struct load_fact_moment *
moment_at(struct load_record *record, int64_t first, int64_t at)
{
    return at >= first && at - first < (int64_t)record->fact_moment_count
               ? &record->fact_moments[at - first]
               : NULL;
}

static void
include(int64_t from, int64_t to, int64_t *first, int64_t *last)
{
    if (from < *first)
        *first = from;
    if (to > *last)
        *last = to;
}

/* A moment for each second from the first to the last one that was seen. */
static void
tell_curve(struct ctx *ctx, const struct load_watch *watch, struct load_record *record)
{
    size_t machine_count = 0, server_count = 0;
    const struct machine_tick *machine = machine_ticks(watch->machine, &machine_count);
    const struct server_tick *server =
        watch->server && !watch->hangs ? server_ticks(watch->server, &server_count) : NULL;

    int64_t first = INT64_MAX, last = INT64_MIN;

    if (machine_count > 0)
        include(machine[0].at, machine[machine_count - 1].at, &first, &last);
    if (server_count > 0)
        include(server[0].at, server[server_count - 1].at, &first, &last);
    /* A wall clock that was set in the middle makes no curve. */
    if (last < first || last - first > LOAD_LONGEST_US / 1000000)
        return;
    record->fact_moment_count = (size_t)(last - first + 1);
    record->fact_moments =
        ARENA_ARRAY(ctx->arena, struct load_fact_moment, record->fact_moment_count);
    for (size_t i = 0; i < record->fact_moment_count; i++)
        record->fact_moments[i] =
            (struct load_fact_moment){ first + (int64_t)i, NAN, NAN, NAN, NAN, NAN };
    for (size_t i = 0; i < machine_count; i++) {
        struct load_fact_moment *moment = moment_at(record, first, machine[i].at);

        if (!moment)
            continue;
        moment->pg_cpu_share = machine[i].pg_share;
        moment->api_cpu_share = machine[i].api_share;
        moment->generator_cpu_share = machine[i].generator_share;
    }
    for (size_t i = 0; i < server_count; i++) {
        struct load_fact_moment *moment = moment_at(record, first, server[i].at);

        if (!moment)
            continue;
        moment->active = server[i].active;
        moment->lock_waits = server[i].waiting;
    }
}

static double
answered(const struct load_record *record)
{
    return (double)(load_record_count(record, LOAD_GOOD) + load_record_count(record, LOAD_FAILED) +
                    load_record_count(record, LOAD_GARBAGE));
}

bool
load_watch_facts(struct ctx *ctx, struct load_watch *watch, struct load_record *record)
{
    struct fact_sheet sheet = {
        .arena = ctx->arena,
        .values = ARENA_ARRAY(ctx->arena, double, load_fact_kind_count),
        .requests = answered(record),
    };

    wait_for_end(watch);
    for (size_t i = 0; i < load_fact_kind_count; i++)
        sheet.values[i] = NAN;
    machine_facts(watch->machine, &sheet);
    if (watch->hangs)
        fact_note(&sheet, "PostgreSQL's counters are not known: it did not answer at the end.");
    else if (watch->server)
        server_facts(watch->server, &sheet);
    else if (watch->no_server)
        fact_note(&sheet, "%s.", watch->no_server);
    tell_curve(ctx, watch, record);
    record->facts = ARENA_ARRAY(ctx->arena, struct load_fact, load_fact_kind_count);
    record->fact_count = 0;
    for (size_t i = 0; i < load_fact_kind_count; i++) {
        const struct load_fact_kind *kind = &load_fact_kinds[i];

        if (isfinite(sheet.values[i]))
            record->facts[record->fact_count++] =
                (struct load_fact){ kind->name, kind->label, kind->unit, sheet.values[i] };
    }
    record->fact_notes = sheet.notes;
    return true;
}

/* A thread that hangs keeps what it works on: the process is at its end anyway. */
void
load_watch_free(struct load_watch *watch)
{
    if (!watch)
        return;
    if (watch->reading && !watch->was_waited_for)
        wait_for_end(watch);
    if (watch->reading)
        ticker_free(watch->reading);
    machine_free(watch->machine);
    if (watch->hangs)
        return;
    if (watch->asking)
        ticker_free(watch->asking);
    server_free(watch->server);
}
