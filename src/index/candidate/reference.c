/* Foreign keys that no index serves: deleting a row there reads the whole table here. */
#include <string.h>

#include "db/ident.h"
#include "index/candidate/make.h"

/* Whether the index begins with these columns, in whatever order. */
static bool
begins_with(const struct fact_index *index, const struct text_list *columns)
{
    if (!index->is_valid || index->predicate || strcmp(index->method, "btree") != 0 ||
        index->key_count < columns->count)
        return false;
    for (size_t i = 0; i < columns->count; i++)
        if (!index->keys[i].column || !text_list_has(columns, index->keys[i].column))
            return false;
    return true;
}

static bool
is_served(const struct fact_table *table, const struct fact_foreign_key *reference)
{
    for (size_t i = 0; i < table->index_count; i++)
        if (begins_with(&table->indexes[i], &reference->columns))
            return true;
    return false;
}

static void
add_reference(struct index_candidates *candidates, const struct fact_table *table,
    const struct fact_foreign_key *reference)
{
    CLEANUP(arena_cleanup) struct arena *scratch = arena_new();
    struct candidate_keys keys = { 0 };
    struct index_candidate candidate = {
        .table = table, .method = "btree", .is_for_reference = true
    };

    for (size_t i = 0; i < reference->columns.count; i++) {
        const char *name = reference->columns.items[i];
        const struct fact_column *column = facts_column(table, name);

        if (!column || !candidate_key_has_btree(column))
            return;
        candidate_keys_add(&keys,
            &(struct candidate_key){
                .text = db_ident(scratch, name), .column = column->name, .role = ROLE_REFERENCE });
    }
    if (keys.count == 0 || keys.is_too_wide)
        return;
    candidate.keys = keys.items;
    candidate.key_count = keys.count;
    index_candidate_compose(scratch, &candidate);
    (void)candidate_keep(candidates, &candidate);
}

void
index_candidates_add_references(struct index_candidates *candidates)
{
    for (size_t i = 0; i < candidates->facts->count; i++) {
        const struct fact_table *table = &candidates->facts->items[i];

        /* The parent's foreign key is the partitions' too, and so would be its index. */
        if (table->is_partition || !strchr("rp", table->kind) || table->is_held)
            continue;
        for (size_t j = 0; j < table->foreign_key_count; j++)
            if (!is_served(table, &table->foreign_keys[j]))
                add_reference(candidates, table, &table->foreign_keys[j]);
    }
}
