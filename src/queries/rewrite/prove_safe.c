/* What is never run for a proof: a statement that may do more than read. */
#include <inttypes.h>

#include "queries/rewrite/prove_part.h"
#include "queries/rewrite/rewrite_part.h"

bool
prove_judge(struct ctx *ctx, struct db *db, const char *sql, const char **ret_why)
{
    struct rewrite_piece piece = { 0 };
    bool is_good = true;

    *ret_why = NULL;
    if (!shape_begin(ctx, sql, &piece.shape))
        return false;
    *ret_why = piece.shape.refusal;
    if (!*ret_why) {
        is_good = rewrite_ask_calls(ctx, db, &piece);
        *ret_why = piece.is_unsafe ? piece.refusal : NULL;
    }
    shape_end(&piece.shape);
    return is_good;
}

bool
prove_judge_loop(struct proving *proving)
{
    struct ctx *ctx = proving->ctx;
    const struct rewrite_input *input = proving->input;
    const char *why;

    for (size_t i = 0; i < input->child_count; i++) {
        if (!prove_judge(ctx, proving->db, input->children[i].sql, &why))
            return error_wrap(ctx, "statement %zu of the loop", i + 1);
        if (why)
            return error_set(ctx, ERR_UNSUPPORTED,
                "statement %zu of the loop %s: it is not run, so nothing can be proven", i + 1,
                why);
    }
    if (!input->parent_sql)
        return true;
    if (!prove_judge(ctx, proving->db, input->parent_sql, &proving->parent_refusal))
        return error_wrap(ctx, "the parent");
    if (!proving->parent_refusal)
        return true;
    if (proving->rewrite->form == REWRITE_JOINED)
        return error_set(ctx, ERR_UNSUPPORTED, "the parent %s: it is not run, in no form",
            proving->parent_refusal);
    prove_note(proving,
        arena_printf(ctx->arena, "the parent %s: it is not run, so no keys are from its rows",
            proving->parent_refusal));
    return true;
}
