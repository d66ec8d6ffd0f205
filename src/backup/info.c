#include "backup/info.h"

#include <stdlib.h>

#include "backup/store.h"
#include "base/clock.h"
#include "base/file.h"
#include "sql.h"

struct backup_info
info_of_manifest(struct arena *arena, const char *path, const struct manifest *manifest)
{
    struct backup_info info = {
        .name = manifest->name,
        .path = path,
        .database = manifest->database,
        .format = manifest->format,
        .server_version = manifest->server_version,
        .system_identifier = manifest->system_identifier,
        .alembic_version = text_list_join(arena, &manifest->content.alembic, ","),
        .tables = (int64_t)manifest->content.tables.count,
        .created_us = manifest->snapshot_us,
        .duration_us = manifest->duration_us,
        .database_bytes = manifest->database_bytes,
    };

    for (size_t i = 0; i < manifest->content.tables.count; i++)
        info.rows += manifest->content.tables.items[i].rows;
    for (size_t i = 0; i < manifest->files.count; i++)
        info.bytes += manifest->files.items[i].bytes;
    return info;
}

/* What speaks against it, or NULL; only what does not need to read the archive. */
static bool
judge(struct ctx *ctx, const char *path, const struct manifest *manifest, struct backup_info *info)
{
    struct manifest_verified verified;
    struct text_list wrong = { 0 };

    if (!manifest_check(ctx, path, manifest, true, &wrong))
        return false;
    info->is_verified =
        manifest_read_verified(ctx, path, manifest, &verified, &info->why_not) && !wrong.count;
    if (wrong.count)
        info->why_not = arena_printf(ctx->arena, "its files changed: %s", wrong.items[0]);
    else if (!info->is_verified && !info->why_not)
        info->why_not = "it was never verified";
    info->verified_us = verified.verified_us;
    info->restore_us = verified.restore_us;
    return true;
}

static bool
read_info(struct ctx *ctx, const char *folder, const char *name, struct backup_info *ret)
{
    const char *path = file_join(ctx->arena, folder, name);
    struct manifest manifest;

    if (!manifest_read(ctx, path, &manifest)) {
        if (ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED)
            return false;
        *ret = (struct backup_info){ .name = name, .path = path, .why_not = ctx->error.message };
        error_clear(ctx);
        return true;
    }
    *ret = info_of_manifest(ctx->arena, path, &manifest);
    ret->name = name;
    return judge(ctx, path, &manifest, ret);
}

static int
newest_first(const void *a, const void *b)
{
    const struct backup_info *left = a;
    const struct backup_info *right = b;

    if (left->created_us != right->created_us)
        return left->created_us < right->created_us ? 1 : -1;
    return strcmp(right->name, left->name);
}

static bool
read_all(struct ctx *ctx, const char *folder, struct backup_infos *ret)
{
    struct text_list names = { 0 };

    *ret = (struct backup_infos){ 0 };
    if (!store_list(ctx, folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        struct backup_info info;

        if (!read_info(ctx, folder, names.items[i], &info))
            return false;
        VEC_PUSH(ctx->arena, ret, info);
    }
    if (ret->count)
        qsort(ret->items, ret->count, sizeof(ret->items[0]), newest_first);
    return true;
}

bool
backup_list(
    struct ctx *ctx, const char *folder, struct backup_infos *ret, struct text_list *ret_notes)
{
    return store_clean(ctx, folder, ret_notes) && read_all(ctx, folder, ret);
}

static bool
find_newest(struct ctx *ctx, const char *folder, const char **ret_name)
{
    struct backup_infos infos;

    if (!read_all(ctx, folder, &infos))
        return false;
    if (!infos.count || !infos.items[0].created_us) {
        error_set(ctx, ERR_NOT_FOUND, "there is no backup in \"%s\"", folder);
        return error_hint(ctx, "Make one with pgmend backup create.");
    }
    *ret_name = infos.items[0].name;
    return true;
}

bool
info_find_path(struct ctx *ctx, const char *folder, const char *name, const char **ret_path)
{
    if (!name && !find_newest(ctx, folder, &name))
        return false;
    if (!store_check_name(ctx, name))
        return false;
    *ret_path = file_join(ctx->arena, folder, name);
    if (!file_exists(*ret_path)) {
        error_set(ctx, ERR_NOT_FOUND, "there is no backup \"%s\" in \"%s\"", name, folder);
        return error_hint(ctx, "See pgmend backup list.");
    }
    return true;
}

/* Why this backup does not help, or NULL. */
static const char *
refuse(struct arena *arena, const struct backup_info *info, int64_t max_age_us)
{
    int64_t age_us = clock_wall_us() - info->created_us;

    if (!info->is_verified)
        return arena_printf(arena, "backup %s does not count: %s", info->name, info->why_not);
    if (max_age_us > 0 && age_us > max_age_us)
        return arena_printf(arena, "backup %s is %s old, older than %s", info->name,
            text_from_us(arena, age_us), text_from_us(arena, max_age_us));
    return NULL;
}

bool
backup_find_verified(struct ctx *ctx, const char *folder, struct db *db, int64_t max_age_us,
    struct backup_info *ret, const char **ret_why_not)
{
    struct backup_infos infos;
    struct sql_staging_server_rows server;
    struct sql_backup_control_rows control = { 0 };
    const char *other_server = NULL;

    *ret_why_not = NULL;
    if (!sql_staging_server(ctx, db, &server) ||
        (server.items[0].can_see_control && !sql_backup_control(ctx, db, &control)) ||
        !read_all(ctx, folder, &infos))
        return error_wrap(ctx, "looking for a verified backup");
    for (size_t i = 0; i < infos.count; i++) {
        const struct backup_info *info = &infos.items[i];
        const char *why;

        if (info->database && !text_equal(info->database, server.items[0].database))
            continue;
        if (info->database && !text_equal(info->system_identifier,
                                  control.count ? control.items[0].system_identifier : NULL)) {
            other_server = info->name;
            continue;
        }
        why = refuse(ctx->arena, info, max_age_us);
        if (!why) {
            *ret = *info;
            return true;
        }
        if (!*ret_why_not)
            *ret_why_not = why;
    }
    if (!*ret_why_not && other_server)
        *ret_why_not = arena_printf(ctx->arena, "backup %s is of another server", other_server);
    if (!*ret_why_not)
        *ret_why_not = arena_printf(ctx->arena, "there is no backup of database \"%s\" in %s",
            server.items[0].database, folder);
    return false;
}
