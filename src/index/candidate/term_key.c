/* A side of a condition as a key. */
#include <string.h>

#include "db/ident.h"
#include "index/candidate/term.h"

/* Wider values do not fit into a B-tree's page reliably (a third of it is the most). */
static const double most_key_width = 500;

/* Casts that change nothing in the bytes, so that an index on the column serves. */
static bool
is_relabel(const struct fact_column *column, const char *type)
{
    static const struct {
        const char *base;
        const char *type;
    } same[] = { { "varchar", "text" }, { "text", "text" }, { "text", "character varying" },
        { "cidr", "inet" }, { "varchar", "character varying" }, { "citext", "text" } };
    static const struct {
        const char *base;
        const char *type;
    } names[] = { { "int4", "integer" }, { "int8", "bigint" }, { "int2", "smallint" },
        { "numeric", "numeric" }, { "uuid", "uuid" }, { "date", "date" }, { "jsonb", "jsonb" } };

    /* citext compares by rules of its own: as text it is another order. */
    if (text_equal(column->base_type, "citext"))
        return false;
    for (size_t i = 0; i < COUNT_OF(same); i++)
        if (text_equal(column->base_type, same[i].base) && text_equal(type, same[i].type))
            return true;
    /* Of a domain to what it is made of. */
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (text_equal(column->base_type, names[i].base) && text_equal(type, names[i].type))
            return true;
    return false;
}

static const struct fact_column *
plain_column(const struct explained_relation *relation, const struct explained_expr *expr)
{
    const struct fact_column *column;

    if (expr->kind == EXPLAINED_COLUMN)
        return facts_column(relation->table, expr->name);
    if (expr->kind != EXPLAINED_CAST || expr->items[0]->kind != EXPLAINED_COLUMN)
        return NULL;
    column = facts_column(relation->table, expr->items[0]->name);
    return column && is_relabel(column, expr->name) ? column : NULL;
}

/* Whatever turns a timestamp with time zone into parts depends on the session's zone, so no index has it. */
static bool
depends_on_zone(const struct explained_relation *relation, const struct explained_expr *expr)
{
    const struct explained_text *source = expr->source;
    bool has_zone = false, has_timestamp = false;

    for (size_t i = expr->first; i < expr->end; i++)
        if (explained_token_is(source, i, "ZONE") || explained_token_is(source, i, "timezone") ||
            explained_token_is(source, i, "tstzrange"))
            has_zone = true;
    for (size_t i = 0; i < source->columns.count; i++) {
        const struct explained_column *at = &source->columns.items[i];
        const struct fact_column *column =
            at->name ? facts_column(relation->table, at->name) : NULL;

        if (at->first >= expr->first && at->end <= expr->end && column &&
            text_equal(column->base_type, "timestamptz"))
            has_timestamp = true;
    }
    return has_timestamp && !has_zone;
}

/* All columns are the relation's own ones, and there is at least one. */
static bool
is_own(const struct candidate_reading *reading, const struct explained_expr *expr)
{
    const struct explained_text *source = expr->source;
    size_t count = 0;

    for (size_t i = 0; i < source->columns.count; i++) {
        const struct explained_column *column = &source->columns.items[i];

        if (column->first < expr->first || column->end > expr->end)
            continue;
        if (map_get(&reading->plan->by_alias, column->alias) != reading->relation ||
            !column->name || !facts_column(reading->relation->table, column->name))
            return false;
        count++;
    }
    return count > 0;
}

bool
candidate_key_read(const struct candidate_reading *reading, const struct explained_expr *expr,
    struct candidate_key *ret, const struct fact_column **ret_column)
{
    static const char *const sums[] = { "count", "sum", "min", "max", "avg", "array_agg",
        "string_agg", "json_agg", "jsonb_agg", "bool_or", "bool_and" };
    struct arena *arena = reading->ctx->arena;
    const char *text;

    *ret = (struct candidate_key){ 0 };
    *ret_column = NULL;
    if (!is_own(reading, expr))
        return false;
    *ret_column = plain_column(reading->relation, expr);
    if (*ret_column) {
        ret->column = (*ret_column)->name;
        ret->text = db_ident(arena, ret->column);
        return true;
    }
    if (!explained_expr_is_fixed(expr) || depends_on_zone(reading->relation, expr) ||
        expr->kind == EXPLAINED_ROW || expr->kind == EXPLAINED_COLUMN)
        return false;
    for (size_t i = 0; i < COUNT_OF(sums) && expr->kind == EXPLAINED_FUNCTION; i++)
        if (text_equal(expr->name, sums[i]))
            return false;
    text = explained_expr_bare(arena, expr);
    if (strstr(text, " OVER "))
        return false;
    if (expr->kind == EXPLAINED_FUNCTION)
        ret->text = text;
    else
        ret->text = arena_printf(arena,
            expr->kind == EXPLAINED_OPERATOR || expr->kind == EXPLAINED_OTHER ? "((%s))" : "(%s)",
            text);
    return true;
}

bool
candidate_key_has_btree(const struct fact_column *column)
{
    return !column || (column->has_btree && column->width <= most_key_width &&
                          !text_equal(column->base_type, "tsvector") && column->category != 'A');
}
