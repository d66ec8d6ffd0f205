/* A copy of the copy in partitions, to compare with: a live table is not made anew for that. */
#include "db/ident.h"
#include "vector/tune/build.h"

const char *
builder_partition(struct arena *arena, const struct builder *builder, size_t number)
{
    return db_qualified(arena, builder->divided.schema,
        arena_printf(arena, "%s_%zu", builder->divided.table, number));
}

static bool
add_partition(struct ctx *ctx, struct builder *builder, size_t number, const char *bound)
{
    struct arena *arena = ctx->arena;

    return db_exec(ctx, builder->stage->db,
        arena_printf(arena,
            "CREATE UNLOGGED TABLE %s PARTITION OF %s %s"
            " WITH (autovacuum_enabled = false)",
            builder_partition(arena, builder, number), vector_table(arena, &builder->divided),
            bound));
}

static bool
add_partitions(struct ctx *ctx, struct builder *builder, const struct vector_method *method,
    const struct text_list *tenants)
{
    struct arena *arena = ctx->arena;
    size_t count = tenants ? tenants->count : 0;

    if (method->scope == SCOPE_HASH) {
        for (int32_t i = 0; i < method->partitions; i++)
            if (!add_partition(ctx, builder, (size_t)i,
                    arena_printf(arena, "FOR VALUES WITH (MODULUS %d, REMAINDER %d)",
                        method->partitions, i)))
                return false;
        return true;
    }
    for (size_t i = 0; i < count; i++)
        if (!add_partition(ctx, builder, i,
                arena_printf(arena, "FOR VALUES IN (%s)", db_literal(arena, tenants->items[i]))))
            return false;
    return add_partition(ctx, builder, count, "DEFAULT");
}

void
builder_name_divided(struct builder *builder, const struct vector_method *method)
{
    builder->divided = builder->stage->target;
    builder->divided.table = "pgmend_divided";
    builder->divided_by = method->scope;
}

bool
builder_divide(struct ctx *ctx, struct builder *builder, const struct vector_method *method,
    const struct text_list *tenants)
{
    struct arena *arena = ctx->arena;
    const struct vector_target *target = &builder->stage->target;
    struct db *db = builder->stage->db;
    const char *table = vector_table(arena, target);
    const char *divided;

    builder_name_divided(builder, method);
    divided = vector_table(arena, &builder->divided);
    return (db_exec(ctx, db,
                arena_printf(arena,
                    "CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING STORAGE)"
                    " PARTITION BY %s (%s)",
                    divided, table, method->scope == SCOPE_HASH ? "HASH" : "LIST",
                    db_ident(arena, target->tenant))) &&
               add_partitions(ctx, builder, method, tenants) &&
               builder_run(ctx, builder,
                   arena_printf(arena, "INSERT INTO %s SELECT * FROM %s", divided, table),
                   "copying the rows into partitions", 0) &&
               builder_run(ctx, builder, arena_printf(arena, "VACUUM (ANALYZE) %s", divided),
                   "vacuuming the partitions", 0)) ||
           error_wrap(ctx, "making partitions");
}

bool
builder_unite(struct ctx *ctx, struct builder *builder)
{
    const char *divided;

    if (!builder->divided.table)
        return true;
    divided = vector_table(ctx->arena, &builder->divided);
    if (!db_exec(
            ctx, builder->stage->db, arena_printf(ctx->arena, "DROP TABLE IF EXISTS %s", divided)))
        return false;
    builder->divided.table = NULL;
    return true;
}
