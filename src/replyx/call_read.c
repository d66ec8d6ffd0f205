/* What the client has sent: numbers of the query, JSON of the body. */
#include <string.h>

#include "replyx/call_part.h"

/* Deeper than anything that an endpoint reads. */
enum { MOST_DEPTH = 32 };

/* How deep brackets are open at most, those in strings not counted. */
static int
depth_of(const char *text, size_t length)
{
    int depth = 0;
    int deepest = 0;
    bool is_string = false;

    for (size_t i = 0; i < length; i++) {
        if (is_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            is_string = !is_string;
        else if (!is_string && (text[i] == '{' || text[i] == '['))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!is_string && (text[i] == '}' || text[i] == ']'))
            depth--;
    }
    return deepest;
}

bool
call_read_json(struct ctx *ctx, struct call *call, json_t **ret)
{
    size_t length;
    const char *body = http_request_body(call->request, &length);
    json_error_t why;

    *ret = NULL;
    if (length == 0)
        return error_set(ctx, ERR_INPUT, "the body is empty, and should be a JSON object");
    if (depth_of(body, length) > MOST_DEPTH)
        return error_set(
            ctx, ERR_INPUT, "the body is nested deeper than %d levels", (int)MOST_DEPTH);
    *ret = json_loadb(body, length, JSON_REJECT_DUPLICATES, &why);
    if (!*ret)
        return error_set(ctx, ERR_INPUT, "the body is not JSON: line %d, column %d: %s", why.line,
            why.column, why.text);
    if (json_is_object(*ret))
        return true;
    json_decref(*ret);
    *ret = NULL;
    return error_set(ctx, ERR_INPUT, "the body is JSON, but not an object");
}

bool
call_read_number(struct ctx *ctx, struct call *call, const char *name, int64_t least, int64_t most,
    int64_t standard, int64_t *ret)
{
    const char *text = http_request_query(call->request, name);

    *ret = standard;
    if (!text)
        return true;
    if (!*text || strspn(text, "0123456789") != strlen(text) || !text_to_int64(text, ret) ||
        *ret < least || *ret > most)
        return error_set(ctx, ERR_INPUT, "%s has to be a whole number from %lld to %lld", name,
            (long long)least, (long long)most);
    return true;
}
