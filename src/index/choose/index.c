/* The indexes that may be chosen, each once, and which can stand for which. */
#include <math.h>

#include "index/choose/part.h"

enum { STANDARD_WIDTH = 6 };

/* Part of the time in which candidates are made known, the most promising first. */
static const double share_of_time = 0.25;

struct id_cell {
    uint32_t id;
};

/* Names of the columns decide; two opclasses or collations of one column are two keys. */
static bool
is_same_key(const struct candidate_key *a, const struct candidate_key *b, bool is_inverted)
{
    return text_equal(a->text, b->text) && text_equal(a->opclass, b->opclass) &&
           text_equal(a->collation, b->collation) &&
           (a->is_descending != b->is_descending) == is_inverted &&
           (a->is_nulls_first != b->is_nulls_first) == is_inverted;
}

static bool
has_column(const struct index_candidate *candidate, const char *name)
{
    for (size_t i = 0; i < candidate->key_count; i++)
        if (text_equal(candidate->keys[i].column, name))
            return true;
    return text_list_has(&candidate->include, name);
}

/* An index read backwards gives the inverted order of all keys. */
static bool
has_same_first_keys(const struct index_candidate *wide, const struct index_candidate *narrow)
{
    bool is_inverted = wide->keys[0].is_descending != narrow->keys[0].is_descending;

    for (size_t i = 0; i < narrow->key_count; i++)
        if (!is_same_key(&wide->keys[i], &narrow->keys[i], is_inverted))
            return false;
    return true;
}

bool
chooser_is_wider(const struct chooser *chooser, uint32_t wide_id, uint32_t narrow_id)
{
    const struct index_candidate *wide = chooser->indexes.items[wide_id].candidate;
    const struct index_candidate *narrow = chooser->indexes.items[narrow_id].candidate;

    if (wide->table != narrow->table || !text_equal(wide->method, "btree") ||
        !text_equal(narrow->method, "btree") || narrow->key_count == 0 ||
        wide->key_count < narrow->key_count || !has_same_first_keys(wide, narrow))
        return false;
    if (wide->predicate && !text_equal(wide->predicate, narrow->predicate))
        return false;
    for (size_t i = 0; i < narrow->include.count; i++)
        if (!has_column(wide, narrow->include.items[i]))
            return false;
    return wide->key_count > narrow->key_count || wide->include.count > narrow->include.count ||
           (!wide->predicate && narrow->predicate);
}

const char *
chooser_index_text(const struct chooser *chooser, uint32_t id)
{
    const struct index_candidate *candidate = chooser->indexes.items[id].candidate;

    return arena_printf(
        chooser->ctx->arena, "%s %s", candidate->table->qualified, candidate->definition);
}

static void
link_relatives(struct chooser *chooser, uint32_t id)
{
    struct arena *arena = chooser->ctx->arena;
    const char *table = chooser->indexes.items[id].candidate->table->qualified;
    struct id_list *list = map_get(&chooser->by_table, table);

    if (!list) {
        list = ARENA_NEW(arena, struct id_list);
        map_set(&chooser->by_table, table, list);
    }
    for (size_t i = 0; i < list->ids.count; i++) {
        uint32_t other = list->ids.items[i];

        if (chooser_is_wider(chooser, id, other)) {
            VEC_PUSH(arena, &chooser->indexes.items[id].narrower, other);
            VEC_PUSH(arena, &chooser->indexes.items[other].wider, id);
        } else if (chooser_is_wider(chooser, other, id)) {
            VEC_PUSH(arena, &chooser->indexes.items[other].narrower, id);
            VEC_PUSH(arena, &chooser->indexes.items[id].wider, other);
        }
    }
    VEC_PUSH(arena, &list->ids, id);
}

static bool
make_known(struct chooser *chooser, struct index_candidate *candidate, uint32_t *ret_id)
{
    struct chooser_index index = { .candidate = candidate };
    struct fact_index_size size = { 0 };
    size_t most = chooser->options->most_width ? chooser->options->most_width : STANDARD_WIDTH;
    const char *problem = NULL;

    if (candidate->key_count > most)
        return true;
    facts_index_size(chooser->candidates->facts, candidate->table, candidate, &size);
    if (!whatif_add(chooser->ctx, chooser->whatif, candidate, size.bytes, &index.number, &problem))
        return false;
    if (index.number == 0)
        return true;
    index.bytes = size.bytes;
    index.write_cost = write_load_cost(chooser->writes, candidate, &index.lost_hot);
    *ret_id = (uint32_t)chooser->indexes.count;
    VEC_PUSH(chooser->ctx->arena, &chooser->indexes, index);
    link_relatives(chooser, *ret_id);
    return true;
}

/* The index of a candidate, made known when it is new; UINT32_MAX: it cannot be had. */
static bool
add_index(struct chooser *chooser, struct index_candidate *candidate, uint32_t *ret_id)
{
    struct arena *arena = chooser->ctx->arena;
    const char *key =
        arena_printf(arena, "%s %s", candidate->table->qualified, candidate->definition);
    struct id_cell *cell = map_get(&chooser->by_definition, key);

    if (!cell) {
        cell = ARENA_NEW(arena, struct id_cell);
        cell->id = UINT32_MAX;
        if (!make_known(chooser, candidate, &cell->id))
            return error_wrap(chooser->ctx, "trying an index on %s", candidate->table->qualified);
        map_set(&chooser->by_definition, key, cell);
    }
    *ret_id = cell->id;
    return true;
}

/* A candidate with its place in the order of trying. */
struct turn {
    struct index_candidate *candidate;
    double promise; /* weighted cost of the queries that it was made for, for each of its columns */
    size_t position;
};

static int
compare_turns(const void *a, const void *b)
{
    const struct turn *left = a;
    const struct turn *right = b;

    if (left->promise != right->promise)
        return left->promise < right->promise ? 1 : -1;
    return (left->position > right->position) - (left->position < right->position);
}

/* An index with more columns than another one comes after it, unless more queries asked for it. */
static double
promise_of(const struct chooser *chooser, const struct index_candidate *candidate)
{
    double sum = 0;

    /* The user asked for those of foreign keys. */
    if (candidate->is_for_reference && candidate->queries.count == 0)
        return INFINITY;
    for (size_t i = 0; i < candidate->queries.count; i++) {
        const struct chooser_query *query = &chooser->queries[candidate->queries.items[i]];

        sum += query->weight * query->before;
    }
    return sum / (double)(candidate->key_count + candidate->include.count + 1);
}

bool
chooser_add_candidates(struct chooser *chooser)
{
    size_t count = chooser->candidates->items.count;
    struct turn *turns = ARENA_ARRAY(chooser->ctx->arena, struct turn, count + 1);
    uint32_t ignored;
    size_t tried = 0;

    for (size_t i = 0; i < count; i++)
        turns[i] = (struct turn){ .candidate = chooser->candidates->items.items[i],
            .promise = promise_of(chooser, chooser->candidates->items.items[i]),
            .position = i };
    if (count > 1)
        qsort(turns, count, sizeof(*turns), compare_turns);
    for (; tried < count && !chooser_is_past(chooser, share_of_time); tried++) {
        if (!add_index(chooser, turns[tried].candidate, &ignored))
            return false;
        chooser_progress(chooser, "trying candidates", (double)tried / (double)count);
    }
    chooser->untried = count - tried;
    for (size_t i = tried; i < count; i++)
        for (size_t k = 0; k < turns[i].candidate->queries.count; k++)
            chooser->queries[turns[i].candidate->queries.items[k]].has_untried = true;
    return true;
}

/* Every query that one of the two could matter to; new ones have the greatest number: lists stay in order. */
static void
touch(struct chooser *chooser, uint32_t id, uint32_t base, uint32_t more)
{
    struct arena *arena = chooser->ctx->arena;

    for (size_t i = 0; i < chooser->query_count; i++) {
        struct chooser_query *query = &chooser->queries[i];
        struct id_set all = ID_SET(&query->all);

        if (!id_set_has(&all, base) && !id_set_has(&all, more))
            continue;
        VEC_PUSH(arena, &query->useful, id);
        VEC_PUSH(arena, &query->all, id);
        VEC_PUSH(arena, &chooser->indexes.items[id].touches, (uint32_t)i);
    }
}

bool
chooser_add_made(
    struct chooser *chooser, struct index_candidate *candidate, uint32_t base, uint32_t more)
{
    size_t count = chooser->indexes.count;
    uint32_t id = UINT32_MAX;

    if (!candidate)
        return true;
    if (!add_index(chooser, candidate, &id))
        return false;
    if (id == UINT32_MAX || id < count)
        return true;
    chooser->indexes.items[id].is_useful = true;
    touch(chooser, id, base, more);
    return true;
}
