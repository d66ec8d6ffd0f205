/*
 * Foreign keys without an index: each DELETE, or UPDATE of the key, in the table that is pointed to reads
 * the pointing table from end to end. No statement of the workload shows that, so it is a query of its own
 * here, with the cost that the planner would give to that reading.
 */
#include "index/choose/part.h"

/* The planner's standard prices: a page read in order, a row looked at, and a look-up of one row. */
static const double page_cost = 1.0;
static const double row_cost = 0.0125;
static const double lookup_cost = 8.3;

/* Whether the index begins with exactly these columns, in any order. */
static bool
begins_with(const struct index_candidate *candidate, const struct text_list *columns)
{
    if (candidate->predicate || !text_equal(candidate->method, "btree") ||
        candidate->key_count < columns->count)
        return false;
    for (size_t i = 0; i < columns->count; i++)
        if (!text_list_has(columns, candidate->keys[i].column))
            return false;
    return columns->count > 0;
}

/* What one execution of a unit of planner cost weighs: milliseconds, or the unit itself. */
static double
unit_of(const struct chooser *chooser)
{
    return chooser->options->ms_a_unit > 0 ? chooser->options->ms_a_unit : 1;
}

static double
scale_of(const struct chooser *chooser)
{
    double age_s = chooser->candidates->facts->stats_age_s;

    return chooser->options->span_s > 0 && age_s > 0 ? chooser->options->span_s / age_s : 1;
}

static void
serve(struct chooser *chooser, size_t query, const struct fact_table *table,
    const struct fact_foreign_key *key)
{
    struct id_list *list = map_get(&chooser->by_table, table->qualified);
    struct arena *arena = chooser->ctx->arena;

    for (size_t i = 0; list && i < list->ids.count; i++) {
        struct chooser_index *index = &chooser->indexes.items[list->ids.items[i]];

        if (!begins_with(index->candidate, &key->columns))
            continue;
        index->is_useful = true;
        VEC_PUSH(arena, &chooser->queries[query].all, list->ids.items[i]);
        VEC_PUSH(arena, &chooser->queries[query].useful, list->ids.items[i]);
    }
}

static const struct fact_foreign_key *
key_of(const struct index_candidate *candidate)
{
    for (size_t i = 0; i < candidate->table->foreign_key_count; i++) {
        const struct fact_foreign_key *key = &candidate->table->foreign_keys[i];

        if (key->target_deletes > 0 && begins_with(candidate, &key->columns))
            return key;
    }
    return NULL;
}

void
chooser_add_references(struct chooser *chooser)
{
    for (size_t i = 0; i < chooser->indexes.count; i++) {
        const struct index_candidate *candidate = chooser->indexes.items[i].candidate;
        const struct fact_foreign_key *key = candidate->is_for_reference ? key_of(candidate) : NULL;

        if (!key)
            continue;

        const struct fact_table *table = candidate->table;
        double rows = table->rows > 0 ? table->rows : 0;
        size_t query = chooser->query_count++;

        chooser->queries[query] = (struct chooser_query){
            .weight = key->target_deletes * scale_of(chooser) * unit_of(chooser),
            .before = (double)table->pages * page_cost + rows * row_cost,
            .served = lookup_cost,
        };
        if (chooser->queries[query].before < lookup_cost)
            chooser->queries[query].before = lookup_cost;
        serve(chooser, query, table, key);
    }
}
