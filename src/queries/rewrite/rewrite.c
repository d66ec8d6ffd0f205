#include "queries/rewrite/rewrite.h"

#include "queries/rewrite/rewrite_part.h"

const char *
rewrite_form_name(enum rewrite_form form)
{
#define REWRITE_NAME(form, name, meaning) name,
    static const char *const names[] = { REWRITE_FORMS(REWRITE_NAME) };
#undef REWRITE_NAME

    return names[form];
}

static void
rewriting_end(struct rewriting *rewriting)
{
    shape_end(&rewriting->parent.shape);
    for (size_t i = 0; rewriting->children && i < rewriting->input->child_count; i++)
        shape_end(&rewriting->children[i].shape);
}

static bool
read_parent(struct rewriting *rewriting)
{
    const struct rewrite_input *input = rewriting->input;
    struct rewrite_piece *parent = &rewriting->parent;

    parent->name = "the parent";
    parent->child = -1;
    if (!input->parent_sql)
        return true;
    parent->loop = &rewriting->ret->parent;
    if (!rewrite_read_piece(
            rewriting, input->parent_sql, input->parent_slots, input->parent_slot_count, parent))
        return false;
    if (!parent->refusal &&
        (input->key_column < 0 || (size_t)input->key_column >= parent->loop->column_count))
        return error_set(rewriting->ctx, ERR_INPUT,
            "the parent has %zu columns, so column %d cannot be the key",
            parent->loop->column_count, input->key_column + 1);
    return true;
}

static bool
read_children(struct rewriting *rewriting)
{
    const struct rewrite_input *input = rewriting->input;
    struct ctx *ctx = rewriting->ctx;
    size_t keys = 0;

    for (size_t i = 0; i < input->child_count; i++) {
        const struct rewrite_child *child = &input->children[i];
        struct rewrite_piece *piece = &rewriting->children[i];

        *piece = (struct rewrite_piece){
            .name = arena_printf(ctx->arena, "child %zu", i + 1),
            .child = (int32_t)i,
            .loop = &rewriting->ret->children[i],
        };
        if (!rewrite_read_piece(rewriting, child->sql, child->slots, child->slot_count, piece))
            return false;
        if (piece->is_unsafe)
            return error_set(ctx, ERR_UNSUPPORTED, "the loop cannot be one statement: %s %s",
                piece->name, piece->refusal);
        keys += piece->key_count;
    }
    if (keys == 0) {
        (void)error_set(
            ctx, ERR_UNSUPPORTED, "the loop cannot be one statement: no value of it varies by key");
        return error_hint(ctx, "Ask once, and keep the answer for the rest of the request.");
    }
    return true;
}

static bool
write_forms(struct rewriting *rewriting)
{
    for (size_t i = 0; i < rewriting->input->child_count; i++)
        if (!rewrite_write_any(rewriting, i) || !rewrite_write_grouped(rewriting, i))
            return false;
    return rewrite_write_lateral(rewriting) && rewrite_write_joined(rewriting);
}

bool
rewrite_write(
    struct ctx *ctx, struct db *db, const struct rewrite_input *input, struct rewrites *ret)
{
    struct rewriting rewriting CLEANUP(
        rewriting_end) = { .ctx = ctx, .db = db, .input = input, .ret = ret };

    *ret = (struct rewrites){
        .children = ARENA_ARRAY(ctx->arena, struct rewrite_loop, input->child_count + 1),
    };
    rewriting.children = ARENA_ARRAY(ctx->arena, struct rewrite_piece, input->child_count + 1);
    if (input->child_count == 0)
        return error_set(ctx, ERR_INPUT, "a loop without statements cannot be rewritten");
    if (!read_parent(&rewriting) || !read_children(&rewriting) || !write_forms(&rewriting))
        return false;
    if (ret->count > 0)
        return true;
    return error_set(ctx, ERR_UNSUPPORTED, "the loop cannot be one statement: %s",
        ret->refused.count ? ret->refused.items[0] : "no form is known");
}
