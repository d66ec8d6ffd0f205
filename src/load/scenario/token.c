#include "load/scenario/token.h"

#include <ctype.h>

#include "base/text.h"

static const char spaces[] = " \t\r\n";
/* Longer ones first. */
static const char *const signs[] = { "<<", ">>", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "%",
    "=", "<", ">", "|", "#", "&", "~", "(", ")", "," };

static bool
starts_name(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Letters, digits and underscores, and a point before another name: users.id. */
static size_t
name_length(const char *text)
{
    size_t length = 0;

    while (starts_name(text[length]) || isdigit((unsigned char)text[length]) ||
           (length > 0 && text[length] == '.' && starts_name(text[length + 1])))
        length++;
    return length;
}

/* "17", "1.5", ".5", "1e3". */
static bool
read_number(struct arena *arena, const char **cursor, struct token *ret, const char **ret_problem)
{
    const char *at = *cursor;
    size_t digits = strspn(at, "0123456789");
    size_t length = digits;

    if (at[length] == '.')
        length += 1 + strspn(at + length + 1, "0123456789");
    if (at[length] == 'e' || at[length] == 'E') {
        size_t sign = at[length + 1] == '+' || at[length + 1] == '-';
        size_t exponent = strspn(at + length + 1 + sign, "0123456789");

        length += exponent > 0 ? 1 + sign + exponent : 0;
    }
    *cursor = at + length;
    ret->text = arena_strndup(arena, at, length);
    if (name_length(*cursor) > 0) {
        *ret_problem = "a name begins behind a number";
        return false;
    }
    if (length > digits) {
        ret->kind = TOKEN_REAL;
        *ret_problem = "the number is too large or too small";
        return text_to_double(ret->text, &ret->real);
    }
    ret->kind = TOKEN_INTEGER;
    for (size_t i = 0; i < digits; i++) {
        uint64_t digit = (uint64_t)(at[i] - '0');

        *ret_problem = "the number is out of the range of 64-bit integers";
        if (ret->integer > ((UINT64_C(1) << 63) - digit) / 10)
            return false;
        ret->integer = ret->integer * 10 + digit;
    }
    return true;
}

static bool
read_text(struct arena *arena, const char **cursor, struct token *ret, const char **ret_problem)
{
    struct buffer buffer = { .arena = arena };
    const char *at = *cursor + 1;

    for (;;) {
        size_t length = strcspn(at, "'");

        buffer_append(&buffer, at, length);
        at += length;
        if (!*at) {
            *ret_problem = "the quote at the end of a text is missing";
            return false;
        }
        at++;
        if (*at != '\'')
            break;
        buffer_append(&buffer, "'", 1);
        at++;
    }
    *cursor = at;
    ret->kind = TOKEN_TEXT;
    ret->text = buffer_text(&buffer);
    return true;
}

static bool
read_sign(const char **cursor, struct token *ret, const char **ret_problem)
{
    ret->kind = TOKEN_SIGN;
    for (size_t i = 0; i < COUNT_OF(signs); i++) {
        if (!text_starts_with(*cursor, signs[i]))
            continue;
        ret->text = signs[i];
        *cursor += strlen(signs[i]);
        return true;
    }
    *ret_problem = "a character that means nothing here";
    return false;
}

bool
load_token_next(
    struct arena *arena, const char **cursor, struct token *ret, const char **ret_problem)
{
    *cursor += strspn(*cursor, spaces);
    *ret = (struct token){ .at = *cursor, .text = "" };

    const char *at = *cursor;

    if (!*at)
        return true;
    if (isdigit((unsigned char)*at) || (*at == '.' && isdigit((unsigned char)at[1])))
        return read_number(arena, cursor, ret, ret_problem);
    if (*at == '\'')
        return read_text(arena, cursor, ret, ret_problem);

    size_t colon = *at == ':';
    size_t length = name_length(at + colon);

    if (length == 0)
        return read_sign(cursor, ret, ret_problem);
    ret->kind = colon ? TOKEN_NAME : TOKEN_WORD;
    ret->text = arena_strndup(arena, at + colon, length);
    *cursor = at + colon + length;
    return true;
}
