#include "cli/roff.h"

#include <ctype.h>

enum { WIDTH = 78 }; /* of a line in the file, which mandoc -Tlint looks at */

/* What stands for a letter that roff would take for something else; NULL: itself. */
static const char *
escape(char letter)
{
    switch (letter) {
    case '\\':
        return "\\e";
    case '-':
        return "\\-";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    default:
        return NULL;
    }
}

/* How wide a byte is: mandoc counts a letter beyond ASCII as the \[u2026] that it stands for. */
static size_t
byte_width(char byte)
{
    if (escape(byte))
        return strlen(escape(byte));
    if ((unsigned char)byte < 0x80)
        return 1;
    return (unsigned char)byte >= 0xC0 ? strlen("\\[u2026]") : 0;
}

/* How wide the word is that begins here, as it will stand in the file. */
static size_t
word_width(const char *text)
{
    size_t width = 0;

    for (; *text && *text != ' ' && *text != '\n'; text++)
        width += byte_width(*text);
    return width;
}

void
roff_text(FILE *out, const char *text, bool keeps_lines)
{
    size_t column = 0;

    for (; *text; text++) {
        const char *escaped = escape(*text);

        if (*text == '\n' && !keeps_lines) {
            fputs(text[1] == '\n' ? "\n.PP\n" : "\n", out);
            text += strspn(text, "\n") - 1;
            column = 0;
        } else if (*text == '\n' ||
                   (*text == ' ' && !keeps_lines && column + 1 + word_width(text + 1) > WIDTH)) {
            fputc('\n', out);
            column = 0;
        } else {
            /* At the start of a line these two would begin a request. */
            if (column == 0 && (*text == '.' || *text == '\''))
                column += (size_t)fprintf(out, "\\&");
            if (escaped)
                fputs(escaped, out);
            else
                fputc(*text, out);
            column += byte_width(*text);
        }
    }
    fputc('\n', out);
}

void
roff_section(FILE *out, const char *title, const char *text)
{
    fprintf(out, ".SH %s\n", title);
    roff_text(out, text, false);
}

void
roff_tagged(FILE *out, const char *tag, const char *text)
{
    fputs(".TP\n\\fB", out);
    for (; *tag; tag++)
        fputs(*tag == '-' ? "\\-" : (char[]){ *tag, '\0' }, out);
    fputs("\\fR\n", out);
    roff_text(out, text, false);
}

void
roff_options(FILE *out, struct arena *arena, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        const char *name = page_option(arena, field);
        const char *tag =
            field->letter ? arena_printf(arena, "-%c, %s", field->letter, name) : name;

        roff_tagged(out, tag, page_option_help(arena, field));
    }
}

void
roff_head(FILE *out, const char *name, int section, const char *summary)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    fputs(".TH \"", out);
    /* As a function: the macro nests too deep for lint. */
    for (const char *at = name; *at; at++)
        fputc((toupper)((unsigned char)*at), out);
    fprintf(
        out, "\" %d \"%s\" \"pgmend " PGMEND_VERSION "\" \"pgmend manual\"\n", section, page_date);
    fputs(".nh\n.ad l\n.SH NAME\n", out);
    roff_text(out, arena_printf(arena, "%s - %s", name, summary), false);
}
