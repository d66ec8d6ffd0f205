#include "http/server_part.h"

static bool
is_path_of(const char *pattern, const char *path)
{
    size_t length = strlen(pattern);

    if (length >= 2 && pattern[length - 1] == '*' && pattern[length - 2] == '/')
        return strncmp(pattern, path, length - 1) == 0;
    return text_equal(pattern, path);
}

static const char *
methods_text(struct arena *arena, unsigned methods)
{
    static const struct {
        unsigned method;
        const char *name;
    } names[] = {
        { HTTP_GET, "GET" },
        { HTTP_GET, "HEAD" },
        { HTTP_POST, "POST" },
        { HTTP_PUT, "PUT" },
        { HTTP_DELETE, "DELETE" },
    };
    struct text_list list = { 0 };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (methods & names[i].method)
            text_list_add(arena, &list, names[i].name);
    }
    return text_list_join(arena, &list, ", ");
}

/* The cookie goes to no other site and to no script; it is the token's digest, not the token. */
static void
answer_login(const struct http_server *server, struct http_request *request)
{
    const char *protocol = http_head_get(&request->head, "X-Forwarded-Proto");
    const struct http_header headers[] = {
        { "Set-Cookie", arena_printf(request->arena, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s",
                            server->cookie, server->cookie_value,
                            text_equal(protocol, "https") ? "; Secure" : "") },
        { "Location", "/" },
    };

    http_answer(
        request, &(struct http_answer){
                     .status = 303, .headers = headers, .header_count = COUNT_OF(headers) });
}

static void
refuse(struct http_request *request, int status, const char *why, unsigned methods)
{
    static const struct http_header ask = { "WWW-Authenticate", "Bearer realm=\"pgmend\"" };
    const struct http_header allow = { "Allow", methods_text(request->arena, methods) };

    http_refuse(request, status, why, status == 405 ? &allow : (status == 401 ? &ask : NULL));
}

/* The first route of the path that has the method; the methods of all that have the path. */
static const struct http_route *
find_route(const struct http_request *request, unsigned *ret_methods, bool *ret_is_open)
{
    const struct http_server_options *options = &request->connection->server->options;

    *ret_methods = 0;
    *ret_is_open = false;
    for (size_t i = 0; i < options->route_count; i++) {
        const struct http_route *route = &options->routes[i];

        if (!is_path_of(route->path, request->head.path))
            continue;
        *ret_methods |= route->methods;
        *ret_is_open = *ret_is_open || route->is_open;
        if (route->methods != HTTP_EVERY_METHOD && !(route->methods & request->head.method))
            continue;
        *ret_is_open = route->is_open;
        return route;
    }
    return NULL;
}

/* 0, or the status to refuse it with. */
static int
use_route(struct http_request *request, const struct http_route *route, unsigned methods,
    const char **ret_why)
{
    const struct http_server_options *options = &request->connection->server->options;

    if (!route) {
        *ret_why = methods ? "the path has no such method" : "there is nothing at this path";
        return methods ? 405 : 404;
    }
    request->handler.call = route->handler;
    request->handler.data = options->data;
    request->most_body_bytes =
        route->most_body_bytes > 0 ? route->most_body_bytes : options->most_body_bytes;
    if (request->head.length <= request->most_body_bytes)
        return 0;
    *ret_why = "the body is too long";
    return 413;
}

bool
http_route(struct http_request *request)
{
    const struct http_server *server = request->connection->server;
    const char *why = NULL;
    unsigned methods;
    bool is_open;
    const struct http_route *route = find_route(request, &methods, &is_open);
    /* Who has no token does not even learn which paths there are. */
    int status = http_guard(server, request, is_open, &why);

    if (status == 303) {
        answer_login(server, request);
        return false;
    }
    if (!status)
        status = use_route(request, route, methods, &why);
    if (!status)
        return true;
    refuse(request, status, why, methods);
    return false;
}
