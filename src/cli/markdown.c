/* The command reference, docs/commands.md. */

#include <ctype.h>

#include "cli/page.h"

/* Text for a cell of a table or a paragraph: nothing in it is markup. */
static void
print_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\\`*_<>|[]", *text))
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void
print_options(FILE *out, struct arena *arena, const struct field *fields, size_t count)
{
    fputs("| Option | Meaning |\n| --- | --- |\n", out);
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];

        if (field->letter)
            fprintf(out, "| `-%c`, `%s` | ", field->letter, page_option(arena, field));
        else
            fprintf(out, "| `%s` | ", page_option(arena, field));
        print_text(out, page_option_help(arena, field));
        fputs(" |\n", out);
    }
}

static void
print_code(FILE *out, const char *text)
{
    fprintf(out, "\n```sh\n%s%s```\n", text, text_ends_with(text, "\n") ? "" : "\n");
}

static void
print_command(FILE *out, const struct command *command)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    fprintf(out, "\n### pgmend %s\n\n", command->path);
    fputc(toupper((unsigned char)command->summary[0]), out);
    print_text(out, command->summary + 1);
    fprintf(out, ".\n\n`%s`\n", page_usage(arena, command));
    if (command->details) {
        fputc('\n', out);
        print_text(out, command->details);
        fputc('\n', out);
    }
    if (page_access(command))
        fprintf(out, "\n%s\n", page_access(command));
    if (command->option_count > 0) {
        fputc('\n', out);
        print_options(out, arena, command->options, command->option_count);
    }
    if (command->examples)
        print_code(out, command->examples);
    if (command->next)
        fprintf(out, "\nNext: `%s`\n", command->next);
}

static void
print_section(FILE *out, const char *title, const char *text)
{
    fprintf(out, "\n## %s\n\n", title);
    print_text(out, text);
    fputc('\n', out);
}

void
markdown_print(FILE *out)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    fputs("# Commands\n\n", out);
    fputs("This page is made from the table of commands by `pgmend help --markdown`.\n\n", out);
    print_text(out, page_about);
    fputc('\n', out);
    for (size_t i = 0; i < command_line_count; i++) {
        if (!page_shows_line(i))
            continue;
        if (command_lines[i].title)
            fprintf(out, "\n## %s\n", command_lines[i].title);
        else
            print_command(out, command_lines[i].command);
    }
    fputs("\n## Global options\n\n", out);
    print_options(out, arena, global_fields, global_field_count);
    print_section(out, "Environment", page_environment);
    print_section(out, "Configuration file", page_configuration);
    fputs("\n## Exit status\n\n| Status | Meaning |\n| --- | --- |\n", out);
    for (size_t i = 0; i < page_status_count; i++)
        fprintf(out, "| %d | %s |\n", page_statuses[i].status, page_statuses[i].meaning);
}
