/* What PostgreSQL makes of its own words, as a restored dump shows it. */
#include "migrate/squash/reword.h"

#include "lang/sql.h"
#include "migrate/squash/replayed.h"

/* Attributes that are expressions, or hold some; nothing else is ever forgiven. */
static const char *const expressions[] = { "definition", "expression", "default_text", "generated",
    "predicate", "keys", "using_text", "check_text", "partition_key", "bound" };

static bool
is_expression(const struct difference *difference)
{
    if (difference->kind != DIFFERENCE_CHANGED || !difference->attribute)
        return false;
    for (size_t i = 0; i < COUNT_OF(expressions); i++)
        if (text_equal(difference->attribute, expressions[i]))
            return true;
    return false;
}

/* The comments of extensions belong to who made these, which is not always us. */
static bool
restore(struct ctx *ctx, const struct reword *reword, const char *dump)
{
    struct sql_statements statements = { 0 };
    struct db *db CLEANUP(db_cleanup) = NULL;
    const struct db_options options = { .access = ACCESS_WRITE };

    if (!sql_split(ctx, "pg_dump", dump, &statements) ||
        !db_open_like(ctx, reword->copy.db, &options, &db) ||
        !db_set(ctx, db, "synchronous_commit", "off"))
        return false;
    for (size_t i = 0; i < statements.count; i++)
        if (!db_exec(ctx, db, statements.items[i].text) &&
            !text_starts_with(statements.items[i].text, "COMMENT ON EXTENSION "))
            return false;
    error_clear(ctx);
    return true;
}

/* A dump that cannot be restored leaves every difference standing; what stops us is an error. */
static bool
may_go_on(struct ctx *ctx)
{
    enum error_kind kind = ctx->error.kind;

    if (kind == ERR_INTERRUPTED || kind == ERR_TERMINATED || kind == ERR_CONNECTION)
        return error_wrap(ctx, "reading pg_dump's text again");
    error_clear(ctx);
    return true;
}

bool
reword_begin(struct ctx *ctx, const struct reword_request *request, struct reword *reword,
    struct squash_rewording *ret)
{
    const struct diff_options nothing_ignored = { 0 };
    struct differences all = { 0 };

    *ret = (struct squash_rewording){ 0 };
    *reword = (struct reword){ 0 };
    if (!replayed_begin(ctx, request->db, request->scratch_template, &reword->copy))
        return error_wrap(ctx, "reading pg_dump's text again");
    if (!restore(ctx, reword, request->dump) ||
        !schema_load(ctx, reword->copy.db, &reword->copy.schema))
        return may_go_on(ctx);
    schema_diff(ctx->arena, request->schema, &reword->copy.schema, &nothing_ignored, &all);
    for (size_t i = 0; i < all.count; i++)
        if (is_expression(&all.items[i]))
            VEC_PUSH(ctx->arena, &ret->differences, all.items[i]);
    reword->is_running =
        schema_dump_begin(ctx, reword->copy.db, request->tools, NULL, &reword->dump);
    return reword->is_running;
}

bool
reword_end(struct ctx *ctx, struct reword *reword, struct squash_rewording *ret)
{
    if (!reword->is_running)
        return true;
    reword->is_running = false;
    if (!schema_dump_end(ctx, &reword->dump, &ret->dump))
        return false;
    ret->is_known = true;
    return true;
}

void
reword_stop(struct reword *reword)
{
    schema_dump_stop(&reword->dump);
    replayed_end(&reword->copy);
}

bool
squash_reword(struct ctx *ctx, struct db *db, const char *scratch_template, const char *bin_folder,
    struct replayed *replayed)
{
    struct reword reword CLEANUP(reword_stop) = { 0 };
    struct dump_tools tools;
    struct text_list notes = { 0 };
    struct reword_request request = {
        .db = db,
        .tools = &tools,
        .scratch_template = scratch_template,
        .schema = &replayed->schema,
    };

    return dump_tools_find(ctx, bin_folder, db_major(db), &tools, &notes) &&
           schema_copy_dump(ctx, replayed->db, &tools, NULL, &request.dump) &&
           reword_begin(ctx, &request, &reword, &replayed->rewording) &&
           reword_end(ctx, &reword, &replayed->rewording);
}

/* The server's second wording of exactly this text is exactly that one. */
static bool
is_rewording(const struct squash_rewording *rewording, const struct difference *difference)
{
    if (!rewording->is_known || !is_expression(difference))
        return false;
    for (size_t i = 0; i < rewording->differences.count; i++) {
        const struct difference *known = &rewording->differences.items[i];

        if (known->class == difference->class &&
            text_equal(known->identity, difference->identity) &&
            text_equal(known->attribute, difference->attribute) &&
            text_equal(known->found, difference->wanted) &&
            text_equal(known->wanted, difference->found))
            return true;
    }
    return false;
}

void
squash_forgive_wording(struct arena *arena, const struct squash_rewording *rewording,
    struct differences *differences, struct text_list *ret_forgiven)
{
    size_t kept = 0;

    for (size_t i = 0; i < differences->count; i++) {
        const struct difference *difference = &differences->items[i];

        if (is_rewording(rewording, difference))
            text_list_add(arena, ret_forgiven, difference_text(arena, difference));
        else
            differences->items[kept++] = *difference;
    }
    differences->count = kept;
}
