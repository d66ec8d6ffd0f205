#include <inttypes.h>
#include <math.h>

#include "index/facts/facts_part.h"
#include "sql.h"

static int
compare_oids(const void *a, const void *b)
{
    uint32_t left = (*(struct fact_table *const *)a)->oid;
    uint32_t right = (*(struct fact_table *const *)b)->oid;

    return left < right ? -1 : left > right;
}

struct fact_table *
facts_find(const struct facts_finder *finder, uint32_t oid)
{
    size_t low = 0;
    size_t high = finder->facts->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (finder->by_oid[middle]->oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < finder->facts->count && finder->by_oid[low]->oid == oid)
        return finder->by_oid[low];
    return NULL;
}

size_t
facts_run(const void *rows, size_t count, size_t size, size_t from)
{
    const char *first = (const char *)rows + from * size;
    size_t length = 1;

    while (from + length < count && memcmp(first + length * size, first, sizeof(uint32_t)) == 0)
        length++;
    return length;
}

static bool
load_server(struct ctx *ctx, struct db *db, struct facts *facts)
{
    struct sql_index_facts_server_rows rows;

    if (!sql_index_facts_server(ctx, db, &rows))
        return false;
    if (rows.count != 1)
        return error_set(ctx, ERR_FAILED, "the server gave %zu rows about itself", rows.count);
    facts->server_version = db_version(db);
    facts->stats_age_s = rows.items[0].stats_age_s;
    facts->block_size = rows.items[0].block_size;
    facts->trgm_schema = rows.items[0].trgm_schema;
    facts->can_have_trgm = rows.items[0].can_have_trgm;
    facts->vector_schema = rows.items[0].vector_schema;
    facts->gin_schema = rows.items[0].gin_schema;
    return true;
}

static void
copy_table(
    const struct facts *facts, const struct sql_index_facts_tables *row, struct fact_table *ret)
{
    int64_t pages = row->bytes / facts->block_size;

    *ret = (struct fact_table){
        .oid = row->oid,
        .schema = row->schema,
        .name = row->name,
        .qualified = row->qualified,
        .kind = row->kind[0],
        .is_partition = row->is_partition,
        .is_unlogged = row->is_unlogged,
        .may_read = row->may_read,
        .is_held = row->is_held,
        .bytes = row->bytes,
        .pages = pages,
        .visible_share =
            row->counted_pages > 0 ? fmin(row->visible_pages / row->counted_pages, 1) : 0,
        .fillfactor = row->fillfactor,
        .inserts = row->inserts,
        .updates = row->updates,
        .hot_updates = row->hot_updates,
        .deletes = row->deletes,
        .sequential_scans = row->sequential_scans,
        .analyzed_at = row->analyzed_at,
    };
}

static bool
load_tables(struct ctx *ctx, struct db *db, struct facts_finder *finder, const char *schemas,
    struct sql_index_facts_tables_rows *ret_rows)
{
    struct facts *facts = finder->facts;

    if (!sql_index_facts_tables(ctx, db, ret_rows, schemas))
        return false;
    facts->items = ARENA_ARRAY(ctx->arena, struct fact_table, ret_rows->count + 1);
    facts->count = ret_rows->count;
    facts->by_name.arena = ctx->arena;
    finder->by_oid = ARENA_ARRAY(ctx->arena, struct fact_table *, ret_rows->count + 1);
    for (size_t i = 0; i < ret_rows->count; i++) {
        struct fact_table *table = &facts->items[i];

        copy_table(facts, &ret_rows->items[i], table);
        facts->held += table->is_held;
        facts->unreadable += ret_rows->items[i].is_unseen;
        map_set(&facts->by_name, table->qualified, table);
        finder->by_oid[i] = table;
    }
    qsort(finder->by_oid, facts->count, sizeof(struct fact_table *), compare_oids);
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact_table *parent = facts_find(finder, ret_rows->items[i].parent_oid);

        facts->items[i].parent = parent ? parent->qualified : NULL;
    }
    return true;
}

static void
copy_column(const struct sql_index_facts_columns *row, int server_major, struct fact_column *ret)
{
    *ret = (struct fact_column){
        .name = row->name,
        .type = row->type,
        .base_type = row->base_type,
        .category = row->category[0],
        .number = (int16_t)row->number,
        .type_length = (int16_t)row->type_length,
        .type_align = row->type_align[0],
        .is_not_null = row->is_not_null,
        .server_major = (int8_t)server_major,
        .has_statistics = row->has_statistics,
        .has_btree = row->has_btree,
        .has_c_collation = row->has_c_collation,
        .null_share = row->null_share,
        .distinct = row->distinct_values,
        .width = row->width,
        .correlation = row->correlation,
    };
}

static bool
load_columns(struct ctx *ctx, struct db *db, const struct facts_finder *finder, const char *schemas)
{
    struct sql_index_facts_columns_rows rows;

    if (!sql_index_facts_columns(ctx, db, &rows, schemas))
        return false;
    for (size_t i = 0, run; i < rows.count; i += run) {
        struct fact_table *table = facts_find(finder, rows.items[i].table_oid);

        run = facts_run(rows.items, rows.count, sizeof(rows.items[0]), i);
        if (!table)
            continue;
        table->columns = ARENA_ARRAY(ctx->arena, struct fact_column, run);
        table->column_count = run;
        for (size_t j = 0; j < run; j++)
            copy_column(&rows.items[i + j], db_major(db), &table->columns[j]);
    }
    return true;
}

/* Gives what is in a partition to the partitioned tables above it. */
static void
add_to_parents(const struct facts *facts, const struct fact_table *part)
{
    const char *name = part->parent;

    while (name) {
        struct fact_table *above = map_get(&facts->by_name, name);

        if (!above || above->kind != 'p')
            return;
        above->visible_share += part->visible_share * (double)part->pages;
        if (part->rows >= 0)
            above->rows = fmax(above->rows, 0) + part->rows;
        above->planner_rows += part->planner_rows;
        above->bytes += part->bytes;
        above->pages += part->pages;
        above->inserts += part->inserts;
        above->updates += part->updates;
        above->hot_updates += part->hot_updates;
        above->deletes += part->deletes;
        above->sequential_scans += part->sequential_scans;
        name = above->parent;
    }
}

static void
sum_up(const struct facts *facts, const struct sql_index_facts_tables_rows *rows)
{
    for (size_t i = 0; i < facts->count; i++) {
        struct fact_table *table = &facts->items[i];

        /* The planner takes partitions one by one; the parent's own numbers are of no file. */
        if (table->kind == 'p') {
            table->rows = -1;
            table->bytes = table->pages = 0;
            table->visible_share = 0;
        } else {
            facts_scale(table, rows->items[i].tuples, rows->items[i].counted_pages, facts,
                rows->items[i].has_children);
        }
    }
    for (size_t i = 0; i < facts->count; i++)
        if (facts->items[i].kind != 'p')
            add_to_parents(facts, &facts->items[i]);
    for (size_t i = 0; i < facts->count; i++) {
        struct fact_table *table = &facts->items[i];

        if (table->kind == 'p' && table->pages > 0)
            table->visible_share /= (double)table->pages;
        for (size_t j = 0; j < table->column_count; j++)
            if (table->columns[j].distinct < 0)
                table->columns[j].distinct *= -table->planner_rows;
    }
}

static const char *
held_tables(const struct facts_finder *finder)
{
    struct buffer text = { .arena = finder->arena };

    buffer_add(&text, "{");
    for (size_t i = 0; i < finder->facts->count; i++)
        if (finder->by_oid[i]->is_held)
            buffer_printf(&text, "%s%" PRIu32, text.length > 1 ? "," : "", finder->by_oid[i]->oid);
    buffer_add(&text, "}");
    return buffer_text(&text);
}

/* Who locks a table after we have looked for locks must not keep us waiting for long. */
static const char lock_limit[] = "SELECT pg_catalog.set_config('lock_timeout', '5s', true)"
                                 " WHERE pg_catalog.current_setting('lock_timeout') = '0'";

static bool
load_all(struct ctx *ctx, struct db *db, const struct facts_options *options, struct facts *ret)
{
    struct facts_finder finder = { .arena = ctx->arena, .facts = ret };
    struct sql_index_facts_tables_rows rows;
    const char *schemas = facts_array_text(ctx->arena, &options->schemas);

    if (!load_server(ctx, db, ret) || !load_tables(ctx, db, &finder, schemas, &rows) ||
        !load_columns(ctx, db, &finder, schemas) ||
        !facts_load_indexes(ctx, db, &finder, schemas, held_tables(&finder)))
        return false;
    sum_up(ret, &rows);
    return !options->has_values || facts_load_values(ctx, db, &finder);
}

bool
facts_load(struct ctx *ctx, struct db *db, const struct facts_options *options, struct facts *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    *ret = (struct facts){ 0 };
    if (!db_begin(ctx, db, "ISOLATION LEVEL REPEATABLE READ, READ ONLY", &transaction) ||
        !db_exec(ctx, db, lock_limit) || !load_all(ctx, db, options, ret) ||
        !db_commit(ctx, &transaction))
        return error_wrap(ctx, "reading what is known of the tables");
    return true;
}

const struct fact_table *
facts_table(const struct facts *facts, const char *schema, const char *name)
{
    size_t low = 0;
    size_t high = facts->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct fact_table *table = &facts->items[middle];
        int order = strcmp(table->schema, schema);

        if (order == 0)
            order = strcmp(table->name, name);
        if (order == 0)
            return table;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct fact_column *
facts_column(const struct fact_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}
