#include <strings.h>

#include "http/client_part.h"

/* The parts of a path that may be tokens: those that are long, or not so long with digits. */
enum { LONG_PART = 13, SHORT_PART = 6 };

static const char hidden[] = "…";

bool
client_check_url(struct ctx *ctx, const char *url, bool *ret_is_mail)
{
    static const char *const schemes[] = { "http", "https", "smtp", "smtps" };
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    const char *host = url ? strstr(url, "://") : NULL;
    bool is_known = false;

    /* libcurl would take the first word of "http:///path" for the host. */
    if (host && host[3] == '/')
        url = NULL;
    if (parsed && curl_url_set(parsed, CURLUPART_URL, url ? url : "", 0) == CURLUE_OK)
        curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0);
    for (size_t i = 0; scheme && i < COUNT_OF(schemes); i++)
        is_known = is_known || text_equal(scheme, schemes[i]);
    *ret_is_mail = scheme && text_starts_with(scheme, "smtp");
    curl_free(scheme);
    curl_url_cleanup(parsed);
    if (is_known)
        return true;
    error_set(ctx, ERR_INPUT, "\"%s\" is not a URL that can be asked",
        http_url_shown(ctx->arena, url ? url : ""));
    return error_hint(ctx, "it begins with http://, https://, smtp:// or smtps:// and has a host");
}

static bool
is_token_part(const char *part, size_t length)
{
    bool has_digit = false;

    for (size_t i = 0; i < length; i++)
        has_digit = has_digit || (part[i] >= '0' && part[i] <= '9') || part[i] == '%';
    return length >= LONG_PART || (length >= SHORT_PART && has_digit) || memchr(part, ':', length);
}

const char *
http_url_shown(struct arena *arena, const char *url)
{
    struct buffer shown = { .arena = arena };
    size_t scheme = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+");
    const char *host = url + scheme + 3;
    const char *at;
    size_t length;

    if (scheme == 0 || strncmp(url + scheme, "://", 3) != 0)
        return hidden;
    buffer_append(&shown, url, scheme + 3);
    length = strcspn(host, "/?#\\");
    /* Everything before the last @ is user and password. */
    at = memrchr(host, '@', length);
    if (at) {
        buffer_printf(&shown, "%s@", hidden);
        length -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    buffer_append(&shown, host, length);
    for (at = host + length; *at == '/'; at += length) {
        buffer_add(&shown, "/");
        at++;
        length = strcspn(at, "/?#\\");
        if (is_token_part(at, length))
            buffer_add(&shown, hidden);
        else
            buffer_append(&shown, at, length);
    }
    if (*at)
        buffer_printf(&shown, "%c%s", *at == '\\' ? '/' : *at, hidden);
    return buffer_text(&shown);
}

static const char *
replace(struct arena *arena, const char *text, const char *secret)
{
    struct buffer result = { .arena = arena };
    const char *at = text;

    if (text_is_empty(secret))
        return text;
    for (const char *hit; (hit = strstr(at, secret)); at = hit + strlen(secret)) {
        buffer_append(&result, at, (size_t)(hit - at));
        buffer_add(&result, hidden);
    }
    buffer_add(&result, at);
    return buffer_text(&result);
}

/* User, password and query of the URL, as they stand there and decoded. */
static const char *
replace_part(struct arena *arena, const char *text, CURLU *parsed, CURLUPart part)
{
    static const unsigned ways[] = { 0, CURLU_URLDECODE };
    char *secret = NULL;

    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        if (curl_url_get(parsed, part, &secret, ways[i]) == CURLUE_OK && strlen(secret) > 1)
            text = replace(arena, text, secret);
        curl_free(secret);
        secret = NULL;
    }
    return text;
}

const char *
client_hide(const struct client_call *call, const char *text)
{
    static const CURLUPart parts[] = { CURLUPART_PASSWORD, CURLUPART_USER, CURLUPART_QUERY,
        CURLUPART_PATH };
    CURLU *parsed = curl_url();
    const char *result = replace(call->arena, text, call->url);

    result = replace(call->arena, result, call->password);
    result = replace(call->arena, result, call->user);
    if (parsed && curl_url_set(parsed, CURLUPART_URL, call->url, 0) == CURLUE_OK) {
        for (size_t i = 0; i < COUNT_OF(parts); i++)
            result = replace_part(call->arena, result, parsed, parts[i]);
    }
    curl_url_cleanup(parsed);
    return result;
}
