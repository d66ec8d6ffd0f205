#include <math.h>

#include "base/clock.h"
#include "base/json.h"
#include "monitor/serve/serve_part.h"

enum { LONGEST_NAME = 100, LONGEST_NOTE = 1000 };

void
serve_kpi_answer(struct http_request *request, json_t *kpis, const struct error *error)
{
    struct writer writer = { .text.arena = http_request_arena(request) };

    if (error) {
        json_decref(kpis);
        http_fail(request, error);
        return;
    }
    writer_open(&writer, NULL, '{');
    writer_json(&writer, "kpis", kpis);
    writer_close(&writer, '}');
    serve_answer_json(request, &writer);
}

struct told {
    const char *name;
    double value;
    int64_t at_wall_us;
    const char *note;
};

/* A time is "2026-11-22T13:30:00Z". */
static bool
read_time(struct ctx *ctx, const json_t *body, int64_t *ret)
{
    const json_t *at = json_object_get(body, "at");

    *ret = 0;
    if (!at || json_is_null(at))
        return true;
    if (!json_is_string(at) || !clock_parse(json_string_value(at), ret))
        return error_set(ctx, ERR_INPUT, "\"at\" must be a time such as 2026-11-22T13:30:00Z");
    return true;
}

static bool
read_told(struct ctx *ctx, const json_t *body, struct told *ret)
{
    const json_t *value = json_object_get(body, "value");

    if (!json_is_object(body))
        return error_set(ctx, ERR_INPUT, "the body must be an object with \"name\" and \"value\"");
    ret->name = json_get_text(ctx->arena, body, "name", NULL);
    if (text_is_empty(ret->name) || strlen(ret->name) > LONGEST_NAME)
        return error_set(
            ctx, ERR_INPUT, "\"name\" must be a text of at most %d bytes", LONGEST_NAME);
    if (!json_is_number(value))
        return error_set(ctx, ERR_INPUT, "\"value\" must be a number");
    ret->value = json_number_value(value);
    ret->note = json_get_text(ctx->arena, body, "note", NULL);
    if (ret->note && strlen(ret->note) > LONGEST_NOTE)
        return error_set(ctx, ERR_INPUT, "\"note\" is longer than %d bytes", LONGEST_NOTE);
    return read_time(ctx, body, &ret->at_wall_us);
}

/* A page of somebody else's can send a form, but not this type without being asked first (CORS). */
static bool
is_json(const struct http_request *request)
{
    const char *type = http_request_header(request, "Content-Type");

    return type && text_starts_with(type, "application/json");
}

static void
post(const struct serve_kpi_source *source, struct http_request *request)
{
    struct ctx ctx = { .arena = http_request_arena(request) };
    json_t *body CLEANUP(json_release) = NULL;
    struct told told = { 0 };
    size_t length;
    const char *text = http_request_body(request, &length);

    if (!is_json(request)) {
        (void)error_set(&ctx, ERR_INPUT, "Content-Type must be application/json");
        http_fail(request, &ctx.error);
        return;
    }
    if (!json_parse(&ctx, "body", arena_strndup(ctx.arena, text ? text : "", length), &body) ||
        !read_told(&ctx, body, &told)) {
        http_fail(request, &ctx.error);
        return;
    }
    source->post(source->data, request, told.name, told.value, told.at_wall_us, told.note);
}

void
serve_kpi(void *data, struct http_request *request)
{
    const struct serve *serve = data;

    if (!serve->options.kpi) {
        http_fail(request, &(struct error){ .kind = ERR_UNSUPPORTED,
                               .message = "this monitor keeps no KPI table",
                               .hint = "Start it with a store: --store-url." });
        return;
    }
    if (http_request_method(request) == HTTP_POST)
        post(serve->options.kpi, request);
    else
        serve->options.kpi->get(serve->options.kpi->data, request);
}
