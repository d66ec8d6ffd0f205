#include "cli/page.h"

const char page_date[] = "2026-11-24";

const char page_about[] =
    "Finds what is slow or unsafe in a PostgreSQL database, changes it without downtime, proves "
    "that the change helped, and undoes it if it did not.";

const char page_environment[] =
    "Every option can be given as an environment variable as well: PGMEND_MIN_SIZE for "
    "--min-size, with commas between the items of a list. The connection is taken from --db-url, "
    "else PGMEND_DB_URL, else DATABASE_URL, else the variables and service files of libpq. "
    "NO_COLOR switches colour off.";

const char page_configuration[] =
    "The file is the one given with --config, else PGMEND_CONFIG, else the first that exists of "
    "./pgmend.ini, $XDG_CONFIG_HOME/pgmend/pgmend.ini (~/.config/pgmend/pgmend.ini) and "
    "/etc/pgmend/pgmend.ini. Section [pgmend] holds settings for every command, [backup] those of "
    "all commands that start with that word, [backup create] those of one. A setting has the name "
    "of its option. An option wins over the environment, which wins over the file. A file with a "
    "password in it must not be readable by others.";

const struct page_status page_statuses[] = {
    { 0, "done" },
    { 1, "error" },
    { 2, "wrong usage or configuration" },
    { 3, "there are findings or pending changes (with --exit-code)" },
    { 4, "a gate is red, nothing was changed" },
    { 5, "failed, and what had been done was undone" },
    { 6, "failed, and a person is needed: the message says what to do" },
    { 7, "another run holds the lock" },
    { 8, "no connection, or not enough rights" },
    { 9, "the plan is stale" },
    { 10, "verification failed" },
    { 130, "stopped by Ctrl-C" },
    { 143, "stopped by SIGTERM" },
};

const size_t page_status_count = COUNT_OF(page_statuses);

static void
start_line(FILE *out, size_t indent)
{
    fputc('\n', out);
    for (size_t i = 0; i < indent; i++)
        fputc(' ', out);
}

void
page_wrap(FILE *out, const char *text, size_t column, size_t indent, size_t width)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    bool is_first = true;

    while (*text) {
        size_t length = strcspn(text, " \n");
        const char *word = arena_strndup(arena, text, length);
        size_t room = text_width(word) + !is_first;

        if (length > 0 && !is_first && column + room > width) {
            start_line(out, indent);
            column = indent;
            is_first = true;
            room--;
        }
        if (length > 0) {
            fprintf(out, "%s%s", is_first ? "" : " ", word);
            column += room;
            is_first = false;
        }
        text += length;
        if (strncmp(text, "\n\n", 2) == 0) {
            fputc('\n', out);
            start_line(out, indent);
            column = indent;
            is_first = true;
        }
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

const char *
page_option(struct arena *arena, const struct field *field)
{
    const char *name = option_spell(arena, field);

    if (field->type != FIELD_BOOL)
        return arena_printf(arena, "--%s %s", name, option_arg(field));
    /* The negation is worth showing only where it does not say what is so anyway. */
    if (text_equal(field->standard, "true"))
        return arena_printf(arena, "--[no-]%s", name);
    return arena_printf(arena, "--%s", name);
}

const char *
page_option_help(struct arena *arena, const struct field *field)
{
    struct buffer text = { .arena = arena };

    buffer_add(&text, field->help ? field->help : "");
    for (size_t i = 0; field->choices && field->choices[i]; i++)
        buffer_printf(&text, "%s%s",
            i == 0                  ? ": "
            : field->choices[i + 1] ? ", "
                                    : " or ",
            field->choices[i]);
    if (field->type == FIELD_TEXT_LIST)
        buffer_add(&text, "; may be repeated");
    if (field->required)
        buffer_add(&text, " (required)");
    if (field->standard && field->type == FIELD_BOOL)
        buffer_printf(&text, " (default: %s)", text_equal(field->standard, "true") ? "yes" : "no");
    else if (field->standard)
        buffer_printf(&text, " (default: %s)", field->standard);
    return buffer_text(&text);
}

bool
page_shows_line(size_t index)
{
    if (command_lines[index].command)
        return true;
    return index + 1 < command_line_count && command_lines[index + 1].command;
}

const char *
page_usage(struct arena *arena, const struct command *command)
{
    return arena_printf(arena, "pgmend %s [OPTION]...%s%s", command->path,
        command->operands ? " " : "", command->operands ? command->operands : "");
}

const char *
page_access(const struct command *command)
{
    switch (command->access) {
    case ACCESS_NONE:
        break;
    case ACCESS_READ:
        return "Reads only: its session with the database is read-only.";
    case ACCESS_WRITE:
        return "May write to the database.";
    }
    return NULL;
}
