#include "monitor/plain.h"

/* Bytes of the UTF-8 character at text, 0: there is none. *ret_code: its number. Source: RFC 3629. */
static size_t
character(const unsigned char *text, uint32_t *ret_code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t length = text[0] < 0x80             ? 1
                    : (text[0] & 0xE0) == 0xC0 ? 2
                    : (text[0] & 0xF0) == 0xE0 ? 3
                    : (text[0] & 0xF8) == 0xF0 ? 4
                                               : 0;

    if (length == 0)
        return 0;
    *ret_code = length == 1 ? text[0] : text[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        *ret_code = *ret_code << 6 | (text[i] & 0x3FU);
    }
    if (*ret_code < least[length] || *ret_code > 0x10FFFF ||
        (*ret_code >= 0xD800 && *ret_code < 0xE000))
        return 0;
    return length;
}

/* Of control characters and of those that turn the direction of writing or hide. */
static bool
is_hostile(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
           code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFB);
}

const char *
plain_text(struct arena *arena, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    char *plain = arena_alloc(arena, strlen(text) + 1);
    size_t used = 0;

    while (*at) {
        uint32_t code = 0;
        size_t length = character(at, &code);

        if (length == 0 || is_hostile(code)) {
            plain[used++] = *at == '\n' || *at == '\t' || *at == '\r' ? ' ' : '?';
            at += length > 0 ? length : 1;
            continue;
        }
        for (size_t i = 0; i < length; i++)
            plain[used++] = (char)*at++;
    }
    plain[used] = '\0';
    return plain;
}

const char *
plain_cut(struct arena *arena, const char *text, size_t columns)
{
    const char *plain = plain_text(arena, text);
    size_t length = strlen(plain);
    char *part;

    if (text_width(plain) <= columns)
        return plain;
    if (columns == 0)
        return "";
    part = arena_strdup(arena, plain);
    /* Every character has a column or more: what is far beyond is cut at once. */
    if (length > columns * 4)
        length = columns * 4;
    do {
        length--;
        while (length > 0 && ((unsigned char)part[length] & 0xC0) == 0x80)
            length--;
        part[length] = '\0';
    } while (length > 0 && text_width(part) + 1 > columns);
    return arena_printf(arena, "%s…", part);
}
