#include "queries/rewrite/prove.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "queries/rewrite/prove_part.h"
#include "sql.h"

enum { TIMEOUT_US = 5000000 };

/* ---- statements ---- */

/* Each $n of the text is the slot of that number. */
static const struct rewrite_param *
params_of_slots(struct arena *arena, int32_t child, size_t count)
{
    struct rewrite_param *params = ARENA_ARRAY(arena, struct rewrite_param, count + 1);

    for (size_t i = 0; i < count; i++)
        params[i] = (struct rewrite_param){ .child = child, .slot = i };
    return params;
}

static bool
prepare_loop(struct proving *proving, int32_t number, struct prove_statement *ret)
{
    struct ctx *ctx = proving->ctx;
    const struct rewrites *loops = proving->options->loops;
    const struct rewrite_loop *loop = !loops       ? NULL
                                      : number < 0 ? &loops->parent
                                                   : &loops->children[number];
    const struct rewrite_input *input = proving->input;
    const struct rewrite_child *child = number < 0 ? NULL : &input->children[number];
    if (loop && !loop->sql)
        loop = NULL;

    const char *sql = loop ? loop->sql : child ? child->sql : input->parent_sql;
    const char *name =
        number < 0 ? "parent" : arena_printf(ctx->arena, "child_%" PRId32, number + 1);

    if (!prove_prepare(proving, name, sql, ret))
        return error_wrap(ctx, "%s of the loop",
            number < 0 ? "the parent" : arena_printf(ctx->arena, "statement %" PRId32, number + 1));
    ret->param_count = loop    ? loop->param_count
                       : child ? child->slot_count
                               : input->parent_slot_count;
    ret->params = loop ? loop->params : params_of_slots(ctx->arena, number, ret->param_count);
    if (ret->param_count >= ret->type_count) {
        ret->param_count = ret->type_count;
        return true;
    }
    return error_set(ctx, ERR_INPUT, "%s has %zu parameters, but %zu values are known of it",
        number < 0 ? "the parent" : "a statement of the loop", ret->type_count, ret->param_count);
}

static bool
covers(const struct rewrite *rewrite, size_t child)
{
    return (rewrite->form != REWRITE_ANY && rewrite->form != REWRITE_GROUPED) ||
           rewrite->child == child;
}

static bool
prepare_all(struct proving *proving)
{
    struct ctx *ctx = proving->ctx;
    const struct rewrite_input *input = proving->input;

    proving->children = ARENA_ARRAY(ctx->arena, struct prove_child, input->child_count + 1);
    for (size_t i = 0; i < input->child_count; i++) {
        struct prove_child *child = &proving->children[proving->child_count];

        if (!covers(proving->rewrite, i))
            continue;
        child->number = i;
        if (!prepare_loop(proving, (int32_t)i, &child->statement))
            return false;
        proving->child_count++;
    }
    if (input->parent_sql && !prepare_loop(proving, -1, &proving->parent))
        return false;
    proving->has_parent = input->parent_sql;
    if (!prove_prepare(proving, "rewrite", proving->rewrite->sql, &proving->statement))
        return error_wrap(ctx, "the rewrite");
    proving->statement.params = proving->rewrite->params;
    proving->statement.param_count = proving->rewrite->param_count;
    if (proving->rewrite->param_count + (proving->rewrite->form != REWRITE_JOINED) !=
        proving->statement.type_count)
        return error_set(ctx, ERR_INPUT,
            "the rewrite has %zu parameters, but it is known of %zu what they are",
            proving->statement.type_count,
            proving->rewrite->param_count + (proving->rewrite->form != REWRITE_JOINED));
    return true;
}

/* ---- the transaction ---- */

static bool
set_settings(struct proving *proving)
{
    struct ctx *ctx = proving->ctx;
    const struct text_list *settings = proving->options->settings;
    int64_t timeout_us = proving->options->statement_timeout_us;
    struct sql_queries_rewrite_settings_rows ignored;

    if (!sql_queries_rewrite_settings(ctx, proving->db, &ignored,
            .timeout = arena_printf(ctx->arena, "%" PRId64,
                (timeout_us > 0 ? timeout_us : (int64_t)TIMEOUT_US) / 1000)))
        return false;
    for (size_t i = 0; settings && i < settings->count; i++) {
        const char *text = settings->items[i];
        size_t length = strcspn(text, "=");
        const char *params[] = { arena_strndup(ctx->arena, text, length),
            text[length] ? text + length + 1 : "" };
        const char *value;

        if (!db_value(ctx, proving->db, "SELECT pg_catalog.set_config($1, $2, true)", params,
                COUNT_OF(params), &value))
            return error_wrap(ctx, "setting %s", params[0]);
    }
    return true;
}

/* Two sides that give nothing are the same, whatever they ask. */
static void
note_empty(struct proving *proving)
{
    struct proof *proof = proving->proof;

    proof->is_empty = proof->is_same && proof->keys_answered == 0;
    for (size_t i = 0; i < proving->child_count && proof->keys_answered > 0; i++)
        if (proving->children[i].answered == 0)
            prove_note(
                proving, arena_printf(proving->ctx->arena,
                             "statement %zu gave nothing for any key: of it nothing is proven",
                             proving->children[i].number + 1));
}

static bool
prove_in_transaction(struct proving *proving)
{
    bool is_good =
        set_settings(proving) && prepare_all(proving) && prove_guess(proving) &&
        (proving->rewrite->form == REWRITE_JOINED ? prove_joined(proving) : prove_keyed(proving));

    if (!is_good)
        return false;
    proving->proof->is_same = proving->proof->differing == 0;
    note_empty(proving);
    return !proving->proof->is_same || prove_measure(proving);
}

bool
rewrite_prove(struct ctx *ctx, struct db *db, const struct rewrite_input *input,
    const struct rewrite *rewrite, const struct proof_options *options, struct proof *ret)
{
    struct proving proving = {
        .ctx = ctx,
        .db = db,
        .input = input,
        .rewrite = rewrite,
        .options = options,
        .proof = ret,
        .started_us = clock_us(),
    };
    bool is_good;

    *ret = (struct proof){ 0 };
    if (rewrite->form == REWRITE_JOINED && !input->parent_sql)
        return error_set(ctx, ERR_INPUT, "the rewrite is of a parent, but there is none");
    if (!prove_judge_loop(&proving) || !prove_forget(ctx, db, "pgmend\\_proof\\_%"))
        return false;
    {
        struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

        is_good = db_begin(ctx, db, "ISOLATION LEVEL REPEATABLE READ READ ONLY", &transaction) &&
                  prove_in_transaction(&proving);
    }
    if (!is_good)
        return false;
    return prove_forget(ctx, db, "pgmend\\_proof\\_%");
}
