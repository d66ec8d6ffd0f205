/* The candidates known so far: each definition once. */
#include <string.h>

#include "index/candidate/make.h"

void
index_candidates_begin(struct arena *arena, const struct facts *facts, struct index_candidates *ret)
{
    *ret = (struct index_candidates){
        .arena = arena, .facts = facts, .by_definition = { .arena = arena }
    };
}

static const char *
key_of(struct arena *arena, const struct index_candidate *candidate)
{
    return arena_printf(arena, "%s %s", candidate->table->qualified, candidate->definition);
}

/* An order that one query wants of a key counts more than that another one looks it up. */
static void
merge_roles(struct index_candidate *known, const struct index_candidate *candidate)
{
    for (size_t i = 0; i < known->key_count; i++)
        if (candidate->keys[i].role == ROLE_ORDER)
            known->keys[i].role = ROLE_ORDER;
}

static const char *
kept(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

/* Made in an arena that ends with the query: all of it is copied but what belongs to the facts. */
static struct index_candidate *
copy(struct arena *arena, const struct index_candidate *candidate)
{
    struct index_candidate *copy = arena_memdup(arena, candidate, sizeof(*candidate));

    copy->keys =
        arena_memdup(arena, candidate->keys, sizeof(candidate->keys[0]) * candidate->key_count);
    for (size_t i = 0; i < copy->key_count; i++) {
        copy->keys[i].text = kept(arena, copy->keys[i].text);
        copy->keys[i].column = kept(arena, copy->keys[i].column);
        copy->keys[i].collation = kept(arena, copy->keys[i].collation);
        copy->keys[i].opclass = kept(arena, copy->keys[i].opclass);
    }
    copy->include = (struct text_list){ 0 };
    for (size_t i = 0; i < candidate->include.count; i++)
        text_list_add(arena, &copy->include, kept(arena, candidate->include.items[i]));
    copy->extensions = (struct text_list){ 0 };
    for (size_t i = 0; i < candidate->extensions.count; i++)
        text_list_add(arena, &copy->extensions, kept(arena, candidate->extensions.items[i]));
    copy->predicate = kept(arena, candidate->predicate);
    copy->options = kept(arena, candidate->options);
    memset(&copy->queries, 0, sizeof(copy->queries));
    index_candidate_compose(arena, copy);
    return copy;
}

struct index_candidate *
candidate_keep(struct index_candidates *candidates, const struct index_candidate *candidate)
{
    CLEANUP(arena_cleanup) struct arena *scratch = arena_new();
    struct index_candidate *known = map_get(&candidates->by_definition, key_of(scratch, candidate));

    if (known) {
        merge_roles(known, candidate);
        known->is_for_reference = known->is_for_reference && candidate->is_for_reference;
        return known;
    }
    known = copy(candidates->arena, candidate);
    map_set(&candidates->by_definition, key_of(candidates->arena, known), known);
    VEC_PUSH(candidates->arena, &candidates->items, known);
    return known;
}

bool
candidate_is_there(const struct index_candidate *candidate)
{
    for (size_t i = 0; i < candidate->table->index_count; i++)
        if (index_candidate_is_served(candidate, &candidate->table->indexes[i]))
            return true;
    return false;
}

void
candidate_note_query(struct arena *arena, struct index_candidate *candidate, size_t position)
{
    size_t at = candidate->queries.count;

    while (at > 0 && candidate->queries.items[at - 1] > position)
        at--;
    if (at > 0 && candidate->queries.items[at - 1] == position)
        return;
    VEC_PUSH(arena, &candidate->queries, position);
    for (size_t i = candidate->queries.count - 1; i > at; i--)
        candidate->queries.items[i] = candidate->queries.items[i - 1];
    candidate->queries.items[at] = position;
}
