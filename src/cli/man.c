/* Man pages in the macros of man(7): pgmend(1) and a page a command, pgmend-index-apply(1). */

#include "base/file.h"
#include "cli/page.h"
#include "cli/roff.h"

/* "pgmend-index-apply", in the arena; "pgmend" of NULL. */
static char *
page_name(struct arena *arena, const struct command *command)
{
    char *name =
        arena_printf(arena, "pgmend%s%s", command ? " " : "", command ? command->path : "");

    for (char *at = name; *at; at++)
        if (*at == ' ')
            *at = '-';
    return name;
}

static void
print_command(FILE *out, const struct command *command)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    roff_head(out, page_name(arena, command), 1, command->summary);
    roff_section(out, "SYNOPSIS", page_usage(arena, command));
    if (command->details || page_access(command))
        fputs(".SH DESCRIPTION\n", out);
    if (command->details)
        roff_text(out, command->details, false);
    if (command->details && page_access(command))
        fputs(".PP\n", out);
    if (page_access(command))
        roff_text(out, page_access(command), false);
    if (command->option_count > 0) {
        fputs(".SH OPTIONS\n", out);
        roff_options(out, arena, command->options, command->option_count);
    }
    fputs(".SH GLOBAL OPTIONS\n", out);
    roff_options(out, arena, global_fields, global_field_count);
    if (command->examples) {
        fputs(".SH EXAMPLES\n.nf\n", out);
        roff_text(out, command->examples, true);
        fputs(".fi\n", out);
    }
    roff_section(out, "SEE ALSO", "pgmend(1), pgmend.ini(5)");
}

static void
print_program(FILE *out)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    roff_head(out, page_name(arena, NULL), 1, "make PostgreSQL databases fast, safely");
    roff_section(out, "SYNOPSIS", "pgmend COMMAND [OPTION]... [OPERAND]...");
    roff_section(out, "DESCRIPTION", page_about);
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < command_line_count; i++) {
        const struct command_line *line = &command_lines[i];

        if (!page_shows_line(i))
            continue;
        if (line->title) {
            fputs(".SS ", out);
            roff_text(out, line->title, false);
        } else {
            roff_tagged(out, line->command->path, line->command->summary);
        }
    }
    fputs(".SH GLOBAL OPTIONS\n", out);
    roff_options(out, arena, global_fields, global_field_count);
    roff_section(out, "ENVIRONMENT", page_environment);
    roff_section(out, "CONFIGURATION FILE", page_configuration);
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < page_status_count; i++)
        roff_tagged(
            out, arena_printf(arena, "%d", page_statuses[i].status), page_statuses[i].meaning);
}

/* The settings of a section: what may stand in the file. */
static void
print_settings(FILE *out, struct arena *arena, const struct command *command)
{
    size_t own = command ? command->option_count : 0;

    /* Below a command its own options only: the global ones have a section of theirs. */
    for (size_t i = 0; i < (command ? own : global_field_count); i++) {
        const struct field *field = command ? &command->options[i] : &global_fields[i];

        if (option_is_persistent(field, !command))
            roff_tagged(out,
                arena_printf(arena, "%s = %s", field->name,
                    field->type == FIELD_BOOL ? "on | off" : option_arg(field)),
                page_option_help(arena, field));
    }
}

/* pgmend.ini(5). */
static void
print_file(FILE *out)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    roff_head(out, "pgmend.ini", 5, "configuration of pgmend");
    roff_section(out, "DESCRIPTION", page_configuration);
    roff_section(out, "FORMAT",
        "A line is a section in brackets, a setting \"name = value\", or a comment that begins with "
        "a semicolon; a semicolon behind a space ends a value. In names - and _ are the same. Times are "
        "250ms, 30s, 5m or 1h, sizes 64MB or 20GB, switches on or off, lists have commas between "
        "their items.\n\n"
        "Every command checks the whole file: an unknown section or setting and a wrong value are "
        "told with file and line, and nothing is done.\n\n"
        "\"pgmend help --example-config\" prints a file with all settings as comments.");
    fputs(".SH SECTION [PGMEND]\n", out);
    print_settings(out, arena, NULL);
    fputs(".SH SECTIONS OF COMMANDS\n", out);
    for (size_t i = 0; commands[i]; i++) {
        if (!option_any_persistent(commands[i]))
            continue;
        fputs(".SS ", out);
        roff_text(out, arena_printf(arena, "[%s]", commands[i]->path), false);
        print_settings(out, arena, commands[i]);
    }
    roff_section(out, "SEE ALSO", "pgmend(1)");
}

/* Opens, prints and closes; what cannot be written is an error. */
static bool
write_page(struct ctx *ctx, const char *folder, const struct command *command, bool is_file)
{
    const char *name =
        is_file ? "pgmend.ini.5" : arena_printf(ctx->arena, "%s.1", page_name(ctx->arena, command));
    const char *path = file_join(ctx->arena, folder, name);
    FILE *out = fopen(path, "we");
    bool is_good;

    if (!out)
        return error_set_errno(ctx, "could not create \"%s\"", path);
    if (is_file)
        print_file(out);
    else
        man_print(out, command);
    is_good = !ferror(out);
    if (fclose(out) != 0 || !is_good)
        return error_set_errno(ctx, "could not write \"%s\"", path);
    return true;
}

bool
man_write_all(struct ctx *ctx, const char *folder)
{
    /* The NULL at the end of the list stands for the program itself. */
    for (size_t i = 0; i == 0 || commands[i - 1]; i++)
        if (!write_page(ctx, folder, commands[i], false))
            return false;
    return write_page(ctx, folder, NULL, true);
}

void
man_print(FILE *out, const struct command *command)
{
    if (command)
        print_command(out, command);
    else
        print_program(out);
}
