/* Level 3: a database as it was at the time of a backup, beside the live one. */
#include <assert.h>

#include "backup/info.h"
#include "backup/side.h"
#include "backup/store.h"
#include "db/ident.h"
#include "sql.h"

#define UNTOUCHED "The live database was not touched."

static bool
check_server(struct ctx *ctx, struct db *admin, const struct manifest *manifest, bool is_other)
{
    struct sql_staging_server_rows server;
    struct sql_backup_control_rows control;

    if (is_other || !manifest->system_identifier)
        return true;
    if (!sql_staging_server(ctx, admin, &server))
        return error_wrap(ctx, "asking which server this is");
    if (!server.items[0].can_see_control)
        return true;
    if (!sql_backup_control(ctx, admin, &control))
        return error_wrap(ctx, "asking which server this is");
    if (text_equal(control.items[0].system_identifier, manifest->system_identifier))
        return true;
    error_set(ctx, ERR_CONFLICT, "the backup is of another server: system identifier %s, here %s",
        manifest->system_identifier, control.items[0].system_identifier);
    return error_hint(ctx, "Check --db-url; --other-server restores it here nevertheless.");
}

static bool
check_target(struct ctx *ctx, struct db *admin, const struct backup_restore_options *options)
{
    struct sql_backup_database_rows rows;

    if (!options->into)
        return true;
    if (!*options->into || strlen(options->into) > 63)
        return error_set(ctx, ERR_USAGE, "\"%s\" cannot be the name of a database", options->into);
    if (!sql_backup_database(ctx, admin, &rows, .name = options->into))
        return error_wrap(ctx, "looking for database \"%s\"", options->into);
    if (rows.count == 0)
        return true;
    error_set(ctx, ERR_CONFLICT, "database \"%s\" exists already", options->into);
    return error_hint(ctx, "Restore into a new name; a restore never overwrites a database.");
}

static bool
restore_side(struct ctx *ctx, struct db *admin, const struct backup_restore_options *options,
    struct backup_side *ret)
{
    struct dump_tools tools;
    struct manifest manifest;
    struct text_list wrong = { 0 };
    struct side side = { 0 };
    const char *folder;
    const char *path;

    if (!store_open(ctx, options->folder, &folder) ||
        !info_find_path(ctx, folder, options->name, &path) ||
        !dump_tools_find(ctx, options->bin_folder, db_major(admin), &tools, &ret->notes) ||
        !db_require_direct(ctx, admin) || !db_require_writable(ctx, admin) ||
        !scratch_heal(ctx, admin, &ret->notes) || !side_check_files(ctx, path, &manifest, &wrong) ||
        !check_server(ctx, admin, &manifest, options->is_other_server) ||
        !check_target(ctx, admin, options))
        return false;

    struct side_options to = {
        .manifest = &manifest,
        .path = path,
        .scratch_template = options->scratch_template,
        .tools = &tools,
        .jobs = options->jobs,
        .is_for_use = true,
        .watch = options->watch,
    };
    bool is_good = side_restore(ctx, admin, &to, &side);

    if (is_good && side.differences.count > 0)
        is_good = side_refuse(ctx, "the restored database is not equal to the one that was dumped",
            &side.differences);
    if (!is_good) {
        scratch_drop(&side.scratch);
        return false;
    }
    for (size_t i = 0; i < side.notes.count; i++)
        text_list_add(ctx->arena, &ret->notes, side.notes.items[i]);
    ret->admin = admin;
    ret->name = side.scratch.name;
    ret->live = manifest.database;
    ret->backup = manifest.name;
    ret->restore_us = side.restore_us;
    ret->analyze_us = side.analyze_us;
    ret->lost_rights = side.rights;
    return true;
}

bool
backup_restore_side(struct ctx *ctx, struct db *admin, const struct backup_restore_options *options,
    struct backup_side *ret)
{
    *ret = (struct backup_side){ 0 };
    if (restore_side(ctx, admin, options, ret))
        return true;
    error_wrap(ctx, "restoring the backup");
    return error_state(ctx, UNTOUCHED);
}

void
backup_restore_abandon(struct backup_side *side)
{
    struct scratch scratch = { .admin = side->admin, .name = side->name };

    scratch_drop(&scratch);
    side->name = NULL;
}

bool
backup_restore_name(struct ctx *ctx, struct backup_side *side, const char *into)
{
    if (!db_exec(ctx, side->admin,
            arena_printf(ctx->arena, "ALTER DATABASE %s RENAME TO %s",
                db_ident(ctx->arena, side->name), db_ident(ctx->arena, into)))) {
        error_wrap(ctx, "giving the restored database its name");
        return error_state(ctx, UNTOUCHED);
    }
    side->name = NULL;
    return true;
}

/* Whether a restore would change this table; the journal is carried over by itself. */
static bool
loss_of(struct arena *arena, const struct content_table *then, const struct content_table *now,
    struct backup_loss *ret)
{
    const struct content_table *any = then ? then : now;

    if (!any || text_equal(any->schema, "pgmend"))
        return false;
    *ret = (struct backup_loss){
        .table = db_qualified(arena, any->schema, any->name),
        .rows_then = then ? then->rows : 0,
        .rows_now = now ? now->rows : 0,
        .is_new = !then,
    };
    ret->is_changed =
        !then || !now || then->rows != now->rows || !text_equal(then->checksum, now->checksum);
    return ret->is_changed;
}

bool
backup_restore_losses(struct ctx *ctx, struct db *live,
    const struct backup_restore_options *options, struct backup_loss **ret, size_t *ret_count)
{
    struct manifest manifest;
    struct content now;
    const char *folder;
    const char *path;
    struct content_table_walk walk = { 0 };
    VEC(struct backup_loss) losses = { 0 };

    if (!store_open(ctx, options->folder, &folder) ||
        !info_find_path(ctx, folder, options->name, &path) ||
        !manifest_read(ctx, path, &manifest) || !content_load_all(ctx, live, &now))
        return error_wrap(ctx, "comparing the live database with the backup");

    while (content_walk_tables(&manifest.content, &now, &walk)) {
        struct backup_loss loss;

        if (loss_of(ctx->arena, walk.expected, walk.found, &loss))
            VEC_PUSH(ctx->arena, &losses, loss);
    }
    *ret = losses.items;
    *ret_count = losses.count;
    return true;
}
