/* Wider, narrower and merged ones. */
#include <string.h>

#include "index/candidate/make.h"

/*
 * Narrowing to another's predicate would forget the queries of the first; so a partial one stays as it is when
 * keys of an unrestricted one are added to it, and loses its predicate when it is the other way round.
 */
static bool
merge_predicate(const struct index_candidate *base, const struct index_candidate *more,
    struct index_candidate *ret)
{
    if (!more || !base->predicate || !more->predicate)
        return true;
    ret->predicate = base->predicate;
    return text_equal(base->predicate, more->predicate);
}

static void
merge_include(struct arena *arena, const struct index_candidate *base,
    const struct index_candidate *more, struct index_candidate *ret)
{
    struct text_list names = { 0 };

    for (size_t i = 0; i < base->include.count; i++)
        text_list_add(arena, &names, base->include.items[i]);
    for (size_t i = 0; more && i < more->include.count; i++)
        text_list_add(arena, &names, more->include.items[i]);
    candidate_include(arena, ret, &names);
}

static void
merge_queries(struct arena *arena, const struct index_candidate *from, struct index_candidate *ret)
{
    for (size_t i = 0; from && i < from->queries.count; i++)
        candidate_note_query(arena, ret, from->queries.items[i]);
}

static bool
merge_keys(const struct index_candidates *candidates, struct arena *arena,
    const struct index_candidate *base, size_t count, const struct index_candidate *more,
    struct index_candidate *ret)
{
    struct candidate_keys keys = { 0 };

    for (size_t i = 0; i < count && i < base->key_count; i++)
        candidate_keys_add(&keys, &base->keys[i]);
    for (size_t i = 0; more && i < more->key_count; i++)
        if (!candidate_is_determined(
                candidates, base->table, keys.items, keys.count, &more->keys[i]))
            candidate_keys_add(&keys, &more->keys[i]);
    if (keys.count == 0 || keys.is_too_wide)
        return false;
    ret->keys = arena_memdup(arena, keys.items, sizeof(keys.items[0]) * keys.count);
    ret->key_count = keys.count;
    return true;
}

struct index_candidate *
index_candidate_combine(struct index_candidates *candidates, const struct index_candidate *base,
    size_t keys, const struct index_candidate *more)
{
    CLEANUP(arena_cleanup) struct arena *scratch = arena_new();
    struct index_candidate made = { .table = base->table,
        .method = base->method,
        .predicate = base->predicate,
        .options = base->options,
        .is_for_reference = base->is_for_reference && (!more || more->is_for_reference) };
    struct index_candidate *kept;

    if (strcmp(base->method, "btree") != 0 ||
        (more && (strcmp(more->method, "btree") != 0 || more->table != base->table)))
        return NULL;
    if (!merge_predicate(base, more, &made) ||
        !merge_keys(candidates, scratch, base, keys, more, &made))
        return NULL;
    merge_include(scratch, base, more, &made);
    if (made.include.count > CANDIDATE_MOST_INCLUDED)
        return NULL;
    index_candidate_compose(scratch, &made);
    if (candidate_is_there(&made))
        return NULL;
    kept = candidate_keep(candidates, &made);
    merge_queries(candidates->arena, base, kept);
    merge_queries(candidates->arena, more, kept);
    return kept;
}
