#include "db/explain.h"

#include "base/json.h"

enum { TIMEOUT_US = 10000000 };

/* set_config changed search_path for our session only: reset_val is what an application gets. */
static const char settings[] = "SELECT pg_catalog.set_config('search_path', s.reset_val, true),"
                               " pg_catalog.set_config('statement_timeout', $1, true)"
                               " FROM pg_catalog.pg_settings s WHERE s.name = 'search_path'";

static void
add_once(struct ctx *ctx, struct text_list *list, const char *name)
{
    if (name && !text_list_has(list, name))
        text_list_add(ctx->arena, list, name);
}

/* Recursion is as deep as the plan, which the JSON reader has limited. */
static void
read_node(struct ctx *ctx, const json_t *node, struct explain_plan *plan)
{
    const char *type = json_string_value(json_object_get(node, "Node Type"));
    const json_t *child;
    size_t i;

    add_once(ctx, &plan->indexes, json_get_text(ctx->arena, node, "Index Name", NULL));
    if (type && strcmp(type, "Seq Scan") == 0)
        add_once(ctx, &plan->seq_scans, json_get_text(ctx->arena, node, "Relation Name", NULL));
    json_array_foreach(json_object_get(node, "Plans"), i, child) read_node(ctx, child, plan);
}

bool
explain_read(struct ctx *ctx, const char *json, struct explain_plan *ret)
{
    json_t *tree CLEANUP(json_release) = NULL;

    if (!json_parse(ctx, "plan", json, &tree))
        return false;

    const json_t *top = json_object_get(json_array_get(tree, 0), "Plan");

    if (!top)
        return error_set(ctx, ERR_INPUT, "the plan has no node");
    *ret = (struct explain_plan){
        .json = json,
        .cost = json_get_double(top, "Total Cost", 0),
        .rows = json_get_double(top, "Plan Rows", 0),
    };
    read_node(ctx, top, ret);
    return true;
}

bool
explain_statement(struct ctx *ctx, struct db *db, const char *sql,
    const struct explain_options *options, struct explain_plan *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    int64_t timeout_us = options->timeout_us ? options->timeout_us : (int64_t)TIMEOUT_US;
    const char *params[] = { arena_printf(ctx->arena, "%lld", (long long)(timeout_us / 1000)) };
    struct result ignored;
    const char *json;

    if (!db_begin(ctx, db, "READ ONLY", &transaction) ||
        !db_query(ctx, db, settings, params, COUNT_OF(params), &ignored))
        return error_wrap(ctx, "explaining a statement");

    const char *explain = arena_printf(ctx->arena, "EXPLAIN (FORMAT JSON, VERBOSE%s) %s",
        options->analyze ? ", ANALYZE, BUFFERS" : "", sql);

    if (!db_value(ctx, db, explain, NULL, 0, &json))
        return error_wrap(ctx, "explaining a statement");
    if (!json)
        return error_set(ctx, ERR_FAILED, "the server gave no plan");
    return explain_read(ctx, json, ret);
}
