/* The indexes and foreign keys that are there. */
#include "index/facts/facts_part.h"
#include "sql.h"

static void
copy_list(struct arena *arena, const char *array, struct text_list *ret)
{
    const char **items;

    *ret = (struct text_list){ 0 };
    if (!array)
        return;
    facts_array(arena, arena_strdup(arena, array), &items, &ret->count);
    ret->items = items;
    ret->capacity = ret->count;
}

static struct fact_index
copy_index(struct arena *arena, const struct sql_index_facts_indexes *row)
{
    struct fact_index index = {
        .oid = row->oid,
        .schema = row->schema,
        .name = row->name,
        .method = row->method,
        .definition = row->definition,
        .predicate = row->predicate,
        .options = row->options,
        .tablespace = row->tablespace,
        .is_unique = row->is_unique,
        .is_primary = row->is_primary,
        .is_exclusion = row->is_exclusion,
        .is_constraint = row->is_constraint,
        .is_replica_identity = row->is_replica_identity,
        .is_clustered = row->is_clustered,
        .is_valid = row->is_valid,
        .is_partition_of = row->is_partition_of,
        .bytes = row->bytes,
        .scans = row->scans,
    };

    copy_list(arena, row->columns, &index.columns);
    return index;
}

/* False: the index went away between two looks. */
static bool
copy_keys(struct arena *arena, const struct sql_index_facts_keys *rows, size_t count,
    struct fact_index *index)
{
    struct fact_key *keys = ARENA_ARRAY(arena, struct fact_key, count);

    for (size_t i = 0; i < count; i++) {
        if (!rows[i].text)
            return false;
        keys[i] = (struct fact_key){
            .text = rows[i].text,
            .column = rows[i].column_name,
            .opclass = rows[i].opclass,
            .is_default_class = rows[i].is_default_class,
            .collation = rows[i].collation,
            .is_descending = rows[i].is_descending,
            .is_nulls_first = rows[i].is_nulls_first,
        };
        index->key_count += rows[i].is_key;
    }
    index->keys = keys;
    index->include = keys + index->key_count;
    index->include_count = count - index->key_count;
    return true;
}

/* Rows of keys are in the order of the indexes; *next is the first that is not taken. */
static bool
take_keys(struct arena *arena, const struct sql_index_facts_keys_rows *keys, size_t *next,
    struct fact_index *index)
{
    size_t first = *next;

    while (*next < keys->count && keys->items[*next].index_oid == index->oid)
        (*next)++;
    return *next > first && copy_keys(arena, &keys->items[first], *next - first, index);
}

static bool
load_indexes(struct ctx *ctx, struct db *db, const struct facts_finder *finder, const char *schemas,
    const char *held)
{
    struct sql_index_facts_indexes_rows rows;
    struct sql_index_facts_keys_rows keys;
    size_t next = 0;

    if (!sql_index_facts_indexes(ctx, db, &rows, schemas, held) ||
        !sql_index_facts_keys(ctx, db, &keys, schemas, held))
        return false;
    for (size_t i = 0, run; i < rows.count; i += run) {
        struct fact_table *table = facts_find(finder, rows.items[i].table_oid);
        struct fact_index *indexes;

        run = facts_run(rows.items, rows.count, sizeof(rows.items[0]), i);
        indexes = ARENA_ARRAY(ctx->arena, struct fact_index, run);
        for (size_t j = i; j < i + run; j++) {
            const struct sql_index_facts_indexes *row = &rows.items[j];
            struct fact_index index = copy_index(ctx->arena, row);
            bool is_whole = take_keys(ctx->arena, &keys, &next, &index);

            if (table && is_whole && row->definition && (row->predicate || !row->is_partial))
                indexes[table->index_count++] = index;
        }
        if (table)
            table->indexes = indexes;
    }
    return true;
}

static bool
load_foreign_keys(
    struct ctx *ctx, struct db *db, const struct facts_finder *finder, const char *schemas)
{
    struct sql_index_facts_foreign_keys_rows rows;

    if (!sql_index_facts_foreign_keys(ctx, db, &rows, schemas))
        return false;
    for (size_t i = 0, run; i < rows.count; i += run) {
        struct fact_table *table = facts_find(finder, rows.items[i].table_oid);

        run = facts_run(rows.items, rows.count, sizeof(rows.items[0]), i);
        if (!table)
            continue;
        table->foreign_keys = ARENA_ARRAY(ctx->arena, struct fact_foreign_key, run);
        table->foreign_key_count = run;
        for (size_t j = 0; j < run; j++) {
            const struct sql_index_facts_foreign_keys *row = &rows.items[i + j];
            struct fact_foreign_key *key = &table->foreign_keys[j];

            key->name = row->name;
            key->target = row->target;
            key->target_deletes = row->target_deletes;
            copy_list(ctx->arena, row->columns, &key->columns);
        }
    }
    return true;
}

bool
facts_load_indexes(struct ctx *ctx, struct db *db, const struct facts_finder *finder,
    const char *schemas, const char *held)
{
    return load_indexes(ctx, db, finder, schemas, held) &&
           load_foreign_keys(ctx, db, finder, schemas);
}
