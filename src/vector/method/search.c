/* The statement that searches. */
#include "db/ident.h"
#include "vector/method/parts.h"

/* What the parts of one statement are made from. */
struct statement {
    struct arena *arena;
    const struct vector_target *target;
    const struct vector_method *method;
    const struct vector_search *search;
    const char *table;
    const char *vector; /* cast to the column's type: other dimensions are an error at once */
    const char *limit;
};

static const char *
extension_operator(const struct statement *s, const char *operator)
{
    return arena_printf(
        s->arena, "OPERATOR(%s.%s)", db_ident(s->arena, s->target->extension_schema), operator);
}

/* t.column */
static const char *
column_of(const struct statement *s, const char *column)
{
    return arena_printf(s->arena, "t.%s", db_ident(s->arena, column));
}

/* The question as a halfvec, in a subquery of its own: made once and not once a row. */
static const char *
half_question(const struct statement *s)
{
    return arena_printf(s->arena, "(SELECT %s)", method_half_of(s->arena, s->target, s->vector));
}

/*
 * The exact distance, of the column as it is or of the one beside it. Adding zero keeps every
 * approximate index from serving the order: the answers must not depend on the planner's choice.
 */
static const char *
exact_distance(const struct statement *s, bool of_copy)
{
    const char *column =
        of_copy ? method_column(s->arena, s->target, s->method) : s->target->column;
    const char *vector = s->vector;

    if (of_copy && s->method->element == ELEMENT_HALF)
        vector = half_question(s);
    return arena_printf(s->arena, "(%s %s %s) OPERATOR(pg_catalog.+) 0.0::float8",
        column_of(s, column), extension_operator(s, vector_metric_operator(s->target->metric)),
        vector);
}

/*
 * What the first stage orders by. The bits of the question stand in a subquery of their own, so
 * that they are computed once and not once a row.
 */
static const char *
first_distance(const struct statement *s)
{
    const char *column = column_of(s, s->target->column);
    bool is_bits = s->method->family == FAMILY_BITS;

    if (is_bits || s->method->element == ELEMENT_BIT) {
        const char *bits =
            is_bits ? column_of(s, method_bits_column(s->arena, s->target))
                    : arena_printf(s->arena, "(%s)", method_bits_of(s->arena, s->target, column));

        return arena_printf(s->arena, "%s %s (SELECT %s)", bits, extension_operator(s, "<~>"),
            method_bits_of(s->arena, s->target, s->vector));
    }
    if (s->method->family != FAMILY_HNSW && s->method->family != FAMILY_IVFFLAT)
        return exact_distance(s, true);
    if (s->method->element == ELEMENT_HALF)
        return arena_printf(s->arena, "(%s) %s %s", method_half_of(s->arena, s->target, column),
            extension_operator(s, vector_metric_operator(s->target->metric)), half_question(s));
    return arena_printf(s->arena, "%s %s %s", column,
        extension_operator(s, vector_metric_operator(s->target->metric)), s->vector);
}

/* Which column tells that a row has a vector; the bits stand in the index, the vector does not. */
static const char *
present_column(const struct statement *s)
{
    if (s->method->family == FAMILY_BITS)
        return method_bits_column(s->arena, s->target);
    return method_column(s->arena, s->target, s->method);
}

static const char *
conditions(const struct statement *s)
{
    struct text_list ret = { 0 };
    const struct vector_target *target = s->target;

    if (target->tenant && s->search->tenant)
        text_list_add(s->arena, &ret,
            arena_printf(s->arena, "%s OPERATOR(pg_catalog.=) %s", column_of(s, target->tenant),
                s->search->tenant));
    for (size_t i = 0; s->search->filters && i < target->filters.count; i++) {
        const struct vector_filter *filter = &target->filters.items[i];

        if (s->search->filters[i])
            text_list_add(s->arena, &ret,
                arena_printf(s->arena, "%s OPERATOR(pg_catalog.%s) %s",
                    column_of(s, filter->column), filter->operator, s->search->filters[i]));
    }
    if (target->is_nullable)
        text_list_add(s->arena, &ret,
            arena_printf(s->arena, "%s IS NOT NULL", column_of(s, present_column(s))));
    if (s->search->condition)
        text_list_add(s->arena, &ret, arena_printf(s->arena, "(%s)", s->search->condition));
    if (ret.count == 0)
        return "";
    return arena_printf(s->arena, " WHERE %s", text_list_join(s->arena, &ret, " AND "));
}

/* One stage: what the order is by is what is returned. */
static const char *
one_stage(const struct statement *s)
{
    const char *distance = first_distance(s);
    const char *sql =
        arena_printf(s->arena, "SELECT %s, %s AS distance FROM %s t%s ORDER BY %s LIMIT %s",
            s->search->selected, distance, s->table, conditions(s), distance, s->limit);

    if (s->method->iteration == ITERATE_OFF)
        return sql;
    /* An iterative scan may return its rows a little out of order; adding zero makes it sort. */
    return arena_printf(s->arena,
        "SELECT r.* FROM (%s) r ORDER BY r.distance OPERATOR(pg_catalog.+) 0.0::float8", sql);
}

/*
 * Two stages: the keys of the best candidates, and those ranked by the exact distance. K was
 * measured for the target's own limit; more rows need more candidates.
 */
static const char *
two_stages(const struct statement *s)
{
    int32_t asked = s->target->limit > 0 ? s->target->limit : 1;
    int32_t each = (s->method->candidates + asked - 1) / asked;
    const char *key = column_of(s, s->target->key);
    const char *distance = exact_distance(s, false);

    return arena_printf(s->arena,
        "SELECT %s, %s AS distance FROM (SELECT %s AS key FROM %s t%s ORDER BY %s"
        " LIMIT GREATEST(%d::bigint, %s OPERATOR(pg_catalog.*) %d)) s"
        " JOIN %s t ON %s OPERATOR(pg_catalog.=) s.key ORDER BY %s LIMIT %s",
        s->search->selected, distance, key, s->table, conditions(s), first_distance(s),
        s->method->candidates, s->limit, each > 0 ? each : 1, s->table, key, distance, s->limit);
}

const char *
vector_search_sql(struct arena *arena, const struct vector_target *target,
    const struct vector_method *method, const struct vector_search *search)
{
    struct statement s = {
        .arena = arena,
        .target = target,
        .method = method,
        .search = search,
        .table = vector_table(arena, target),
        .vector = arena_printf(
            arena, "(%s)::%s", search->vector, method_type(arena, target, target->type)),
        .limit = arena_printf(arena, "(%s)::bigint", search->limit),
    };

    if (method->candidates > 0 || method->family == FAMILY_BITS || method->element == ELEMENT_BIT)
        return two_stages(&s);
    return one_stage(&s);
}
