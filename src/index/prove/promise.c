#include "index/prove/promise.h"

static const struct field statement_fields[] = {
    FIELD(struct promise_statement, fingerprint),
    FIELD(struct promise_statement, query),
    FIELD(struct promise_statement, cost_before),
    FIELD(struct promise_statement, cost_after),
    FIELD(struct promise_statement, has_counts),
    FIELD(struct promise_statement, calls),
    FIELD(struct promise_statement, total_ms),
    FIELD(struct promise_statement, blocks),
};

static const struct field promise_fields[] = {
    FIELD(struct promise, schema),
    FIELD(struct promise, table),
    FIELD(struct promise, name),
    FIELD(struct promise, made_at),
    FIELD(struct promise, applied_at),
    FIELD(struct promise, is_taken),
};

#define VERDICT_NAME(verdict, name) [verdict] = (name),
static const char *const verdict_names[VERDICT_COUNT] = { PROMISE_VERDICTS(VERDICT_NAME) };
#undef VERDICT_NAME

const char *
promise_verdict_name(enum promise_verdict verdict)
{
    return verdict_names[verdict];
}

bool
promise_is_broken(enum promise_verdict verdict)
{
    return verdict == VERDICT_UNUSED || verdict == VERDICT_NO_GAIN || verdict == VERDICT_BROKEN;
}

json_t *
promises_to_json(const struct promises *promises)
{
    json_t *array = json_array();

    for (size_t i = 0; i < promises->count; i++) {
        const struct promise *promise = &promises->items[i];
        json_t *json = json_from_fields(promise_fields, COUNT_OF(promise_fields), promise);
        json_t *statements = json_array();

        for (size_t j = 0; j < promise->statements.count; j++)
            json_array_append_new(
                statements, json_from_fields(statement_fields, COUNT_OF(statement_fields),
                                &promise->statements.items[j]));
        json_object_set_new(json, "statements", statements);
        json_array_append_new(array, json);
    }
    return json_pack("{s:s, s:o}", "kind", "index", "promises", array);
}

static bool
read_promise(struct ctx *ctx, const json_t *json, struct promise *ret)
{
    const json_t *statements = json_object_get(json, "statements");
    size_t i;
    json_t *item;

    *ret = (struct promise){
        .schema = json_get_text(ctx->arena, json, "schema", NULL),
        .table = json_get_text(ctx->arena, json, "table", NULL),
        .name = json_get_text(ctx->arena, json, "name", NULL),
        .made_at = json_get_text(ctx->arena, json, "made_at", ""),
        .applied_at = json_get_text(ctx->arena, json, "applied_at", NULL),
        .is_taken = json_get_bool(json, "is_taken", false),
    };
    if (!ret->schema || !ret->table || !ret->name || !json_is_array(statements))
        return error_set(ctx, ERR_INPUT, "a promise lacks its index or its statements");
    json_array_foreach(statements, i, item)
    {
        const struct promise_statement statement = {
            .fingerprint = json_get_text(ctx->arena, item, "fingerprint", ""),
            .query = json_get_text(ctx->arena, item, "query", ""),
            .cost_before = json_get_double(item, "cost_before", 0),
            .cost_after = json_get_double(item, "cost_after", 0),
            .has_counts = json_get_bool(item, "has_counts", false),
            .calls = json_get_double(item, "calls", 0),
            .total_ms = json_get_double(item, "total_ms", 0),
            .blocks = json_get_double(item, "blocks", 0),
        };

        VEC_PUSH(ctx->arena, &ret->statements, statement);
    }
    return true;
}

bool
promises_from_json(struct ctx *ctx, const json_t *json, struct promises *ret)
{
    const json_t *array = json_object_get(json, "promises");
    size_t i;
    json_t *item;

    *ret = (struct promises){ 0 };
    if (!json_is_array(array))
        return error_set(ctx, ERR_INPUT, "there are no promises in it");
    json_array_foreach(array, i, item)
    {
        struct promise promise;

        if (!read_promise(ctx, item, &promise))
            return false;
        VEC_PUSH(ctx->arena, ret, promise);
    }
    return true;
}
