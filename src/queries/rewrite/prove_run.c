/* Statements of the proof: prepared once, as an application would, then run with values. */
#include "base/clock.h"
#include "base/json.h"
#include "db/ident.h"
#include "queries/rewrite/prove_part.h"

#define PROVE_AGAIN "pgmend_proof_again"

static const char names_sql[] = "SELECT name FROM pg_catalog.pg_prepared_statements"
                                " WHERE name LIKE $1";
static const char types_sql[] =
    "SELECT t.type::pg_catalog.text FROM pg_catalog.pg_prepared_statements AS p,"
    " LATERAL pg_catalog.unnest(p.parameter_types) WITH ORDINALITY AS t(type, number)"
    " WHERE p.name = $1 ORDER BY t.number";

bool
prove_forget(struct ctx *ctx, struct db *db, const char *like)
{
    struct result names;

    if (!db_query(ctx, db, names_sql, &like, 1, &names))
        return false;
    for (size_t i = 0; i < names.rows; i++) {
        const char *name = db_ident(ctx->arena, result_cell(&names, i, 0));

        if (!db_exec(ctx, db, arena_printf(ctx->arena, "DEALLOCATE %s", name)))
            return false;
    }
    return true;
}

static const char *
type_names(struct arena *arena, const struct prove_statement *statement)
{
    struct text_list types = { 0 };

    if (statement->type_count == 0)
        return "";
    for (size_t i = 0; i < statement->type_count; i++)
        text_list_add(arena, &types, statement->types[i]);
    return arena_printf(arena, "(%s)", text_list_join(arena, &types, ", "));
}

bool
prove_prepare(
    struct proving *proving, const char *name, const char *sql, struct prove_statement *ret)
{
    struct ctx *ctx = proving->ctx;
    const char *params[] = { arena_printf(ctx->arena, "pgmend_proof_%s", name) };
    struct result types;

    if (!db_exec(ctx, proving->db, arena_printf(ctx->arena, "PREPARE %s AS %s", params[0], sql)) ||
        !db_query(ctx, proving->db, types_sql, params, COUNT_OF(params), &types))
        return false;
    *ret = (struct prove_statement){
        .name = params[0],
        .sql = sql,
        .types = types.cells,
        .type_count = types.rows,
    };
    return true;
}

const char *
prove_call(struct arena *arena, const struct prove_statement *statement, const char *const *args,
    size_t count)
{
    struct text_list values = { 0 };

    if (count == 0)
        return arena_printf(arena, "EXECUTE %s", statement->name);
    for (size_t i = 0; i < count; i++)
        text_list_add(arena, &values, args[i] ? db_literal(arena, args[i]) : "NULL");
    return arena_printf(
        arena, "EXECUTE %s(%s)", statement->name, text_list_join(arena, &values, ", "));
}

/* The connection is gone, or somebody stopped us: nothing that the statement is to blame for. */
static bool
is_of_server(const struct ctx *ctx)
{
    return ctx->error.sqlstate[0] && ctx->error.kind != ERR_INTERRUPTED &&
           ctx->error.kind != ERR_TERMINATED && ctx->error.kind != ERR_CONNECTION;
}

bool
prove_try(struct proving *proving, const char *call, struct result *ret, const char **ret_why)
{
    struct ctx *ctx = proving->ctx;

    *ret_why = NULL;
    if (!db_exec(ctx, proving->db, "SAVEPOINT pgmend_proof"))
        return false;
    if (db_query(ctx, proving->db, call, NULL, 0, ret))
        return db_exec(ctx, proving->db, "RELEASE SAVEPOINT pgmend_proof");
    if (!is_of_server(ctx) || !db_is_connected(proving->db))
        return false;
    *ret_why = ctx->error.message;
    error_clear(ctx);
    return db_exec(ctx, proving->db, "ROLLBACK TO SAVEPOINT pgmend_proof");
}

bool
prove_prepare_again(struct proving *proving, const char *sql, const struct prove_statement *like,
    struct prove_statement *ret)
{
    struct arena *arena = proving->ctx->arena;
    struct result ignored;
    const char *why;

    *ret = *like;
    ret->name = PROVE_AGAIN;
    ret->sql = sql;
    if (!prove_forget(proving->ctx, proving->db, PROVE_AGAIN) ||
        !prove_try(proving,
            arena_printf(arena, "PREPARE %s%s AS %s", ret->name, type_names(arena, like), sql),
            &ignored, &why))
        return false;
    if (why)
        ret->name = NULL;
    return true;
}

/* ---- what it costs ---- */

/* Results of one round live in an arena of their own; why it failed outlives it. */
static bool
keep_error(struct ctx *ctx, const struct ctx *from)
{
    ctx->error = from->error;
    ctx->error.message = from->error.message ? arena_strdup(ctx->arena, from->error.message) : NULL;
    ctx->error.detail = from->error.detail ? arena_strdup(ctx->arena, from->error.detail) : NULL;
    ctx->error.hint = from->error.hint ? arena_strdup(ctx->arena, from->error.hint) : NULL;
    ctx->error.state = from->error.state ? arena_strdup(ctx->arena, from->error.state) : NULL;
    return false;
}

static bool
run_calls(
    struct proving *proving, const struct text_list *calls, int64_t *ret_us, int64_t *ret_rows)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };
    int64_t start = clock_us();

    *ret_rows = 0;
    for (size_t i = 0; i < calls->count; i++) {
        struct result result;

        if (!db_query(&scratch, proving->db, calls->items[i], NULL, 0, &result))
            return keep_error(proving->ctx, &scratch);
        *ret_rows += (int64_t)result.rows;
        arena_reset(arena);
    }
    *ret_us = clock_us() - start;
    return true;
}

static bool
read_explain(struct ctx *ctx, const char *text, double *ms, struct proof_cost *cost)
{
    json_t *json CLEANUP(json_release) = NULL;
    const json_t *top;
    const json_t *plan;

    if (!json_parse(ctx, "plan", text ? text : "", &json))
        return false;
    top = json_array_get(json, 0);
    plan = json_object_get(top, "Plan");
    *ms += json_get_double(top, "Planning Time", 0) + json_get_double(top, "Execution Time", 0);
    cost->blocks += json_get_int(plan, "Shared Hit Blocks", 0);
    cost->blocks += json_get_int(plan, "Shared Read Blocks", 0);
    return true;
}

static bool
explain_calls(struct proving *proving, const struct text_list *calls, struct proof_cost *cost)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };
    double ms = 0;

    for (size_t i = 0; i < calls->count; i++) {
        const char *text;
        const char *explain = arena_printf(arena,
            "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY ON, FORMAT JSON) %s", calls->items[i]);

        if (!db_value(&scratch, proving->db, explain, NULL, 0, &text) ||
            !read_explain(&scratch, text, &ms, cost))
            return keep_error(proving->ctx, &scratch);
        arena_reset(arena);
    }
    cost->server_us = (int64_t)(ms * 1000);
    return true;
}

static int
by_number(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static int64_t
median(int64_t *numbers, size_t count)
{
    qsort(numbers, count, sizeof(*numbers), by_number);
    return numbers[count / 2];
}

/* Fewer rounds where one takes long: the proof shall end. */
static size_t
rounds_of(const struct proving *proving, int64_t one_us)
{
    int64_t wanted = proving->options->rounds > 0 ? proving->options->rounds : 5;
    int64_t possible = one_us > 0 ? PROVE_BUDGET_US / one_us : wanted;

    return (size_t)(possible < 1 ? 1 : possible < wanted ? possible : wanted);
}

bool
prove_measure(struct proving *proving)
{
    struct proof *proof = proving->proof;
    struct arena *arena = proving->ctx->arena;
    int64_t loop_us;
    int64_t rewrite_us;
    size_t rounds;

    proof->loop.statements = (int64_t)proving->loop_calls.count;
    proof->rewrite.statements = (int64_t)proving->rewrite_calls.count;
    /* The first round of each warms the cache. */
    if (!run_calls(proving, &proving->loop_calls, &loop_us, &proof->loop.rows) ||
        !run_calls(proving, &proving->rewrite_calls, &rewrite_us, &proof->rewrite.rows))
        return false;
    rounds = rounds_of(proving, loop_us + rewrite_us);

    int64_t *loop = ARENA_ARRAY(arena, int64_t, rounds);
    int64_t *rewrite = ARENA_ARRAY(arena, int64_t, rounds);

    for (size_t i = 0; i < rounds; i++)
        if (!run_calls(proving, &proving->loop_calls, &loop[i], &proof->loop.rows) ||
            !run_calls(proving, &proving->rewrite_calls, &rewrite[i], &proof->rewrite.rows))
            return false;
    proof->loop.elapsed_us = median(loop, rounds);
    proof->rewrite.elapsed_us = median(rewrite, rounds);
    proof->speed_up = (double)proof->loop.elapsed_us /
                      (double)(proof->rewrite.elapsed_us > 0 ? proof->rewrite.elapsed_us : 1);
    return explain_calls(proving, &proving->loop_calls, &proof->loop) &&
           explain_calls(proving, &proving->rewrite_calls, &proof->rewrite);
}
