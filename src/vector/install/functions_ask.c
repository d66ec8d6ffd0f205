/* What all searching functions share: guards, result columns, and the search by the choice. */
#include "db/ident.h"
#include "vector/install/functions.h"

/* JSON and SQL both have NaN only where somebody stored a vector of length zero. */
const char *
similarity(struct making *making, const char *distance)
{
    const char *number = arena_printf(making->arena, "NULLIF(%s, 'NaN'::float8)", distance);

    switch (making->target->metric) {
    case METRIC_COSINE:
        return arena_printf(making->arena, "(1 - %s)", number);
    case METRIC_INNER:
        return arena_printf(making->arena, "(- %s)", number);
    case METRIC_L2:
    case METRIC_L1:
    case METRIC_COUNT:
        break;
    }
    return arena_printf(making->arena, "(1 / (1 + %s))", number);
}

static const char *
limit_guard(struct making *making, const struct draft *draft)
{
    const char *limit = argument(making, draft, "result_limit");
    struct buffer ret = { .arena = making->arena };

    buffer_printf(&ret,
        "    %s := COALESCE(%s, %d);\n"
        "    IF %s < 0 THEN\n"
        "        RAISE EXCEPTION 'result_limit must not be negative, and is %%', %s\n"
        "            USING ERRCODE = 'invalid_row_count_in_limit_clause';\n"
        "    END IF;\n",
        limit, limit, making->target->limit > 0 ? making->target->limit : 10, limit, limit);
    if (making->target->tenant)
        buffer_printf(&ret, "    IF %s IS NULL THEN\n        RETURN;\n    END IF;\n",
            argument(making, draft, "assistant_id"));
    return buffer_text(&ret);
}

const char *
length_function(struct making *making)
{
    return extension_name(
        making, text_equal(making->target->type, "halfvec") ? "l2_norm" : "vector_norm");
}

const char *
direction_guard(struct making *making, const struct draft *draft)
{
    if (making->target->metric != METRIC_COSINE)
        return "";
    return arena_printf(making->arena,
        "    IF %s(%s) = 0 THEN\n"
        "        RAISE EXCEPTION 'query_vector has length zero: nothing is at a cosine distance"
        " from it'\n"
        "            USING ERRCODE = 'invalid_parameter_value';\n"
        "    END IF;\n",
        length_function(making), argument(making, draft, "query_vector"));
}

/* The importance keeps the type that it has in the table. */
static const char *
result_columns(struct making *making)
{
    const struct vector_target *target = making->target;
    const char *importance = "integer";

    if (target->importance)
        importance = arena_printf(making->arena, "%s.%s%%TYPE", vector_table(making->arena, target),
            db_ident(making->arena, target->importance));
    return arena_printf(making->arena,
        "id %s, chunk_text text, doc_type text, importance %s, distance double precision,"
        " score double precision",
        target->key_type, importance);
}

static const char *
as_text(struct making *making, const char *column)
{
    return column ? arena_printf(making->arena, "%s::text", table_column(making, column))
                  : "NULL::text";
}

const char *
result_selected(struct making *making)
{
    const struct vector_target *target = making->target;

    return arena_printf(making->arena,
        "%s AS id, %s AS chunk_text, %s AS doc_type, %s AS importance",
        table_column(making, target->key), as_text(making, target->text),
        as_text(making, target->doc_type),
        target->importance ? table_column(making, target->importance) : "NULL::integer");
}

/*
 * Conditions by "=" and "<>" belong to what a search is ("is_deleted = false") and stay as they
 * were measured. The others are bounds that every call sets anew: the least importance is an
 * argument, the rest is left out.
 */
static const char *
fixed_filter(struct making *making, const struct vector_filter *filter)
{
    bool is_fixed = text_equal(filter->operator, "=") || text_equal(filter->operator, "<>");

    if (!is_fixed || !filter->value || text_equal(filter->column, making->target->importance))
        return NULL;
    return db_literal(making->arena, filter->value);
}

const char *
fixed_conditions(struct making *making, const struct draft *draft)
{
    const struct vector_target *target = making->target;
    struct text_list ret = { 0 };

    if (target->tenant)
        text_list_add(making->arena, &ret,
            arena_printf(making->arena, "%s = %s", table_column(making, target->tenant),
                argument(making, draft, "assistant_id")));
    for (size_t i = 0; i < target->filters.count; i++) {
        const struct vector_filter *filter = &target->filters.items[i];
        const char *value = fixed_filter(making, filter);

        if (value)
            text_list_add(making->arena, &ret,
                arena_printf(making->arena, "%s %s %s", table_column(making, filter->column),
                    filter->operator, value));
    }
    return ret.count > 0 ? text_list_join(making->arena, &ret, " AND ") : "true";
}

static bool
is_approximate(const struct vector_method *method)
{
    return method->family == FAMILY_HNSW || method->family == FAMILY_IVFFLAT;
}

/*
 * The distance that a way returns, when that is the exact one; else it is computed once more, for
 * the rows that were found.
 */
static const char *
exact_distance(
    struct making *making, const struct asking *asking, const struct vector_method *method)
{
    const struct vector_target *target = making->target;

    if (method->element != ELEMENT_HALF || method->candidates > 0)
        return "c.distance";
    return arena_printf(making->arena, "(SELECT %s %s %s FROM %s t WHERE %s = c.id)",
        table_column(making, target->column), distance_operator(making), asking->vector,
        vector_table(making->arena, target), table_column(making, target->key));
}

/*
 * The settings of a way stand around its statement and are put back, by hand: a function whose
 * definition sets them could be created and restored by superusers only, as long as nothing has
 * loaded pgvector into the session.
 */
static const char *
with_settings(struct making *making, const struct vector_method *method, const char *sql)
{
    struct arena *arena = making->arena;
    struct text_list kept = { 0 };
    struct text_list set = { 0 };
    struct text_list reset = { 0 };
    struct vector_parts parts;

    vector_method_parts(arena, making->target, method, NULL, "", &parts);
    if (parts.settings.count == 0)
        return sql;
    for (size_t i = 0; i < parts.settings.count; i++) {
        const char *setting = parts.settings.items[i];
        const char *equals = strchr(setting, '=');
        const char *name =
            db_literal(arena, arena_strndup(arena, setting, (size_t)(equals - setting)));

        text_list_add(arena, &kept, arena_printf(arena, "current_setting(%s, true)", name));
        text_list_add(arena, &set,
            arena_printf(arena, "set_config(%s, %s, true)", name, db_literal(arena, equals + 1)));
        text_list_add(
            arena, &reset, arena_printf(arena, "set_config(%s, own.kept[%zu], true)", name, i + 1));
    }
    return arena_printf(arena,
        "        own.kept := ARRAY[%s];\n        PERFORM %s;\n%s        PERFORM %s;\n",
        text_list_join(arena, &kept, ", "), text_list_join(arena, &set, ", "), sql,
        text_list_join(arena, &reset, ", "));
}

/* The statement of one way. */
static const char *
statement_of(struct making *making, const struct draft *draft, const struct asking *asking,
    const struct vector_method *method)
{
    const struct vector_target *target = making->target;
    const char **filters = ARENA_ARRAY(making->arena, const char *, target->filters.count + 1);
    struct vector_search search = {
        .tenant = target->tenant ? argument(making, draft, "assistant_id") : NULL,
        .vector = asking->vector,
        .limit = asking->limit,
        .filters = filters,
        .selected = asking->selected,
        .condition = asking->condition,
    };

    for (size_t i = 0; i < target->filters.count; i++)
        filters[i] = fixed_filter(making, &target->filters.items[i]);
    const char *before = asking->before_of
                             ? asking->before_of(making, exact_distance(making, asking, method))
                             : asking->before;

    const char *sql = arena_printf(making->arena, "        RETURN QUERY %s%s%s;\n", before,
        vector_search_sql(making->arena, target, method, &search), asking->after);

    return with_settings(making, method, sql);
}

/*
 * When an approximate way must not be taken, as SQL; NULL: never. It takes a number of rows from
 * its index and then looks which of them fit, so that a stricter condition or a higher limit than
 * was measured may leave too few; iterative scans go on until there are enough.
 */
static const char *
refusal(struct making *making, const struct asking *asking, const struct vector_method *method)
{
    struct text_list ret = { 0 };

    if (!is_approximate(method))
        return NULL;
    if (asking->is_narrowed)
        return "true";
    if (asking->beyond)
        text_list_add(making->arena, &ret, asking->beyond);
    if (method->iteration == ITERATE_OFF)
        text_list_add(making->arena, &ret,
            arena_printf(making->arena, "%s > %d", asking->asked_rows, making->target->limit));
    return ret.count > 0 ? text_list_join(making->arena, &ret, " OR ") : NULL;
}

static const struct vector_method exact = { .family = FAMILY_EXACT, .element = ELEMENT_COLUMN };

static void
add_special(struct making *making, const struct draft *draft, const struct asking *asking,
    const struct vector_special *special, struct buffer *ret)
{
    const char *refused = refusal(making, asking, &special->method);
    struct text_list tenants = { 0 };

    if (special->tenants.count == 0 || !making->target->tenant || text_equal(refused, "true"))
        return;
    for (size_t i = 0; i < special->tenants.count; i++)
        text_list_add(
            making->arena, &tenants, db_literal(making->arena, special->tenants.items[i]));
    buffer_printf(ret, "    IF %s IN (%s)", argument(making, draft, "assistant_id"),
        text_list_join(making->arena, &tenants, ", "));
    if (refused)
        buffer_printf(ret, " AND (%s) IS NOT TRUE", refused);
    buffer_printf(ret, " THEN\n%s        RETURN;\n    END IF;\n",
        statement_of(making, draft, asking, &special->method));
}

static const char *
return_search(struct making *making, const struct draft *draft, const struct asking *asking)
{
    const struct vector_method *base = &making->choice->base;
    const char *refused = refusal(making, asking, base);
    struct buffer ret = { .arena = making->arena };

    for (size_t i = 0; i < making->choice->specials.count; i++)
        add_special(making, draft, asking, &making->choice->specials.items[i], &ret);
    if (!refused) {
        buffer_add(&ret, statement_of(making, draft, asking, base));
    } else if (text_equal(refused, "true")) {
        buffer_add(&ret, statement_of(making, draft, asking, &exact));
    } else {
        buffer_printf(&ret, "    IF (%s) IS TRUE THEN\n%s    ELSE\n%s    END IF;\n", refused,
            statement_of(making, draft, asking, &exact), statement_of(making, draft, asking, base));
    }
    return buffer_text(&ret);
}

/* Settings cannot be changed in the workers of a parallel query. */
static const char *
search_manner(const struct vector_choice *choice)
{
    bool sets = is_approximate(&choice->base);

    for (size_t i = 0; i < choice->specials.count; i++)
        sets |= is_approximate(&choice->specials.items[i].method);
    return sets ? "STABLE PARALLEL UNSAFE" : "STABLE PARALLEL SAFE";
}

/*
 * Always a plan for the values at hand: a generic one would not know the tenant, so neither how
 * many rows he has nor whether he has an index of his own.
 */
void
draft_search(struct making *making, struct draft *draft, const char *columns, const char *guards,
    const struct asking *asking)
{
    draft->returns = arena_printf(making->arena, "TABLE (%s%s)", columns, result_columns(making));
    draft->manner = search_manner(making->choice);
    draft->variables =
        arena_printf(making->arena, "%s    kept text[];", draft->variables ? draft->variables : "");
    text_list_add(making->arena, &draft->settings, "plan_cache_mode = force_custom_plan");
    draft->body = arena_printf(making->arena, "%s%s%s", limit_guard(making, draft), guards,
        return_search(making, draft, asking));
    draft_finish(making, draft);
}
