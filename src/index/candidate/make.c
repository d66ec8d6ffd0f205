/* From what a query wants of a relation to the indexes that could give it, the most promising first. */
#include "index/candidate/make.h"

#include <string.h>

static bool
keys_have(const struct candidate_keys *keys, const char *text)
{
    for (size_t i = 0; i < keys->count; i++)
        if (text_equal(keys->items[i].text, text))
            return true;
    return false;
}

void
candidate_keys_add(struct candidate_keys *keys, const struct candidate_key *key)
{
    if (keys_have(keys, key->text))
        return;
    if (keys->count == CANDIDATE_MOST_KEYS)
        keys->is_too_wide = true;
    else
        keys->items[keys->count++] = *key;
}

static bool
is_looked_up(const struct index_candidate *candidate, const char *column)
{
    for (size_t i = 0; i < candidate->key_count && candidate->keys[i].role == ROLE_EQUAL; i++)
        if (text_equal(candidate->keys[i].column, column))
            return true;
    return false;
}

/* Where a unique index finds the one row already, more keys find nothing more. */
static bool
is_one_row(const struct index_candidate *candidate)
{
    for (size_t i = 0; i < candidate->table->index_count; i++) {
        const struct fact_index *index = &candidate->table->indexes[i];
        size_t found = 0;

        if (!index->is_unique || !index->is_valid || index->predicate || index->key_count == 0)
            continue;
        while (found < index->key_count && index->keys[found].column &&
               is_looked_up(candidate, index->keys[found].column))
            found++;
        if (found == index->key_count)
            return true;
    }
    return false;
}

/* Keeps it, unless what is there does the same; the query is noted with it. */
static struct index_candidate *
put(struct candidate_wish *wish, const struct index_candidate *made)
{
    struct index_candidate *candidate;

    if (candidate_is_there(made) || is_one_row(made))
        return NULL;
    candidate = candidate_keep(wish->candidates, made);
    for (size_t i = 0; i < candidate->queries.count; i++)
        if (candidate->queries.items[i] == wish->position)
            return candidate;
    candidate_note_query(wish->candidates->arena, candidate, wish->position);
    wish->made++;
    return candidate;
}

static bool
compose(struct candidate_wish *wish, const char *method, const struct candidate_keys *keys,
    const char *predicate, struct index_candidate *ret)
{
    struct arena *arena = wish->reading->ctx->arena;

    if (keys->count == 0 || keys->is_too_wide || wish->made >= wish->most)
        return false;
    *ret = (struct index_candidate){ .table = wish->reading->relation->table,
        .method = method,
        .keys = arena_memdup(arena, keys->items, sizeof(keys->items[0]) * keys->count),
        .key_count = keys->count,
        .predicate = predicate };
    index_candidate_compose(arena, ret);
    return true;
}

/* extension may be NULL. NULL when there is none. */
static struct index_candidate *
put_keys(struct candidate_wish *wish, const char *method, const struct candidate_keys *keys,
    const char *predicate, const char *extension)
{
    struct index_candidate made;

    if (!compose(wish, method, keys, predicate, &made))
        return NULL;
    if (extension)
        text_list_add(wish->reading->ctx->arena, &made.extensions, extension);
    return put(wish, &made);
}

static bool
is_equality(const struct candidate_term *term)
{
    return term->role == ROLE_EQUAL && term->method && strcmp(term->method, "btree") == 0;
}

static bool
is_btree(const struct candidate_term *term, enum candidate_role role)
{
    return term->role == role && term->method && strcmp(term->method, "btree") == 0;
}

/* A condition that the predicate says already needs no key. */
static bool
is_said(const struct candidate_term *term, const char *predicate)
{
    const char *at = predicate && term->predicate ? strstr(predicate, term->predicate) : NULL;

    return at && (at == predicate || at[-1] == '(');
}

/* How it is to be made. */
struct way {
    const char *predicate; /* or NULL */
    bool is_covered;       /* with INCLUDE, too */
};

enum which { WHICH_ALL, WHICH_LOCAL, WHICH_LISTS };

#define NO_JOIN SIZE_MAX

/*
 * Equalities, the most selective first (terms are sorted). With WHICH_LOCAL those that are no joins, and the
 * term join; with WHICH_LISTS also those with IN, behind the others.
 */
static struct candidate_keys
equalities(const struct candidate_wish *wish, enum which which, size_t join, const char *predicate)
{
    const struct fact_table *table = wish->reading->relation->table;
    struct candidate_keys keys = { 0 };

    for (size_t i = 0; i < wish->terms.count; i++) {
        const struct candidate_term *term = &wish->terms.items[i];

        if (!is_equality(term) || is_said(term, predicate) ||
            (which == WHICH_LOCAL && term->is_join && i != join) ||
            !candidate_key_fits(table, &term->keys[0]))
            continue;
        candidate_keys_add(&keys, &term->keys[0]);
    }
    for (size_t i = 0; which == WHICH_LISTS && i < wish->terms.count; i++)
        if (is_btree(&wish->terms.items[i], ROLE_IN) &&
            !is_said(&wish->terms.items[i], predicate) &&
            candidate_key_fits(table, &wish->terms.items[i].keys[0]))
            candidate_keys_add(&keys, &wish->terms.items[i].keys[0]);
    return keys;
}

/* Also one that has all columns the query wants, where they are few. */
static void
put_with(struct candidate_wish *wish, struct candidate_keys keys, const struct candidate_key *more,
    size_t count, struct way way)
{
    struct arena *arena = wish->reading->ctx->arena;
    const struct fact_table *table = wish->reading->relation->table;
    struct index_candidate made;

    /* What stands behind a key that cannot be is of no use: neither the order nor the range goes on. */
    for (size_t i = 0; i < count && candidate_key_fits(table, &more[i]); i++)
        candidate_keys_add(&keys, &more[i]);
    /* What does not fit is left out of the tail, not the whole index. */
    keys.is_too_wide = false;
    if (!compose(wish, "btree", &keys, way.predicate, &made))
        return;
    (void)put(wish, &made);
    if (!way.is_covered || !candidate_cover(arena, wish->reading->relation, &made))
        return;
    index_candidate_compose(arena, &made);
    (void)put(wish, &made);
}

static void
put_orders(struct candidate_wish *wish, const struct candidate_keys *keys, struct way way)
{
    for (size_t i = 0; i < wish->orders.count; i++) {
        const struct candidate_order *order = &wish->orders.items[i];
        struct way shorter = { .predicate = way.predicate };

        put_with(wish, *keys, order->keys.items, order->keys.count, way);
        /* Shorter ones too: the last keys often only make the order certain, and cost room. */
        for (size_t width = order->keys.count; width > 1; width--)
            put_with(wish, *keys, order->keys.items, width - 1, shorter);
    }
}

/* The equalities alone, and with each thing that may follow them. */
static void
put_tails(struct candidate_wish *wish, const struct candidate_keys *keys, struct way way)
{
    put_orders(wish, keys, way);
    for (size_t i = 0; i < wish->terms.count; i++) {
        const struct candidate_term *term = &wish->terms.items[i];

        if ((is_btree(term, ROLE_RANGE) || is_btree(term, ROLE_IN)) &&
            !is_said(term, way.predicate))
            put_with(wish, *keys, term->keys, term->key_count, way);
    }
    put_with(wish, *keys, NULL, 0, way);
}

static void
put_sets(struct candidate_wish *wish, struct way way)
{
    static const enum which all[] = { WHICH_ALL, WHICH_LOCAL, WHICH_LISTS };
    struct candidate_keys keys;

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        keys = equalities(wish, all[i], NO_JOIN, way.predicate);
        put_tails(wish, &keys, way);
    }
    for (size_t i = 0; i < wish->terms.count; i++) {
        const struct candidate_term *term = &wish->terms.items[i];

        if (!is_equality(term) || !term->is_join)
            continue;
        keys = equalities(wish, WHICH_LOCAL, i, way.predicate);
        put_tails(wish, &keys, way);
    }
}

/* Each key alone, which wider ones grow from. */
static void
put_singles(struct candidate_wish *wish)
{
    for (size_t i = 0; i < wish->terms.count; i++) {
        const struct candidate_term *term = &wish->terms.items[i];

        if (term->method && strcmp(term->method, "btree") == 0)
            put_with(wish, (struct candidate_keys){ 0 }, term->keys, 1, (struct way){ 0 });
    }
    for (size_t i = 0; i < wish->orders.count; i++)
        put_with(wish, (struct candidate_keys){ 0 }, wish->orders.items[i].keys.items, 1,
            (struct way){ 0 });
}

static void
put_prefixes(struct candidate_wish *wish)
{
    struct candidate_keys all = equalities(wish, WHICH_ALL, NO_JOIN, NULL);

    for (size_t i = 0; i < all.count; i++) {
        struct candidate_keys one = { 0 };

        candidate_keys_add(&one, &all.items[i]);
        put_tails(wish, &one, (struct way){ 0 });
    }
    for (size_t width = 2; width < all.count; width++) {
        struct candidate_keys some = all;

        some.count = width;
        put_tails(wish, &some, (struct way){ 0 });
    }
}

static void
put_partial(struct candidate_wish *wish)
{
    static const struct candidate_keys none = { 0 };
    struct arena *arena = wish->reading->ctx->arena;
    const char *all = text_list_join(arena, &wish->predicates, ") AND (");

    if (wish->predicates.count > 1)
        put_sets(wish, (struct way){ .predicate = arena_printf(arena, "(%s)", all) });
    for (size_t i = 0; i < wish->predicates.count && i < 3; i++) {
        struct way way = { .predicate = wish->predicates.items[i],
            .is_covered = wish->predicates.count == 1 };

        put_sets(wish, way);
        put_orders(wish, &none, way);
        /* Where nothing else is asked, the column itself is as good a key as any. */
        for (size_t j = 0; j < wish->terms.count; j++) {
            const struct candidate_term *term = &wish->terms.items[j];

            if (text_equal(term->predicate, way.predicate) && term->method &&
                strcmp(term->method, "btree") == 0)
                put_with(wish, none, term->keys, term->key_count, way);
        }
    }
}

/* GIN can hold scalars too where btree_gin is installed. */
static void
put_contents_with_equality(struct candidate_wish *wish, const struct candidate_term *contents)
{
    struct candidate_keys keys = { 0 };

    if (!wish->reading->facts->gin_schema || strcmp(contents->method, "gin") != 0)
        return;
    for (size_t i = 0; i < wish->terms.count && keys.count == 0; i++) {
        const struct candidate_term *term = &wish->terms.items[i];

        if (is_equality(term) && term->keys[0].column && !term->predicate && !term->is_join &&
            candidate_key_fits(wish->reading->relation->table, &term->keys[0]))
            candidate_keys_add(&keys, &term->keys[0]);
    }
    if (keys.count == 0)
        return;
    candidate_keys_add(&keys, &contents->keys[0]);
    (void)put_keys(wish, "gin", &keys, NULL, contents->extension);
}

static void
put_other(struct candidate_wish *wish, const struct candidate_term *term)
{
    struct candidate_keys keys = { 0 };
    struct index_candidate *made;

    candidate_keys_add(&keys, &term->keys[0]);
    made = put_keys(wish, term->method, &keys, NULL, term->extension);
    if (made)
        made->is_approximate = term->is_approximate;
    for (size_t i = 0; i < wish->predicates.count && i < 2; i++) {
        made = put_keys(wish, term->method, &keys, wish->predicates.items[i], term->extension);
        if (made)
            made->is_approximate = term->is_approximate;
    }
    if (!term->is_approximate)
        put_contents_with_equality(wish, term);
}

/* A range of a big table whose rows lie in this order: a summary of its pages is nearly free. */
static void
put_brin(struct candidate_wish *wish, const struct candidate_term *term)
{
    static const double least_rows = 100000, least_correlation = 0.95, least_values = 100;
    /* Of the rows: what is updated moves away from its order. */
    static const double most_changed = 0.05;
    const struct fact_table *table = wish->reading->relation->table;
    const struct fact_column *column = term->keys[0].column && !term->keys[0].opclass
                                           ? facts_column(table, term->keys[0].column)
                                           : NULL;
    struct candidate_keys keys = { 0 };

    if (!column || table->rows < least_rows || column->distinct < least_values ||
        table->updates + table->deletes > most_changed * table->rows ||
        !(column->category == 'D' || column->category == 'N') ||
        !(column->correlation > least_correlation || column->correlation < -least_correlation))
        return;
    candidate_keys_add(&keys, &term->keys[0]);
    (void)put_keys(wish, "brin", &keys, NULL, NULL);
}

void
candidate_make_all(struct candidate_wish *wish)
{
    for (size_t i = 0; i < wish->distances.count; i++)
        put_other(wish, &wish->distances.items[i]);
    for (size_t i = 0; i < wish->terms.count; i++) {
        const struct candidate_term *term = &wish->terms.items[i];

        if (!term->method)
            continue;
        if (strcmp(term->method, "btree") != 0)
            put_other(wish, term);
        else if (term->role == ROLE_RANGE)
            put_brin(wish, term);
    }
    put_sets(wish, (struct way){ .is_covered = true });
    put_singles(wish);
    put_partial(wish);
    put_prefixes(wish);
}
