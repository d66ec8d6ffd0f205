#include <sys/socket.h>

#include "base/clock.h"
#include "http/address.h"
#include "http/client_part.h"

enum { MOST_HEADER_BYTES = 64 * 1024, LONGEST_WAIT_S = 24 * 60 * 60 };

static size_t
take_body(char *bytes, size_t size, size_t count, void *data)
{
    struct client_call *call = data;
    size_t length = size * count;

    if ((int64_t)(call->body.length + length) > call->client->options.most_body_bytes) {
        call->is_too_long = true;
        return 0;
    }
    buffer_append(&call->body, bytes, length);
    return length;
}

static size_t
take_header(
    // NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's
    char *bytes, size_t size, size_t count, void *data)
{
    struct client_call *call = data;

    (void)bytes;
    call->header_bytes += (int64_t)(size * count);
    if (call->header_bytes <= MOST_HEADER_BYTES)
        return size * count;
    call->is_too_long = true;
    return 0;
}

static size_t
give_mail(char *bytes, size_t size, size_t count, void *data)
{
    struct client_call *call = data;
    size_t left = call->mail_length - call->mail_sent;
    size_t length = size * count < left ? size * count : left;

    memcpy(bytes, call->mail + call->mail_sent, length);
    call->mail_sent += length;
    return length;
}

/* The name is resolved, so this is where the connection really goes to, whatever the name was. */
static curl_socket_t
open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct client_call *call = data;

    (void)purpose;
    if (!call->client->options.allow_private && !http_address_is_public(&address->addr)) {
        call->refused = http_address_text(call->arena, &address->addr);
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool
add_headers(struct ctx *ctx, struct client_call *call, const struct http_call *given)
{
    /* Not asked beforehand whether the body is wanted: it is short. */
    call->headers = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; i < given->header_count; i++) {
        const struct http_header *header = &given->headers[i];
        bool is_empty = text_is_empty(header->value);
        const char *line;

        if (!client_check_header(ctx, header))
            return false;
        line = is_empty ? arena_printf(call->arena, "%s;", header->name)
                        : arena_printf(call->arena, "%s: %s", header->name, header->value);
        call->headers = curl_slist_append(call->headers, line);
    }
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
    return true;
}

static bool
prepare_web(struct ctx *ctx, struct client_call *call, const struct http_call *given)
{
    const char *method = given->method ? given->method : "GET";

    if (given->body) {
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(given->body));
        curl_easy_setopt(call->easy, CURLOPT_COPYPOSTFIELDS, given->body);
    }
    if (text_equal(method, "HEAD"))
        curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
    else if (!text_equal(method, given->body ? "POST" : "GET"))
        curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(call->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(call->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return add_headers(ctx, call, given);
}

static bool
prepare_mail(struct ctx *ctx, struct client_call *call, const struct http_call *given)
{
    if (!client_mail_compose(ctx, call, given))
        return false;
    curl_easy_setopt(
        call->easy, CURLOPT_MAIL_FROM, arena_printf(call->arena, "<%s>", given->mail_from));
    for (size_t i = 0; i < given->mail_to.count; i++)
        call->receivers = curl_slist_append(
            call->receivers, arena_printf(call->arena, "<%s>", given->mail_to.items[i]));
    curl_easy_setopt(call->easy, CURLOPT_MAIL_RCPT, call->receivers);
    curl_easy_setopt(call->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(call->easy, CURLOPT_READFUNCTION, give_mail);
    curl_easy_setopt(call->easy, CURLOPT_READDATA, call);
    curl_easy_setopt(
        call->easy, CURLOPT_USE_SSL, (long)(given->user ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    return true;
}

static void
prepare_limits(struct client_call *call)
{
    const struct http_client_options *options = &call->client->options;
    CURL *easy = call->easy;

    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)((options->timeout_us + 999) / 1000));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)((options->timeout_us + 999) / 1000));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Or giving up a name that is still being looked up would wait for the resolver's thread. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (options->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    /* A proxy would look the name up itself, and ask addresses that we cannot see. */
    if (!options->allow_private)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->text);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "pgmend/" PGMEND_VERSION);
}

bool
client_call_prepare(struct ctx *ctx, struct client_call *call, const struct http_call *given)
{
    if (!client_check_url(ctx, given->url, &call->is_mail))
        return false;
    call->easy = curl_easy_init();
    if (!call->easy)
        return error_set(ctx, ERR_FAILED, "could not make a request");
    prepare_limits(call);
    call->url = arena_strdup(call->arena, given->url);
    curl_easy_setopt(call->easy, CURLOPT_URL, call->url);
    if (given->user) {
        call->user = arena_strdup(call->arena, given->user);
        curl_easy_setopt(call->easy, CURLOPT_USERNAME, call->user);
    }
    if (given->password) {
        call->password = arena_strdup(call->arena, given->password);
        curl_easy_setopt(call->easy, CURLOPT_PASSWORD, call->password);
    }
    return call->is_mail ? prepare_mail(ctx, call, given) : prepare_web(ctx, call, given);
}

/* Seconds or a date; -1 when there is none, or it is neither. */
static int64_t
retry_after_us(CURL *easy)
{
    struct curl_header *header;
    int64_t seconds;
    size_t digits;

    if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return -1;
    digits = strspn(header->value, "0123456789");
    if (digits > 0 && header->value[digits] == '\0') {
        if (!text_to_int64(header->value, &seconds))
            seconds = LONGEST_WAIT_S;
    } else {
        time_t date = curl_getdate(header->value, NULL);

        if (date == -1)
            return -1;
        seconds = date - clock_wall_us() / 1000000;
    }
    if (seconds < 0)
        return 0;
    return (seconds < LONGEST_WAIT_S ? seconds : LONGEST_WAIT_S) * 1000000;
}

static const char *
reason(struct client_call *call, CURLcode code)
{
    const struct http_client_options *options = &call->client->options;

    if (call->is_too_long)
        return arena_printf(call->arena, "the answer is longer than %s",
            text_from_bytes(call->arena, options->most_body_bytes));
    if (call->refused)
        return arena_printf(call->arena,
            "%s is not an address of the public internet, and private ones are not allowed",
            call->refused);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return arena_printf(
            call->arena, "no answer within %s", text_from_us(call->arena, options->timeout_us));
    return client_hide(call, call->text[0] ? call->text : curl_easy_strerror(code));
}

void
client_call_judge(struct client_call *call, CURLcode code, struct http_result *ret)
{
    long status = 0;

    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    ret->body = buffer_text(&call->body);
    ret->length = call->body.length;
    /* A mail server that says no has answered, a web server that stops in the middle has not. */
    ret->is_answered = status > 0 && (code == CURLE_OK || (call->is_mail && status >= 400));
    if (!ret->is_answered) {
        ret->error = reason(call, code);
        return;
    }
    ret->status = call->is_mail && code == CURLE_OK ? 250 : (int)status;
    if (!call->is_mail)
        ret->retry_after_us = retry_after_us(call->easy);
}
