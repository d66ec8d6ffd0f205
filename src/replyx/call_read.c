/* What the client has sent: numbers of the query, JSON of the body. */
#include <string.h>

#include "replyx/call_part.h"

/* Deeper than anything that an endpoint reads; and how much of a name that is not known is shown. */
enum { MOST_DEPTH = 32, MOST_SHOWN = 40 };

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
call_check_depth(struct ctx *ctx, const char *text, size_t length)
{
    if (depth_of(text, length) <= MOST_DEPTH)
        return true;
    return error_set(ctx, ERR_INPUT, "the body is nested deeper than %d levels", (int)MOST_DEPTH);
}

const char *
call_json_why(const json_error_t *error)
{
    /* The library names a flag of its own there. */
    if (strstr(error->text, "JSON_ALLOW_NUL"))
        return "a text has \\u0000 in it, which cannot be stored";
    return error->text;
}

/* So much of it as helps, cut between two letters. */
static const char *
shown(struct ctx *ctx, const char *name)
{
    size_t length = strnlen(name, MOST_SHOWN);

    while (name[length] && ((unsigned char)name[length] & 0xc0) == 0x80)
        length--;
    return arena_strndup(ctx->arena, name, length);
}

static bool
is_one_of(const char *const *names, const char *name)
{
    for (; *names; names++) {
        if (text_equal(*names, name))
            return true;
    }
    return false;
}

static bool
refuse_name(struct ctx *ctx, const char *where, const char *name, const char *const *names)
{
    struct text_list list = { 0 };

    (void)error_set(
        ctx, ERR_INPUT, "the %s has a member \"%s\" that is not known", where, shown(ctx, name));
    for (; *names; names++)
        text_list_add(ctx->arena, &list, *names);
    if (list.count == 0)
        return error_hint(ctx, "There are none here.");
    return error_hint(ctx, "There %s %s.", list.count == 1 ? "is only" : "are",
        text_list_join(ctx->arena, &list, ", "));
}

bool
call_check_members(struct ctx *ctx, json_t *body, const char *const *names)
{
    const char *name;
    json_t *value;

    json_object_foreach(body, name, value)
    {
        if (!is_one_of(names, name))
            return refuse_name(ctx, "body", name, names);
    }
    return true;
}

bool
call_check_query(struct ctx *ctx, struct call *call, const char *const *names)
{
    static const char *const none[] = { NULL };
    const char *const *known = names ? names : none;
    struct text_list found = { 0 };
    const char *name;

    for (size_t i = 0; (name = http_request_query_name(call->request, i)); i++) {
        if (!is_one_of(known, name))
            return refuse_name(ctx, "query", name, known);
        if (text_list_has(&found, name))
            return error_set(ctx, ERR_INPUT, "the query has %s twice", name);
        text_list_add(ctx->arena, &found, name);
    }
    return true;
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
    if (!call_check_depth(ctx, body, length))
        return false;
    *ret = json_loadb(body, length, JSON_REJECT_DUPLICATES, &why);
    if (!*ret)
        return error_set(ctx, ERR_INPUT, "the body is not JSON: line %d, column %d: %s", why.line,
            why.column, call_json_why(&why));
    if (json_is_object(*ret))
        return true;
    json_decref(*ret);
    *ret = NULL;
    return error_set(ctx, ERR_INPUT, "the body is JSON, but not an object");
}

bool
call_read_number(struct ctx *ctx, struct call *call, const char *name, int64_t most,
    int64_t standard, int64_t *ret)
{
    const char *text = http_request_query(call->request, name);

    *ret = standard;
    if (!text)
        return true;
    if (!*text || strspn(text, "0123456789") != strlen(text) || !text_to_int64(text, ret) ||
        *ret < 1 || *ret > most)
        return error_set(
            ctx, ERR_INPUT, "%s has to be a whole number from 1 to %lld", name, (long long)most);
    return true;
}
