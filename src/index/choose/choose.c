#include "index/choose/choose.h"

#include <math.h>

#include "base/clock.h"
#include "index/choose/part.h"

static const double standard_share = 0.003;

/* Part of the time in which queries with several instances are asked for their costs as things are. */
static const double share_of_first_costs = 0.3;

/* Indexes that matter to a query: its own candidates first, then others that begin with what it uses. */
enum {
    MOST_OF_A_QUERY = 300,
    MOST_OF_ALL_STARTS = 3000, /* indexes: with more of them, one start has to do */
};

void
chooser_say(struct chooser *chooser, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    VEC_PUSH(
        chooser->ctx->arena, &chooser->trail, arena_vprintf(chooser->ctx->arena, format, args));
    va_end(args);
}

void
chooser_progress(const struct chooser *chooser, const char *phase, double ratio)
{
    if (chooser->options->progress)
        chooser->options->progress(
            chooser->options->data, phase, ratio, clock_us() - chooser->started_us);
}

static void
begin_query(struct chooser *chooser, const struct choose_query *from, struct chooser_query *ret)
{
    struct arena *arena = chooser->ctx->arena;
    size_t count = from->query->instances.count;

    *ret = (struct chooser_query){
        .weight = from->weight, .before = from->before, .floor = from->before, .count = count
    };
    ret->instances = ARENA_ARRAY(arena, struct chooser_instance, count);
    for (size_t i = 0; i < count; i++) {
        const struct query_instance *instance = &from->query->instances.items[i];

        ret->instances[i] = (struct chooser_instance){
            .sql = instance->sql, .share = instance->share, .before = from->before
        };
    }
}

/* Without any new index: known when there is one instance, else asked for each. */
static bool
begin_costs(struct chooser *chooser, size_t position)
{
    struct chooser_query *query = &chooser->queries[position];
    struct id_set none = { 0 };
    struct id_set used;

    if (query->count > 1 && query->all.count > 0 && !chooser_is_past(chooser, share_of_first_costs))
        return chooser_ask(chooser, position, &none, &query->before, &used);
    for (size_t i = 0; i < query->count; i++)
        VEC_PUSH(chooser->ctx->arena, &query->instances[i].known,
            (struct known_cost){ .cost = query->before });
    return true;
}

/* Which queries use a column of a table as a key, wherever it stands. */
struct key_users {
    VEC(uint32_t) queries;
};

static void
note_users(struct chooser *chooser, struct map *users, const struct index_candidate *candidate)
{
    struct arena *arena = chooser->ctx->arena;

    for (size_t i = 0; i < candidate->key_count; i++) {
        const char *name =
            arena_printf(arena, "%s %s", candidate->table->qualified, candidate->keys[i].text);
        struct key_users *list = map_get(users, name);

        if (!list) {
            list = ARENA_NEW(arena, struct key_users);
            map_set(users, name, list);
        }
        for (size_t k = 0; k < candidate->queries.count; k++) {
            uint32_t query = (uint32_t)candidate->queries.items[k];

            if (list->queries.count == 0 || list->queries.items[list->queries.count - 1] != query)
                VEC_PUSH(arena, &list->queries, query);
        }
    }
}

static bool
has_id(const struct chooser_query *query, uint32_t id)
{
    for (size_t i = query->all.count; i > 0; i--)
        if (query->all.items[i - 1] == id)
            return true;
    return false;
}

static void
note_relevant(struct chooser *chooser, uint32_t query, uint32_t id)
{
    struct chooser_query *asked = &chooser->queries[query];

    if (query < chooser->own_count && asked->all.count < MOST_OF_A_QUERY && !has_id(asked, id))
        VEC_PUSH(chooser->ctx->arena, &asked->all, id);
}

static int
compare_ids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

/*
 * An index helps a query it was not made for when it begins with a column that the query uses. A partial
 * one does not: its predicate is another query's.
 */
static void
relate(struct chooser *chooser)
{
    struct map users = { .arena = chooser->ctx->arena };

    for (uint32_t i = 0; i < chooser->indexes.count; i++) {
        const struct index_candidate *candidate = chooser->indexes.items[i].candidate;

        note_users(chooser, &users, candidate);
        for (size_t k = 0; k < candidate->queries.count; k++)
            note_relevant(chooser, (uint32_t)candidate->queries.items[k], i);
    }
    for (uint32_t i = 0; i < chooser->indexes.count; i++) {
        const struct index_candidate *candidate = chooser->indexes.items[i].candidate;

        if (candidate->predicate || candidate->key_count == 0)
            continue;

        const struct key_users *list =
            map_get(&users, arena_printf(chooser->ctx->arena, "%s %s", candidate->table->qualified,
                                candidate->keys[0].text));

        for (size_t k = 0; list && k < list->queries.count; k++)
            note_relevant(chooser, list->queries.items[k], i);
    }
    for (size_t i = 0; i < chooser->own_count; i++)
        if (chooser->queries[i].all.count > 1)
            qsort(chooser->queries[i].all.items, chooser->queries[i].all.count, sizeof(uint32_t),
                compare_ids);
}

/* Room for a foreign key's query an index, at most. */
static bool
begin(struct chooser *chooser, const struct choose_query *queries)
{
    struct arena *arena = chooser->ctx->arena;
    size_t candidates = chooser->candidates->items.count;
    size_t room = chooser->own_count + candidates;

    chooser->queries = ARENA_ARRAY(arena, struct chooser_query, room);
    chooser->marks = ARENA_ARRAY(arena, uint64_t, room);
    chooser->query_count = chooser->own_count;
    for (size_t i = 0; i < chooser->own_count; i++)
        begin_query(chooser, &queries[i], &chooser->queries[i]);
    if (!chooser_add_candidates(chooser))
        return false;
    relate(chooser);
    for (size_t i = 0; i < chooser->own_count; i++)
        if (!begin_costs(chooser, i))
            return false;
    chooser_add_references(chooser);
    for (size_t i = 0; i < chooser->query_count; i++)
        chooser->before_total += chooser->queries[i].weight * chooser->queries[i].before;
    return true;
}

typedef bool start_function(struct chooser *chooser, struct selection *selection);

static bool
start_by_size(struct chooser *chooser, struct selection *selection)
{
    return chooser_grow(chooser, true, selection, true);
}

static bool
start_by_gain(struct chooser *chooser, struct selection *selection)
{
    return chooser_grow(chooser, false, selection, true);
}

static bool
start_from_all(struct chooser *chooser, struct selection *selection)
{
    return chooser_fill(chooser, selection) && chooser_shrink(chooser, selection, true);
}

struct start {
    start_function *run;
    const char *text;
};

/* The last one is what one-at-a-time greedy advisers do, so the answer is never worse than theirs. */
static const struct start starts[] = {
    { start_by_size, "began with what saves most for its size" },
    { start_from_all, "began with all that any statement would take, and left out" },
    { start_by_gain, "began with what saves most" },
};

/* Equal ones: the smaller. */
static bool
is_better(const struct chooser *chooser, const struct selection *a, const struct selection *b)
{
    double difference = selection_objective(b) - selection_objective(a);
    double least = 0.1 * selection_least(chooser, b);

    if (difference > least)
        return true;
    return difference > -least && a->bytes < b->bytes;
}

static bool
search(struct chooser *chooser, struct selection *ret)
{
    VEC(const char *) best_trail = { 0 };

    selection_begin(chooser, ret);
    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        struct selection selection;

        if (i > 0 && (chooser->is_out_of_time || chooser->indexes.count > MOST_OF_ALL_STARTS))
            break;
        selection_begin(chooser, &selection);
        memset(&chooser->trail, 0, sizeof(chooser->trail));
        chooser_say(chooser, "%s", starts[i].text);
        if (!starts[i].run(chooser, &selection) || !chooser_improve(chooser, &selection))
            return false;
        if (i > 0 && !is_better(chooser, &selection, ret))
            continue;
        *ret = selection;
        best_trail.items = chooser->trail.items;
        best_trail.count = chooser->trail.count;
    }
    chooser->trail.items = best_trail.items;
    chooser->trail.count = best_trail.count;
    chooser->trail.capacity = best_trail.count;
    return chooser_shake(chooser, ret);
}

static double
write_budget(const struct chooser *chooser)
{
    double share = chooser->options->most_write_cost;

    if (share <= 0)
        return INFINITY;
    return share * (write_load_of_indexes(chooser->writes) + write_load_of_rows(chooser->writes));
}

/* What there was no time for; a query whose other candidates were looked at was not passed over. */
static void
tell_untried(struct chooser *chooser, struct choice *ret)
{
    double weight = 0;

    for (size_t i = 0; i < chooser->own_count; i++) {
        const struct chooser_query *query = &chooser->queries[i];
        bool has_none = query->all.count == 0 && query->has_untried;

        if (has_none || (query->all.count > 0 && !query->is_seen))
            weight += query->weight * query->before;
        ret->unseen += has_none || (query->all.count > 0 && !query->is_seen);
    }
    ret->untried = chooser->untried;
    ret->unseen_share = chooser->before_total > 0 ? weight / chooser->before_total : 0;
    if (ret->untried > 0 || ret->unseen > 0)
        chooser_say(chooser,
            "had no time for %zu candidates, nor for %zu statements that are %.2g %% of the workload",
            ret->untried, ret->unseen, 100 * ret->unseen_share);
}

static bool
run(struct chooser *chooser, const struct choose_query *queries, struct choice *ret)
{
    struct selection selection;

    if (!begin(chooser, queries) || !chooser_prune(chooser) || !search(chooser, &selection))
        return false;
    tell_untried(chooser, ret);
    if (!chooser_complete(chooser, &selection) || !chooser_turn(chooser, &selection) ||
        !chooser_tell(chooser, &selection, ret))
        return false;
    return !chooser->options->drops_redundant ||
           chooser_find_redundant(chooser, &selection, queries, ret);
}

bool
choose_indexes(struct ctx *ctx, struct whatif *whatif, const struct choose_workload *workload,
    struct index_candidates *candidates, const struct choose_options *options, struct choice *ret)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct arena *work CLEANUP(arena_cleanup) = arena_new();
    struct write_load_options writing = { .ms_a_unit = options->ms_a_unit,
        .span_s = options->span_s };
    struct chooser chooser = {
        .ctx = ctx,
        .whatif = whatif,
        .candidates = candidates,
        .options = options,
        .writes = write_load_new(
            ctx->arena, candidates->facts, workload->items, workload->count, &writing),
        .own_count = workload->count,
        .by_definition = { .arena = ctx->arena },
        .by_table = { .arena = ctx->arena },
        .least_share = options->least_share > 0 ? options->least_share : standard_share,
        .started_us = clock_us(),
        .banned = UINT32_MAX,
        .kept = UINT32_MAX,
        .scratch = scratch,
        .work = work,
    };

    *ret = (struct choice){ 0 };
    chooser.write_budget = write_budget(&chooser);
    if (!run(&chooser, workload->items, ret))
        return error_wrap(ctx, "choosing indexes");
    return true;
}
