#include <strings.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "http/client_part.h"
#include "http/date.h"

/* Bytes in one encoded word, so that it has at most 75 characters; and in one line of the body. */
enum { WORD_BYTES = 42, LINE_BYTES = 57 };

/* Whatever could end the line, or means something to a terminal. */
static bool
has_control(const char *text)
{
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return true;
    }
    return false;
}

bool
client_check_header(struct ctx *ctx, const struct http_header *header)
{
    size_t length = strcspn(header->name, " \t:;()<>@,\\\"/[]?={}");

    if (length == 0 || header->name[length] || has_control(header->name))
        return error_set(ctx, ERR_INPUT, "a header has a name that is no word");
    if (header->value && has_control(header->value))
        return error_set(
            ctx, ERR_INPUT, "the header %s holds a line break or control character", header->name);
    return true;
}

/* "a@b": neither white space nor what ends an address in the protocol. */
static bool
check_address(struct ctx *ctx, const char *address)
{
    const char *at = address ? strchr(address, '@') : NULL;

    if (!at || at == address || !at[1] || has_control(address) || strpbrk(address, " <>,;\"\\()"))
        return error_set(ctx, ERR_INPUT, "what should be a mail address is none");
    return true;
}

static void
add_base64(struct buffer *to, const char *data, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = (const unsigned char *)data;

    for (size_t i = 0; i < length; i += 3) {
        size_t count = length - i < 3 ? length - i : 3;
        unsigned bits = (unsigned)bytes[i] << 16;
        char text[4] = { '=', '=', '=', '=' };

        bits |= count > 1 ? (unsigned)bytes[i + 1] << 8 : 0;
        bits |= count > 2 ? bytes[i + 2] : 0;
        for (size_t j = 0; j <= count; j++)
            text[j] = digits[(bits >> (18 - 6 * j)) & 63];
        buffer_append(to, text, sizeof(text));
    }
}

/* The subject in words of RFC 2047 when it is not plain and short; a character is not cut in two. */
static void
add_subject(struct buffer *to, const char *text)
{
    size_t length = strlen(text);
    bool is_plain = length <= 200;

    for (size_t i = 0; i < length; i++)
        is_plain = is_plain && (unsigned char)text[i] <= '~';
    if (is_plain) {
        buffer_add(to, text);
        return;
    }
    for (size_t at = 0; at < length;) {
        size_t end = length - at > WORD_BYTES ? at + WORD_BYTES : length;

        while (end < length && end > at + 1 && ((unsigned char)text[end] & 0xc0) == 0x80)
            end--;
        buffer_add(to, at > 0 ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
        add_base64(to, text + at, end - at);
        buffer_add(to, "?=");
        at = end;
    }
}

static bool
has_header(const struct http_call *given, const char *name)
{
    for (size_t i = 0; i < given->header_count; i++) {
        if (strcasecmp(given->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool
add_headers(struct ctx *ctx, struct buffer *to, const struct http_call *given)
{
    for (size_t i = 0; i < given->header_count; i++) {
        const struct http_header *header = &given->headers[i];

        if (!client_check_header(ctx, header))
            return false;
        buffer_printf(to, "%s: ", header->name);
        if (strcasecmp(header->name, "Subject") == 0)
            add_subject(to, header->value ? header->value : "");
        else
            buffer_add(to, header->value ? header->value : "");
        buffer_add(to, "\r\n");
    }
    return true;
}

static void
add_missing(struct arena *arena, struct buffer *to, const struct http_call *given)
{
    char date[HTTP_DATE_SIZE];

    http_date(date, (time_t)(clock_wall_us() / 1000000), "+0000");
    if (!has_header(given, "From"))
        buffer_printf(to, "From: %s\r\n", given->mail_from);
    if (!has_header(given, "To"))
        buffer_printf(to, "To: %s\r\n", text_list_join(arena, &given->mail_to, ",\r\n "));
    if (!has_header(given, "Date"))
        buffer_printf(to, "Date: %s\r\n", date);
    if (!has_header(given, "Message-ID"))
        buffer_printf(
            to, "Message-ID: <%s%s>\r\n", random_hex(arena, 16), strchr(given->mail_from, '@'));
    buffer_add(to, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                   "Content-Transfer-Encoding: base64\r\n\r\n");
}

bool
client_mail_compose(struct ctx *ctx, struct client_call *call, const struct http_call *given)
{
    struct buffer mail = { .arena = call->arena };
    const char *body = given->body ? given->body : "";
    size_t length = strlen(body);

    if (!check_address(ctx, given->mail_from))
        return error_wrap(ctx, "sender");
    for (size_t i = 0; i < given->mail_to.count; i++) {
        if (!check_address(ctx, given->mail_to.items[i]))
            return error_wrap(ctx, "receiver %zu", i + 1);
    }
    if (given->mail_to.count == 0)
        return error_set(ctx, ERR_INPUT, "a mail has no receiver");
    if (!add_headers(ctx, &mail, given))
        return false;
    add_missing(call->arena, &mail, given);
    /* Base 64 has neither long lines nor single dots, whatever the text is. */
    for (size_t at = 0; at < length; at += LINE_BYTES) {
        add_base64(&mail, body + at, length - at < LINE_BYTES ? length - at : LINE_BYTES);
        buffer_add(&mail, "\r\n");
    }
    call->mail = buffer_text(&mail);
    call->mail_length = mail.length;
    return true;
}
