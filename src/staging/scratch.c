#include "staging/scratch.h"

#include <inttypes.h>

#include "base/crypto.h"
#include "base/interrupt.h"
#include "db/ident.h"
#include "sql.h"

static const char *
create_statement(struct arena *arena, const char *name, const struct scratch_locale *locale,
    const char *scratch_template, int major)
{
    struct buffer sql = { .arena = arena };

    if (scratch_template)
        return arena_printf(
            arena, "CREATE DATABASE %s TEMPLATE %s", name, db_ident(arena, scratch_template));
    buffer_printf(&sql, "CREATE DATABASE %s TEMPLATE template0 ENCODING %s", name,
        db_literal(arena, locale->encoding));
    buffer_printf(&sql, " LC_COLLATE %s LC_CTYPE %s", db_literal(arena, locale->collate),
        db_literal(arena, locale->ctype));
    if (major >= 15 && text_equal(locale->provider, "i") && locale->locale)
        buffer_printf(
            &sql, " LOCALE_PROVIDER icu ICU_LOCALE %s", db_literal(arena, locale->locale));
    else if (major >= 17 && text_equal(locale->provider, "b") && locale->locale)
        buffer_printf(
            &sql, " LOCALE_PROVIDER builtin BUILTIN_LOCALE %s", db_literal(arena, locale->locale));
    return buffer_text(&sql);
}

static bool
make_name(struct ctx *ctx, struct db *admin, const char **ret)
{
    struct sql_staging_owner_rows owner;

    if (!sql_staging_owner(ctx, admin, &owner))
        return false;
    *ret = arena_printf(ctx->arena, "pgmend_scratch_%d_%" PRId64 "_%s", owner.items[0].pid,
        owner.items[0].started, random_hex(ctx->arena, 4));
    return true;
}

static bool
create(struct ctx *ctx, struct scratch *scratch, const char *name, const char *statement)
{
    if (!db_exec(ctx, scratch->admin, statement)) {
        if (ctx->error.kind == ERR_RIGHTS)
            error_hint(
                ctx, "Role \"%s\" needs CREATEDB to try a restore.", db_user(scratch->admin));
        return error_wrap(ctx, "creating the scratch database");
    }
    scratch->name = name;
    return true;
}

bool
scratch_create(struct ctx *ctx, struct db *admin, const struct scratch_locale *locale,
    const char *scratch_template, struct scratch *ret)
{
    const char *name;

    *ret = (struct scratch){ .admin = admin };
    return make_name(ctx, admin, &name) &&
           create(ctx, ret, name,
               create_statement(ctx->arena, name, locale, scratch_template, db_major(admin)));
}

bool
scratch_name_free(struct ctx *ctx, struct db *admin, const char **ret)
{
    return make_name(ctx, admin, ret);
}

bool
scratch_create_copy(
    struct ctx *ctx, struct db *admin, const char *database, bool by_file, struct scratch *ret)
{
    const char *name;

    *ret = (struct scratch){ .admin = admin };
    return make_name(ctx, admin, &name) &&
           create(ctx, ret, name,
               arena_printf(ctx->arena, "CREATE DATABASE %s TEMPLATE %s%s", name,
                   db_ident(ctx->arena, database),
                   by_file && db_major(admin) >= 15 ? " STRATEGY file_copy" : ""));
}

bool
scratch_create_like(
    struct ctx *ctx, struct db *db, const char *scratch_template, struct scratch *ret)
{
    struct sql_staging_server_rows rows;

    *ret = (struct scratch){ 0 };
    if (!sql_staging_server(ctx, db, &rows) || rows.count != 1)
        return error_wrap(ctx, "looking at the server");

    const struct scratch_locale locale = {
        .encoding = rows.items[0].encoding,
        .collate = rows.items[0].collate,
        .ctype = rows.items[0].ctype,
        .provider = rows.items[0].locale_provider,
        .locale = rows.items[0].locale,
    };

    return scratch_create(ctx, db, &locale, scratch_template, ret);
}

static bool
drop_with(struct ctx *ctx, struct db *admin, const char *name)
{
    return db_exec(ctx, admin,
        arena_printf(
            ctx->arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)", db_ident(ctx->arena, name)));
}

void
scratch_drop(struct scratch *scratch)
{
    if (!scratch->name)
        return;

    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    int signal_number = interrupt_take();
    struct db *other CLEANUP(db_cleanup) = NULL;
    struct db_options options = { .access = ACCESS_WRITE };

    /* What cannot be dropped now is dropped by the next run, which sees that we are gone. */
    if (!drop_with(&ctx, scratch->admin, scratch->name) &&
        db_open_like(&ctx, scratch->admin, &options, &other))
        (void)!drop_with(&ctx, other, scratch->name);
    interrupt_put(signal_number);
    scratch->name = NULL;
}

bool
scratch_heal(struct ctx *ctx, struct db *admin, struct text_list *ret_notes)
{
    struct sql_staging_leftovers_rows rows;

    if (!sql_staging_leftovers(ctx, admin, &rows))
        return error_wrap(ctx, "looking for what dead runs left");
    for (size_t i = 0; i < rows.count; i++) {
        const char *closed = rows.items[i].closed_name;

        if (closed) {
            if (!db_exec(ctx, admin,
                    arena_printf(ctx->arena, "ALTER DATABASE %s ALLOW_CONNECTIONS true",
                        db_ident(ctx->arena, closed))))
                return error_wrap(ctx, "opening database \"%s\" again", closed);
            text_list_add(ctx->arena, ret_notes,
                arena_printf(ctx->arena,
                    "database \"%s\", left closed by an interrupted swap, takes connections again",
                    closed));
        }
        if (!drop_with(ctx, admin, rows.items[i].name))
            return error_wrap(ctx, "dropping a scratch database that a dead run left");
        text_list_add(ctx->arena, ret_notes,
            arena_printf(ctx->arena, "scratch database %s of a run that is gone was dropped",
                rows.items[i].name));
    }
    return true;
}
