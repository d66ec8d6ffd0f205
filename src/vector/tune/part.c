/* One column, one index. */
#include <inttypes.h>

#include "base/clock.h"
#include "db/ident.h"
#include "sql.h"
#include "vector/tune/build.h"

enum { WITH_SAFE_WORKERS = 802 }; /* pgvector 0.8.2 mended parallel builds of hnsw */

/* More numbers than that to index, and several processes are worth their unseen CPU time. */
static const double many_numbers = 1e8;
static const int64_t least_memory = INT64_C(64) << 20;

/* Builds that took less say nothing about the machine. */
static const int64_t telling_us = 500000;

/* "maintenance_work_mem=65536kB;max_parallel_maintenance_workers=0" */
static bool
set_all(struct ctx *ctx, struct db *db, const char *settings)
{
    while (settings && *settings) {
        size_t length = strcspn(settings, ";");
        size_t name = strcspn(settings, "=");

        if (name < length && !db_set(ctx, db, arena_strndup(ctx->arena, settings, name),
                                 arena_strndup(ctx->arena, settings + name + 1, length - name - 1)))
            return false;
        settings += length + (settings[length] == ';');
    }
    return true;
}

/* Whether several processes may build: then their CPU time is not the backend's. */
static bool
may_be_parallel(const struct builder *builder, const struct vector_method *method)
{
    const struct vector_target *target = &builder->stage->target;
    bool is_safe = method->family == FAMILY_IVFFLAT ||
                   (method->family == FAMILY_HNSW && target->extension_number >= WITH_SAFE_WORKERS);

    return is_safe && (double)builder->rows * target->dims > many_numbers;
}

/* What the parts ask for, with memory for the rows of this copy and within what is to spare. */
static bool
set_up(struct ctx *ctx, struct builder *builder, const struct vector_method *method,
    const char *settings)
{
    struct db *db = builder->stage->db;
    int64_t bytes = vector_build_memory(&builder->stage->target, method, builder->rows);

    if (bytes > builder->most_memory)
        bytes = builder->most_memory;
    if (bytes < least_memory)
        bytes = least_memory;
    return set_all(ctx, db, settings) &&
           db_set(ctx, db, "maintenance_work_mem",
               arena_printf(ctx->arena, "%" PRId64 "kB", bytes / 1024)) &&
           (may_be_parallel(builder, method) ||
               db_set(ctx, db, "max_parallel_maintenance_workers", "0"));
}

static bool
set_back(struct ctx *ctx, struct db *db)
{
    return db_exec(ctx, db, "RESET maintenance_work_mem") &&
           db_exec(ctx, db, "RESET max_parallel_maintenance_workers");
}

static void
keep_time(struct builder *builder, struct built_part *part, int64_t start_us, bool is_alone)
{
    part->us = clock_us() - start_us;
    part->cpu_us =
        builder->meter.kind == METER_SCHEDSTAT && is_alone ? meter_end_us(&builder->meter) : -1;
}

/* Narrow values find room in pages that were not full; they count all the same. */
static bool
at_least_values(struct ctx *ctx, struct builder *builder, const struct vector_extra_column *column,
    struct built_part *part)
{
    struct arena *arena = ctx->arena;
    const char *text;
    int64_t bytes;

    if (!db_value(ctx, builder->stage->db,
            arena_printf(arena,
                "SELECT pg_catalog.sum(pg_catalog.pg_column_size(t.%s))::text FROM %s AS t",
                db_ident(arena, column->name), vector_table(arena, &builder->stage->target)),
            NULL, 0, &text))
        return false;
    bytes = text && text_to_int64(text, &bytes) ? bytes : 0;
    part->bytes = part->bytes > bytes ? part->bytes : bytes;
    return true;
}

/*
 * Filled at once: nobody else works on the copy. An UPDATE writes every row once more, so the
 * second half of the table is what it is with the column.
 */
static bool
add_column(struct ctx *ctx, struct builder *builder, const struct vector_extra_column *column,
    struct built_part *part)
{
    struct arena *arena = ctx->arena;
    struct db *db = builder->stage->db;
    const char *table = vector_table(arena, &builder->stage->target);
    const char *name = db_ident(arena, column->name);
    uint32_t oid = builder->stage->target.table_oid;
    struct sql_vector_tune_table_rows before;
    struct sql_vector_tune_table_rows after;
    int64_t start_us;

    if (!sql_vector_tune_table(ctx, db, &before, .table_oid = oid) ||
        !db_exec(ctx, db,
            arena_printf(arena, "ALTER TABLE %s ADD COLUMN %s %s", table, name, column->type)))
        return false;
    if (column->storage && !db_exec(ctx, db,
                               arena_printf(arena, "ALTER TABLE %s ALTER COLUMN %s SET STORAGE %s",
                                   table, name, column->storage)))
        return false;
    start_us = clock_us();
    meter_start(&builder->meter);
    if (!builder_run(ctx, builder,
            arena_printf(arena, "UPDATE %s SET %s = %s", table, name, column->expression),
            arena_printf(arena, "filling column %s", column->name), 0))
        return false;
    keep_time(builder, part, start_us, true);
    if (!sql_vector_tune_table(ctx, db, &after, .table_oid = oid) ||
        !builder_vacuum(ctx, builder, "PROCESS_TOAST false"))
        return false;
    part->bytes = after.items[0].heap_bytes - 2 * before.items[0].heap_bytes +
                  after.items[0].toast_bytes - before.items[0].toast_bytes;
    return at_least_values(ctx, builder, column, part);
}

static bool
add_index(struct ctx *ctx, struct builder *builder, struct wanted_part *wanted)
{
    struct arena *arena = ctx->arena;
    struct built_part *part = &wanted->part;
    const struct vector_method *method = wanted->method;
    const char *name = db_qualified(arena, builder->stage->target.schema, part->name);
    struct sql_vector_tune_index_rows rows;
    int64_t start_us = clock_us();

    meter_start(&builder->meter);
    if (!builder_run(ctx, builder,
            arena_printf(arena, "CREATE INDEX %s ON %s %s", db_ident(arena, part->name),
                part->table, part->definition),
            arena_printf(arena, "building index %s", part->name), wanted->expected_us))
        return error_wrap(ctx, "building index %s", part->name);
    keep_time(builder, part, start_us, !may_be_parallel(builder, method));
    if (!sql_vector_tune_index(ctx, builder->stage->db, &rows, .name = name))
        return false;
    part->bytes = rows.items[0].bytes;
    if (wanted->expected_us > 0 && part->us > telling_us)
        builder->pace[method->family] *= (double)part->us / (double)wanted->expected_us;
    return true;
}

bool
builder_make_part(struct ctx *ctx, struct builder *builder, struct wanted_part *wanted)
{
    struct db *db = builder->stage->db;
    bool is_made;

    if (wanted->part.kind == PART_COLUMN)
        return add_column(ctx, builder, &wanted->column, &wanted->part) ||
               error_wrap(ctx, "adding column %s", wanted->part.name);
    if (!set_up(ctx, builder, wanted->method, wanted->settings))
        return false;
    is_made = add_index(ctx, builder, wanted);
    if (!is_made) {
        struct ctx other = { .arena = ctx->arena };

        if (db_is_connected(db))
            (void)!set_back(&other, db);
        return false;
    }
    return set_back(ctx, db);
}

bool
builder_remove_part(struct ctx *ctx, struct builder *builder, const struct built_part *part)
{
    struct arena *arena = ctx->arena;

    if (part->kind == PART_COLUMN)
        return db_exec(ctx, builder->stage->db,
            arena_printf(arena, "ALTER TABLE %s DROP COLUMN IF EXISTS %s", part->table,
                db_ident(arena, part->name)));
    return db_exec(ctx, builder->stage->db,
        arena_printf(arena, "DROP INDEX IF EXISTS %s",
            db_qualified(arena, builder->stage->target.schema, part->name)));
}

static void
want(struct ctx *ctx, struct wanted_parts *wanted, const struct wanted_part *part)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const struct built_part *other = &wanted->items[i].part;

        if (other->kind == part->part.kind && text_equal(other->name, part->part.name) &&
            text_equal(other->table, part->part.table))
            return;
    }
    VEC_PUSH(ctx->arena, wanted, *part);
}

/* One method, for one tenant if it is for tenants. */
struct wanted_method {
    const struct vector_method *method;
    const char *tenant;
    const struct text_list *tenants;
};

static void
want_index(struct ctx *ctx, const struct builder *builder, const struct wanted_method *of,
    const struct vector_extra_index *index, struct wanted_parts *ret)
{
    const struct vector_method *method = of->method;
    const struct vector_target *target = builder_target(builder, method);
    struct text_list one = { 0 };
    struct wanted_part part = { .method = method,
        .settings = index->settings,
        .part = { .kind = PART_INDEX,
            .name = index->name,
            .table = vector_table(ctx->arena, target),
            .definition = index->definition } };

    if (of->tenant)
        text_list_add(ctx->arena, &one, of->tenant);
    /* Only approximate indexes have settings to be built with. */
    if (index->settings)
        part.expected_us = builder_estimate_us(builder, method, of->tenant ? &one : of->tenants);
    if (!index->settings || method->scope != SCOPE_LIST) {
        want(ctx, ret, &part);
        return;
    }
    for (size_t i = 0; of->tenants && i < of->tenants->count; i++) {
        part.part.name = arena_printf(ctx->arena, "pgmend_divided_hnsw_%zu", i);
        part.part.table = builder_partition(ctx->arena, builder, i);
        part.expected_us /= i == 0 ? (int64_t)of->tenants->count : 1;
        want(ctx, ret, &part);
    }
}

static void
want_method(struct ctx *ctx, const struct builder *builder, const struct wanted_method *of,
    struct wanted_parts *ret)
{
    const struct vector_target *target = builder_target(builder, of->method);
    struct vector_parts parts;

    vector_method_parts(ctx->arena, target, of->method, of->tenant, "", &parts);
    for (size_t i = 0; i < parts.columns.count; i++) {
        const struct vector_extra_column *column = &parts.columns.items[i];
        struct wanted_part part = { .method = of->method,
            .column = *column,
            .part = { .kind = PART_COLUMN,
                .name = column->name,
                .table = vector_table(ctx->arena, target),
                .definition = column->expression } };

        want(ctx, ret, &part);
    }
    for (size_t i = 0; i < parts.indexes.count; i++)
        want_index(ctx, builder, of, &parts.indexes.items[i], ret);
}

/* Columns before indexes, which may stand on them. */
static void
sort_parts(struct ctx *ctx, struct wanted_parts *parts)
{
    struct wanted_parts sorted = { 0 };

    for (int kind = PART_COLUMN; kind <= PART_INDEX; kind++)
        for (size_t i = 0; i < parts->count; i++)
            if (parts->items[i].part.kind == kind)
                VEC_PUSH(ctx->arena, &sorted, parts->items[i]);
    *parts = sorted;
}

void
builder_want(struct ctx *ctx, const struct builder *builder, const struct build_wish *wish,
    struct wanted_parts *ret)
{
    size_t tenants = wish->tenants ? wish->tenants->count : 0;

    *ret = (struct wanted_parts){ 0 };
    for (size_t i = 0; i < wish->count; i++) {
        struct wanted_method of = { .method = wish->methods[i], .tenants = wish->tenants };

        if (of.method->scope != SCOPE_TENANT) {
            want_method(ctx, builder, &of, ret);
            continue;
        }
        for (size_t tenant = 0; tenant < tenants; tenant++) {
            of.tenant = wish->tenants->items[tenant];
            want_method(ctx, builder, &of, ret);
        }
    }
    sort_parts(ctx, ret);
}
