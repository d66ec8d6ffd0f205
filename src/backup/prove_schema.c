/* The rows of a backup in a schema that was made otherwise: do they fit, and are they the same? */
#include <inttypes.h>

#include "backup/info.h"
#include "backup/side.h"
#include "backup/store.h"
#include "base/clock.h"
#include "db/ident.h"
#include "sql.h"

#define OWN_SCHEMA "pgmend"

struct proof {
    const struct backup_schema_proof *options;
    struct db *into;
    struct dump_tools tools;
    struct manifest manifest;
    const char *path;
    struct content expected; /* of the manifest, without what is pgmend's own */
    struct sql_backup_schema_tables_rows tables;
    struct text_list left_out; /* entries of the archive */
    bool triggers_stay;
};

/* Tables and sequences alone: definitions are compared elsewhere, and by better means. */
static struct content
rows_of(struct arena *arena, const struct content *content)
{
    struct content rows = {
        .large_objects = content->large_objects,
        .large_object_sum = content->large_object_sum,
    };

    for (size_t i = 0; i < content->tables.count; i++)
        if (!text_equal(content->tables.items[i].schema, OWN_SCHEMA))
            VEC_PUSH(arena, &rows.tables, content->tables.items[i]);
    for (size_t i = 0; i < content->sequences.count; i++)
        if (!text_equal(content->sequences.items[i].schema, OWN_SCHEMA))
            VEC_PUSH(arena, &rows.sequences, content->sequences.items[i]);
    return rows;
}

static bool
find_backup(struct ctx *ctx, struct proof *proof, struct text_list *ret_differences)
{
    struct manifest_verified verified;
    struct text_list notes = { 0 };
    const char *folder, *why = NULL;

    if (!store_open(ctx, proof->options->folder, &folder) ||
        !info_find_path(ctx, folder, proof->options->name, &proof->path) ||
        !dump_tools_find(
            ctx, proof->options->bin_folder, db_major(proof->into), &proof->tools, &notes) ||
        !side_check_files(ctx, proof->path, &proof->manifest, ret_differences))
        return false;
    if (manifest_read_verified(ctx, proof->path, &proof->manifest, &verified, &why))
        return true;
    error_set(ctx, ERR_GATE,
        "backup \"%s\" was never verified: nobody knows whether its rows can "
        "be restored",
        proof->manifest.name);
    return error_hint(ctx, "Run pgmend backup verify %s first.", proof->manifest.name);
}

static bool
refuse(struct ctx *ctx, const struct text_list *differences)
{
    struct buffer detail = { .arena = ctx->arena };

    for (size_t i = 0; i < differences->count; i++)
        buffer_printf(&detail, "%s%s", i ? "\n" : "", differences->items[i]);
    error_set(ctx, ERR_VERIFICATION,
        "the rows of the backup are not the same in the new schema: %s", differences->items[0]);
    ctx->error.detail = buffer_text(&detail);
    return error_hint(ctx, "If the database differs from its history, see pgmend schema diff; "
                           "nothing was put in place.");
}

/* Tables on one side only; pg_restore would stop at the first without naming the others. */
static bool
compare_tables(struct ctx *ctx, const struct proof *proof, struct text_list *ret_differences)
{
    struct content_table_walk walk = { 0 };
    struct content found = { 0 }, mine;

    if (!content_load(ctx, proof->into, &found))
        return error_wrap(ctx, "reading the new schema");
    mine = rows_of(ctx->arena, &found);
    while (content_walk_tables(&proof->expected, &mine, &walk)) {
        const struct content_table *table = walk.expected ? walk.expected : walk.found;

        if (walk.expected && walk.found)
            continue;
        text_list_add(ctx->arena, ret_differences,
            arena_printf(ctx->arena, "table %s is in the %s only",
                db_qualified(ctx->arena, table->schema, table->name),
                walk.expected ? "backup" : "new schema"));
    }
    return ret_differences->count == 0 || refuse(ctx, ret_differences);
}

/*
 * Rows of tables that belong to extensions come with the extension, and the journal of pgmend is
 * not part of the application.
 */
static bool
choose(struct ctx *ctx, struct proof *proof)
{
    struct arena *arena = ctx->arena;
    struct sql_staging_server_rows server;
    const struct sql_backup_schema_tables *hindered = NULL;

    if (!sql_staging_server(ctx, proof->into, &server) ||
        !sql_backup_schema_tables(ctx, proof->into, &proof->tables))
        return error_wrap(ctx, "looking at the new schema");
    text_list_add(arena, &proof->left_out, "TABLE DATA " OWN_SCHEMA " ");
    text_list_add(arena, &proof->left_out, "SEQUENCE SET " OWN_SCHEMA " ");
    for (size_t i = 0; i < proof->tables.count; i++) {
        const struct sql_backup_schema_tables *table = &proof->tables.items[i];

        if (table->is_extension)
            text_list_add(arena, &proof->left_out,
                arena_printf(arena, "TABLE DATA %s %s ", table->schema, table->name));
        else if (table->triggers > 0)
            hindered = table;
    }
    proof->triggers_stay = !server.items[0].is_superuser;
    if (!proof->triggers_stay || !hindered)
        return true;
    error_set(ctx, ERR_RIGHTS,
        "role \"%s\" is no superuser: foreign keys and triggers, as those of table %s, cannot be "
        "put off while rows are restored",
        db_user(proof->into), db_qualified(arena, hindered->schema, hindered->name));
    return error_hint(
        ctx, "Run the proof with a superuser on a server of your own, or leave out --data-proof.");
}

/* The rows that the history itself put there come back with the backup. */
static bool
empty_tables(struct ctx *ctx, const struct proof *proof)
{
    struct buffer sql = { .arena = ctx->arena };

    for (size_t i = 0; i < proof->tables.count; i++) {
        const struct sql_backup_schema_tables *table = &proof->tables.items[i];

        if (!table->is_extension && !text_equal(table->schema, OWN_SCHEMA))
            buffer_printf(&sql, "%s%s", sql.length ? ", " : "TRUNCATE TABLE ",
                db_qualified(ctx->arena, table->schema, table->name));
    }
    return sql.length == 0 || db_exec(ctx, proof->into, buffer_text(&sql)) ||
           error_wrap(ctx, "emptying the tables of the new schema");
}

/* The word behind a text, up to the sign; "" when there is none. */
static const char *
word_after(struct arena *arena, const char *text, const char *before, const char *end)
{
    const char *at = strstr(text, before);

    return at ? arena_strndup(arena, at + strlen(before), strcspn(at + strlen(before), end)) : "";
}

/*
 * Table and error out of what pg_restore printed: either 'COPY failed for table "t": ERROR: …' or
 * 'ERROR: …' and 'Command was: COPY public.t (…'.
 */
static const char *
server_words(struct arena *arena, const char *text)
{
    const char *why = word_after(arena, text, "ERROR:", "\n");
    const char *table = word_after(arena, text, "COPY failed for table \"", "\"");

    if (!*table)
        table = word_after(arena, text, "Command was: COPY ", "(\n");
    why += strspn(why, " ");
    if (!*table)
        return why;
    return arena_printf(arena, "table %.*s: %s",
        (int)(strlen(table) - (size_t)text_ends_with(table, " ")), table, why);
}

/* What the new schema refuses is what this is about; what hinders us is an error as ever. */
static bool
explain(struct ctx *ctx, struct text_list *ret_differences)
{
    const char *words = ctx->error.detail;

    if (ctx->error.kind != ERR_FAILED || !words || !strstr(words, "ERROR:"))
        return error_wrap(ctx, "restoring the rows");
    text_list_add(ctx->arena, ret_differences, server_words(ctx->arena, words));
    return refuse(ctx, ret_differences);
}

static bool
restore(struct ctx *ctx, const struct proof *proof, struct text_list *ret_differences)
{
    const struct archive_data data = { .left_out = &proof->left_out,
        .triggers_stay = proof->triggers_stay };
    const struct archive_restore with = {
        .tools = &proof->tools,
        .archive = manifest_archive(ctx->arena, proof->path, &proof->manifest),
        .database = db_name(proof->into),
        .jobs = proof->options->jobs > 0 ? proof->options->jobs : 1,
        .data = &data,
        .watch = proof->options->watch,
    };
    int64_t us = 0;

    return archive_restore(ctx, proof->into, &with, &us) || explain(ctx, ret_differences);
}

static bool
compare(struct ctx *ctx, const struct proof *proof, struct text_list *ret_differences)
{
    struct text_list notes = { 0 };
    struct content found, mine;

    step_watch_show(proof->options->watch, "comparing", -1, 0, NULL);
    if (!content_load_all(ctx, proof->into, &found))
        return error_wrap(ctx, "comparing the restored rows");
    mine = rows_of(ctx->arena, &found);
    content_compare(
        ctx->arena, &proof->expected, &mine, CONTENT_WITHOUT_RIGHTS, ret_differences, &notes);
    return ret_differences->count == 0 || refuse(ctx, ret_differences);
}

static const char *
sentence(struct arena *arena, const struct proof *proof)
{
    int64_t rows = 0;

    for (size_t i = 0; i < proof->expected.tables.count; i++)
        rows += proof->expected.tables.items[i].rows;
    return arena_printf(arena,
        "%s rows of %zu tables and %zu sequences of backup \"%s\" (%s) were restored into the new "
        "schema: counts and checksums are equal",
        text_from_count(arena, rows), proof->expected.tables.count, proof->expected.sequences.count,
        proof->manifest.name, clock_text(arena, proof->manifest.snapshot_us));
}

static bool
prove(struct ctx *ctx, struct proof *proof, struct text_list *ret_differences)
{
    if (!find_backup(ctx, proof, ret_differences))
        return false;
    proof->expected = rows_of(ctx->arena, &proof->manifest.content);
    return compare_tables(ctx, proof, ret_differences) && choose(ctx, proof) &&
           empty_tables(ctx, proof) && restore(ctx, proof, ret_differences) &&
           compare(ctx, proof, ret_differences);
}

bool
backup_prove_schema(struct ctx *ctx, struct db *into, const struct backup_schema_proof *options,
    const char **ret_sentence, struct text_list *ret_differences)
{
    struct proof proof = { .options = options, .into = into };

    *ret_differences = (struct text_list){ 0 };
    *ret_sentence = NULL;
    if (!prove(ctx, &proof, ret_differences))
        return error_wrap(ctx, "proving the new schema with a backup");
    *ret_sentence = sentence(ctx->arena, &proof);
    return true;
}
