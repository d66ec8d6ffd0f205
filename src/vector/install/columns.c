#include "vector/install/columns.h"

#include "db/ident.h"
#include "sql.h"

/*
 * A tsvector holds a megabyte, and a text beyond that would make the trigger refuse the row. So
 * many letters stay below it in every script.
 */
enum { TEXT_LETTERS = 200000 };

static void
add(struct arena *arena, const struct vector_target *target, struct vector_kept_column column,
    struct vector_kept_columns *ret)
{
    for (size_t i = 0; i < ret->count; i++)
        if (text_equal(ret->items[i].name, column.name))
            return;
    column.trigger =
        vector_fitting_name(arena, arena_printf(arena, "%s_%s_fill", target->table, column.name));
    VEC_PUSH(arena, ret, column);
}

struct vector_ways
vector_choice_ways(struct arena *arena, const struct vector_choice *choice)
{
    struct vector_ways ways = { 0 };

    VEC_PUSH(arena, &ways, (struct vector_way){ &choice->base, NULL });
    for (size_t i = 0; i < choice->specials.count; i++) {
        const struct vector_special *special = &choice->specials.items[i];

        for (size_t k = 0; k < special->tenants.count; k++)
            VEC_PUSH(
                arena, &ways, (struct vector_way){ &special->method, special->tenants.items[k] });
    }
    return ways;
}

/* Bytes of a value of a type whose size its name tells. */
static double
type_bytes(const char *type)
{
    static const struct {
        const char *name;
        double bytes_each;
    } types[] = { { "halfvec(", 2 }, { "vector(", 4 }, { "bit(", .125 } };

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *at = strstr(type, types[i].name);

        if (at)
            return strtod(at + strlen(types[i].name), NULL) * types[i].bytes_each + 8;
    }
    return 32;
}

void
vector_columns_of_methods(
    struct arena *arena, const struct vector_choice *choice, struct vector_kept_columns *ret)
{
    const struct vector_target *target = &choice->target;
    struct vector_ways ways = vector_choice_ways(arena, choice);

    for (size_t i = 0; i < ways.count; i++) {
        const struct vector_way *way = &ways.items[i];
        struct vector_parts bare;
        struct vector_parts new_row;

        vector_method_parts(arena, target, way->method, way->tenant, "", &bare);
        vector_method_parts(arena, target, way->method, way->tenant, "NEW.", &new_row);
        for (size_t k = 0; k < bare.columns.count; k++) {
            const struct vector_extra_column *extra = &bare.columns.items[k];
            const struct vector_kept_column column = {
                .name = extra->name,
                .type = extra->type,
                .storage = extra->storage,
                .expression = extra->expression,
                .new_row = new_row.columns.items[k].expression,
                .bytes = type_bytes(extra->type),
                .reason = arena_printf(
                    arena, "for the search by %s", vector_method_name(arena, way->method)),
            };

            add(arena, target, column, ret);
        }
    }
}

/* The configuration as the server names it under a pinned search_path. */
static bool
find_config(struct ctx *ctx, struct db *db, const struct vector_target *target, const char **ret)
{
    const char *params[] = { target->text_config ? target->text_config : "simple" };

    if (db_value(ctx, db, "SELECT $1::pg_catalog.regconfig::pg_catalog.text", params, 1, ret))
        return true;
    error_hint(ctx, "Name one of those that \"\\dF\" of psql lists, with its schema when it is not "
                    "in pg_catalog.");
    return error_wrap(ctx, "text search configuration \"%s\"", params[0]);
}

/* "pg_catalog.to_tsvector(configuration, text)"; row: "" or "NEW." */
static const char *
text_expression(
    struct arena *arena, const struct vector_target *target, const char *config, const char *row)
{
    const char *by =
        target->is_config_column
            ? arena_printf(arena, "%s%s", row, db_ident(arena, target->text_config))
            : arena_printf(arena, "%s::pg_catalog.regconfig", db_literal(arena, config));

    return arena_printf(arena, "pg_catalog.to_tsvector(%s, pg_catalog.left(%s%s, %d))", by, row,
        db_ident(arena, target->text), TEXT_LETTERS);
}

bool
vector_columns_of_text(struct ctx *ctx, struct db *db, uint32_t table_oid, int64_t text_bytes,
    struct vector_choice *choice, struct vector_kept_columns *ret)
{
    const struct vector_target *target = &choice->target;
    struct sql_vector_plan_text_columns_rows stored;
    const char *config = target->text_config;

    if (!target->text)
        return true;
    if (!target->is_config_column && !find_config(ctx, db, target, &config))
        return false;
    if (!sql_vector_plan_text_columns(
            ctx, db, &stored, .table_oid = table_oid, .text_name = target->text))
        return false;
    for (size_t i = 0; i < stored.count; i++) {
        if (!strstr(stored.items[i].source, config))
            continue;
        choice->text_column = stored.items[i].name;
        return true;
    }
    choice->text_column =
        vector_fitting_name(ctx->arena, arena_printf(ctx->arena, "%s_tsv", target->text));

    const struct vector_kept_column column = {
        .name = choice->text_column,
        .type = "tsvector",
        /* Not compressed: a ranking that unpacks each value takes 2.5 times as long. */
        .storage = "MAIN",
        .expression = text_expression(ctx->arena, target, config, ""),
        .new_row = text_expression(ctx->arena, target, config, "NEW."),
        .bytes = (double)text_bytes,
        .reason = "for text and hybrid search: made at each query it takes a hundred times as long",
    };

    add(ctx->arena, target, column, ret);
    return true;
}
