/* Replies become readings: the one before is kept for rates, and arenas go round. */
#include "base/log.h"
#include "monitor/collect/text.h"
#include "monitor/watch/watch_part.h"

/* What cannot work until somebody changes something is asked again after a minute. */
enum { REFUSED_US = 60000000 };

struct arena *
watch_take_arena(struct watch *watch)
{
    if (watch->spare_arenas.count == 0)
        return arena_new();
    return watch->spare_arenas.items[--watch->spare_arenas.count];
}

void
watch_give_arena(struct watch *watch, struct arena *arena)
{
    if (!arena)
        return;
    arena_reset(arena);
    VEC_PUSH(watch->arena, &watch->spare_arenas, arena);
}

static void
forget(struct watch *watch, struct reading *reading)
{
    watch_give_arena(watch, reading->arena);
    *reading = (struct reading){ 0 };
}

static bool
is_lasting(const struct error *error)
{
    static const char *const states[] = {
        "42501", /* rights */
        "42P01", /* no such table, function, column, schema: an extension that is not there */
        "42883", "42703", "3F000", "0A000", /* not supported */
        "55000",                            /* pg_stat_statements is not loaded */
        "57014", /* too slow for statement_timeout: the server has better things to do */
    };

    for (size_t i = 0; i < COUNT_OF(states); i++)
        if (text_equal(error->sqlstate, states[i]))
            return true;
    return error->kind == ERR_UNSUPPORTED || error->kind == ERR_RIGHTS;
}

static int64_t
interval_of(const struct watch *watch, enum collector_id id)
{
    int64_t interval = watch->options.intervals_us[id];

    if (interval == 0)
        interval = collectors[id].interval_us;
    return interval << watch->cost.slowed;
}

/* Rates are made of these; of the others the reading before is only memory. */
static bool
has_rates(enum collector_id id)
{
    static const bool rates[COLLECTOR_COUNT] = {
        [COLLECT_SERVER] = true,
        [COLLECT_DATABASE] = true,
        [COLLECT_STATEMENTS_INFO] = true,
        [COLLECT_STATEMENT] = true,
        [COLLECT_CHECKPOINT] = true,
        [COLLECT_WAL] = true,
    };

    return rates[id];
}

static void
absorb_one(struct watch *watch, enum collector_id id, struct arena *arena,
    const struct evented_reply *reply, int64_t after_us)
{
    struct reading *now = &watch->server.now[id];
    struct reading *before = &watch->server.before[id];
    struct watch_slot *slot = &watch->slots[id];
    int64_t wait = interval_of(watch, id);

    /* The last good one stays for rates, however many failed since. */
    if (now->is_good && !slot->is_cut && has_rates(id)) {
        watch_give_arena(watch, before->arena);
        *before = *now;
    } else {
        watch_give_arena(watch, now->arena);
    }
    slot->is_cut = false;
    *now = (struct reading){
        .arena = arena,
        .is_known = true,
        .is_good = reply->is_good,
        .is_fresh = true,
        .error = reply->error,
        .rows = reply->rows,
        .at_us = watch->sent_us + after_us,
        .at_wall_us = watch->sent_wall_us + after_us,
        .elapsed_us = reply->elapsed_us,
    };
    if (!reply->is_good && is_lasting(&reply->error)) {
        if (!now->error.hint || now->error.kind == ERR_RIGHTS)
            now->error.hint = collectors[id].needs ? collectors[id].needs : now->error.hint;
        wait = wait > REFUSED_US ? wait : (int64_t)REFUSED_US;
    }
    slot->due_us = watch->sent_us + wait;
    if (!reply->is_good)
        log_debug("%s: %s", watch->server.name, reply->error.message);
}

void
watch_absorb(struct watch *watch, const struct evented_reply *replies)
{
    int64_t after_us = 0;

    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        watch->server.now[i].is_fresh = false;
    for (size_t i = 0; i < watch->asked_count; i++) {
        after_us += replies[i].elapsed_us;
        absorb_one(watch, watch->asked[i], watch->asked_arenas[i], &replies[i], after_us);
        watch->asked_arenas[i] = NULL;
    }
    if (watch->text_args) {
        const struct evented_reply *reply = &replies[watch->asked_count];

        statement_texts_take(
            watch->server.texts, watch->text_args, reply->is_good ? &reply->rows : NULL);
        watch->text_args = NULL;
    }
    watch->asked_count = 0;
}

void
watch_forget_cluster(struct watch *watch)
{
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        if (!collectors[i].is_of_cluster)
            continue;
        forget(watch, &watch->server.now[i]);
        forget(watch, &watch->server.before[i]);
        watch->slots[i] = (struct watch_slot){ 0 };
    }
}

static unsigned
scope_of(enum collector_id id)
{
    if (id == COLLECT_STATEMENT || id == COLLECT_STATEMENTS_INFO)
        return GAP_ALL | GAP_STATEMENT;
    if (id == COLLECT_TABLE || id == COLLECT_INDEX)
        return GAP_ALL | GAP_DATABASE;
    return GAP_ALL;
}

void
watch_cut(struct watch *watch, unsigned scope)
{
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        if (!(scope_of((enum collector_id)i) & scope))
            continue;
        forget(watch, &watch->server.before[i]);
        watch->slots[i].is_cut = !watch->server.now[i].is_fresh;
        /* What is old is read anew, so that rates begin again soon. */
        if (watch->slots[i].is_cut && watch->server.now[i].is_good)
            watch->slots[i].due_us = 0;
    }
    if (scope & GAP_ALL)
        watch->server.host_before = (struct host_facts){ 0 };
}
