#include "staging/private_server_locale.h"

#include "db/ident.h"
#include "sql.h"

bool
server_locale_read(struct ctx *ctx, struct db *like, struct arena *arena, struct server_locale *ret)
{
    struct sql_staging_locale_rows rows;

    *ret = (struct server_locale){
        .encoding = "UTF8", .collate = "C.UTF-8", .ctype = "C.UTF-8", .provider = 'c'
    };
    if (!like)
        return true;
    if (!sql_staging_locale(ctx, like, &rows) || rows.count != 1)
        return error_wrap(ctx, "reading the locale of the database");
    *ret = (struct server_locale){
        .encoding = arena_strdup(arena, rows.items[0].encoding),
        .collate = arena_strdup(arena, rows.items[0].collate),
        .ctype = arena_strdup(arena, rows.items[0].ctype),
        .provider = rows.items[0].provider[0],
        .locale = rows.items[0].locale ? arena_strdup(arena, rows.items[0].locale) : NULL,
    };
    return true;
}

static const char *
locale_clauses(struct arena *arena, const struct server_locale *locale, int major)
{
    struct buffer sql = { .arena = arena };

    buffer_printf(&sql, " ENCODING %s LC_COLLATE %s LC_CTYPE %s",
        db_literal(arena, locale->encoding), db_literal(arena, locale->collate),
        db_literal(arena, locale->ctype));
    if (locale->provider == 'i' && major >= 15)
        buffer_printf(
            &sql, " LOCALE_PROVIDER icu ICU_LOCALE %s", db_literal(arena, locale->locale));
    if (locale->provider == 'b' && major >= 17)
        buffer_printf(
            &sql, " LOCALE_PROVIDER builtin BUILTIN_LOCALE %s", db_literal(arena, locale->locale));
    return buffer_text(&sql);
}

const char *
server_locale_create(struct arena *arena, const struct server_locale *locale, const char *database)
{
    /* The provider has been settled for this server: the major no longer matters. */
    return arena_printf(arena, "CREATE DATABASE %s TEMPLATE template0%s", db_ident(arena, database),
        locale_clauses(arena, locale, DB_NEWEST_MAJOR));
}

/* Tries it; false, with the server's reason in the context, when it cannot be had. */
static bool
can_have(struct ctx *ctx, struct db *db, const struct server_locale *locale)
{
    if (locale->provider == 'i' && db_major(db) < 15)
        return error_set(ctx, ERR_UNSUPPORTED, "databases of PostgreSQL 14 cannot use ICU");
    if (locale->provider == 'b' && db_major(db) < 17)
        return error_set(
            ctx, ERR_UNSUPPORTED, "PostgreSQL %d has no built-in locales", db_major(db));
    return db_exec(ctx, db,
        arena_printf(ctx->arena, "CREATE DATABASE " SERVER_SPARE_DATABASE " TEMPLATE template0%s",
            locale_clauses(ctx->arena, locale, db_major(db))));
}

static bool
is_c(const struct server_locale *locale)
{
    const char *name = locale->provider == 'c' ? locale->collate : locale->locale;

    /* The built-in C.UTF-8 compares bytes, as C does. */
    return text_equal(name, "C") || text_equal(name, "POSIX") || locale->provider == 'b';
}

static bool
is_interrupted(const struct ctx *ctx)
{
    return ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED;
}

bool
server_locale_settle(
    struct ctx *ctx, struct db *db, struct server_locale *locale, struct text_list *ret_notes)
{
    const char *other = is_c(locale) ? "C" : "C.UTF-8";
    struct server_locale second = {
        .encoding = locale->encoding, .collate = other, .ctype = other, .provider = 'c'
    };

    if (can_have(ctx, db, locale))
        return true;
    if (is_interrupted(ctx))
        return false;
    text_list_add(ctx->arena, ret_notes,
        arena_printf(ctx->arena,
            "the scratch server cannot have the database's locale (%s): %s; %s is used, so "
            "ranges of text are estimated in another order",
            locale->locale ? locale->locale : locale->collate, ctx->error.message, other));
    error_clear(ctx);
    *locale = second;
    if (can_have(ctx, db, locale))
        return true;
    if (is_interrupted(ctx))
        return false;
    error_clear(ctx);
    locale->encoding = "UTF8";
    return can_have(ctx, db, locale);
}
