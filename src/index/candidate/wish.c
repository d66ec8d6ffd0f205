#include "index/candidate/wish.h"

#include <stdlib.h>
#include <string.h>

/* More branches of an OR than this are not looked up one by one. */
enum { MOST_BRANCHES = 12 };

static double
distinct_for_sort(const struct candidate_wish *wish, const struct candidate_term *term)
{
    double rows = wish->reading->relation->table->rows;

    /* What nothing is known of is as good as a key: statistics say where it is not. */
    return term->distinct > 0 ? term->distinct : (rows > 1000 ? rows : 1000);
}

/* The most selective first; of the same the one that is written first. */
static void
sort_terms(struct candidate_wish *wish)
{
    for (size_t i = 1; i < wish->terms.count; i++) {
        struct candidate_term term = wish->terms.items[i];
        double distinct = distinct_for_sort(wish, &term);
        size_t at = i;

        while (at > 0 && distinct_for_sort(wish, &wish->terms.items[at - 1]) < distinct) {
            wish->terms.items[at] = wish->terms.items[at - 1];
            at--;
        }
        wish->terms.items[at] = term;
    }
}

static void
find_predicates(struct candidate_wish *wish)
{
    struct arena *arena = wish->reading->ctx->arena;

    for (size_t i = 0; i < wish->terms.count; i++) {
        const struct candidate_term *term = &wish->terms.items[i];

        if (term->predicate && term->share >= 0 && term->share < 0.5 &&
            !text_list_has(&wish->predicates, term->predicate))
            text_list_add(arena, &wish->predicates, term->predicate);
    }
}

static void
add_order(struct candidate_wish *wish, const struct explained_order *order)
{
    const struct candidate_reading *reading = wish->reading;
    struct candidate_order keys = { .is_limited = order->is_limited };
    struct candidate_term distance;

    for (size_t i = 0; i < order->keys.count && i < CANDIDATE_MOST_KEYS; i++) {
        const struct explained_sort_key *sort = &order->keys.items[i];
        const struct explained_expr *expr =
            explained_key_of(reading->plan, reading->relation, sort->expr);
        const struct fact_column *column;
        struct candidate_key key;

        if (!expr)
            break;
        if (i == 0 && order->is_limited && !sort->is_descending &&
            candidate_term_distance(reading, expr, &distance)) {
            VEC_PUSH(wish->reading->ctx->arena, &wish->distances, distance);
            return;
        }
        if (!candidate_key_read(reading, expr, &key, &column) || !candidate_key_has_btree(column))
            break;
        key.collation = sort->collation;
        key.role = order->is_grouping ? ROLE_GROUP : ROLE_ORDER;
        key.is_descending = sort->is_descending;
        key.is_nulls_first = sort->is_nulls_first;
        candidate_keys_add(&keys.keys, &key);
    }
    if (keys.keys.count > 0)
        VEC_PUSH(wish->reading->ctx->arena, &wish->orders, keys);
}

/* A relation that a branch of an OR looks up by an index makes sense only where all branches do. */
static bool
read_branch(struct candidate_wish *wish, const struct explained_expr *branch)
{
    struct candidate_terms *terms = &wish->terms;
    size_t before = terms->count;

    if (branch->kind != EXPLAINED_AND) {
        candidate_terms_read(wish->reading, branch, terms);
    } else {
        for (size_t i = 0; i < branch->count; i++)
            if (branch->items[i]->kind != EXPLAINED_OR)
                candidate_terms_read(wish->reading, branch->items[i], terms);
    }
    for (size_t i = before; i < terms->count; i++)
        if (terms->items[i].method)
            return true;
    return false;
}

static struct candidate_wish
wish_like(const struct candidate_wish *wish)
{
    return (struct candidate_wish){ .candidates = wish->candidates,
        .reading = wish->reading,
        .position = wish->position,
        .made = wish->made,
        .most = wish->most };
}

static void
make_branches(struct candidate_wish *wish, const struct explained_expr *any)
{
    struct candidate_wish branch = wish_like(wish);

    if (any->count > MOST_BRANCHES)
        return;
    for (size_t i = 0; i < any->count; i++)
        if (!read_branch(&branch, any->items[i]))
            return;
    for (size_t i = 0; i < any->count; i++) {
        branch = wish_like(wish);
        (void)read_branch(&branch, any->items[i]);
        find_predicates(&branch);
        sort_terms(&branch);
        candidate_make_all(&branch);
        wish->made = branch.made;
        /* Once more with what all branches have in common. */
        branch = wish_like(wish);
        for (size_t j = 0; j < wish->terms.count; j++)
            VEC_PUSH(wish->reading->ctx->arena, &branch.terms, wish->terms.items[j]);
        (void)read_branch(&branch, any->items[i]);
        sort_terms(&branch);
        if (wish->terms.count > 0)
            candidate_make_all(&branch);
        wish->made = branch.made;
    }
}

static void
make_relation(struct candidate_wish *wish)
{
    const struct explained_plan *plan = wish->reading->plan;

    for (size_t i = 0; i < plan->conditions.count; i++)
        candidate_terms_read(wish->reading, plan->conditions.items[i], &wish->terms);
    for (size_t i = 0; i < plan->orders.count; i++)
        add_order(wish, plan->orders.items[i]);
    find_predicates(wish);
    sort_terms(wish);
    candidate_make_all(wish);
    for (size_t i = 0; i < plan->conditions.count; i++)
        if (plan->conditions.items[i]->kind == EXPLAINED_OR)
            make_branches(wish, plan->conditions.items[i]);
}

/* Of foreign tables, and of tables that cannot be looked at now, there is nothing to advise. */
static bool
can_have(const struct fact_table *table)
{
    return strchr("rmp", table->kind) && !table->is_held;
}

/* The small tables first: what they leave of the query's share the big ones get. */
static void
sort_relations(struct explained_relation **relations, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && relations[j - 1]->table->rows > relations[j]->table->rows;
             j--) {
            struct explained_relation *bigger = relations[j - 1];

            relations[j - 1] = relations[j];
            relations[j] = bigger;
        }
}

void
candidate_wishes(struct candidate_wish *wish, struct candidate_reading *reading)
{
    size_t count = reading->plan->relations.count;
    struct explained_relation **relations = arena_memdup(
        reading->ctx->arena, reading->plan->relations.items, sizeof(relations[0]) * count);

    sort_relations(relations, count);
    for (size_t i = 0; i < count; i++) {
        struct candidate_wish one = {
            .candidates = wish->candidates, .reading = reading, .position = wish->position
        };

        if (!can_have(relations[i]->table))
            continue;
        reading->relation = relations[i];
        if (wish->made < CANDIDATE_MOST_A_QUERY)
            one.most = (CANDIDATE_MOST_A_QUERY - wish->made) / (count - i);
        if (one.most < CANDIDATE_LEAST_A_TABLE)
            one.most = CANDIDATE_LEAST_A_TABLE;
        make_relation(&one);
        wish->made += one.made;
    }
}
