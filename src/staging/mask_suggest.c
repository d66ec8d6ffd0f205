/* Rules for columns that look personal or secret: by their names, and by a sample of their values. */
#include "db/ident.h"
#include "sql.h"
#include "staging/mask.h"

/* Part of a column's name, and what it is masked as then. */
struct hint {
    const char *part;
    enum mask_kind kind;
};

static const struct hint name_hints[] = {
    { "email", MASK_EMAIL },
    { "e_mail", MASK_EMAIL },
    { "phone", MASK_PHONE },
    { "mobile", MASK_PHONE },
    { "password", MASK_TOKEN },
    { "passwd", MASK_TOKEN },
    { "secret", MASK_TOKEN },
    { "token", MASK_TOKEN },
    { "api_key", MASK_TOKEN },
    { "apikey", MASK_TOKEN },
    { "api_hash", MASK_TOKEN },
    { "session_string", MASK_TOKEN },
    { "credential", MASK_TOKEN },
    { "first_name", MASK_NAME },
    { "last_name", MASK_NAME },
    { "full_name", MASK_NAME },
    { "username", MASK_TOKEN },
    { "display_name", MASK_NAME },
    { "address", MASK_TEXT },
    { "message", MASK_TEXT },
    { "content", MASK_TEXT },
    { "description", MASK_TEXT },
    { "body", MASK_TEXT },
    { "text", MASK_TEXT },
    { "note", MASK_TEXT },
};

/* Shares of the sampled values from which they are taken for that. */
static const double least_share = 0.5;
static const double least_prose = 0.3;

enum { LOOK_EMAIL, LOOK_PHONE, LOOK_TOKEN, LOOK_PROSE, LOOK_NAME, LOOK_ADDRESS_IN, LOOK_COUNT };

static bool
is_text(const char *base)
{
    return text_equal(base, "text") || text_equal(base, "varchar") || text_equal(base, "bpchar") ||
           text_equal(base, "citext");
}

static bool
is_json(const char *base)
{
    return text_equal(base, "json") || text_equal(base, "jsonb");
}

static enum mask_kind
kind_by_name(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(name_hints); i++)
        if (strcasestr(name, name_hints[i].part))
            return name_hints[i].kind;
    return MASK_KEEP;
}

/* A table that cannot be read now tells nothing; only a lost session is an error. */
static bool
look_at_values(struct ctx *ctx, struct db *db, const char *sql, double ret[LOOK_COUNT])
{
    struct result result;

    for (int i = 0; i < LOOK_COUNT; i++)
        ret[i] = 0;
    if (!db_query(ctx, db, sql, NULL, 0, &result)) {
        if (!db_is_connected(db) || ctx->error.kind == ERR_INTERRUPTED ||
            ctx->error.kind == ERR_TERMINATED)
            return false;
        error_clear(ctx);
        return true;
    }
    for (size_t i = 0; result.rows == 1 && i < LOOK_COUNT; i++)
        if (!text_to_double(result_cell(&result, 0, i), &ret[i]))
            ret[i] = 0;
    return true;
}

static enum mask_kind
kind_by_values(const double shares[LOOK_COUNT], enum mask_kind named, const char **ret_why)
{
    *ret_why = "by its name";
    if (shares[LOOK_EMAIL] >= least_share) {
        *ret_why = "its values are addresses";
        return MASK_EMAIL;
    }
    if (shares[LOOK_TOKEN] >= least_share) {
        *ret_why = "its values look like tokens";
        return MASK_TOKEN;
    }
    if (shares[LOOK_PHONE] >= least_share) {
        *ret_why = "its values look like phone numbers";
        return MASK_PHONE;
    }
    if (named != MASK_KEEP)
        return named;
    if (shares[LOOK_NAME] >= least_share) {
        *ret_why = "its values look like names";
        return MASK_NAME;
    }
    if (shares[LOOK_PROSE] >= least_prose) {
        *ret_why = "its values are sentences";
        return MASK_TEXT;
    }
    if (shares[LOOK_ADDRESS_IN] > 0) {
        *ret_why = "addresses are in some of its values";
        return MASK_TEXT;
    }
    return named;
}

static const char *
name_of(struct arena *arena, const struct sql_staging_mask_sample *row)
{
    return arena_printf(arena, "%s.%s", db_qualified(arena, row->schema, row->name),
        db_ident(arena, row->attribute));
}

static void
add_without(struct arena *arena, const struct sql_staging_mask_sample *row, struct text_list *ret)
{
    text_list_add(arena, ret, arena_printf(arena, "%s (%s)", name_of(arena, row), row->type));
}

static void
add_rule(struct ctx *ctx, struct buffer *text, const struct sql_staging_mask_sample *row,
    const char *way, const char *why)
{
    const char *name = name_of(ctx->arena, row);

    buffer_printf(text, "; %s%s\n%s = %s\n", why,
        row->is_key ? "; a key: mask the columns on its other end the same way" : "", name, way);
}

/* What follows from texts elsewhere in the row, and would give them away. */
static bool
add_derived(struct ctx *ctx, struct buffer *text, const struct sql_staging_mask_sample *row)
{
    const char *why = text_equal(row->base, "tsvector")
                          ? "holds the words of a text, kept by a trigger or the application"
                      : text_equal(row->base, "vector") || text_equal(row->base, "halfvec")
                          ? "an embedding: much of its text can be guessed from it"
                          : NULL;

    if (!why)
        return false;
    if (row->is_not_null)
        buffer_printf(text, "; %s; NOT NULL, so only constant '…' would do\n; %s = null\n", why,
            name_of(ctx->arena, row));
    else
        add_rule(ctx, text, row, "null", why);
    return !row->is_not_null;
}

/* What is masked as what, for a column whose texts can be read; MASK_KEEP: nothing points to it. */
static bool
judge(struct ctx *ctx, struct db *db, const struct sql_staging_mask_sample *row,
    enum mask_kind *ret, const char **ret_why)
{
    enum mask_kind named = kind_by_name(row->attribute);
    double shares[LOOK_COUNT];

    *ret_why = "by its name";
    if (!look_at_values(ctx, db, row->sample, shares))
        return false;
    if (!is_json(row->base)) {
        *ret = kind_by_values(shares, named, ret_why);
        if (row->is_unique && (*ret == MASK_TEXT || *ret == MASK_NAME || *ret == MASK_PHONE))
            *ret = MASK_TOKEN;
        return true;
    }
    /* Of JSON all texts are masked, or none: whatever it is that is in there. */
    *ret = named == MASK_KEEP ? MASK_KEEP : MASK_TEXT;
    if (*ret == MASK_KEEP && shares[LOOK_ADDRESS_IN] > 0) {
        *ret = MASK_TEXT;
        *ret_why = "addresses are in its values";
    }
    return true;
}

bool
mask_suggest(struct ctx *ctx, struct db *db, struct mask_suggestion *ret)
{
    struct sql_staging_mask_sample_rows rows;
    struct buffer text = { .arena = ctx->arena };

    *ret = (struct mask_suggestion){ 0 };
    buffer_add(&text, "[mask]\n");
    if (!sql_staging_mask_sample(ctx, db, &rows))
        return error_wrap(ctx, "looking at the columns");
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_staging_mask_sample *row = &rows.items[i];
        bool is_read = is_text(row->base) || is_json(row->base);
        enum mask_kind kind = MASK_KEEP;
        const char *why;

        if (is_read && !judge(ctx, db, row, &kind, &why))
            return false;
        if (kind != MASK_KEEP)
            add_rule(ctx, &text, row, mask_kind_name(kind), why);
        if (kind != MASK_KEEP || (!is_read && add_derived(ctx, &text, row)))
            ret->count++;
        else
            add_without(ctx->arena, row, &ret->without);
    }
    ret->text = buffer_text(&text);
    return true;
}

bool
mask_find_without(
    struct ctx *ctx, struct db *db, const struct mask_rules *rules, struct text_list *ret)
{
    struct sql_staging_mask_sample_rows rows;

    *ret = (struct text_list){ 0 };
    if (!sql_staging_mask_sample(ctx, db, &rows))
        return error_wrap(ctx, "looking for columns without a rule");
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_staging_mask_sample *row = &rows.items[i];
        bool is_named = false;

        for (size_t j = 0; j < rules->items.count; j++)
            is_named |=
                mask_rule_matches(&rules->items.items[j], row->schema, row->name, row->attribute);
        if (!is_named)
            add_without(ctx->arena, row, ret);
    }
    return true;
}
