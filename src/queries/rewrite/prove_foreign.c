/* Somebody's own rewrite: what its parameters stand for. */
#include <string.h>

#include "queries/rewrite/prove_part.h"
#include "sql.h"

static void
add_slots(struct arena *arena, const struct rewrite_input *input, struct rewrite *rewrite)
{
    size_t most = input->parent_slot_count;
    struct rewrite_param *params;

    for (size_t i = 0; i < input->child_count; i++)
        most += input->children[i].slot_count;
    params = ARENA_ARRAY(arena, struct rewrite_param, most + 1);
    rewrite->params = params;
    for (size_t i = 0; i < input->parent_slot_count; i++)
        params[rewrite->param_count++] = (struct rewrite_param){ .child = -1, .slot = i };
    for (size_t i = 0; i < input->child_count && !input->parent_sql; i++)
        for (size_t k = 0; k < input->children[i].slot_count; k++)
            if (input->children[i].slots[k].origin == SLOT_CONSTANT)
                params[rewrite->param_count++] =
                    (struct rewrite_param){ .child = (int32_t)i, .slot = k };
}

static bool
ask_types(struct proving *proving, const char *sql)
{
    struct ctx *ctx = proving->ctx;
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct sql_queries_rewrite_settings_rows ignored;

    return db_begin(ctx, proving->db, "READ ONLY", &transaction) &&
           sql_queries_rewrite_settings(ctx, proving->db, &ignored, .timeout = "5000") &&
           prove_prepare(proving, "rewrite", sql, &proving->statement);
}

bool
rewrite_foreign(struct ctx *ctx, struct db *db, const struct rewrite_input *input, const char *sql,
    struct rewrite *ret)
{
    struct proving proving = { .ctx = ctx, .db = db };
    const char *why;
    size_t asked;

    *ret = (struct rewrite){ .sql = sql, .why = "it is yours: only the proof speaks for it" };
    if (!prove_judge(ctx, db, sql, &why))
        return false;
    if (why)
        return error_set(ctx, ERR_UNSUPPORTED, "it %s: it was not run", why);
    if (!prove_forget(ctx, db, "pgmend\\_proof\\_%") || !ask_types(&proving, sql) ||
        !prove_forget(ctx, db, "pgmend\\_proof\\_%"))
        return false;

    const struct prove_statement *statement = &proving.statement;
    bool has_keys = statement->type_count > 0 && text_ends_with(statement->types[0], "[]");

    ret->form = has_keys ? REWRITE_LATERAL : REWRITE_JOINED;
    if (!has_keys && !input->parent_sql) {
        error_set(ctx, ERR_INPUT, "$1 is no array of keys");
        return error_hint(
            ctx, "Without a parent, $1 are the keys: … = ANY($1::int[]), unnest($1::int[]).");
    }
    if (has_keys)
        ret->key_type =
            arena_strndup(ctx->arena, statement->types[0], strlen(statement->types[0]) - 2);
    add_slots(ctx->arena, input, ret);
    asked = statement->type_count - has_keys;
    if (asked > ret->param_count) {
        error_set(ctx, ERR_INPUT, "it has $%zu, but %zu values are known of the loop",
            statement->type_count, ret->param_count + has_keys);
        return error_hint(ctx, "%s",
            has_keys
                ? "$1 are the keys as an array, $2 and on the parent's parameters in their order."
                : "$1 and on are the parent's parameters in their order.");
    }
    ret->param_count = asked;
    return true;
}
