#include "base/markup.h"

/* What stands for a byte that HTML could read as markup or cannot show; NULL: itself. */
static const char *
replacement(unsigned char byte)
{
    switch (byte) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F ? "\xEF\xBF\xBD"
                                                                             : NULL;
    }
}

static void
put(FILE *out, unsigned char byte)
{
    const char *text = replacement(byte);

    if (text)
        fputs(text, out);
    else
        fputc(byte, out);
}

const char *
markup_escape(struct arena *arena, const char *text)
{
    struct buffer buffer = { .arena = arena };

    for (; *text; text++) {
        const char *instead = replacement((unsigned char)*text);

        buffer_append(&buffer, instead ? instead : text, instead ? strlen(instead) : 1);
    }
    return buffer_text(&buffer);
}

void
markup_text(FILE *out, const char *text)
{
    for (; *text; text++)
        put(out, (unsigned char)*text);
}

void
markup_prose(FILE *out, const char *text)
{
    bool is_code = false;

    for (; *text; text++) {
        if (*text != '`') {
            put(out, (unsigned char)*text);
            continue;
        }
        if (!is_code && !strchr(text + 1, '`')) {
            fputc('`', out);
            continue;
        }
        fputs(is_code ? "</code>" : "<code>", out);
        is_code = !is_code;
    }
}

void
markup_fill(FILE *out, const char *page, const struct markup_slot *slots, size_t slot_count)
{
    while (*page) {
        size_t plain = strcspn(page, "{");
        size_t used = 0;

        fwrite(page, 1, plain, out);
        page += plain;
        for (size_t i = 0; i < slot_count && used == 0; i++) {
            size_t length = strlen(slots[i].name);

            if (strncmp(page, slots[i].name, length) == 0) {
                fputs(slots[i].text, out);
                used = length;
            }
        }
        if (used == 0 && *page) {
            fputc(*page, out);
            used = 1;
        }
        page += used;
    }
}
