/* Whole databases copied: by a dump, or by the server itself. */
#include "staging/copy.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "base/temporary.h"
#include "db/ident.h"
#include "sql.h"
#include "staging/archive.h"

enum {
    STEP_US = 100000,
    SHOWN = 20,
    NAMED = 5,
    /* From here on a copy of files with two checkpoints is less work than all of it through WAL. */
    LARGE_BYTES = 1 << 28,
};

/* ---- by dump ---- */

static bool
start_dump(struct ctx *ctx, const struct copy_options *options, const char *snapshot,
    const char *file, const struct db_child_env *env, struct process *ret)
{
    const char *argv[] = { options->tools->dump, "--format=custom", "--compress=1", "--no-password",
        "--exclude-schema=pgmend", "--lock-wait-timeout=30s",
        arena_printf(ctx->arena, "--snapshot=%s", snapshot),
        arena_printf(ctx->arena, "--file=%s", file), NULL };
    const struct process_options process = { .argv = argv, .env = env->env, .own_group = true };

    return process_start(ctx, &process, ret);
}

/* "pgmend", "pgmend.gate", "schema pgmend", "relation pgmend.gate". */
static bool
is_of_pgmend(const char *name)
{
    const char *last = strrchr(name, ' ');

    if (text_starts_with(name, "pgmend.") || strstr(name, " pgmend."))
        return true;
    return text_equal(last ? last + 1 : name, "pgmend");
}

void
content_leave_out_pgmend(struct arena *arena, struct content *content)
{
    struct content kept = *content;

    kept.tables.count = kept.sequences.count = kept.objects.count = 0;
    kept.tables.items = NULL;
    kept.sequences.items = NULL;
    kept.objects.items = NULL;
    kept.tables.capacity = kept.sequences.capacity = kept.objects.capacity = 0;
    for (size_t i = 0; i < content->tables.count; i++)
        if (!text_equal(content->tables.items[i].schema, "pgmend"))
            VEC_PUSH(arena, &kept.tables, content->tables.items[i]);
    for (size_t i = 0; i < content->sequences.count; i++)
        if (!text_equal(content->sequences.items[i].schema, "pgmend"))
            VEC_PUSH(arena, &kept.sequences, content->sequences.items[i]);
    for (size_t i = 0; i < content->objects.count; i++) {
        if (!is_of_pgmend(content->objects.items[i].name))
            VEC_PUSH(arena, &kept.objects, content->objects.items[i]);
    }
    *content = kept;
}

/* The dump and the counting side by side, until both are done. */
static bool
run_both(struct ctx *ctx, struct db *source, const struct copy_options *options,
    struct process *dump, struct content *content)
{
    struct content_counter counter = { .db = source, .content = content };
    int64_t start_us = clock_us();
    bool is_counted = false;
    bool is_good = true;

    while (is_good && !(is_counted && dump->is_done)) {
        is_good = (is_counted || content_count_step(ctx, &counter, STEP_US, &is_counted)) &&
                  process_poll(ctx, dump, is_counted ? STEP_US : 0);
        if (is_good && dump->is_done && dump->status != 0)
            is_good = archive_failure(ctx, dump);
        step_watch_show(options->watch, "dumping", -1, clock_us() - start_us, NULL);
    }
    content_count_stop(&counter);
    return is_good;
}

static bool
dump_snapshot(struct ctx *ctx, struct db *source, const struct copy_options *options,
    const char *file, struct content *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct db_child_env env CLEANUP(db_child_env_end) = { 0 };
    struct process dump;
    const char *snapshot;
    bool is_good;

    if (!content_pin_session(ctx, source, false) || !content_begin(ctx, source, &transaction) ||
        !db_value(ctx, source, "SELECT pg_catalog.pg_export_snapshot()", NULL, 0, &snapshot) ||
        !db_child_env_begin(ctx, source, NULL, &env) || !content_load(ctx, source, ret))
        return false;
    content_leave_out_pgmend(ctx->arena, ret);
    if (!start_dump(ctx, options, snapshot, file, &env, &dump))
        return false;
    is_good = run_both(ctx, source, options, &dump, ret);
    process_stop(&dump);
    return is_good && content_end_sequences(ctx, source, ret) && db_commit(ctx, &transaction);
}

static bool
make_scratch(struct ctx *ctx, struct db *source, struct db *admin,
    const struct copy_options *options, struct scratch *ret)
{
    struct sql_staging_server_rows rows;

    if (!sql_staging_server(ctx, source, &rows) || rows.count != 1)
        return error_wrap(ctx, "looking at the server");

    const struct scratch_locale locale = {
        .encoding = rows.items[0].encoding,
        .collate = rows.items[0].collate,
        .ctype = rows.items[0].ctype,
        .provider = rows.items[0].locale_provider,
        .locale = rows.items[0].locale,
    };

    return scratch_create(ctx, admin, &locale, options->scratch_template, ret);
}

bool
copy_by_dump(struct ctx *ctx, struct db *source, struct db *admin,
    const struct copy_options *options, struct scratch *ret, struct content *ret_content)
{
    struct temporary folder CLEANUP(temporary_end) = { 0 };
    struct archive_restore restore = {
        .tools = options->tools,
        .jobs = options->jobs,
        .has_owners = options->has_owners,
        .has_grants = options->has_owners,
        .has_extensions = !options->scratch_template,
        .has_comments = options->has_comments && !options->scratch_template,
        .watch = options->watch,
    };
    int64_t us;

    *ret = (struct scratch){ 0 };
    if (!temporary_folder(ctx, "staging", &folder))
        return false;
    restore.archive = file_join(ctx->arena, folder.path, "database.dump");
    if (!dump_snapshot(ctx, source, options, restore.archive, ret_content))
        return error_wrap(ctx, "dumping database \"%s\"", db_name(source));
    if (!make_scratch(ctx, source, admin, options, ret))
        return false;
    restore.database = ret->name;
    return archive_restore(ctx, admin, &restore, &us);
}

/* ---- by template ---- */

static bool
refuse_sessions(struct ctx *ctx, struct db *source)
{
    struct sql_staging_copy_sessions_rows rows;
    struct buffer list = { .arena = ctx->arena };

    if (!sql_staging_copy_sessions(ctx, source, &rows, .name = db_name(source)))
        return false;
    if (rows.count == 0)
        return true;
    for (size_t i = 0; i < rows.count && i < NAMED; i++)
        buffer_printf(&list, "%spid %d (%s, user %s, %s)", i ? ", " : "", (int)rows.items[i].pid,
            rows.items[i].application, rows.items[i].account, rows.items[i].state);
    if (rows.count > NAMED)
        buffer_printf(&list, " and %zu more", rows.count - NAMED);
    error_set(ctx, ERR_CONFLICT,
        "database \"%s\" cannot be a template while others are connected: %s", db_name(source),
        buffer_text(&list));
    return error_hint(ctx, "End these sessions, or copy with --from dump, which nobody notices.");
}

bool
copy_by_template(struct ctx *ctx, struct db *source, struct scratch *ret)
{
    struct sql_staging_server_rows rows;

    *ret = (struct scratch){ 0 };
    if (!refuse_sessions(ctx, source) || !sql_staging_server(ctx, source, &rows) || rows.count != 1)
        return false;
    return scratch_create_copy(
        ctx, source, db_name(source), rows.items[0].database_size > LARGE_BYTES, ret);
}

/* ---- afterwards ---- */

bool
copy_drop_journal(struct ctx *ctx, struct db *db)
{
    if (!db_exec(ctx, db, "SET client_min_messages = error") ||
        !db_exec(ctx, db, "DROP SCHEMA IF EXISTS pgmend CASCADE"))
        return error_wrap(ctx, "removing the copied schema pgmend");
    return true;
}

/* Differences that masking makes are none. */
static void
forgive_masked(struct arena *arena, const struct content *expected, struct content *found,
    const struct text_list *masked)
{
    struct content_table_walk walk = { 0 };

    while (content_walk_tables(expected, found, &walk))
        if (walk.expected && walk.found &&
            text_list_has(masked, db_qualified(arena, walk.expected->schema, walk.expected->name)))
            found->tables.items[walk.found - found->tables.items].checksum =
                walk.expected->checksum;
}

bool
copy_compare(struct ctx *ctx, struct db *db, const struct content *expected,
    const struct text_list *masked, size_t *ret_tables)
{
    struct text_list differences = { 0 };
    struct text_list notes = { 0 };
    struct buffer detail = { .arena = ctx->arena };
    struct content found;

    if (!content_load_all(ctx, db, &found))
        return error_wrap(ctx, "comparing the copy");
    content_leave_out_pgmend(ctx->arena, &found);
    forgive_masked(ctx->arena, expected, &found, masked);
    content_compare(ctx->arena, expected, &found, CONTENT_WITHOUT_RIGHTS, &differences, &notes);
    *ret_tables = expected->tables.count - masked->count;
    if (differences.count == 0)
        return true;
    for (size_t i = 0; i < differences.count && i < SHOWN; i++)
        buffer_printf(&detail, "%s%s", i ? "\n" : "", differences.items[i]);
    error_set(ctx, ERR_VERIFICATION, "the copy is not what the database was: %zu difference%s",
        differences.count, differences.count == 1 ? "" : "s");
    ctx->error.detail = buffer_text(&detail);
    return false;
}
