#include <math.h>

#include "base/json.h"
#include "db/explain.h"
#include "db/ident.h"
#include "index/whatif/scratch.h"
#include "sql.h"
#include "staging/statistics_files.h"

/* SMALL_BLOCKS: reading so many empty pages takes less time than putting the file aside. */
enum { BLOCK = 8192, SMALL_BLOCKS = 64 };

static bool
is_survived(const struct ctx *ctx, const struct db *db)
{
    return ctx->error.kind != ERR_INTERRUPTED && ctx->error.kind != ERR_TERMINATED &&
           db_is_connected(db);
}

/* The server's objection as a sentence for the caller; false when it is more than that. */
static bool
as_problem(struct ctx *ctx, const struct db *db, const char **ret_problem)
{
    if (!is_survived(ctx, db))
        return false;
    *ret_problem = ctx->error.message;
    error_clear(ctx);
    return true;
}

static bool
load_table(
    struct ctx *ctx, struct scratch_way *way, const char *qualified, struct scratch_table **ret)
{
    struct sql_staging_whatif_leaves_rows rows;
    struct scratch_table *table = map_get(&way->tables, qualified);

    *ret = table;
    if (table)
        return true;
    if (!sql_staging_whatif_leaves(ctx, way->admin, &rows, .name = qualified))
        return false;
    table = ARENA_NEW(way->arena, struct scratch_table);
    table->leaves = ARENA_ARRAY(way->arena, struct scratch_leaf, rows.count + 1);
    for (; table->count < rows.count; table->count++) {
        const struct sql_staging_whatif_leaves *row = &rows.items[table->count];

        table->leaves[table->count] = (struct scratch_leaf){
            .id = row->id,
            .file = relation_file_number(row->path),
            .path = arena_strdup(way->arena, row->path),
            .rows = row->rows,
            .pages = row->pages,
            .visible = row->visible,
            .blocks = row->blocks,
        };
        table->blocks += row->blocks;
    }
    map_set(&way->tables, arena_strdup(way->arena, qualified), table);
    *ret = table;
    return true;
}

/* The first time each leaf gets an empty file. */
static bool
make_empty(struct ctx *ctx, struct scratch_way *way, struct scratch_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        struct scratch_leaf *leaf = &table->leaves[i];
        struct relation_file file = { .id = leaf->id, .path = leaf->path, .blocks = 0 };

        if (leaf->file == 0 || leaf->empty != 0)
            continue;
        if (!relation_file_make(ctx, way->server, &file, &leaf->empty))
            return false;
    }
    return true;
}

/*
 * CREATE INDEX reads the whole table, so its file is put aside, and stays so until something is
 * planned. It also writes down how many rows it found, so that a small table has to be restored too.
 */
static bool
collapse(struct ctx *ctx, struct scratch_way *way, struct scratch_table *table)
{
    uint32_t *ids = ARENA_ARRAY(ctx->arena, uint32_t, table->count + 1);
    uint32_t *files = ARENA_ARRAY(ctx->arena, uint32_t, table->count + 1);
    size_t count = 0;

    if (table->is_collapsed)
        return true;
    if (table->blocks > SMALL_BLOCKS && !make_empty(ctx, way, table))
        return false;
    for (size_t i = 0; i < table->count && table->blocks > SMALL_BLOCKS; i++) {
        if (table->leaves[i].file == 0)
            continue;
        ids[count] = table->leaves[i].id;
        files[count++] = table->leaves[i].empty;
    }
    if (!relation_files_point(ctx, way->admin, ids, files, count))
        return false;
    table->is_collapsed = true;
    VEC_PUSH(way->arena, &way->collapsed, table);
    return true;
}

bool
scratch_way_restore(struct ctx *ctx, struct scratch_way *way)
{
    json_t *rows CLEANUP(json_release) = json_array();

    if (way->collapsed.count == 0)
        return true;
    for (size_t i = 0; i < way->collapsed.count; i++) {
        const struct scratch_table *table = way->collapsed.items[i];

        for (size_t k = 0; k < table->count; k++) {
            const struct scratch_leaf *leaf = &table->leaves[k];
            json_t *row = json_object();

            json_object_set_new(row, "id", json_integer(leaf->id));
            json_object_set_new(row, "file", json_integer(leaf->file));
            json_object_set_new(row, "rows", json_real(leaf->rows));
            json_object_set_new(row, "pages", json_integer(leaf->pages));
            json_object_set_new(row, "visible", json_integer(leaf->visible));
            json_array_append_new(rows, row);
        }
    }
    if (!scratch_way_run(
            ctx, way, &query_staging_whatif_restore, json_text(ctx->arena, rows), NULL))
        return error_wrap(ctx, "giving tables of the scratch server their sizes back");
    for (size_t i = 0; i < way->collapsed.count; i++)
        way->collapsed.items[i]->is_collapsed = false;
    way->collapsed.count = 0;
    return true;
}

static bool
make_extensions(struct ctx *ctx, struct scratch_way *way, const struct index_candidate *candidate,
    const char **ret_problem)
{
    for (size_t i = 0; i < candidate->extensions.count && !*ret_problem; i++) {
        const char *name = candidate->extensions.items[i];

        if (text_list_has(&way->extensions, name))
            continue;
        if (db_exec(ctx, way->admin,
                arena_printf(ctx->arena,
                    "CREATE EXTENSION IF NOT EXISTS %s WITH SCHEMA public CASCADE",
                    db_ident(ctx->arena, name))))
            text_list_add(way->arena, &way->extensions, arena_strdup(way->arena, name));
        else if (!as_problem(ctx, way->admin, ret_problem))
            return false;
    }
    return true;
}

/* The planner's own guess of the rows that a predicate leaves, which needs the table's size. */
static bool
partial_share(struct ctx *ctx, struct whatif *whatif, const struct index_candidate *candidate,
    bool is_collapsed, double *ret_share)
{
    struct scratch_way *way = whatif->way_data;
    const char *json = NULL;
    struct explain_plan some;
    struct explain_plan all;
    const char *table = candidate->table->qualified;

    *ret_share = 1;
    if (!candidate->predicate)
        return true;
    if (is_collapsed && !scratch_way_restore(ctx, way))
        return false;
    if (!db_value(ctx, whatif->db,
            arena_printf(ctx->arena, "EXPLAIN (FORMAT JSON) SELECT FROM %s WHERE %s", table,
                candidate->predicate),
            NULL, 0, &json) ||
        !explain_read(ctx, json, &some) ||
        !db_value(ctx, whatif->db,
            arena_printf(ctx->arena, "EXPLAIN (FORMAT JSON) SELECT FROM %s", table), NULL, 0,
            &json) ||
        !explain_read(ctx, json, &all)) {
        /* CREATE INDEX will say the same, and better. */
        if (!is_survived(ctx, whatif->db))
            return false;
        error_clear(ctx);
        return true;
    }
    *ret_share = all.rows > 0 && some.rows < all.rows ? some.rows / all.rows : 1;
    return true;
}

struct making {
    struct ctx *ctx;
    struct scratch_way *way;
    const struct scratch_table *table;
    int64_t bytes;
    double share; /* of rows that the predicate leaves */
    uint32_t number;
};

static const struct scratch_leaf *
leaf_of(const struct scratch_table *table, uint32_t id)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->leaves[i].id == id)
            return &table->leaves[i];
    return NULL;
}

/* Its part of the size told, by the table's blocks. */
static int64_t
blocks_of(const struct making *making, const struct scratch_leaf *leaf)
{
    double part = making->table->blocks > 0 && leaf
                      ? (double)leaf->blocks / (double)making->table->blocks
                      : 1;
    double blocks = ceil((double)making->bytes / BLOCK * part);

    return blocks > 1 ? (int64_t)blocks : 1;
}

/* A B-tree's pages are on disk, and get a new file; of others they may be in memory, so theirs grows. */
static bool
make_size(struct making *making, const struct sql_staging_whatif_indexes *row,
    const struct scratch_leaf *leaf, uint32_t *ret_file)
{
    struct relation_file file = {
        .id = row->id,
        .is_index = true,
        .method = row->method,
        .path = row->path,
        .width = row->width,
        .blocks = blocks_of(making, leaf),
        .parent_blocks = leaf ? leaf->blocks : 0,
    };

    *ret_file = 0;
    if (text_equal(row->method, "btree"))
        return relation_file_make(making->ctx, making->way->server, &file, ret_file);
    if (text_equal(row->method, "brin"))
        return db_exec(making->ctx, making->way->admin, "CHECKPOINT") &&
               relation_file_make(making->ctx, making->way->server, &file, ret_file);
    return relation_file_extend(making->ctx, making->way->server, &file);
}

/* The index that was just made, first, and its parts. */
static bool
read_parts(struct ctx *ctx, struct scratch_way *way, const char *qualified,
    struct sql_staging_whatif_indexes_rows *ret)
{
    struct result found;

    if (!scratch_way_run(ctx, way, &query_staging_whatif_indexes, qualified, &found))
        return false;
    ret->items = ARENA_ARRAY(ctx->arena, struct sql_staging_whatif_indexes, found.rows + 1);
    for (ret->count = 0; ret->count < found.rows; ret->count++) {
        struct sql_staging_whatif_indexes *row = &ret->items[ret->count];
        int64_t id = 0;
        int64_t parent = 0;

        *row = (struct sql_staging_whatif_indexes){ .method = result_cell(&found, ret->count, 1),
            .path = result_cell(&found, ret->count, 2) };
        if (!text_to_int64(result_cell(&found, ret->count, 0), &id) ||
            !text_to_double(result_cell(&found, ret->count, 3), &row->width) ||
            !text_to_int64(result_cell(&found, ret->count, 4), &parent))
            return error_set(ctx, ERR_FAILED, "the scratch server tells no numbers of an index");
        row->id = (uint32_t)id;
        row->parent = (uint32_t)parent;
    }
    return true;
}

static bool
put_sizes(struct making *making, const struct sql_staging_whatif_indexes_rows *rows)
{
    json_t *array CLEANUP(json_release) = json_array();
    struct arena *arena = making->way->arena;
    struct scratch_index index = { .count = rows->count };
    uint32_t *ids = ARENA_ARRAY(arena, uint32_t, rows->count + 1);

    for (size_t i = 0; i < rows->count; i++) {
        const struct sql_staging_whatif_indexes *from = &rows->items[i];
        const struct scratch_leaf *leaf = leaf_of(making->table, from->parent);
        json_t *row = json_object();
        const char *part = i > 0 ? arena_printf(making->ctx->arena, "_%zu", i) : "";
        uint32_t file = 0;

        json_array_append_new(array, row);
        ids[i] = from->id;
        if (*from->path && !make_size(making, from, leaf, &file))
            return false;
        json_object_set_new(row, "id", json_integer(from->id));
        json_object_set_new(row, "name",
            json_string(arena_printf(
                making->ctx->arena, SCRATCH_INDEX_PREFIX "%u%s", making->number, part)));
        json_object_set_new(row, "file", json_integer(file));
        json_object_set_new(
            row, "rows", json_real(leaf && leaf->rows > 0 ? leaf->rows * making->share : 0));
        json_object_set_new(row, "pages", json_integer(*from->path ? blocks_of(making, leaf) : 0));
    }
    index.ids = ids;
    if (!scratch_way_run(making->ctx, making->way, &query_staging_whatif_put,
            json_text(making->ctx->arena, array), NULL))
        return false;
    VEC_PUSH(arena, &making->way->indexes, index);
    return true;
}

static bool
make_index(struct making *making, const struct index_candidate *candidate, const char **ret_problem)
{
    struct ctx *ctx = making->ctx;
    struct sql_staging_whatif_indexes_rows rows;
    const char *name = arena_printf(ctx->arena, SCRATCH_INDEX_PREFIX "%u", making->number);

    if (!db_exec(ctx, making->way->builder,
            arena_printf(ctx->arena, "CREATE INDEX %s ON %s %s", name, candidate->table->qualified,
                candidate->definition)))
        return as_problem(ctx, making->way->builder, ret_problem);
    return read_parts(
               ctx, making->way, db_qualified(ctx->arena, candidate->table->schema, name), &rows) &&
           put_sizes(making, &rows);
}

bool
scratch_way_add(struct ctx *ctx, struct whatif *whatif, const struct index_candidate *candidate,
    int64_t bytes, uint32_t *ret_number, const char **ret_problem)
{
    struct scratch_way *way = whatif->way_data;
    struct scratch_table *table;
    struct making making = {
        .ctx = ctx, .way = way, .bytes = bytes, .number = (uint32_t)way->indexes.count + 1
    };

    if (!make_extensions(ctx, way, candidate, ret_problem))
        return false;
    if (*ret_problem)
        return true;
    if (!load_table(ctx, way, candidate->table->qualified, &table))
        return false;
    if (table->count == 0) {
        *ret_problem = arena_printf(
            ctx->arena, "%s is not on the scratch server", candidate->table->qualified);
        return true;
    }
    making.table = table;
    if (!partial_share(ctx, whatif, candidate, table->is_collapsed, &making.share) ||
        !collapse(ctx, way, table) || !make_index(&making, candidate, ret_problem))
        return error_wrap(ctx, "making an index on the scratch server");
    if (!*ret_problem)
        *ret_number = making.number;
    return true;
}
