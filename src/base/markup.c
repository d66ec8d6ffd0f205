#include "base/markup.h"

static void
put(FILE *out, unsigned char byte)
{
    switch (byte) {
    case '<':
        fputs("&lt;", out);
        break;
    case '>':
        fputs("&gt;", out);
        break;
    case '&':
        fputs("&amp;", out);
        break;
    case '"':
        fputs("&quot;", out);
        break;
    case '\'':
        fputs("&#39;", out);
        break;
    default:
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F)
            fputs("\xEF\xBF\xBD", out);
        else
            fputc(byte, out);
    }
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
