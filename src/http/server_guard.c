#include <strings.h>

#include "base/crypto.h"
#include "http/address.h"
#include "http/server_part.h"

/*
 * The name in "name:port", "1.2.3.4", "[::1]:80"; NULL if it is none of them. A name has letters,
 * digits, hyphens, underscores and dots.
 */
static const char *
name_in_host(struct arena *arena, const char *host)
{
    bool is_v6 = host[0] == '[';
    const char *start = is_v6 ? host + 1 : host;
    size_t length =
        is_v6 ? strspn(start, "0123456789abcdefABCDEF:.")
              : strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    const char *after = start + length;

    if (length == 0 || (is_v6 && *after++ != ']'))
        return NULL;
    if (*after == ':') {
        size_t digits = strspn(after + 1, "0123456789");

        if (digits == 0 || digits > 5)
            return NULL;
        after += 1 + digits;
    }
    return *after == '\0' ? arena_strndup(arena, start, length) : NULL;
}

static bool
is_our_name(const struct http_server *server, const char *name)
{
    const struct text_list *hosts = &server->options.hosts;

    if (strcasecmp(name, "localhost") == 0)
        return true;
    for (size_t i = 0; i < hosts->count; i++) {
        if (strcasecmp(name, hosts->items[i]) == 0)
            return true;
    }
    return false;
}

/*
 * A page of somebody else's site can point its own name at our address (DNS rebinding), and would
 * then be asked in that name; it cannot do so with an address.
 */
static int
check_host(const struct http_server *server, struct http_request *request, const char **ret_why)
{
    const char *name = name_in_host(request->arena, request->head.host);

    if (!name) {
        *ret_why = "Host is neither a name nor an address";
        return 400;
    }
    if (server->options.is_public || http_address_family(name) || is_our_name(server, name))
        return 0;
    *ret_why = "Host is not a name of this server";
    return 421;
}

/* The next cookie of this name at or after *at, or NULL. */
static const char *
next_cookie(struct arena *arena, const char *name, const char **at)
{
    size_t size = strlen(name);

    while (**at) {
        const char *start = *at + strspn(*at, " \t;");
        size_t length = strcspn(start, ";");

        *at = start + length;
        if (length > size && strncmp(start, name, size) == 0 && start[size] == '=')
            return arena_strndup(arena, start + size + 1, length - size - 1);
    }
    return NULL;
}

static bool
has_cookie(const struct http_server *server, struct http_request *request)
{
    const char *at = http_head_get(&request->head, "Cookie");

    if (!at)
        return false;
    for (;;) {
        const char *value = next_cookie(request->arena, server->cookie, &at);

        if (!value)
            return false;
        if (secret_equal(value, server->cookie_value))
            return true;
    }
}

static bool
has_token(const struct http_server *server, struct http_request *request)
{
    const char *given = http_head_get(&request->head, "Authorization");

    if (given && strncasecmp(given, "Bearer ", 7) == 0)
        return secret_equal(given + 7 + strspn(given + 7, " "), server->options.token);
    return has_cookie(server, request);
}

/* Whether the page that sends this is one of ours; programs say nothing about pages. */
static bool
is_from_our_page(const struct http_server *server, struct http_request *request)
{
    const char *origin = http_head_get(&request->head, "Origin");
    const char *site = http_head_get(&request->head, "Sec-Fetch-Site");
    const char *authority = origin ? strstr(origin, "://") : NULL;
    const char *name;

    if (!origin)
        return !site || text_equal(site, "same-origin") || text_equal(site, "none");
    if (!authority ||
        (strncasecmp(origin, "http://", 7) != 0 && strncasecmp(origin, "https://", 8) != 0))
        return false;
    if (strcasecmp(authority + 3, request->head.host) == 0)
        return true;
    /* A proxy in front may have put another Host in its place. */
    name = name_in_host(request->arena, authority + 3);
    return name && strcasecmp(name, "localhost") != 0 && is_our_name(server, name);
}

int
http_guard(const struct http_server *server, struct http_request *request, bool is_open,
    const char **ret_why)
{
    int status = check_host(server, request, ret_why);

    if (status || server->options.is_public)
        return status;
    if (server->cookie_value && !is_open) {
        const char *token =
            text_equal(request->head.path, "/login") ? http_request_query(request, "token") : NULL;

        if (token && secret_equal(token, server->options.token))
            return 303;
        if (!has_token(server, request)) {
            *ret_why = "a token is needed: \"Authorization: Bearer …\", or open /login?token=…";
            return 401;
        }
    }
    if (request->head.method != HTTP_GET && !is_from_our_page(server, request)) {
        *ret_why = "the request comes from a page of another site";
        return 403;
    }
    return 0;
}
