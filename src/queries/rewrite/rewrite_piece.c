/* A template and its slots as a statement that can be run and looked at. */
#include <ctype.h>

#include "db/ident.h"
#include "queries/rewrite/rewrite_part.h"

/* How constants are written back. */
enum writing_numbers { NUMBERS_BY_TYPE, NUMBERS_BARE, NUMBERS_QUOTED, NUMBERS_WAYS };

/* A template on its way to a statement of the loop. */
struct reading {
    struct rewriting *rewriting;
    struct shape shape; /* of the template */
    const struct query_slot *slots;
    size_t slot_count;
    bool is_parent;
    struct rewrite_types types; /* of the template's parameters; empty: not known */
};

static void
reading_end(struct reading *reading)
{
    shape_end(&reading->shape);
}

static bool
is_written(const struct reading *reading, const struct shape_param *param)
{
    const struct query_slot *slot = &reading->slots[param->number - 1];

    if (slot->origin != SLOT_CONSTANT || !slot->text)
        return false;
    /* As a parameter it would be a value, and sort nothing. */
    if (param->is_place)
        return true;
    return !reading->is_parent && !slot->is_bound;
}

static bool
looks_like_number(const char *text)
{
    double ignored;

    if (!isdigit((unsigned char)text[0]) && text[0] != '-' && text[0] != '.')
        return false;
    return text[strspn(text, "0123456789.eE+-")] == '\0' && text_to_double(text, &ignored);
}

static const char *
constant(const struct reading *reading, const struct shape_param *param, enum writing_numbers way)
{
    struct arena *arena = reading->rewriting->ctx->arena;
    const char *text = reading->slots[param->number - 1].text;
    size_t index = (size_t)param->number - 1;
    bool is_bare = param->is_alone;

    if (index < reading->types.count && reading->types.items[index].is_number)
        is_bare = true;
    if (way != NUMBERS_BY_TYPE && !param->is_place)
        is_bare = way == NUMBERS_BARE;
    if (!is_bare || !looks_like_number(text))
        return db_literal(arena, text);
    return *text == '-' ? arena_printf(arena, "(%s)", text) : text;
}

/* The statement of the loop; *loop gets its parameters in the order in which they come. */
static const char *
write_loop(const struct reading *reading, enum writing_numbers way, struct rewrite_piece *piece)
{
    struct arena *arena = reading->rewriting->ctx->arena;
    const struct shape *shape = &reading->shape;
    const char **texts = ARENA_ARRAY(arena, const char *, shape->params.count + 1);
    size_t *numbers = ARENA_ARRAY(arena, size_t, reading->slot_count + 1);
    struct rewrite_loop *loop = piece->loop;

    loop->params = ARENA_ARRAY(arena, struct rewrite_param, reading->slot_count + 1);
    loop->param_count = 0;
    for (size_t i = 0; i < shape->params.count; i++) {
        const struct shape_param *param = &shape->params.items[i];
        size_t index = (size_t)param->number - 1;

        if (is_written(reading, param)) {
            texts[i] = constant(reading, param, way);
            continue;
        }
        if (numbers[index] == 0) {
            loop->params[loop->param_count] = (struct rewrite_param){
                .child = piece->child,
                .slot = index,
                .text = reading->slots[index].text,
            };
            numbers[index] = ++loop->param_count;
        }
        texts[i] = arena_printf(arena, "$%zu", numbers[index]);
    }
    return shape_splice(arena, shape, texts);
}

/* The way of writing constants that the server takes, the likeliest first. */
static bool
write_as_taken(struct reading *reading, struct rewrite_piece *piece, struct rewrite_types *ret)
{
    struct ctx *ctx = reading->rewriting->ctx;
    struct error first = { 0 };

    for (enum writing_numbers way = NUMBERS_BY_TYPE; way < NUMBERS_WAYS; way++) {
        piece->loop->sql = write_loop(reading, way, piece);
        if (rewrite_ask_types(ctx, reading->rewriting->db, piece->loop->sql, ret))
            return true;
        if (ctx->error.kind == ERR_CONNECTION || ctx->error.kind == ERR_INTERRUPTED)
            return false;
        if (way == NUMBERS_BY_TYPE)
            first = ctx->error;
        error_clear(ctx);
    }
    ctx->error = first;
    return error_wrap(ctx, "%s cannot be prepared", piece->name);
}

static bool
read_template(struct rewriting *rewriting, const char *sql, struct reading *reading,
    const struct rewrite_piece *piece)
{
    struct ctx *ctx = rewriting->ctx;

    if (!shape_begin(ctx, sql, &reading->shape))
        return error_wrap(ctx, "%s", piece->name);
    for (size_t i = 0; i < reading->shape.params.count; i++) {
        int32_t number = reading->shape.params.items[i].number;

        if (number < 1 || (size_t)number > reading->slot_count)
            return error_set(ctx, ERR_INPUT, "%s has $%d, but %zu values are known of it",
                piece->name, number, reading->slot_count);
    }
    if (reading->shape.refusal)
        return true;

    /* Without the constants that are known it may be no statement at all. */
    if (!rewrite_ask_types(ctx, rewriting->db, reading->shape.sql, &reading->types)) {
        if (ctx->error.kind == ERR_CONNECTION || ctx->error.kind == ERR_INTERRUPTED)
            return false;
        error_clear(ctx);
    }
    return true;
}

/* Without a parent, what varies is the key. */
static bool
is_key(const struct rewriting *rewriting, const struct query_slot *slot)
{
    return slot->origin == SLOT_KEY ||
           (slot->origin == SLOT_VARIES && !rewriting->input->parent_sql);
}

static void
read_slots(
    struct rewriting *rewriting, const struct rewrite_types *types, struct rewrite_piece *piece)
{
    struct ctx *ctx = rewriting->ctx;
    struct rewrite_loop *loop = piece->loop;

    piece->slots = ARENA_ARRAY(ctx->arena, struct rewrite_slot, loop->param_count + 1);
    piece->is_of_key = true;
    for (size_t i = 0; i < loop->param_count && i < types->count; i++) {
        const struct query_slot *origin = &piece->origins[loop->params[i].slot];
        struct rewrite_slot *slot = &piece->slots[i];

        loop->params[i].type_name = types->items[i].name;
        *slot = (struct rewrite_slot){
            .type = types->items[i].type,
            .has_array = types->items[i].has_array,
            .is_array = types->items[i].is_array,
            .is_key = piece->child >= 0 && is_key(rewriting, origin),
            .column = origin->origin == SLOT_KEY ? origin->column : -1,
        };
        if (slot->is_key && rewriting->input->parent_sql &&
            slot->column != rewriting->input->key_column)
            piece->is_of_key = false;
        /* Two values that vary by themselves are no one key. */
        if (slot->is_key && slot->column < 0 && piece->key_count > 0)
            piece->is_of_key = false;
        piece->key_count += slot->is_key;
        if (piece->child >= 0 && origin->origin == SLOT_VARIES && !slot->is_key && !piece->refusal)
            piece->refusal = arena_printf(ctx->arena,
                "has a value, $%zu, that varies and is no column of the parent",
                loop->params[i].slot + 1);
    }
}

bool
rewrite_read_piece(struct rewriting *rewriting, const char *sql, const struct query_slot *slots,
    size_t slot_count, struct rewrite_piece *piece)
{
    struct reading reading CLEANUP(reading_end) = {
        .rewriting = rewriting,
        .slots = slots,
        .slot_count = slot_count,
        .is_parent = piece->child < 0,
    };
    struct rewrite_types types;

    piece->origins = slots;
    if (!read_template(rewriting, sql, &reading, piece))
        return false;
    if (reading.shape.refusal) {
        piece->refusal = reading.shape.refusal;
        piece->is_unsafe = true;
        return true;
    }
    if (!write_as_taken(&reading, piece, &types) ||
        !shape_begin(rewriting->ctx, piece->loop->sql, &piece->shape))
        return false;

    piece->loop->sql = piece->shape.sql;
    piece->loop->is_ordered = piece->shape.is_ordered;
    read_slots(rewriting, &types, piece);
    return rewrite_ask_calls(rewriting->ctx, rewriting->db, piece) &&
           rewrite_ask_columns(rewriting->ctx, rewriting->db, piece->loop);
}
