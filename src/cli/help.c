#include "base/term.h"
#include "cli/page.h"

enum { INDENT = 2, OPTION_COLUMN = 28, COMMAND_COLUMN = 26, NARROW = 60, WIDE = 100 };

/* A narrow terminal is used as it is, a wide one only as far as lines stay readable. */
static size_t
page_width(FILE *out)
{
    int width = term_is_terminal(out) ? term_width(out) : 80;

    return (size_t)(width < NARROW ? NARROW : width > WIDE ? WIDE : width);
}

/* "  left   right", the right side wrapped; on its own line when the left side is long. */
static void
print_pair(FILE *out, const char *left, const char *right, size_t column)
{
    size_t used = INDENT + text_width(left);

    fprintf(out, "%*s%s", INDENT, "", left);
    if (used + 2 > column) {
        fputc('\n', out);
        used = 0;
    }
    fprintf(out, "%*s", (int)(column - used), "");
    page_wrap(out, right, column, column, page_width(out));
}

static void
print_title(FILE *out, const char *title)
{
    bool has_color = term_has_color(out);

    fprintf(out, "\n%s%s:%s\n", has_color ? "\033[1m" : "", title, has_color ? "\033[0m" : "");
}

static void
print_options(FILE *out, struct arena *arena, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        const char *name = page_option(arena, field);
        const char *left = field->letter ? arena_printf(arena, "-%c, %s", field->letter, name)
                                         : arena_printf(arena, "    %s", name);

        print_pair(out, left, page_option_help(arena, field), OPTION_COLUMN);
    }
}

/* Examples and the like: lines that are taken over as they are. */
static void
print_lines(FILE *out, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        if (length > 0)
            fprintf(out, "%*s%.*s\n", INDENT, "", (int)length, text);
        text += length;
        text += *text == '\n';
    }
}

static void
print_command(FILE *out, const struct command *command)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const char *access = page_access(command);

    fprintf(out, "Usage: %s\n\n", page_usage(arena, command));
    page_wrap(out, arena_printf(arena, "pgmend %s: %s.", command->path, command->summary), 0, 0,
        page_width(out));
    if (command->details) {
        fputc('\n', out);
        page_wrap(out, command->details, 0, 0, page_width(out));
    }
    if (access)
        fprintf(out, "\n%s\n", access);
    if (command->option_count > 0) {
        print_title(out, "Options");
        print_options(out, arena, command->options, command->option_count);
    }
    print_title(out, "Global options");
    print_options(out, arena, global_fields, global_field_count);
    if (command->examples) {
        print_title(out, "Examples");
        print_lines(out, command->examples);
    }
    fputc('\n', out);
    page_wrap(out,
        "Each option can also be set in the environment (PGMEND_ and its name) or in a "
        "configuration file; \"pgmend --help\" says more.",
        0, 0, page_width(out));
    if (command->next)
        fprintf(out, "\nNext: %s\n", command->next);
}

static void
print_statuses(FILE *out, struct arena *arena)
{
    for (size_t i = 0; i < page_status_count; i++)
        print_pair(
            out, arena_printf(arena, "%3d", page_statuses[i].status), page_statuses[i].meaning, 8);
}

/* Usage and the list of commands: for who typed no command. */
static void
print_short(FILE *out)
{
    fputs("Usage: pgmend COMMAND [OPTION]... [OPERAND]...\n", out);
    for (size_t i = 0; i < command_line_count; i++) {
        const struct command_line *line = &command_lines[i];

        if (!page_shows_line(i))
            continue;
        if (line->title)
            print_title(out, line->title);
        else
            print_pair(out, line->command->path, line->command->summary, COMMAND_COLUMN);
    }
    fputs("\n\"pgmend --help\" says more, \"pgmend COMMAND --help\" shows a command.\n", out);
}

static void
print_program(FILE *out)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    size_t width = page_width(out);

    page_wrap(out, page_about, 0, 0, width);
    fputc('\n', out);
    print_short(out);
    print_title(out, "Global options");
    print_options(out, arena, global_fields, global_field_count);
    print_title(out, "Environment");
    fprintf(out, "%*s", INDENT, "");
    page_wrap(out, page_environment, INDENT, INDENT, width);
    print_title(out, "Configuration file");
    fprintf(out, "%*s", INDENT, "");
    page_wrap(out, page_configuration, INDENT, INDENT, width);
    print_title(out, "Exit status");
    print_statuses(out, arena);
}

void
help_print(FILE *out, const struct command *command)
{
    if (command)
        print_command(out, command);
    else
        print_program(out);
}

bool
help_print_group(FILE *out, const char *words)
{
    bool found = false;

    for (size_t i = 0; commands[i]; i++) {
        if (!command_is_below(commands[i]->path, words))
            continue;
        if (!found) {
            fprintf(out, "Usage: pgmend %s COMMAND [OPTION]... [OPERAND]...\n", words);
            print_title(out, "Commands");
        }
        found = true;
        print_pair(out, commands[i]->path, commands[i]->summary, COMMAND_COLUMN);
    }
    if (found)
        fprintf(out, "\n\"pgmend %s COMMAND --help\" shows a command.\n", words);
    return found;
}

int
help_answer(const struct invocation *asked)
{
    FILE *out = asked->asks_help ? stdout : stderr;

    if (asked->asks_version && !asked->asks_help) {
        puts("pgmend " PGMEND_VERSION);
        return 0;
    }
    if (asked->command || (asked->asks_help && !*asked->words))
        help_print(out, asked->command);
    else if (*asked->words)
        help_print_group(out, asked->words);
    else
        print_short(out);
    return asked->asks_help ? 0 : error_exit_status(ERR_USAGE);
}
