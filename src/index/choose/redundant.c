/*
 * Indexes that are there and that the choice, or another one that is there, makes needless. Only B-trees
 * that nothing but queries needs are proposed to go; where the planner can be asked, it has to agree.
 */
#include "index/choose/part.h"

enum {
    MOST_ASKED = 40,       /* statements that are planned for each index */
    MOST_TIMES_LARGER = 4, /* than it, where the planner cannot be asked */
};

/* A statement may become dearer by so much: the planner's own tolerance. */
static const double tolerance = 1.01;

static bool
may_go(const struct fact_table *table, const struct fact_index *index)
{
    return index->is_valid && text_equal(index->method, "btree") && !index->is_unique &&
           !index->is_primary && !index->is_exclusion && !index->is_constraint &&
           !index->is_replica_identity && !index->is_clustered && !index->is_partition_of &&
           !table->is_partition;
}

/* As a candidate whose every key's order counts. */
static struct index_candidate
as_candidate(struct arena *arena, const struct fact_table *table, const struct fact_index *index)
{
    struct index_candidate candidate = { .table = table,
        .method = index->method,
        .key_count = index->key_count,
        .predicate = index->predicate };

    candidate.keys = ARENA_ARRAY(arena, struct candidate_key, index->key_count);
    for (size_t i = 0; i < index->key_count; i++) {
        const struct fact_key *key = &index->keys[i];

        candidate.keys[i] = (struct candidate_key){
            .text = key->text,
            .column = key->column,
            .opclass = key->is_default_class ? NULL : key->opclass,
            .collation = text_is_empty(key->collation) ? NULL : key->collation,
            .is_descending = key->is_descending,
            .is_nulls_first = key->is_nulls_first,
            .role = ROLE_ORDER,
        };
    }
    for (size_t i = 0; i < index->include_count; i++)
        text_list_add(arena, &candidate.include,
            index->include[i].column ? index->include[i].column : index->include[i].text);
    candidate.columns = index->columns;
    return candidate;
}

/* As an index that is there: as it will be once it is built. */
static struct fact_index
as_index(struct arena *arena, const struct index_candidate *candidate, int64_t bytes)
{
    struct fact_key *keys = ARENA_ARRAY(arena, struct fact_key, candidate->key_count);
    struct fact_key *include = ARENA_ARRAY(arena, struct fact_key, candidate->include.count);

    for (size_t i = 0; i < candidate->key_count; i++) {
        const struct candidate_key *key = &candidate->keys[i];

        keys[i] = (struct fact_key){
            .text = key->text,
            .column = key->column,
            .opclass = key->opclass ? key->opclass : "",
            .is_default_class = !key->opclass,
            .collation = key->collation ? key->collation : "",
            .is_descending = key->is_descending,
            .is_nulls_first = key->is_nulls_first,
        };
    }
    for (size_t i = 0; i < candidate->include.count; i++)
        include[i] = (struct fact_key){ .text = candidate->include.items[i],
            .column = candidate->include.items[i] };
    return (struct fact_index){
        .method = candidate->method,
        .definition = candidate->definition,
        .keys = keys,
        .key_count = candidate->key_count,
        .include = include,
        .include_count = candidate->include.count,
        .predicate = candidate->predicate,
        .is_valid = true,
        .bytes = bytes,
        .columns = candidate->columns,
    };
}

struct judging {
    struct chooser *chooser;
    const struct selection *selection;
    struct choice *choice;
    const struct fact_table *table;
    const struct fact_index *index;   /* that may go */
    struct index_candidate candidate; /* the same */
};

static bool
is_dropped(const struct choice *choice, const struct fact_index *index)
{
    for (size_t i = 0; i < choice->drops.count; i++)
        if (choice->drops.items[i].index == index)
            return true;
    return false;
}

/* Of two that can stand for each other the older one stays, and one that cannot go in any case. */
static bool
is_kept_before(const struct judging *judging, const struct fact_index *other)
{
    struct index_candidate back = as_candidate(judging->chooser->ctx->arena, judging->table, other);

    return !index_candidate_is_served(&back, judging->index) || !may_go(judging->table, other) ||
           other->oid < judging->index->oid;
}

static const char *
served_by_chosen(const struct judging *judging)
{
    struct arena *arena = judging->chooser->ctx->arena;
    bool can_hide = whatif_can_hide(judging->chooser->whatif);

    for (size_t i = 0; i < judging->choice->indexes.count; i++) {
        const struct choice_index *chosen = &judging->choice->indexes.items[i];
        struct fact_index there = as_index(arena, chosen->candidate, chosen->bytes);

        if (chosen->candidate->table == judging->table &&
            index_candidate_is_served(&judging->candidate, &there) &&
            (can_hide || chosen->bytes <= MOST_TIMES_LARGER * judging->index->bytes))
            return arena_printf(
                arena, "the new index %s can do all that it does", chosen->candidate->definition);
    }
    return NULL;
}

static const char *
served_by_other(const struct judging *judging)
{
    for (size_t i = 0; i < judging->table->index_count; i++) {
        const struct fact_index *other = &judging->table->indexes[i];

        if (other != judging->index && other->is_valid && !is_dropped(judging->choice, other) &&
            index_candidate_is_served(&judging->candidate, other) && is_kept_before(judging, other))
            return arena_printf(judging->chooser->ctx->arena, "%s (%s) can do all that it does",
                other->name, other->definition);
    }
    return NULL;
}

/* A statement that cannot be planned says nothing. */
static bool
plan_cost(struct chooser *chooser, const char *sql, const struct whatif_set *set, double *ret)
{
    struct whatif_plan plan;

    *ret = -1;
    if (whatif_plan(chooser->ctx, chooser->whatif, sql, set, false, &plan)) {
        *ret = plan.cost;
        return true;
    }
    if (chooser->ctx->error.kind != ERR_FAILED)
        return false;
    error_clear(chooser->ctx);
    return true;
}

/* With what is chosen and what goes already; then without the index too. */
static bool
check_query(const struct judging *judging, const char *sql, bool *ret_is_dearer)
{
    struct chooser *chooser = judging->chooser;
    struct arena *arena = chooser->ctx->arena;
    size_t gone = judging->choice->drops.count;
    uint32_t *numbers = ARENA_ARRAY(arena, uint32_t, judging->selection->items.count);
    const struct fact_index **hidden = ARENA_ARRAY(arena, const struct fact_index *, gone + 1);
    struct whatif_set set = {
        .numbers = numbers, .count = judging->selection->items.count, .hidden = hidden
    };
    double with;
    double without;

    for (size_t i = 0; i < set.count; i++)
        numbers[i] = chooser->indexes.items[judging->selection->items.items[i]].number;
    for (size_t i = 0; i < gone; i++)
        hidden[i] = judging->choice->drops.items[i].index;
    hidden[gone] = judging->index;
    set.hidden_count = gone;
    if (!plan_cost(chooser, sql, &set, &with))
        return false;
    set.hidden_count = gone + 1;
    if (!plan_cost(chooser, sql, &set, &without))
        return false;
    *ret_is_dearer = with >= 0 && without > with * tolerance;
    return true;
}

static bool
may_concern(const struct index_query *query, const struct fact_table *table)
{
    return (query->generic_plan && strstr(query->generic_plan, table->name)) ||
           (query->sql && strstr(query->sql, table->name));
}

static bool
check_cost(const struct judging *judging, const struct choose_query *queries, bool *ret_is_dearer)
{
    struct chooser *chooser = judging->chooser;
    int asked = 0;

    *ret_is_dearer = false;
    for (size_t i = 0; i < chooser->own_count && asked < MOST_ASKED && !*ret_is_dearer; i++) {
        if (!may_concern(queries[i].query, judging->table) || chooser->queries[i].count == 0)
            continue;
        asked++;
        if (!check_query(judging, chooser->queries[i].instances[0].sql, ret_is_dearer))
            return false;
    }
    return true;
}

static bool
judge(struct judging *judging, const struct choose_query *queries)
{
    struct chooser *chooser = judging->chooser;
    const char *because;
    bool is_dearer = false;

    judging->candidate = as_candidate(chooser->ctx->arena, judging->table, judging->index);
    because = served_by_chosen(judging);
    if (!because)
        because = served_by_other(judging);
    if (!because)
        return true;
    if (whatif_can_hide(chooser->whatif) && !chooser_is_late(chooser) &&
        !check_cost(judging, queries, &is_dearer))
        return false;
    if (!is_dearer)
        VEC_PUSH(chooser->ctx->arena, &judging->choice->drops,
            (struct choice_drop){
                .table = judging->table, .index = judging->index, .because = because });
    return true;
}

bool
chooser_find_redundant(struct chooser *chooser, const struct selection *selection,
    const struct choose_query *queries, struct choice *ret)
{
    const struct facts *facts = chooser->candidates->facts;
    struct judging judging = { .chooser = chooser, .selection = selection, .choice = ret };

    for (size_t i = 0; i < facts->count; i++) {
        judging.table = &facts->items[i];
        for (size_t k = 0; k < judging.table->index_count; k++) {
            judging.index = &judging.table->indexes[k];
            if (may_go(judging.table, judging.index) && !judge(&judging, queries))
                return false;
        }
    }
    ret->planner_calls = whatif_calls(chooser->whatif);
    return true;
}
