/* What a column is set to, by the kind of its rule and its type. */
#include <inttypes.h>

#include "db/ident.h"
#include "staging/mask.h"

/*
 * Letters of the digest in an address, beside "user" and "@example.com"; fewer than LEAST would meet by chance, and in
 * a unique column fewer than LEAST_UNIQUE.
 */
enum { EMAIL_FRAME = 16, EMAIL_DIGITS = 16, HASH_DIGITS = 64, LEAST = 8, LEAST_UNIQUE = 12 };

static bool
is_one_of(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (text_equal(text, *list))
            return true;
    return false;
}

static bool
is_text(const struct mask_column *column)
{
    static const char *const types[] = { "text", "varchar", "bpchar", "citext", "name", NULL };

    return is_one_of(column->base, types);
}

static bool
is_integer(const struct mask_column *column)
{
    static const char *const types[] = { "int2", "int4", "int8", NULL };

    return is_one_of(column->base, types);
}

static const char *
full_name(struct arena *arena, const struct mask_column *column)
{
    return arena_printf(arena, "%s.%s", db_qualified(arena, column->schema, column->table),
        db_ident(arena, column->name));
}

static bool
refuse_type(struct ctx *ctx, const struct mask_rules *rules, const struct mask_column *column)
{
    mask_refuse(ctx, rules, column->rule, "%s is of type %s, which cannot be masked as \"%s\"",
        full_name(ctx->arena, column), column->type, mask_kind_name(column->rule->kind));
    return error_hint(ctx, "Of any type: null%s.",
        is_integer(column) || text_equal(column->base, "uuid") ? ", constant '…', hash"
                                                               : ", constant '…'");
}

/* Digits that the column has room for beside a frame; false and an error when these are too few. */
static bool
fit(struct ctx *ctx, const struct mask_rules *rules, const struct mask_column *column, int frame,
    int wanted, int *ret)
{
    int least = column->is_unique ? LEAST_UNIQUE : LEAST;

    *ret = wanted;
    if (column->max_length > 0 && column->max_length - frame < wanted)
        *ret = column->max_length - frame;
    if (*ret >= least)
        return true;
    mask_refuse(ctx, rules, column->rule,
        "%s (with the columns that refer to it) has room for %d letters, and \"%s\" needs %d",
        full_name(ctx->arena, column), (int)column->max_length, mask_kind_name(column->rule->kind),
        frame + least);
    return error_hint(ctx, "\"token\" keeps the length of each value.");
}

static void
set_text(struct arena *arena, struct mask_column *column, const char *masked, int least_letters)
{
    const char *name = db_ident(arena, column->name);

    column->expression = arena_printf(arena, "(%s)::%s", masked, column->type);
    column->exposed = arena_printf(arena,
        "pg_catalog.length(pg_catalog.regexp_replace(%s::text, '[^[:alnum:]]', '', 'g')) >= %d",
        name, least_letters);
}

static bool
compose_hash(struct ctx *ctx, const struct mask_rules *rules, struct mask_column *column)
{
    struct arena *arena = ctx->arena;
    const char *name = db_ident(arena, column->name);
    int digits;

    if (is_integer(column)) {
        int bits = text_equal(column->base, "int2")   ? 48
                   : text_equal(column->base, "int4") ? 32
                                                      : 0;

        column->expression = arena_printf(
            arena, "(pg_temp.mask_number('hash', %s::text) >> %d)::%s", name, bits, column->type);
        column->exposed = bits == 0 ? "true" : NULL;
        return true;
    }
    if (text_equal(column->base, "uuid")) {
        column->expression = arena_printf(arena,
            "pg_catalog.left(pg_temp.mask_digest('hash', %s::text), 32)::%s", name, column->type);
        column->exposed = "true";
        return true;
    }
    if (!is_text(column))
        return refuse_type(ctx, rules, column);
    if (!fit(ctx, rules, column, 0, HASH_DIGITS, &digits))
        return false;
    set_text(arena, column,
        arena_printf(
            arena, "pg_catalog.left(pg_temp.mask_digest('hash', %s::text), %d)", name, digits),
        LEAST);
    return true;
}

static bool
compose_constant(struct ctx *ctx, const struct mask_rules *rules, struct mask_column *column)
{
    const char *value = db_literal(ctx->arena, column->rule->value);
    const char *name = db_ident(ctx->arena, column->name);

    if (column->max_length > 0 && text_width(column->rule->value) > (size_t)column->max_length)
        return mask_refuse(ctx, rules, column->rule, "%s is of type %s: the constant is too long",
            full_name(ctx->arena, column), column->type);
    column->expression = arena_printf(
        ctx->arena, "CASE WHEN %s IS NOT NULL THEN %s::%s END", name, value, column->type);
    column->exposed =
        arena_printf(ctx->arena, "%s::text <> %s::%s::text", name, value, column->type);
    return true;
}

static bool
compose_email(struct ctx *ctx, const struct mask_rules *rules, struct mask_column *column)
{
    int digits;

    if (!is_text(column))
        return refuse_type(ctx, rules, column);
    if (!fit(ctx, rules, column, EMAIL_FRAME, EMAIL_DIGITS, &digits))
        return false;
    set_text(ctx->arena, column,
        arena_printf(ctx->arena, "pg_temp.mask_email(%s::text, %d)",
            db_ident(ctx->arena, column->name), digits),
        1);
    return true;
}

static bool
compose_text(struct ctx *ctx, const struct mask_rules *rules, struct mask_column *column)
{
    const char *name = db_ident(ctx->arena, column->name);

    if (text_equal(column->base, "json") || text_equal(column->base, "jsonb")) {
        column->expression = arena_printf(
            ctx->arena, "pg_temp.mask_json(%s::pg_catalog.jsonb)::%s", name, column->type);
        return true;
    }
    if (!is_text(column))
        return refuse_type(ctx, rules, column);
    set_text(ctx->arena, column, arena_printf(ctx->arena, "pg_temp.mask_text(%s::text)", name), 12);
    return true;
}

/* Names of more words than fit are cut: nothing depends on their ends. */
static bool
compose_name(struct ctx *ctx, const struct mask_rules *rules, struct mask_column *column)
{
    const char *masked =
        arena_printf(ctx->arena, "pg_temp.mask_name(%s::text)", db_ident(ctx->arena, column->name));

    if (!is_text(column))
        return refuse_type(ctx, rules, column);
    if (column->max_length > 0)
        masked =
            arena_printf(ctx->arena, "pg_catalog.left(%s, %d)", masked, (int)column->max_length);
    set_text(ctx->arena, column, masked, LEAST);
    return true;
}

static bool
compose_letters(struct ctx *ctx, const struct mask_rules *rules, struct mask_column *column)
{
    bool is_phone = column->rule->kind == MASK_PHONE;

    if (!is_text(column))
        return refuse_type(ctx, rules, column);
    set_text(ctx->arena, column,
        arena_printf(ctx->arena, "pg_temp.mask_letters('%s', %s::text)",
            is_phone ? "digits" : "token", db_ident(ctx->arena, column->name)),
        LEAST);
    /* Another's number may come out by chance: there are only so many. */
    if (is_phone)
        column->exposed = NULL;
    return true;
}

static bool
check_unique(struct ctx *ctx, const struct mask_rules *rules, const struct mask_column *column)
{
    enum mask_kind kind = column->rule->kind;

    if (!column->is_unique || kind == MASK_EMAIL || kind == MASK_TOKEN || kind == MASK_HASH ||
        kind == MASK_NULL)
        return true;
    mask_refuse(ctx, rules, column->rule,
        "%s is in a unique index, and \"%s\" can give the same value twice",
        full_name(ctx->arena, column), mask_kind_name(kind));
    return error_hint(ctx, "Take email, token or hash.");
}

bool
mask_compose(struct ctx *ctx, const struct mask_rules *rules, struct mask_column *column)
{
    if (!check_unique(ctx, rules, column))
        return false;
    switch (column->rule->kind) {
    case MASK_EMAIL:
        return compose_email(ctx, rules, column);
    case MASK_NAME:
        return compose_name(ctx, rules, column);
    case MASK_PHONE:
    case MASK_TOKEN:
        return compose_letters(ctx, rules, column);
    case MASK_TEXT:
        return compose_text(ctx, rules, column);
    case MASK_NULL:
        if (column->is_not_null) {
            mask_refuse(ctx, rules, column->rule, "%s is NOT NULL", full_name(ctx->arena, column));
            return error_hint(ctx, "Take constant '…' instead.");
        }
        column->expression = "NULL";
        column->exposed = "true";
        return true;
    case MASK_CONSTANT:
        return compose_constant(ctx, rules, column);
    case MASK_HASH:
        return compose_hash(ctx, rules, column);
    case MASK_KEEP:
    case MASK_KIND_COUNT:
        break;
    }
    return error_set(ctx, ERR_FAILED, "a rule of a kind that masks nothing");
}
