/* Database URLs as SQLAlchemy reads them. */
#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "migrate/alembic/parts.h"
#include "migrate/history/ini.h"

bool
alembic_is_url(const char *text)
{
    return text_starts_with(text, "postgresql://") || text_starts_with(text, "postgres://") ||
           (text_starts_with(text, "postgresql+") && strstr(text, "://"));
}

const char *
alembic_encoded(struct arena *arena, const char *text)
{
    struct buffer buffer = { .arena = arena };

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x80 && (isalnum(c) || strchr("-._~", c)))
            buffer_append(&buffer, text, 1);
        else
            buffer_printf(&buffer, "%%%02X", c);
    }
    return buffer_text(&buffer);
}

/* Parts that say where the server is, who we are and how the line is protected. */
static bool
is_ours(const char *name)
{
    static const char *const names[] = {
        "host",
        "hostaddr",
        "port",
        "user",
        "password",
        "passfile",
        "dbname",
        "database",
        "service",
        "requiressl",
        "channel_binding",
        "require_auth",
        "target_session_attrs",
        "load_balance_hosts",
        "gssencmode",
        "krbsrvname",
        "unix_sock",
        "direct_tls",
        "passwd",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return text_starts_with(name, "ssl");
}

/* The options of the user's URL, as ?options=-csearch_path%3Dapp, go into ours. */
static void
add_options(struct arena *arena, struct buffer *buffer, const char *like)
{
    const char *at = like ? strchr(like, '?') : NULL;
    char before = '?';

    if (!at || strstr(at, "%("))
        return;
    for (at++; *at;) {
        size_t length = strcspn(at, "&#");
        const char *part = arena_strndup(arena, at, length);
        const char *name = arena_strndup(arena, part, strcspn(part, "="));

        if (*part && !is_ours(name)) {
            buffer_printf(buffer, "%c%s", before, part);
            before = '&';
        }
        at += length;
        if (*at != '&')
            break;
        at++;
    }
}

const char *
alembic_url(struct ctx *ctx, const struct address *address, const char *like)
{
    struct buffer buffer = { .arena = ctx->arena };
    bool has_scheme = like && alembic_is_url(like);

    if (has_scheme)
        buffer_append(&buffer, like, strcspn(like, ":"));
    else
        buffer_add(&buffer, "postgresql");
    buffer_printf(&buffer, "://pgmend:%s@127.0.0.1:%u/%s", address->password, address->port,
        address->encoded);
    if (has_scheme)
        add_options(ctx->arena, &buffer, like);
    return buffer_text(&buffer);
}

static const char *
url_of_ini(struct ctx *ctx, const struct alembic *alembic)
{
    const char *section = alembic->options.section, *url = NULL;
    struct ini ini;

    if (!alembic->environment->ini ||
        !ini_read(ctx, alembic->environment->ini, section ? section : "alembic", &ini)) {
        error_clear(ctx);
        return NULL;
    }
    if (!ini_get(ctx, &ini, "sqlalchemy.url", &url)) {
        /* It names something that env.py sets; the driver is still there. */
        error_clear(ctx);
        url = map_get(&ini.values, "sqlalchemy.url");
    }
    return url && alembic_is_url(url) ? url : NULL;
}

/* The driver that env.py speaks of, for a URL that it takes from elsewhere. */
static const char *
url_of_script(struct ctx *ctx, const struct alembic *alembic)
{
    static const char start[] = "postgresql+";
    const char *text, *found;
    size_t length;

    if (!alembic->environment->env || !file_read(ctx, alembic->environment->env, &text, &length)) {
        error_clear(ctx);
        return NULL;
    }
    found = strstr(text, start);
    if (found && isalpha((unsigned char)found[strlen(start)])) {
        size_t rest = strspn(found + strlen(start), "abcdefghijklmnopqrstuvwxyz0123456789_");

        return arena_printf(ctx->arena, "%.*s://", (int)(strlen(start) + rest), found);
    }
    if (strstr(text, "asyncpg") || strstr(text, "async_engine"))
        return "postgresql+asyncpg://";
    return NULL;
}

const char *
alembic_url_like(struct ctx *ctx, const struct alembic *alembic)
{
    const char *url = url_of_ini(ctx, alembic);

    if (!url && !alembic->options.plain_env)
        url = url_of_script(ctx, alembic);
    if (!url)
        return "postgresql://";
    /* An env.py of ours has no loop for asynchronous drivers. */
    if (alembic->options.plain_env &&
        (text_starts_with(url, "postgresql+asyncpg") || strstr(url, "_async")))
        return "postgresql://";
    return url;
}
