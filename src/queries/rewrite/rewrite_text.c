/* Names, parameters and columns of a statement in the making. */
#include "db/ident.h"
#include "queries/rewrite/rewrite_part.h"

enum { TYPE_BOOL = 16, TYPE_INT8 = 20 };

const char *
rewrite_has_name(struct arena *arena, const struct rewrite_piece *piece)
{
    return arena_printf(arena, "has_%d", piece->child + 1);
}

struct rewrite_writing
rewrite_writing_new(struct rewriting *rewriting, enum rewrite_form form)
{
    struct arena *arena = rewriting->ctx->arena;
    struct rewrite_writing writing = {
        .rewriting = rewriting,
        .rewrite = { .form = form },
        .has_keys = form != REWRITE_JOINED,
    };

    text_list_add(arena, &writing.names, "key_ord");
    for (size_t i = 0; i < rewriting->input->child_count; i++)
        text_list_add(arena, &writing.names, rewrite_has_name(arena, &rewriting->children[i]));
    return writing;
}

static void
add_own(struct rewrite_writing *writing, const char *name, uint32_t type, const char *type_name)
{
    VEC_PUSH(writing->rewriting->ctx->arena, &writing->columns,
        (struct rewrite_column){ .name = name, .type = type, .type_name = type_name });
}

void
rewrite_add_number(struct rewrite_writing *writing, const char *name)
{
    add_own(writing, name, TYPE_INT8, "bigint");
}

void
rewrite_add_truth(struct rewrite_writing *writing, const char *name)
{
    add_own(writing, name, TYPE_BOOL, "boolean");
}

/*
 * A child that says "m" for the row of its table m would get the column m of what it is joined with,
 * because columns are looked for first.
 */
static bool
is_range(const struct rewriting *rewriting, size_t first, const char *name)
{
    for (size_t i = first; i < rewriting->input->child_count; i++)
        if (text_list_has(&rewriting->children[i].shape.ranges, name))
            return true;
    return false;
}

const char *
rewrite_add_column(struct rewrite_writing *writing, const struct rewrite_column *like)
{
    struct arena *arena = writing->rewriting->ctx->arena;
    struct rewrite_column column = *like;

    for (size_t i = 2; text_list_has(&writing->names, column.name) ||
                       is_range(writing->rewriting, writing->seen_from, column.name);
         i++)
        column.name = arena_printf(arena, "%s_%zu", like->name, i);
    text_list_add(arena, &writing->names, column.name);
    VEC_PUSH(arena, &writing->columns, column);
    return db_ident(arena, column.name);
}

const char *
rewrite_inner_name(struct rewriting *rewriting, const char *wanted)
{
    const char *name = wanted;

    while (is_range(rewriting, 0, name))
        name = arena_printf(rewriting->ctx->arena, "%s_", name);
    return name;
}

const char *
rewrite_free_name(struct rewriting *rewriting, const char *wanted)
{
    const char *name = wanted;

    for (;;) {
        bool is_taken = rewriting->parent.loop && shape_has_word(&rewriting->parent.shape, name);

        for (size_t i = 0; i < rewriting->input->child_count; i++)
            is_taken |= shape_has_word(&rewriting->children[i].shape, name);
        if (!is_taken)
            return name;
        name = arena_printf(rewriting->ctx->arena, "%s_", name);
    }
}

/* Both are the value of the same parameter of the parent. */
static bool
is_same_value(const struct rewriting *rewriting, const struct rewrite_param *known,
    const struct rewrite_piece *piece, size_t slot)
{
    const struct rewrite_param *param = &piece->loop->params[slot];
    const struct query_slot *origin = &piece->origins[param->slot];
    const struct query_slot *other;

    if (known->child == param->child && known->slot == param->slot)
        return true;
    if (piece->child < 0 || origin->origin != SLOT_PARAM || origin->column < 0)
        return false;
    if (known->child < 0)
        return known->slot == (size_t)origin->column;
    other = &rewriting->input->children[known->child].slots[known->slot];
    return other->origin == SLOT_PARAM && other->column == origin->column;
}

/* "$3" for a slot of a piece; the same for the same value. */
static const char *
param_text(struct rewrite_writing *writing, const struct rewrite_piece *piece, size_t slot)
{
    struct arena *arena = writing->rewriting->ctx->arena;
    size_t at = 0;

    while (at < writing->params.count &&
           !is_same_value(writing->rewriting, &writing->params.items[at], piece, slot))
        at++;
    if (at == writing->params.count)
        VEC_PUSH(arena, &writing->params, piece->loop->params[slot]);
    return arena_printf(arena, "$%zu", at + 1 + writing->has_keys);
}

const char *
rewrite_value_text(struct rewrite_writing *writing, const struct rewrite_piece *piece,
    const struct shape_param *param)
{
    size_t slot = (size_t)param->number - 1;
    const char *text = param_text(writing, piece, slot);

    if (param->is_cast)
        return text;
    return arena_printf(
        writing->rewriting->ctx->arena, "%s::%s", text, piece->loop->params[slot].type_name);
}

const char *
rewrite_piece_text(
    struct rewrite_writing *writing, const struct rewrite_piece *piece, const char *const *keys)
{
    struct arena *arena = writing->rewriting->ctx->arena;
    const struct shape *shape = &piece->shape;
    const char **texts = ARENA_ARRAY(arena, const char *, shape->params.count + 1);

    for (size_t i = 0; i < shape->params.count; i++) {
        const char *key = keys ? keys[shape->params.items[i].number - 1] : NULL;

        texts[i] = key ? key : rewrite_value_text(writing, piece, &shape->params.items[i]);
    }
    return shape_splice(arena, shape, texts);
}

const char *
rewrite_key_text(struct arena *arena, const char *name, uint32_t type,
    const struct rewrite_piece *piece, size_t slot)
{
    if (piece->slots[slot].type == type)
        return name;
    return arena_printf(arena, "(%s::%s)", name, piece->loop->params[slot].type_name);
}

void
rewrite_refuse(struct rewriting *rewriting, enum rewrite_form form,
    const struct rewrite_piece *piece, const char *why)
{
    struct arena *arena = rewriting->ctx->arena;
    const char *name = rewrite_form_name(form);

    if (piece)
        VEC_PUSH(arena, &rewriting->ret->refused,
            arena_printf(arena, "%s: %s %s", name, piece->name, why));
    else
        VEC_PUSH(arena, &rewriting->ret->refused, arena_printf(arena, "%s: %s", name, why));
}

bool
rewrite_end(struct rewrite_writing *writing)
{
    struct rewriting *rewriting = writing->rewriting;
    struct ctx *ctx = rewriting->ctx;
    struct rewrite *rewrite = &writing->rewrite;
    struct rewrite_types ignored;

    if (!rewrite_ask_types(ctx, rewriting->db, rewrite->sql, &ignored)) {
        if (ctx->error.kind == ERR_CONNECTION || ctx->error.kind == ERR_INTERRUPTED)
            return error_wrap(ctx, "preparing the rewrite");
        rewrite_refuse(rewriting, rewrite->form, NULL,
            arena_printf(ctx->arena, "the server does not take it: %s", ctx->error.message));
        error_clear(ctx);
        return true;
    }
    rewrite->params = writing->params.items;
    rewrite->param_count = writing->params.count;
    rewrite->columns = writing->columns.items;
    rewrite->column_count = writing->columns.count;
    VEC_PUSH(ctx->arena, rewriting->ret, *rewrite);
    return true;
}
