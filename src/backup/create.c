/* Makes a backup: one snapshot, looked at by pg_dump and by our own session at the same time. */
#include <inttypes.h>
#include <sys/stat.h>

#include "backup/info.h"
#include "backup/store.h"
#include "base/clock.h"
#include "base/file.h"
#include "sql.h"
#include "staging/archive.h"

enum {
    STEP_US = 100000,
    SHOW_US = 200000,
    SPARE_BYTES = 16 * 1024 * 1024,
};

struct work {
    const struct backup_create_options *options;
    struct db *db;
    struct dump_tools tools;
    struct store_partial partial;
    struct manifest manifest;
    int64_t table_bytes; /* what pg_dump has to read */
    int64_t start_us;
    int64_t shown_us;
};

/*
 * The room that a dump may need, from the size of the tables. Compressed text is smaller than the
 * tables, except vectors: 1.5 of their size with -Z1. Uncompressed, a four-byte number takes up
 * to thirteen letters.
 */
static int64_t
room_needed(const struct work *work)
{
    int64_t half = work->options->compress > 0 ? 3 : 8;

    return work->table_bytes / 2 * half + SPARE_BYTES;
}

static bool
check_room(struct ctx *ctx, struct work *work)
{
    struct sql_backup_table_bytes_rows rows;
    int64_t free_bytes;

    if (!sql_backup_table_bytes(ctx, work->db, &rows))
        return error_wrap(ctx, "measuring the tables");
    work->table_bytes = rows.items[0].bytes;
    if (!file_free_bytes(ctx, work->partial.folder, &free_bytes))
        return false;
    if (free_bytes >= room_needed(work))
        return true;
    error_set(ctx, ERR_GATE, "%s are free in \"%s\", and the backup may need %s",
        text_from_bytes(ctx->arena, free_bytes), work->partial.folder,
        text_from_bytes(ctx->arena, room_needed(work)));
    return error_hint(ctx, "Make room, or choose another folder with --backup-dir.");
}

static bool
describe_server(struct ctx *ctx, struct work *work)
{
    struct manifest *manifest = &work->manifest;
    struct sql_staging_server_rows server;
    struct sql_backup_control_rows control;

    if (!sql_staging_server(ctx, work->db, &server) || server.count != 1)
        return error_wrap(ctx, "asking which database this is");
    manifest->name = work->partial.name;
    manifest->format = work->options->format;
    manifest->pgmend_version = PGMEND_VERSION;
    manifest->dump_version = work->tools.version_text;
    manifest->server_version = db_version_text(work->db);
    manifest->server_number = db_version(work->db);
    manifest->lsn = server.items[0].lsn;
    manifest->database = server.items[0].database;
    manifest->database_oid = server.items[0].database_oid;
    manifest->database_bytes = server.items[0].database_size;
    manifest->encoding = server.items[0].encoding;
    manifest->collate = server.items[0].collate;
    manifest->ctype = server.items[0].ctype;
    manifest->locale_provider = server.items[0].locale_provider;
    manifest->locale = server.items[0].locale;
    manifest->owner = server.items[0].owner;
    manifest->jobs = work->options->jobs;
    if (!server.items[0].can_see_control)
        return true;
    if (!sql_backup_control(ctx, work->db, &control) || control.count != 1)
        return error_wrap(ctx, "asking for the system identifier");
    manifest->system_identifier = control.items[0].system_identifier;
    manifest->timeline = control.items[0].timeline;
    return true;
}

static bool
start_dump(struct ctx *ctx, struct work *work, const char *snapshot, const struct db_child_env *env,
    struct process *ret)
{
    bool is_directory = text_equal(work->options->format, "directory");
    struct arena *arena = ctx->arena;
    struct text_list argv = { 0 };

    text_list_add(arena, &argv, work->tools.dump);
    text_list_add(arena, &argv, arena_printf(arena, "--format=%s", work->options->format));
    text_list_add(arena, &argv, "--no-password");
    text_list_add(arena, &argv, arena_printf(arena, "--snapshot=%s", snapshot));
    text_list_add(arena, &argv, arena_printf(arena, "--compress=%d", (int)work->options->compress));
    text_list_add(arena, &argv,
        arena_printf(arena, "--lock-wait-timeout=%" PRId64, work->options->lock_wait_us / 1000));
    text_list_add(arena, &argv,
        arena_printf(
            arena, "--file=%s", manifest_archive(arena, work->partial.path, &work->manifest)));
    if (is_directory)
        text_list_add(arena, &argv, arena_printf(arena, "--jobs=%d", (int)work->options->jobs));
    text_list_add(arena, &argv, NULL);

    struct process_options options = { .argv = argv.items, .env = env->env, .own_group = true };

    if (!process_start(ctx, &options, ret))
        return false;
    if (store_partial_note_child(ctx, &work->partial, ret->pid))
        return true;
    process_stop(ret);
    return false;
}

/* How much is written, as long as nobody minds a look at the folder. */
static void
show_dump(struct ctx *ctx, struct work *work, const struct content_counter *counter)
{
    int64_t now = clock_us();
    int64_t bytes = 0;

    if (!work->options->watch || now - work->shown_us < SHOW_US)
        return;
    work->shown_us = now;

    /* Files come and go meanwhile; then there is no number this time. */
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };

    if (!file_size(&scratch, work->partial.path, &bytes))
        bytes = 0;

    const char *note =
        arena_printf(arena, "%s written of at most about %s, %zu of %zu tables summed up",
            text_from_bytes(arena, bytes), text_from_bytes(arena, room_needed(work)), counter->next,
            counter->content->tables.count);
    (void)ctx;
    step_watch_show(work->options->watch, "dumping", -1, now - work->start_us, note);
}

/* pg_dump and the counting, until both are done or one fails; then the other is stopped. */
static bool
run_both(struct ctx *ctx, struct work *work, struct process *dump)
{
    struct content_counter counter = { .db = work->db, .content = &work->manifest.content };
    bool is_counted = false;
    bool is_good = true;

    while (is_good && !(is_counted && dump->is_done)) {
        is_good =
            content_count_step(ctx, &counter, dump->is_done ? SHOW_US : STEP_US, &is_counted) &&
            process_poll(ctx, dump, is_counted ? SHOW_US : 0);
        if (is_good && dump->is_done && dump->status != 0)
            is_good = archive_failure(ctx, dump);
        show_dump(ctx, work, &counter);
    }
    content_count_stop(&counter);
    return is_good;
}

static bool
dump_and_count(struct ctx *ctx, struct work *work, const char *snapshot)
{
    struct db_child_env env CLEANUP(db_child_env_end) = { 0 };
    struct process dump;

    if (!db_child_env_begin(ctx, work->db, NULL, &env) ||
        !start_dump(ctx, work, snapshot, &env, &dump))
        return false;

    bool is_good =
        content_load(ctx, work->db, &work->manifest.content) && run_both(ctx, work, &dump);

    process_stop(&dump);
    return is_good;
}

/* Everything that has to see the same snapshot. */
static bool
take_snapshot(struct ctx *ctx, struct work *work)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const char *snapshot = NULL;

    if (!content_begin(ctx, work->db, &transaction))
        return false;
    work->manifest.snapshot_us = clock_wall_us();
    work->manifest.snapshot_at = clock_text(ctx->arena, work->manifest.snapshot_us);
    if (!db_value(ctx, work->db, "SELECT pg_catalog.pg_export_snapshot()", NULL, 0, &snapshot))
        return error_wrap(ctx, "exporting the snapshot");
    return check_room(ctx, work) && describe_server(ctx, work) &&
           dump_and_count(ctx, work, snapshot) &&
           content_end_sequences(ctx, work->db, &work->manifest.content) &&
           db_commit(ctx, &transaction);
}

static bool
fill(struct ctx *ctx, struct work *work)
{
    const char *lock_ms = arena_printf(ctx->arena, "%" PRId64, work->options->lock_wait_us / 1000);

    if (!content_pin_session(ctx, work->db, false) ||
        !db_set(ctx, work->db, "lock_timeout", lock_ms) || !take_snapshot(ctx, work))
        return false;
    if (!archive_read_through(ctx, &work->tools,
            manifest_archive(ctx->arena, work->partial.path, &work->manifest),
            work->options->watch))
        return false;
    step_watch_show(
        work->options->watch, "summing up files", -1, clock_us() - work->start_us, NULL);
    if (!manifest_add_files(ctx, work->partial.path, &work->manifest))
        return false;
    work->manifest.duration_us = clock_us() - work->start_us;
    return manifest_write(ctx, work->partial.path, &work->manifest) &&
           store_partial_finish(ctx, &work->partial);
}

static bool
make(struct ctx *ctx, struct work *work, const char *folder, const char *name)
{
    mode_t mask = umask(077);
    bool is_good = store_partial_begin(ctx, folder, name, &work->partial) && fill(ctx, work);

    store_partial_drop(&work->partial);
    umask(mask);
    return is_good;
}

bool
backup_create(struct ctx *ctx, struct db *db, const struct backup_create_options *options,
    struct backup_info *ret, struct text_list *ret_notes)
{
    struct work work = { .options = options, .db = db, .start_us = clock_us() };
    const char *name =
        options->name ? options->name : store_make_name(ctx->arena, db_name(db), clock_wall_us());
    const char *folder;

    if (!store_check_name(ctx, name) || !store_open(ctx, options->folder, &folder) ||
        !store_clean(ctx, folder, ret_notes) ||
        !dump_tools_find(ctx, options->bin_folder, db_major(db), &work.tools, ret_notes) ||
        !db_require_direct(ctx, db))
        return error_state(ctx, "No backup was made.");
    if (!make(ctx, &work, folder, name)) {
        error_wrap(ctx, "making a backup of database \"%s\"", db_name(db));
        return error_state(ctx, "No backup was made; what there was of it has been removed.");
    }
    *ret = info_of_manifest(ctx->arena, file_join(ctx->arena, folder, name), &work.manifest);
    ret->why_not = "it was never verified";
    return true;
}
