/* Proves a backup by restoring it. */
#include "backup/info.h"
#include "backup/side.h"
#include "backup/store.h"
#include "base/clock.h"

struct proof {
    const struct backup_verify_options *options;
    struct dump_tools tools;
    struct manifest manifest;
    const char *path;
    int64_t start_us;
};

static bool
try_restore(struct ctx *ctx, struct db *db, const struct proof *proof, struct side *side,
    struct text_list *ret_differences)
{
    struct side_options options = {
        .manifest = &proof->manifest,
        .path = proof->path,
        .scratch_template = proof->options->scratch_template,
        .tools = &proof->tools,
        .jobs = proof->options->jobs,
        .watch = proof->options->watch,
    };
    bool is_good = side_restore(ctx, db, &options, side);

    scratch_drop(&side->scratch);
    if (!is_good)
        return false;
    *ret_differences = side->differences;
    if (side->differences.count > 0)
        return side_refuse(ctx, "the restored database is not equal to the one that was dumped",
            &side->differences);
    return true;
}

static bool
write_proof(struct ctx *ctx, struct db *db, const struct proof *proof, const struct side *side,
    struct backup_info *ret)
{
    int64_t now = clock_wall_us();
    struct manifest_verified verified = {
        .verified_at = clock_text(ctx->arena, now),
        .verified_us = now,
        .pgmend_version = PGMEND_VERSION,
        .server_version = db_version_text(db),
        .server = arena_printf(ctx->arena, "%s:%s", db_host(db), db_port(db)),
        .restore_us = side->restore_us,
        .duration_us = clock_us() - proof->start_us,
        .manifest_sha256 = proof->manifest.sha256,
    };

    if (!manifest_write_verified(ctx, proof->path, &verified))
        return error_wrap(ctx, "writing down that the backup is good");
    ret->is_verified = true;
    ret->verified_us = now;
    ret->restore_us = side->restore_us;
    ret->why_not = NULL;
    return true;
}

static bool
prove(struct ctx *ctx, struct db *db, struct proof *proof, struct backup_info *ret,
    struct text_list *ret_differences, struct text_list *ret_notes)
{
    struct side side;

    step_watch_show(proof->options->watch, "checking sums", -1, 0, NULL);
    if (!side_check_files(ctx, proof->path, &proof->manifest, ret_differences))
        return false;
    *ret = info_of_manifest(ctx->arena, proof->path, &proof->manifest);
    ret->why_not = "it was not restored";
    if (!archive_read_through(ctx, &proof->tools,
            manifest_archive(ctx->arena, proof->path, &proof->manifest), proof->options->watch)) {
        if (ctx->error.kind == ERR_FAILED)
            ctx->error.kind = ERR_VERIFICATION;
        return false;
    }
    if (!db)
        return true;
    if (!try_restore(ctx, db, proof, &side, ret_differences))
        return false;
    for (size_t i = 0; i < side.notes.count; i++)
        text_list_add(ctx->arena, ret_notes, side.notes.items[i]);
    return write_proof(ctx, db, proof, &side, ret);
}

bool
backup_verify(struct ctx *ctx, struct db *db, const struct backup_verify_options *options,
    struct backup_info *ret, struct text_list *ret_differences, struct text_list *ret_notes)
{
    struct proof proof = { .options = options, .start_us = clock_us() };
    const char *folder;

    *ret = (struct backup_info){ 0 };
    if (!store_open(ctx, options->folder, &folder) ||
        !info_find_path(ctx, folder, options->name, &proof.path))
        return false;
    if (db && (!db_require_direct(ctx, db) || !db_require_writable(ctx, db) ||
                  !scratch_heal(ctx, db, ret_notes)))
        return error_wrap(ctx, "preparing the trial restore");
    if (!dump_tools_find(ctx, options->bin_folder, db ? db_major(db) : 0, &proof.tools, ret_notes))
        return false;
    if (!prove(ctx, db, &proof, ret, ret_differences, ret_notes))
        return error_wrap(ctx, "verifying backup \"%s\"", strrchr(proof.path, '/') + 1);
    return true;
}
