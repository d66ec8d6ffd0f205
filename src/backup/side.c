#include "backup/side.h"

#include "backup/info.h"
#include "base/clock.h"
#include "db/ident.h"
#include "sql.h"

enum { SHOWN = 20, STEP_US = 200000 };

bool
side_refuse(struct ctx *ctx, const char *what, const struct text_list *wrong)
{
    struct buffer detail = { .arena = ctx->arena };

    for (size_t i = 0; i < wrong->count && i < SHOWN; i++)
        buffer_printf(&detail, "%s%s", i ? "\n" : "", wrong->items[i]);
    if (wrong->count > SHOWN)
        buffer_printf(&detail, "\n... and %zu more", wrong->count - SHOWN);
    error_set(ctx, ERR_VERIFICATION, "%s", what);
    ctx->error.detail = buffer_text(&detail);
    return error_hint(ctx, "Do not rely on this backup: make a new one with pgmend backup create.");
}

bool
side_check_files(
    struct ctx *ctx, const char *path, struct manifest *ret, struct text_list *ret_wrong)
{
    struct manifest_verified verified;
    const char *why;

    if (!manifest_read(ctx, path, ret))
        return false;
    if (!manifest_check(ctx, path, ret, false, ret_wrong))
        return false;
    if (!manifest_read_verified(ctx, path, ret, &verified, &why) && why)
        text_list_add(ctx->arena, ret_wrong, why);
    if (ret_wrong->count > 0)
        return side_refuse(ctx, "the files of the backup are not as they were made", ret_wrong);
    return true;
}

/* A role that a dump names must exist, or pg_restore stops at its first object. */
static bool
find_missing_roles(
    struct ctx *ctx, struct db *admin, const struct text_list *roles, struct text_list *ret_missing)
{
    struct sql_backup_role_names_rows rows;
    struct text_list known = { 0 };

    if (!sql_backup_role_names(ctx, admin, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        text_list_add(ctx->arena, &known, rows.items[i].name);
    for (size_t i = 0; i < roles->count; i++)
        if (!text_list_has(&known, roles->items[i]))
            text_list_add(ctx->arena, ret_missing, db_ident(ctx->arena, roles->items[i]));
    return true;
}

static bool
check_extensions(struct ctx *ctx, struct db *admin, const struct content *content)
{
    struct sql_backup_extensions_available_rows rows;
    struct text_list known = { 0 };

    if (!sql_backup_extensions_available(ctx, admin, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        text_list_add(ctx->arena, &known, rows.items[i].name);
    for (size_t i = 0; i < content->objects.count; i++) {
        const struct content_object *object = &content->objects.items[i];

        if (!text_equal(object->kind, "extension") || text_list_has(&known, object->name))
            continue;
        error_set(
            ctx, ERR_UNSUPPORTED, "extension \"%s\" is not installed on this server", object->name);
        return error_hint(ctx,
            "Install its package there, for pgvector postgresql-%d-pgvector, and try again.",
            db_major(admin));
    }
    return true;
}

/* Who may own what after this restore. */
static bool
choose_rights(struct ctx *ctx, struct db *admin, const struct side_options *options,
    bool *ret_superuser, struct side *ret)
{
    struct sql_staging_server_rows server;
    struct text_list missing = { 0 };

    if (!sql_staging_server(ctx, admin, &server) ||
        !find_missing_roles(ctx, admin, &options->manifest->content.roles, &missing))
        return error_wrap(ctx, "looking at the server");
    if (!server.items[0].can_create) {
        error_set(ctx, ERR_RIGHTS, "role \"%s\" may not create a scratch database", db_user(admin));
        return error_hint(ctx, "ALTER ROLE %s CREATEDB;", db_ident(ctx->arena, db_user(admin)));
    }
    *ret_superuser = server.items[0].is_superuser;
    ret->has_owners = *ret_superuser && missing.count == 0;
    ret->has_grants = missing.count == 0 && (*ret_superuser || options->is_for_use);
    if (missing.count == 0)
        return true;

    const char *roles = text_list_join(ctx->arena, &missing, ", ");

    if (options->is_for_use) {
        error_set(ctx, ERR_INPUT, "roles of the backup are missing on this server: %s", roles);
        return error_hint(ctx, "Create them first: CREATE ROLE ...;");
    }
    text_list_add(ctx->arena, &ret->notes,
        arena_printf(ctx->arena,
            "owners and grants were not tried, because roles are missing on this server: %s",
            roles));
    return true;
}

static bool
analyze(struct ctx *ctx, struct db *db, const struct step_watch *watch, int64_t *ret_us)
{
    int64_t start = clock_us();
    bool is_done = false;

    if (!db_send(ctx, db, "ANALYZE"))
        return false;
    while (!is_done) {
        step_watch_show(watch, "collecting statistics", -1, clock_us() - start, NULL);
        if (!db_wait(ctx, db, STEP_US, &is_done)) {
            (void)db_cancel_wait(db, 5000000);
            return error_wrap(ctx, "collecting the planner's statistics");
        }
    }
    *ret_us = clock_us() - start;
    return true;
}

/* The rights alone, which do not always decide. */
static void
compare_rights(struct arena *arena, const struct content *expected, const struct content *found,
    const struct text_list *others, struct text_list *ret)
{
    struct text_list all = { 0 };
    struct text_list notes = { 0 };

    content_compare(arena, expected, found, CONTENT_WITH_RIGHTS, &all, &notes);
    for (size_t i = 0; i < all.count; i++)
        if (!text_list_has(others, all.items[i]))
            text_list_add(arena, ret, all.items[i]);
}

static bool
compare(struct ctx *ctx, struct db *admin, const struct side_options *options, struct side *ret)
{
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct db_options open = { .database = ret->scratch.name, .access = ACCESS_WRITE };
    struct content found;

    if (!db_open_like(ctx, admin, &open, &db))
        return error_wrap(ctx, "connecting to the scratch database");
    step_watch_show(options->watch, "comparing", -1, 0, NULL);
    if (!content_load_all(ctx, db, &found))
        return error_wrap(ctx, "comparing the restored database");
    content_compare(ctx->arena, &options->manifest->content, &found, CONTENT_WITHOUT_RIGHTS,
        &ret->differences, &ret->notes);
    compare_rights(
        ctx->arena, &options->manifest->content, &found, &ret->differences, &ret->rights);
    if (ret->has_owners)
        for (size_t i = 0; i < ret->rights.count; i++)
            text_list_add(ctx->arena, &ret->differences, ret->rights.items[i]);
    return !options->is_for_use || ret->differences.count > 0 ||
           analyze(ctx, db, options->watch, &ret->analyze_us);
}

static bool
create_scratch(
    struct ctx *ctx, struct db *admin, const struct side_options *options, struct scratch *ret)
{
    const struct manifest *manifest = options->manifest;
    const struct scratch_locale locale = {
        .encoding = manifest->encoding,
        .collate = manifest->collate,
        .ctype = manifest->ctype,
        .provider = manifest->locale_provider,
        .locale = manifest->locale,
    };

    return scratch_create(ctx, admin, &locale, options->scratch_template, ret);
}

bool
side_restore(
    struct ctx *ctx, struct db *admin, const struct side_options *options, struct side *ret)
{
    bool is_superuser = false;

    *ret = (struct side){ 0 };
    if (!choose_rights(ctx, admin, options, &is_superuser, ret) ||
        !check_extensions(ctx, admin, &options->manifest->content) ||
        !create_scratch(ctx, admin, options, &ret->scratch))
        return false;

    struct archive_restore restore = {
        .tools = options->tools,
        .archive = manifest_archive(ctx->arena, options->path, options->manifest),
        .database = ret->scratch.name,
        .jobs = options->jobs,
        .has_owners = ret->has_owners,
        .has_grants = ret->has_grants,
        .has_extensions = !options->scratch_template,
        .has_comments = is_superuser && !options->scratch_template,
        .watch = options->watch,
    };

    return archive_restore(ctx, admin, &restore, &ret->restore_us) &&
           compare(ctx, admin, options, ret);
}
