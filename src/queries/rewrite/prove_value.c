/* The values that the loop's statements are asked with, and the loop for one key. */
#include <inttypes.h>

#include "queries/rewrite/keys.h"
#include "queries/rewrite/prove_part.h"

bool
prove_is_key(const struct proving *proving, const struct query_slot *slot)
{
    return slot->origin == SLOT_KEY || (slot->origin == SLOT_VARIES && !proving->input->parent_sql);
}

const struct query_slot *
prove_slot(const struct proving *proving, const struct rewrite_param *param)
{
    return param->child < 0 ? &proving->input->parent_slots[param->slot]
                            : &proving->input->children[param->child].slots[param->slot];
}

static bool
refuse_unknown(struct proving *proving, const struct rewrite_param *param)
{
    const char *place = param->child < 0 ? arena_printf(proving->ctx->arena, "%zu", param->slot + 1)
                                         : arena_printf(proving->ctx->arena, "%" PRId32 ".%zu",
                                               param->child + 1, param->slot + 1);

    error_set(proving->ctx, ERR_INPUT, "no value is known for $%zu of %s", param->slot + 1,
        param->child < 0 ? "the parent"
                         : arena_printf(proving->ctx->arena, "statement %" PRId32 " of the loop",
                               param->child + 1));
    return error_hint(proving->ctx,
        "Give one: --value %s=…; or trace with --keep-values, so that examples are known.", place);
}

bool
prove_fill(struct proving *proving, const struct prove_statement *statement, const char *key,
    const char *const *row, const char **ret)
{
    for (size_t i = 0; i < statement->param_count; i++) {
        const struct rewrite_param *param = &statement->params[i];
        const struct query_slot *slot = prove_slot(proving, param);
        size_t column = slot->column >= 0 ? (size_t)slot->column : SIZE_MAX;

        if (param->child < 0) {
            ret[i] = proving->parameters[param->slot];
        } else if (prove_is_key(proving, slot)) {
            ret[i] = row && column < proving->parent_columns ? row[column] : key;
            continue;
        } else if (slot->origin == SLOT_PARAM && column < proving->input->parent_slot_count) {
            ret[i] = proving->parameters[column];
        } else {
            ret[i] = slot->text ? slot->text : proving->child_values[param->child][param->slot];
        }
        if (!ret[i])
            return refuse_unknown(proving, param);
    }
    return true;
}

/* A value for one that is not known: the first that is found where it is compared. */
static bool
guess(struct proving *proving, const struct prove_statement *statement, size_t number,
    const char **ret)
{
    struct text_list values = { 0 };
    const struct keys_wanted wanted = {
        .sql = statement->sql,
        .number = (int32_t)number + 1,
        .most = 1,
        .seed = proving->options->seed,
    };

    enum keys_limit limit = keys_limit_read(proving->ctx->arena, wanted.sql, wanted.number);

    if (limit != KEYS_NO_LIMIT) {
        *ret = limit == KEYS_LIMIT ? "10" : "0";
        prove_note(proving,
            arena_printf(proving->ctx->arena, "no value was known for the %s $%d: tried with %s",
                limit == KEYS_LIMIT ? "LIMIT" : "OFFSET", wanted.number, *ret));
        return true;
    }
    if (!keys_sample(proving->ctx, proving->db, &wanted, &values, &proving->proof->notes))
        return false;
    *ret = values.count > 0 ? values.items[0] : NULL;
    if (*ret)
        prove_note(
            proving, arena_printf(proving->ctx->arena,
                         "no value was known for $%zu of \"%.60s\": tried with one of the table's",
                         number + 1, statement->sql));
    return true;
}

bool
prove_guess(struct proving *proving)
{
    struct ctx *ctx = proving->ctx;
    const struct rewrite_input *input = proving->input;

    proving->parameters = ARENA_ARRAY(ctx->arena, const char *, input->parent_slot_count + 1);
    for (size_t i = 0; i < input->parent_slot_count; i++)
        proving->parameters[i] = input->parent_slots[i].text;
    for (size_t i = 0;
         proving->has_parent && !proving->parent_refusal && i < proving->parent.param_count; i++) {
        size_t slot = proving->parent.params[i].slot;

        if (!proving->parameters[slot] &&
            !guess(proving, &proving->parent, i, &proving->parameters[slot]))
            return false;
    }
    proving->child_values = ARENA_ARRAY(ctx->arena, const char **, input->child_count + 1);
    for (size_t i = 0; i < input->child_count; i++)
        proving->child_values[i] =
            ARENA_ARRAY(ctx->arena, const char *, input->children[i].slot_count + 1);
    for (size_t i = 0; i < proving->child_count; i++) {
        const struct prove_child *child = &proving->children[i];

        for (size_t k = 0; k < child->statement.param_count; k++) {
            const struct rewrite_param *param = &child->statement.params[k];
            const struct query_slot *slot = prove_slot(proving, param);

            if (slot->origin == SLOT_CONSTANT && !slot->text &&
                !guess(proving, &child->statement, k,
                    &proving->child_values[param->child][param->slot]))
                return false;
        }
    }
    return true;
}

void
prove_note(struct proving *proving, const char *text)
{
    if (!text_list_has(&proving->proof->notes, text))
        text_list_add(proving->ctx->arena, &proving->proof->notes, text);
}

void
prove_note_failure(struct proving *proving, const char *why)
{
    proving->proof->keys_failed++;
    if (!proving->proof->failure)
        proving->proof->failure = why;
}

static void
learn_child(struct proving *proving, struct prove_child *child, const struct result *result)
{
    if (child->names)
        return;
    child->columns = result->columns;
    child->names = result->names;
    prove_order_read(
        proving->ctx->arena, child->statement.sql, child->names, child->columns, &child->order);
}

/* An aggregate answers for each key, but for most of them with what it gives over nothing. */
static bool
is_answer(const struct prove_child *child, const struct result *answer)
{
    size_t cells = answer->rows * answer->columns;

    if (!child->nothing)
        return answer->rows > 0;
    if (answer->rows != child->nothing->rows)
        return true;
    for (size_t i = 0; i < cells; i++)
        if (!text_equal(answer->cells[i], child->nothing->cells[i]))
            return true;
    return false;
}

static void
count_key(struct proving *proving, const struct prove_group *group)
{
    struct proof *proof = proving->proof;
    bool has_answer = false;
    bool is_empty = false;

    for (size_t i = 0; i < proving->child_count; i++) {
        bool is_one = group->key && is_answer(&proving->children[i], &group->answers[i]);

        proving->children[i].answered += is_one;
        has_answer |= is_one;
        is_empty |= group->answers[i].rows == 0;
    }
    proof->keys++;
    proof->keys_answered += has_answer;
    proof->keys_without_rows += is_empty;
    proof->keys_null += group->key == NULL;
}

bool
prove_children(struct proving *proving, const char *key, const char *const *row,
    struct prove_group *ret, bool *ret_done)
{
    struct arena *arena = proving->ctx->arena;

    *ret = (struct prove_group){ .key = key, .row = row, .times = 1 };
    ret->answers = ARENA_ARRAY(arena, struct result, proving->child_count);
    ret->args = ARENA_ARRAY(arena, const char *const *, proving->child_count);
    *ret_done = false;
    for (size_t i = 0; i < proving->child_count; i++) {
        struct prove_child *child = &proving->children[i];
        const char **args = ARENA_ARRAY(arena, const char *, child->statement.param_count + 1);
        const char *why;

        if (!prove_fill(proving, &child->statement, key, row, args) ||
            !prove_try(proving,
                prove_call(arena, &child->statement, args, child->statement.param_count),
                &ret->answers[i], &why))
            return false;
        if (why) {
            prove_note_failure(proving, why);
            return true;
        }
        learn_child(proving, child, &ret->answers[i]);
        ret->args[i] = args;
    }
    count_key(proving, ret);
    *ret_done = true;
    return true;
}

bool
prove_learn(struct proving *proving)
{
    struct proof before = *proving->proof;
    struct prove_group group;
    bool is_done;

    if (!prove_children(proving, NULL, NULL, &group, &is_done))
        return false;
    for (size_t i = 0; i < proving->child_count && is_done; i++)
        proving->children[i].nothing = &group.answers[i];
    before.notes = proving->proof->notes;
    *proving->proof = before;
    return true;
}

void
prove_add_loop(struct proving *proving, const struct prove_group *group)
{
    for (size_t i = 0; i < proving->child_count; i++) {
        const struct prove_statement *statement = &proving->children[i].statement;

        text_list_add(proving->ctx->arena, &proving->loop_calls,
            prove_call(proving->ctx->arena, statement, group->args[i], statement->param_count));
    }
}

bool
prove_no_key(struct proving *proving)
{
    if (proving->proof->failure) {
        error_set(proving->ctx, ERR_FAILED,
            "the loop itself fails for each of %" PRId64 " keys: %s", proving->proof->keys_failed,
            proving->proof->failure);
        return false;
    }
    error_set(proving->ctx, ERR_NOT_FOUND, "there is no key to try the rewrite with");
    return error_hint(proving->ctx,
        "Nothing was observed, and no table could be sampled. Trace with --keep-values, or give "
        "values: --try VALUE.");
}

/* What the rewrite fails with where the loop does not is a difference, not a failure of ours. */
void
prove_refuse_failing(struct proving *proving, const char *why, const char *parameters)
{
    if (proving->proof->differing++ == 0)
        proving->proof->difference = (struct proof_difference){
            .parameters = parameters,
            .loop = "answers",
            .rewrite = why,
            .what = "the rewrite fails",
        };
}
