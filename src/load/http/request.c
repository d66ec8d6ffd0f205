/* Composes requests. What values make of path and headers is looked at before it is sent. */
#include <strings.h>

#include "load/http/http_part.h"

static const char *const reserved[] = { "Host", "Content-Length", "Transfer-Encoding" };

/* RFC 9112, 3.2.1; characters beyond ASCII have to be percent-encoded. */
static const char *
check_path(const char *at, const char *end)
{
    if (at == end || *at != '/')
        return "the path does not begin with \"/\"";
    for (; at < end; at++) {
        if (*at <= ' ' || *at > '~')
            return "the path has a space, a control character or a letter beyond ASCII in it: "
                   "percent-encode it";
    }
    return NULL;
}

static const char *
check_line(const char *at, const char *end, bool *has_type)
{
    const char *colon = memchr(at, ':', (size_t)(end - at));
    size_t length = colon ? (size_t)(colon - at) : 0;

    if (length == 0)
        return "a header is not \"Name: value\"";
    for (size_t i = 0; i < COUNT_OF(reserved); i++) {
        if (strlen(reserved[i]) == length && strncasecmp(at, reserved[i], length) == 0)
            return "a header is given that is written by itself: Host, Content-Length or "
                   "Transfer-Encoding";
    }
    if (length == strlen("Content-Type") && strncasecmp(at, "Content-Type", length) == 0)
        *has_type = true;
    for (; at < colon; at++) {
        if (*at <= ' ' || *at > '~')
            return "the name of a header has a space or a control character in it";
    }
    for (; at < end; at++) {
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
            return "a value in a header has a control character or the end of a line in it";
    }
    return NULL;
}

static const char *
check_headers(const char *at, const char *end, int32_t lines, bool *has_type)
{
    int32_t count = 0;

    while (at < end) {
        const char *stop = memchr(at, '\r', (size_t)(end - at));
        const char *fault;

        if (!stop || stop + 1 == end || stop[1] != '\n')
            return "a value in a header has a control character or the end of a line in it";
        fault = check_line(at, stop, has_type);
        if (fault)
            return fault;
        at = stop + 2;
        count++;
    }
    if (lines > 0 && count != lines)
        return "a value in a header has a control character or the end of a line in it";
    return NULL;
}

static const char *
missing(const struct load_scope *scope)
{
    const char *problem = load_scope_reason(scope);

    return problem ? problem : "a value is not there";
}

static void
add(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

static const char *
add_headers(struct load_http_shared *shared, const struct load_step *step, struct load_scope *scope,
    bool *has_type)
{
    struct buffer *request = &shared->request;
    size_t start = request->length;

    if (!step->headers)
        return NULL;
    if (!load_template_write(step->headers, scope, request))
        return missing(scope);
    return check_headers(
        request->data + start, request->data + request->length, step->header_lines, has_type);
}

const char *
load_http_compose(
    struct load_http_shared *shared, const struct load_step *step, struct load_scope *scope)
{
    struct buffer *request = &shared->request;
    bool has_type = false;
    const char *fault;
    size_t start;

    request->length = 0;
    shared->body.length = 0;
    if (step->body && !load_template_write(step->body, scope, &shared->body))
        return missing(scope);
    add(request, step->method);
    add(request, " ");
    start = request->length;
    if (!load_template_write(step->path, scope, request))
        return missing(scope);
    fault = check_path(request->data + start, request->data + request->length);
    if (fault)
        return fault;
    buffer_append(request, shared->lines.data, shared->lines.length);
    fault = add_headers(shared, step, scope, &has_type);
    if (fault)
        return fault;
    if (step->body && !has_type)
        add(request, "Content-Type: application/json\r\n");
    if (step->body)
        buffer_printf(request, "Content-Length: %zu\r\n", shared->body.length);
    add(request, "\r\n");
    if (step->body && shared->body.length > 0)
        buffer_append(request, shared->body.data, shared->body.length);
    return NULL;
}
