/* What was promised of statements, measured on a copy: the same values before and after. */
#include "base/json.h"
#include "cmd/parts/rehearsal_run.h"
#include "db/explain.h"
#include "index/prove/promise.h"
#include "index/sample/query.h"

enum { MOST_STATEMENTS = 50, RUNS = 2, LIMIT_US = 20000000 };

struct rehearsal_proof {
    struct db *reader;
    struct db *planner; /* the maker's own */
    struct query_maker *maker;
    struct facts facts;
};

bool
rehearsal_proof_begin(
    struct ctx *ctx, const struct rehearsal_place *place, struct rehearsal_proof **ret)
{
    const struct facts_options wanted = { .has_values = true };
    const struct db_options options = { .access = ACCESS_READ, .application = "pgmend/rehearse" };
    struct rehearsal_proof *proof = ARENA_NEW(ctx->arena, struct rehearsal_proof);

    proof->reader = place->reader;
    *ret = proof;
    if (facts_load(ctx, place->reader, &wanted, &proof->facts) &&
        db_open_like(ctx, place->reader, &options, &proof->planner) &&
        query_maker_begin(ctx, proof->planner, &proof->facts, NULL, &proof->maker))
        return true;
    db_cleanup(&proof->planner);
    *ret = NULL;
    return error_wrap(ctx, "preparing to measure statements");
}

void
rehearsal_proof_end(struct rehearsal_proof *proof)
{
    if (!proof)
        return;
    query_maker_end(proof->maker);
    db_cleanup(&proof->planner);
}

/* Blocks and time of a plan that was run. */
static void
read_plan(struct ctx *ctx, const struct explain_plan *plan, int64_t *ret_blocks, int64_t *ret_us)
{
    json_t *tree CLEANUP(json_release) = NULL;
    const json_t *whole;
    const json_t *top;
    int64_t us;

    if (!json_parse(ctx, "plan", plan->json, &tree)) {
        error_clear(ctx);
        return;
    }
    whole = json_array_get(tree, 0);
    top = json_object_get(whole, "Plan");
    *ret_blocks =
        json_get_int(top, "Shared Hit Blocks", 0) + json_get_int(top, "Shared Read Blocks", 0);
    us = (int64_t)(1000 * json_get_double(whole, "Execution Time", 0));
    if (*ret_us < 0 || us < *ret_us)
        *ret_us = us;
}

struct measured {
    double cost;
    int64_t blocks;
    int64_t us;
    struct explain_plan plan;
    const char *problem;
};

/* False only when the session was lost or a signal came; a statement that writes is only planned. */
static bool
measure(struct ctx *ctx, struct rehearsal_proof *proof, const char *sql, struct measured *ret)
{
    static const struct explain_options planned;
    const struct explain_options run = { .analyze = true, .timeout_us = LIMIT_US };
    bool is_good = true;

    *ret = (struct measured){ .blocks = -1, .us = -1 };
    for (int i = 0; is_good && i < RUNS; i++) {
        is_good = explain_statement(ctx, proof->reader, sql, &run, &ret->plan);
        if (is_good)
            read_plan(ctx, &ret->plan, &ret->blocks, &ret->us);
    }
    if (!is_good) {
        if (!db_is_connected(proof->reader) || ctx->error.kind == ERR_INTERRUPTED ||
            ctx->error.kind == ERR_TERMINATED)
            return false;
        ret->problem = ctx->error.message;
        error_clear(ctx);
        is_good = explain_statement(ctx, proof->reader, sql, &planned, &ret->plan);
    }
    if (is_good) {
        ret->cost = ret->plan.cost;
        return true;
    }
    error_clear(ctx);
    return db_is_connected(proof->reader);
}

static bool
add_statement(struct ctx *ctx, struct rehearsal_proof *proof, const struct promise *promise,
    const struct promise_statement *statement, struct rehearsed_step *step)
{
    const struct intake_statement taken = { .text = statement->query,
        .fingerprint = statement->fingerprint,
        .source = "promise",
        .calls = 1,
        .total_ms = -1,
        .rows = -1,
        .is_read = true };
    struct rehearsed_statement ret = { .fingerprint = statement->fingerprint,
        .query = statement->query,
        .index = promise->name,
        .blocks_before = -1,
        .blocks_after = -1,
        .us_before = -1,
        .us_after = -1 };
    struct index_query query;
    struct measured now;

    if (!query_make(ctx, proof->maker, &taken, &query))
        return false;
    if (query.problem || query.instances.count == 0) {
        ret.problem = query.problem ? query.problem : "no values could be found for it";
    } else {
        ret.sql = query.instances.items[0].sql;
        if (!measure(ctx, proof, ret.sql, &now))
            return false;
        ret.cost_before = now.cost;
        ret.blocks_before = now.blocks;
        ret.us_before = now.us;
        ret.problem = now.problem;
    }
    VEC_PUSH(ctx->arena, &step->statements, ret);
    return true;
}

bool
rehearsal_proof_before(
    struct ctx *ctx, struct rehearsal_proof *proof, const char *json, struct rehearsed_step *ret)
{
    json_t *tree CLEANUP(json_release) = NULL;
    struct promises promises;

    if (!json_parse(ctx, "proof", json, &tree))
        return false;
    /* Other kinds of proofs name no statements: they need traffic. */
    if (!text_equal(json_string_value(json_object_get(tree, "kind")), "index") ||
        !json_is_array(json_object_get(tree, "promises")))
        return true;
    if (!promises_from_json(ctx, tree, &promises))
        return error_wrap(ctx, "reading what the plan promises");
    for (size_t i = 0; i < promises.count; i++)
        for (size_t j = 0; j < promises.items[i].statements.count; j++)
            if (ret->statements.count < MOST_STATEMENTS &&
                !add_statement(
                    ctx, proof, &promises.items[i], &promises.items[i].statements.items[j], ret))
                return false;
    return true;
}

bool
rehearsal_proof_after(struct ctx *ctx, struct rehearsal_proof *proof, struct rehearsed_step *step)
{
    for (size_t i = 0; i < step->statements.count; i++) {
        struct rehearsed_statement *statement = &step->statements.items[i];
        struct measured now;

        if (!statement->sql)
            continue;
        if (!measure(ctx, proof, statement->sql, &now))
            return false;
        statement->cost_after = now.cost;
        statement->blocks_after = now.blocks;
        statement->us_after = now.us;
        statement->is_taken = text_list_has(&now.plan.indexes, statement->index);
        if (now.problem)
            statement->problem = now.problem;
    }
    return true;
}
