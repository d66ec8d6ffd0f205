#include "vector/judge/ask.h"

#include <math.h>

#include "base/map.h"
#include "db/ident.h"
#include "sql.h"

/* How many missing keys are named; they are counted all. */
enum { NAMED = 10 };

/* ---- the statements ---- */

static const char *
call_sql(struct arena *arena, const struct sql_vector_judge_function *found)
{
    const char *name = db_qualified(arena, found->schema, "search_embeddings_hybrid");

    /* The first column is the key, whatever it is called; its order is the function's own. */
    if (!found->tenant_type)
        return arena_printf(arena,
            "SELECT r.key::pg_catalog.text FROM %s($1::%s, $2::pg_catalog.text, "
            "$3::pg_catalog.int4, $4::pg_catalog.float8) WITH ORDINALITY AS r(key) "
            "ORDER BY r.ordinality",
            name, found->vector_type);
    return arena_printf(arena,
        "SELECT r.key::pg_catalog.text FROM %s($1::%s, $2::%s, $3::pg_catalog.text, "
        "$4::pg_catalog.int4, $5::pg_catalog.float8) WITH ORDINALITY AS r(key) "
        "ORDER BY r.ordinality",
        name, found->tenant_type, found->vector_type);
}

static const char *
keys_sql(struct arena *arena, const struct vector_target *target)
{
    const char *right_tenant = "$2::pg_catalog.text IS NULL";

    if (!text_is_empty(target->tenant))
        right_tenant = arena_printf(arena, "t.%s OPERATOR(pg_catalog.=) $2::%s",
            db_ident(arena, target->tenant), target->tenant_type);
    return arena_printf(arena,
        "SELECT g.key, t.%1$s::pg_catalog.text, COALESCE(%2$s, false) "
        "FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) "
        "WITH ORDINALITY AS g(key, number) "
        "LEFT JOIN %3$s AS t ON t.%1$s OPERATOR(pg_catalog.=) g.key::%4$s ORDER BY g.number",
        db_ident(arena, target->key), right_tenant, vector_table(arena, target), target->key_type);
}

bool
judge_asker_open(
    struct ctx *ctx, struct db *db, const struct vector_choice *choice, struct judge_asker *ret)
{
    const char *table = vector_table(ctx->arena, &choice->target);
    struct sql_vector_judge_function_rows found;

    if (!sql_vector_judge_function(ctx, db, &found, .table = table))
        return error_wrap(ctx, "looking for search_embeddings_hybrid");
    if (found.count == 0) {
        error_set(ctx, ERR_NOT_FOUND, "there is no function search_embeddings_hybrid for table %s",
            table);
        return error_hint(ctx, "pgmend vector install makes it. It needs the column of the texts "
                               "(--text COLUMN) when it does not find it by itself.");
    }
    *ret = (struct judge_asker){ .db = db,
        .choice = choice,
        .function = db_qualified(ctx->arena, found.items[0].schema, "search_embeddings_hybrid"),
        .sql = call_sql(ctx->arena, &found.items[0]),
        .keys_sql = keys_sql(ctx->arena, &choice->target),
        .takes_tenant = found.items[0].tenant_type != NULL };
    return true;
}

/* ---- asking ---- */

bool
judge_ask(struct ctx *ctx, const struct judge_asker *asker, const struct judged_query *query,
    const struct judge_way *way, size_t limit, struct text_list *ret)
{
    const char *weight =
        way->weight >= 0 ? arena_printf(ctx->arena, "%.3f", way->weight) : NULL; /* NAN: NULL */
    const char *params[] = { query->tenant, way->uses_vector ? query->values : NULL,
        way->uses_text ? query->text : NULL, arena_printf(ctx->arena, "%zu", limit), weight };
    size_t first = asker->takes_tenant ? 0 : 1;
    struct result result;

    if (!db_query(ctx, asker->db, asker->sql, params + first, COUNT_OF(params) - first, &result))
        return error_wrap(ctx, "line %zu, asked by \"%s\"", query->line, way->name);
    *ret = (struct text_list){ 0 };
    for (size_t i = 0; i < result.rows; i++) {
        const char *key = result_cell(&result, i, 0);

        text_list_add(ctx->arena, ret, key ? key : "");
    }
    return true;
}

/* ---- the relevant rows ---- */

static const char *
keys_json(struct ctx *ctx, const struct judged_query *query)
{
    json_t *array CLEANUP(json_release) = json_array();

    for (size_t i = 0; i < query->keys.count; i++)
        json_array_append_new(array, json_string(query->keys.items[i]));
    return json_text(ctx->arena, array);
}

static void
tell_missing(struct ctx *ctx, const struct judged_query *query, const char *key, const char *why,
    struct judgement *judgement)
{
    judgement->missing++;
    if (judgement->missing_names.count < NAMED)
        text_list_add(ctx->arena, &judgement->missing_names,
            arena_printf(ctx->arena, "line %zu: %s%s", query->line, key, why));
}

/* What the server refuses is a key or a tenant that is not of the column's type. */
static bool
explain_refusal(struct ctx *ctx, const struct judge_asker *asker, const struct judged_query *query)
{
    const struct vector_target *target = &asker->choice->target;
    bool is_data = strncmp(ctx->error.sqlstate, "22", 2) == 0;
    const char *message = ctx->error.message;

    if (!is_data)
        return error_wrap(ctx, "line %zu: looking for its relevant rows", query->line);
    error_set(ctx, ERR_INPUT, "line %zu: a relevant key or the tenant cannot be one: %s",
        query->line, message);
    if (text_is_empty(target->tenant))
        return error_hint(ctx, "\"relevant\" names values of %s.%s, which are of type %s.",
            target->table, target->key, target->key_type);
    return error_hint(ctx,
        "\"relevant\" names values of %s.%s, which are of type %s; \"tenant\" is a value of %s, "
        "of type %s.",
        target->table, target->key, target->key_type, target->tenant, target->tenant_type);
}

bool
judge_ask_keys(struct ctx *ctx, const struct judge_asker *asker, const struct judged_query *query,
    struct judged_query *ret, struct judgement *judgement)
{
    const char *params[] = { keys_json(ctx, query), query->tenant };
    struct map seen = { .arena = ctx->arena };
    struct result result;

    if (!db_query(ctx, asker->db, asker->keys_sql, params, COUNT_OF(params), &result))
        return explain_refusal(ctx, asker, query);
    *ret = *query;
    ret->keys = (struct text_list){ 0 };
    for (size_t i = 0; i < result.rows; i++) {
        const char *given = result_cell(&result, i, 0);
        const char *key = result_cell(&result, i, 1);
        bool is_found = text_equal(result_cell(&result, i, 2), "t");

        if (!key)
            tell_missing(ctx, query, given, "", judgement);
        else if (!is_found)
            tell_missing(ctx, query, given, " (of another tenant)", judgement);
        if (key && map_get(&seen, key))
            return error_set(ctx, ERR_INPUT,
                "line %zu: \"relevant\" names row %s twice, as \"%s\" "
                "too",
                query->line, key, given);
        if (key)
            map_set(&seen, key, ret);
        text_list_add(ctx->arena, &ret->keys, key ? key : given);
    }
    return true;
}
