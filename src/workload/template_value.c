/* What a constant stands for: quotes and escapes taken away. */
#include <strings.h>

#include "workload/template_part.h"

struct decoder {
    const char *sql;
    size_t at;
    size_t end;
    struct buffer out;
};

static void
put_code_point(struct buffer *out, uint32_t code)
{
    char bytes[4];

    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return;
    buffer_append(out, bytes, text_put_utf8(code, bytes));
}

/* Up to so many digits of a base; how many there were. */
static size_t
take_digits(struct decoder *decoder, int base, size_t most, uint32_t *ret)
{
    size_t count = 0;

    *ret = 0;
    for (; count < most && decoder->at < decoder->end; count++, decoder->at++) {
        int digit = text_hex_value(decoder->sql[decoder->at]);

        if (digit < 0 || digit >= base)
            break;
        *ret = *ret * (uint32_t)base + (uint32_t)digit;
    }
    return count;
}

/* The low half of a pair \uD83D\uDE00, if one follows: UTF-16 as RFC 2781 has it. */
static uint32_t
joined(struct decoder *decoder, uint32_t high, char escape)
{
    size_t before = decoder->at;
    uint32_t low;

    if (high < 0xD800 || high > 0xDBFF)
        return high;
    if (decoder->at < decoder->end && decoder->sql[decoder->at] == escape) {
        decoder->at++;
        if (escape == '\\' && decoder->at < decoder->end && decoder->sql[decoder->at] == 'u')
            decoder->at++;
        if (take_digits(decoder, 16, 4, &low) == 4 && low >= 0xDC00 && low <= 0xDFFF)
            return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }
    decoder->at = before;
    return high;
}

/* Behind the backslash of E'…'. */
static void
take_escape(struct decoder *decoder)
{
    static const char letters[] = "bfnrt";
    static const char controls[] = "\b\f\n\r\t";
    char c = decoder->sql[decoder->at];
    const char *known = strchr(letters, c);
    uint32_t code;
    char byte;

    if (c == 'u' || c == 'U') {
        decoder->at++;
        if (take_digits(decoder, 16, c == 'u' ? 4 : 8, &code) > 0)
            put_code_point(&decoder->out, c == 'u' ? joined(decoder, code, '\\') : code);
        return;
    }
    if (c == 'x') {
        decoder->at++;
        if (take_digits(decoder, 16, 2, &code) == 0)
            code = 'x';
        byte = (char)code;
    } else if (c >= '0' && c <= '7') {
        take_digits(decoder, 8, 3, &code);
        byte = (char)code;
    } else {
        decoder->at++;
        byte = (char)(c && known ? controls[known - letters] : c);
    }
    buffer_append(&decoder->out, &byte, 1);
}

/* Behind the escape character of U&'…'. */
static void
take_unicode(struct decoder *decoder, char escape)
{
    uint32_t code;

    if (decoder->sql[decoder->at] == escape) {
        decoder->at++;
        buffer_append(&decoder->out, &escape, 1);
        return;
    }
    if (decoder->sql[decoder->at] == '+') {
        decoder->at++;
        take_digits(decoder, 16, 6, &code);
    } else {
        take_digits(decoder, 16, 4, &code);
        code = joined(decoder, code, escape);
    }
    put_code_point(&decoder->out, code);
}

/* The inside of one quoted piece; decoder->at is at the opening quote. */
static void
take_quoted(struct decoder *decoder, char escape, bool is_unicode)
{
    for (decoder->at++; decoder->at < decoder->end;) {
        char c = decoder->sql[decoder->at++];

        if (c == '\'') {
            if (decoder->at >= decoder->end || decoder->sql[decoder->at] != '\'')
                return;
            decoder->at++;
        } else if (escape && c == escape && decoder->at < decoder->end) {
            if (is_unicode)
                take_unicode(decoder, escape);
            else
                take_escape(decoder);
            continue;
        }
        buffer_append(&decoder->out, &c, 1);
    }
}

/* Pieces with blanks and comments between; UESCAPE ends them. */
static void
take_string(struct decoder *decoder, char escape, bool is_unicode)
{
    while (decoder->at < decoder->end) {
        char c = decoder->sql[decoder->at];

        if (c == '\'') {
            take_quoted(decoder, escape, is_unicode);
        } else if (c == '-') {
            while (decoder->at < decoder->end && !strchr("\r\n", decoder->sql[decoder->at]))
                decoder->at++;
        } else if (strchr(" \t\n\v\f\r", c)) {
            decoder->at++;
        } else {
            return;
        }
    }
}

/* The character that UESCAPE names. */
static char
unicode_escape(const char *sql, const struct literal *literal)
{
    size_t at = literal->end;

    /* U&'…' UESCAPE '!' ends with three characters that are the escape in its quotes. */
    if (at < literal->start + strlen("U&''UESCAPE'!'") || sql[at - 3] != '\'')
        return '\\';
    for (at -= 3; at > literal->start && sql[at] != 'e' && sql[at] != 'E'; at--)
        if (!strchr("' \t\n\v\f\r", sql[at]))
            return '\\';
    if (at < literal->start + strlen("uescape") ||
        strncasecmp(sql + at + 1 - strlen("uescape"), "uescape", strlen("uescape")) != 0)
        return '\\';
    return sql[literal->end - 2];
}

static const char *
dollar_text(struct arena *arena, const char *sql, const struct literal *literal)
{
    const char *start = sql + literal->start;
    size_t length = literal->end - literal->start;
    const char *behind = memchr(start + 1, '$', length - 1);
    size_t tag = behind ? (size_t)(behind - start) + 1 : length;

    if (2 * tag > length)
        return arena_strndup(arena, start, length);
    return arena_strndup(arena, start + tag, length - 2 * tag);
}

const char *
literal_text(struct arena *arena, const char *sql, const struct literal *literal)
{
    struct decoder decoder = {
        .sql = sql, .at = literal->start, .end = literal->end, .out = { .arena = arena }
    };
    char first = sql[literal->start];

    if (literal->end <= literal->start)
        return "";
    if (first == '$')
        return dollar_text(arena, sql, literal);
    if (strchr("-.0123456789", first))
        return arena_strndup(arena, sql + literal->start, literal->end - literal->start);
    if (first == '\'') {
        take_string(&decoder, '\0', false);
    } else if (first == 'e' || first == 'E') {
        decoder.at++;
        take_string(&decoder, '\\', false);
    } else if (first == 'u' || first == 'U') {
        decoder.at += strlen("U&");
        take_string(&decoder, unicode_escape(sql, literal), true);
    } else {
        decoder.at++;
        take_string(&decoder, '\0', false);
    }
    return buffer_text(&decoder.out);
}
