#include "queries/rewrite/rewrite.h"

#include "queries/rewrite/keys_part.h"
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

/* ---- values that stand in parent and child ---- */

static bool
has_column(const struct keys_places *places, const char *column)
{
    for (size_t i = 0; i < places->places.count; i++)
        if (text_equal(places->places.items[i].column, column))
            return true;
    return false;
}

/* The parent's parameter that a child's constant may be; false: none has its text. */
static bool
find_shared(struct arena *arena, const struct rewrite_input *input, const char *text,
    const char *column, size_t *ret, bool *ret_is_named)
{
    bool is_found = false;

    *ret_is_named = false;
    for (size_t i = 0; i < input->parent_slot_count && !*ret_is_named; i++) {
        const char *other = input->parent_slots[i].text;
        struct keys_places places;

        if (!other || !text_equal(other, text))
            continue;
        keys_places_read(arena, input->parent_sql, (int32_t)i + 1, &places);
        /* Not compared with anything, as a LIMIT: the same number, and another thing. */
        if (places.places.count == 0)
            continue;
        *ret_is_named = has_column(&places, column);
        if (!is_found || *ret_is_named)
            *ret = i;
        is_found = true;
    }
    return is_found;
}

static void
share_value(struct arena *arena, const struct rewrite_input *input, size_t child, size_t slot,
    struct query_slot *value, struct text_list *notes)
{
    struct keys_places places;
    const char *column;
    size_t shared = 0;
    bool is_named;

    keys_places_read(arena, input->children[child].sql, (int32_t)slot + 1, &places);
    if (places.places.count == 0)
        return;
    column = places.places.items[0].column;
    if (!find_shared(arena, input, value->text, column, &shared, &is_named))
        return;
    if (is_named) {
        text_list_add(arena, notes,
            arena_printf(arena,
                "%s = %s of statement %zu is also the parent's $%zu: it is taken for the same value, and changes "
                "with it. If it is a constant of its own, say so: --value %zu.%zu=%s",
                column, value->text, child + 1, shared + 1, child + 1, slot + 1, value->text));
        *value = (struct query_slot){
            .origin = SLOT_PARAM, .column = (int32_t)shared, .text = value->text, .is_bound = true
        };
        return;
    }
    /* What varied between requests is a parameter already. */
    if (value->is_bound)
        return;
    value->is_bound = true;
    text_list_add(arena, notes,
        arena_printf(arena,
            "%s = %s of statement %zu is also the parent's $%zu, perhaps by chance: it is a parameter of its own. "
            "If they are always the same value, say so: --value %zu.%zu=$%zu",
            column, value->text, child + 1, shared + 1, child + 1, slot + 1, shared + 1));
}

void
rewrite_share_values(struct arena *arena, const struct rewrite_input *input,
    struct query_slot *slots, size_t child, struct text_list *notes)
{
    for (size_t i = 0; input->parent_sql && i < input->children[child].slot_count; i++)
        if (slots[i].origin == SLOT_CONSTANT && slots[i].text)
            share_value(arena, input, child, i, &slots[i], notes);
}
