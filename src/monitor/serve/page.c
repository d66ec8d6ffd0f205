#include <stdlib.h>

#include "base/ctx.h"
#include "base/markup.h"
#include "base/memory.h"
#include "monitor/serve/serve_part.h"
#include "web.h"

/* Nothing but the page's own styles and scripts, and requests to where it came from. */
static const char *
make_policy(struct arena *arena)
{
    return arena_printf(arena,
        "default-src 'none'; script-src '%s' '%s' '%s' '%s' '%s' '%s'; style-src '%s' '%s'; "
        "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'",
        web_dist_uplot_iife_min_js_hash, web_monitor_format_js_hash, web_monitor_charts_js_hash,
        web_monitor_panels_js_hash, web_monitor_views_js_hash, web_monitor_page_js_hash,
        web_dist_uplot_min_css_hash, web_monitor_page_css_hash);
}

void
serve_page_make(struct serve *serve)
{
    struct arena *arena = serve->monitor->ctx->arena;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (!out)
        memory_exhausted(0);
    serve->page_policy = make_policy(arena);
    const struct markup_slot slots[] = {
        { "{{policy}}", serve->page_policy },
        { "{{chart_style}}", web_dist_uplot_min_css },
        { "{{style}}", web_monitor_page_css },
        { "{{chart_script}}", web_dist_uplot_iife_min_js },
        { "{{format_script}}", web_monitor_format_js },
        { "{{charts_script}}", web_monitor_charts_js },
        { "{{panels_script}}", web_monitor_panels_js },
        { "{{views_script}}", web_monitor_views_js },
        { "{{script}}", web_monitor_page_js },
    };

    markup_fill(out, web_monitor_page_html, slots, COUNT_OF(slots));
    fclose(out);
    serve->page = arena_memdup(arena, text, length + 1);
    serve->page_length = length;
    free(text);
}

void
serve_page(void *data, struct http_request *request)
{
    const struct serve *serve = data;
    const struct http_header headers[] = {
        { "Content-Security-Policy", arena_printf(http_request_arena(request),
                                         "%s; frame-ancestors 'none'", serve->page_policy) },
        { "Cache-Control", "no-cache" },
    };

    http_answer(request, &(struct http_answer){ .status = 200,
                             .type = "text/html; charset=utf-8",
                             .body = serve->page,
                             .length = serve->page_length,
                             .headers = headers,
                             .header_count = COUNT_OF(headers) });
}
