/* Man pages in the macros of man(7): pgmend(1) and a page a command, pgmend-index-apply(1). */

#include <ctype.h>

#include "cli/page.h"

/*
 * Text that roff takes as it is: no escapes, no control lines, and dashes that can be copied.
 * Line ends become spaces unless they are asked to stay.
 */
static void
print_text(FILE *out, const char *text, bool keeps_lines)
{
    bool is_line_start = true;

    for (; *text; text++) {
        bool is_control = is_line_start && (*text == '.' || *text == '\'');

        is_line_start = false;
        if (is_control)
            fputs("\\&", out);
        switch (*text) {
        case '\\':
            fputs("\\e", out);
            break;
        case '-':
            fputs("\\-", out);
            break;
        case '\'':
            fputs("\\(aq", out);
            break;
        case '`':
            fputs("\\(ga", out);
            break;
        case '^':
            fputs("\\(ha", out);
            break;
        case '~':
            fputs("\\(ti", out);
            break;
        case '\n':
            is_line_start = keeps_lines || text[1] == '\n';
            fputs(keeps_lines ? "\n" : text[1] == '\n' ? "\n.PP\n" : " ", out);
            if (!keeps_lines)
                text += strspn(text, "\n") - 1;
            break;
        default:
            fputc(*text, out);
        }
    }
    fputc('\n', out);
}

/* "PGMEND\-INDEX\-APPLY", or lower case. */
static void
print_name(FILE *out, const struct command *command, bool is_upper)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const char *name =
        arena_printf(arena, "pgmend%s%s", command ? " " : "", command ? command->path : "");

    for (; *name; name++) {
        int letter = (unsigned char)*name;

        if (letter == ' ')
            fputc('\\', out);
        if (is_upper)
            letter = (toupper)(letter); /* as a function: the macro nests too deep for lint */
        fputc(letter == ' ' ? '-' : letter, out);
    }
}

static void
print_head(FILE *out, const struct command *command, const char *summary)
{
    fputs(".TH ", out);
    print_name(out, command, true);
    fputs(" 1 \"\" \"pgmend " PGMEND_VERSION "\" \"pgmend manual\"\n", out);
    fputs(".nh\n.ad l\n.SH NAME\n", out);
    print_name(out, command, false);
    fputs(" \\- ", out);
    print_text(out, summary, false);
}

static void
print_section(FILE *out, const char *title, const char *text)
{
    fprintf(out, ".SH %s\n", title);
    print_text(out, text, false);
}

/* A tagged paragraph: the tag in bold. */
static void
print_tagged(FILE *out, const char *tag, const char *text)
{
    fputs(".TP\n\\fB", out);
    for (; *tag; tag++)
        fputs(*tag == '-' ? "\\-" : (char[]){ *tag, '\0' }, out);
    fputs("\\fR\n", out);
    print_text(out, text, false);
}

static void
print_options(FILE *out, struct arena *arena, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        const char *name = page_option(arena, field);
        const char *tag =
            field->letter ? arena_printf(arena, "-%c, %s", field->letter, name) : name;

        print_tagged(out, tag, page_option_help(arena, field));
    }
}

static void
print_command(FILE *out, const struct command *command)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    print_head(out, command, command->summary);
    print_section(out, "SYNOPSIS", page_usage(arena, command));
    if (command->details || page_access(command))
        fputs(".SH DESCRIPTION\n", out);
    if (command->details)
        print_text(out, command->details, false);
    if (command->details && page_access(command))
        fputs(".PP\n", out);
    if (page_access(command))
        print_text(out, page_access(command), false);
    if (command->option_count > 0) {
        fputs(".SH OPTIONS\n", out);
        print_options(out, arena, command->options, command->option_count);
    }
    fputs(".SH GLOBAL OPTIONS\n", out);
    print_options(out, arena, global_fields, global_field_count);
    if (command->examples) {
        fputs(".SH EXAMPLES\n.nf\n", out);
        print_text(out, command->examples, true);
        fputs(".fi\n", out);
    }
    print_section(out, "SEE ALSO", "pgmend(1)");
}

static void
print_program(FILE *out)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    print_head(out, NULL, "make PostgreSQL databases fast, safely");
    print_section(out, "SYNOPSIS", "pgmend COMMAND [OPTION]... [OPERAND]...");
    print_section(out, "DESCRIPTION", page_about);
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < command_line_count; i++) {
        const struct command_line *line = &command_lines[i];

        if (!page_shows_line(i))
            continue;
        if (line->title) {
            fputs(".SS ", out);
            print_text(out, line->title, false);
        } else {
            print_tagged(out, line->command->path, line->command->summary);
        }
    }
    fputs(".SH GLOBAL OPTIONS\n", out);
    print_options(out, arena, global_fields, global_field_count);
    print_section(out, "ENVIRONMENT", page_environment);
    print_section(out, "CONFIGURATION FILE", page_configuration);
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < page_status_count; i++)
        print_tagged(
            out, arena_printf(arena, "%d", page_statuses[i].status), page_statuses[i].meaning);
}

void
man_print(FILE *out, const struct command *command)
{
    if (command)
        print_command(out, command);
    else
        print_program(out);
}
