#include "base/file.h"
#include "queries/check/check.h"

enum { BASELINE_VERSION = 1 };

json_t *
check_baseline_json(const struct check_routes *routes)
{
    json_t *all = json_object();

    for (size_t i = 0; i < routes->count; i++) {
        const struct check_route *route = &routes->items[i];
        json_t *statements = json_object();

        for (size_t j = 0; j < route->statement_count; j++)
            json_object_set_new(
                statements, route->statements[j].text, json_integer(route->statements[j].most));
        json_object_set_new(all, route->name,
            json_pack("{s:I, s:o}", "most", (json_int_t)route->most, "statements", statements));
    }
    return json_pack("{s:i, s:o}", "pgmend_baseline", (int)BASELINE_VERSION, "routes", all);
}

static bool
wrong(struct ctx *ctx, const char *path, const char *what)
{
    error_set(ctx, ERR_INPUT, "%s: %s", path, what);
    return error_hint(
        ctx, "A baseline is made with: pgmend queries check TRACE --baseline %s --update", path);
}

static bool
read_route(struct ctx *ctx, const char *path, const char *name, const json_t *from,
    struct check_routes *ret)
{
    struct check_route route = { .name = arena_strdup(ctx->arena, name),
        .is_tagged = !text_starts_with(name, "statement: "),
        .most = json_get_int(from, "most", -1) };
    json_t *statements = json_object_get(from, "statements");
    const char *text;
    json_t *most;

    if (route.most < 0)
        return wrong(
            ctx, path, arena_printf(ctx->arena, "route \"%s\" has no number \"most\"", route.name));
    route.statements =
        ARENA_ARRAY(ctx->arena, struct check_statement, json_object_size(statements));
    json_object_foreach(statements, text, most) route.statements[route.statement_count++] =
        (struct check_statement){ .text = arena_strdup(ctx->arena, text),
            .most = json_integer_value(most) };
    VEC_PUSH(ctx->arena, ret, route);
    return true;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct check_route *)a)->name, ((const struct check_route *)b)->name);
}

bool
check_baseline_read(struct ctx *ctx, const char *path, struct check_routes *ret)
{
    json_t *json CLEANUP(json_release) = NULL;
    json_t *routes, *route;
    const char *name;

    *ret = (struct check_routes){ 0 };
    if (!file_exists(path)) {
        error_set(ctx, ERR_INPUT, "there is no baseline \"%s\"", path);
        return error_hint(ctx, "--update makes it.");
    }
    if (!json_read_file(ctx, path, &json))
        return false;
    routes = json_object_get(json, "routes");
    if (json_get_int(json, "pgmend_baseline", 0) != BASELINE_VERSION || !json_is_object(routes))
        return wrong(ctx, path, "this is no baseline that this pgmend knows");
    json_object_foreach(
        routes, name, route) if (!read_route(ctx, path, name, route, ret)) return false;
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof(ret->items[0]), by_name);
    return true;
}
