/*
 * Sessions of ours that want a table in the way a reader or a writer does. Each waits for one
 * table and holds nothing, so it can be part of no deadlock; what it is granted it gives back at
 * once, so it holds nobody up.
 */
#include "base/clock.h"
#include "db/ident.h"
#include "migrate/trace/observe.h"

enum { CANCEL_US = 2000000 };

static struct trace_wait *
wait_of(struct observation *observation, const struct probe *probe)
{
    struct trace_lock *lock = &observation->held.items[probe->held].lock;

    return probe->is_writer ? &lock->writer : &lock->reader;
}

bool
probes_open(struct observation *observation)
{
    const struct db_options options = { .access = ACCESS_WRITE,
        .application = "pgmend/trace probe" };
    struct probes *probes = &observation->probes;

    if (observation->tracer->options->no_probes)
        return true;
    while (probes->count < PROBE_SESSIONS) {
        struct probe *probe = &probes->items[probes->count];

        if (!db_open_like(observation->ctx, observation->tracer->target, &options, &probe->db))
            return error_wrap(observation->ctx, "opening a probing session");
        probes->count++;
    }
    return true;
}

static struct probe *
idle(struct probes *probes)
{
    for (size_t i = 0; i < probes->count; i++)
        if (!probes->items[i].is_busy)
            return &probes->items[i];
    return NULL;
}

static bool
is_waited_for(const struct observation *observation, uint32_t oid, bool is_writer)
{
    for (size_t i = 0; i < observation->probes.count; i++) {
        const struct probe *probe = &observation->probes.items[i];

        if (probe->is_busy && probe->oid == oid && probe->is_writer == is_writer)
            return true;
    }
    return false;
}

static bool
start(struct observation *observation, size_t held, bool is_writer)
{
    struct ctx *ctx = observation->ctx;
    const struct held *item = &observation->held.items[held];
    const struct trace_name *table = &item->lock.relation;
    struct probe *probe = idle(&observation->probes);
    struct trace_wait *wait;

    if (is_waited_for(observation, table->oid, is_writer))
        return true;
    /* LOCK TABLE takes no materialized view, and of a view what it reads. */
    if (!probe || (table->kind != 'r' && table->kind != 'p')) {
        observation->ret->has_probes_left_out |= !probe && observation->probes.count > 0;
        wait = is_writer ? &observation->held.items[held].lock.writer
                         : &observation->held.items[held].lock.reader;
        wait->kind = TRACE_WAIT_COMPUTED;
        return true;
    }
    if (!db_exec(ctx, probe->db, "BEGIN") ||
        !db_send(ctx, probe->db,
            arena_printf(ctx->arena, "LOCK TABLE ONLY %s IN %s MODE",
                db_qualified(ctx->arena, table->schema, table->name),
                lock_mode_name(is_writer ? LOCK_ROW_EXCLUSIVE : LOCK_ACCESS_SHARE))))
        return error_wrap(ctx, "probing %s", table->name);
    *probe = (struct probe){
        .db = probe->db,
        .is_busy = true,
        .oid = table->oid,
        .is_writer = is_writer,
        .session = item->session,
        .held = held,
    };
    return true;
}

bool
probes_start(struct observation *observation, size_t held)
{
    enum lock_mode mode = observation->held.items[held].lock.mode;
    char kind = observation->held.items[held].lock.relation.kind;

    if (kind != 'r' && kind != 'p' && kind != 'm' && kind != 'v' && kind != 'f')
        return true;
    if (mode >= LOCK_ACCESS_EXCLUSIVE && !start(observation, held, false))
        return false;
    return mode < LOCK_SHARE || kind == 'm' || kind == 'v' || start(observation, held, true);
}

/*
 * It was granted, or refused: a table that was dropped meanwhile is gone for everybody. Refused
 * while the transaction goes on it is for other reasons, which tell nothing.
 */
static bool
finish(struct observation *observation, struct probe *probe, bool is_granted, bool is_over)
{
    struct ctx *ctx = observation->ctx;
    struct held *held = &observation->held.items[probe->held];
    struct trace_wait *wait = wait_of(observation, probe);
    int64_t us = observe_now(observation) - held->from_us;

    wait->kind = is_granted || is_over ? TRACE_WAIT_MEASURED : TRACE_WAIT_COMPUTED;
    wait->us = us;
    if (is_granted && !is_over) {
        held->is_released = true;
        held->lock.held_us = us;
    }
    if (!is_granted) {
        if (ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED ||
            ctx->error.kind == ERR_CONNECTION)
            return false;
        if (is_over)
            wait->error = ctx->error.message;
        error_clear(ctx);
    }
    probe->is_busy = false;
    return db_exec(ctx, probe->db, "ROLLBACK");
}

bool
probes_take(struct observation *observation, size_t session, int64_t wait_us)
{
    int64_t end = clock_us() + wait_us;

    for (size_t i = 0; i < observation->probes.count; i++) {
        struct probe *probe = &observation->probes.items[i];
        bool is_over = probe->session == session;
        int64_t left;
        bool is_done;
        bool is_granted;

        if (!probe->is_busy)
            continue;
        is_over |= observation->held.items[probe->held].is_released;
        left = is_over ? end - clock_us() : 0;
        is_granted = db_wait(observation->ctx, probe->db, left > 0 ? left : 0, &is_done);
        if ((!is_granted || is_done) && !finish(observation, probe, is_granted, is_over))
            return false;
    }
    return true;
}

bool
probes_settle(struct observation *observation, size_t session)
{
    if (!probes_take(observation, session, PROBE_SETTLE_US))
        return false;
    for (size_t i = 0; i < observation->probes.count; i++) {
        struct probe *probe = &observation->probes.items[i];

        if (!probe->is_busy || probe->session != session)
            continue;
        wait_of(observation, probe)->kind = TRACE_WAIT_COMPUTED;
        probe->is_busy = false;
        if (db_cancel_wait(probe->db, CANCEL_US) &&
            !db_exec(observation->ctx, probe->db, "ROLLBACK"))
            return false;
    }
    return true;
}

void
probes_close(struct observation *observation)
{
    for (size_t i = 0; i < observation->probes.count; i++) {
        struct probe *probe = &observation->probes.items[i];

        if (probe->is_busy)
            (void)!db_cancel_wait(probe->db, CANCEL_US);
        db_cleanup(&probe->db);
    }
    observation->probes.count = 0;
}
