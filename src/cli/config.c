#include "cli/config.h"

#include <ini.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/global.h"
#include "cli/option.h"
#include "cli/secret.h"

static const char general[] = "pgmend";

const char *
config_find(struct arena *arena, const char *given)
{
    const char *home = global_xdg_folder(arena, "XDG_CONFIG_HOME", ".config");
    const char *places[] = {
        "pgmend.ini",
        home ? file_join(arena, home, "pgmend/pgmend.ini") : NULL,
        "/etc/pgmend/pgmend.ini",
    };

    if (!given && !text_is_empty(getenv("PGMEND_CONFIG")))
        given = getenv("PGMEND_CONFIG");
    if (given)
        return given;
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (places[i] && file_exists(places[i]))
            return places[i];
    return NULL;
}

int
config_rank(const struct config_entry *entry, const struct command *command)
{
    int words = 1;

    if (text_equal(entry->section, general))
        return 0;
    if (!*entry->section || !command_is_below(command->path, entry->section))
        return -1;
    for (const char *c = entry->section; *c; c++)
        words += *c == ' ';
    return words;
}

/* The text between two calls of inih, whose lines we count because it does not tell. */
struct reader {
    struct ctx *ctx;
    struct config *config;
    const char *at;
    const char *end;
    int line;
    const char *long_value; /* of this line, when it does not fit into inih's buffer; else NULL */
    bool is_bad;            /* ctx->error says why */
};

static bool
refuse(struct ctx *ctx, const struct config *config, int line, const char *what)
{
    return error_set(ctx, ERR_CONFIG, "%s:%d: %s", config->path, line, what);
}

/* The next line without the spaces in front: inih would take it for more of the value above. */
static const char *
next_line(struct reader *reader, size_t *ret_length)
{
    size_t left = (size_t)(reader->end - reader->at);
    const char *newline = memchr(reader->at, '\n', left);
    const char *start = reader->at;
    const char *end = newline ? newline : reader->end;

    reader->line++;
    reader->at = newline ? newline + 1 : reader->end;
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    *ret_length = (size_t)(end - start);
    return start;
}

/* The value as inih would read it: without spaces around and without a comment behind " ;". */
static const char *
trim_value(struct arena *arena, const char *text, size_t length)
{
    for (size_t i = 1; i < length; i++)
        if (text[i] == ';' && (text[i - 1] == ' ' || text[i - 1] == '\t'))
            length = i;
    while (length > 0 && strchr(" \t\r", *text)) {
        text++;
        length--;
    }
    while (length > 0 && strchr(" \t\r", text[length - 1]))
        length--;
    return arena_strndup(arena, text, length);
}

/* Gives inih the next line; of one that is too long for it only the name. */
static char *
read_line(char *line, int size, void *stream)
{
    struct reader *reader = stream;
    size_t length;

    reader->long_value = NULL;
    if (reader->is_bad || reader->at == reader->end)
        return NULL;

    const char *start = next_line(reader, &length);
    const char *equals = memchr(start, '=', length);

    if (memchr(start, '\0', length)) {
        reader->is_bad = true;
        refuse(reader->ctx, reader->config, reader->line, "the line holds a NUL byte");
        return NULL;
    }
    if (length + 2 > (size_t)size) {
        size_t name = equals ? (size_t)(equals + 1 - start) : length;

        if (*start == ';' || *start == '#')
            name = length = 0;
        else
            reader->long_value = trim_value(reader->ctx->arena, start + name, length - name);
        length = name < (size_t)size / 2 ? name : (size_t)size / 2;
    }
    memcpy(line, start, length);
    line[length] = '\0';
    return line;
}

static int
take_entry(void *user, const char *section, const char *name, const char *value)
{
    struct reader *reader = user;
    struct arena *arena = reader->ctx->arena;
    struct config_entry entry = {
        .section = arena_strdup(arena, section),
        .name = arena_strdup(arena, name),
        .value = reader->long_value ? reader->long_value : arena_strdup(arena, value ? value : ""),
        .line = reader->line,
    };

    VEC_PUSH(arena, &reader->config->entries, entry);
    return 1;
}

/* Parses the value into a struct that nobody looks at. */
static bool
check_value(struct ctx *ctx, const struct config *config, const struct config_entry *entry,
    const struct command *command, const struct option *option)
{
    size_t size = option->is_global ? sizeof(struct global_options) : command->options_size;
    void *scratch = arena_alloc(ctx->arena, size);

    if (option_parse(ctx, option, entry->name, entry->value, scratch))
        return true;
    return refuse(ctx, config, entry->line, ctx->error.message);
}

/* Whether the section names the command; the general one is for the program as such, NULL. */
static bool
is_for(const struct config_entry *entry, const struct command *command)
{
    if (text_equal(entry->section, general))
        return command == NULL;
    return command && config_rank(entry, command) > 0;
}

static bool
suggest(struct ctx *ctx, const struct config_entry *entry, const struct command *command)
{
    for (size_t i = 0; i < option_count(command); i++) {
        struct option option = option_at(command, i);

        if (option_is_persistent(option.field, option.is_global) &&
            text_distance(option.field->name, entry->name) <= strlen(entry->name) / 3)
            return error_hint(ctx, "Did you mean \"%s\"?", option.field->name);
    }
    return false;
}

static bool
refuse_name(struct ctx *ctx, const struct config *config, const struct config_entry *entry,
    const struct command *command)
{
    bool is_general = command == NULL;

    refuse(ctx, config, entry->line,
        arena_printf(
            ctx->arena, "unknown setting \"%s\" in section [%s]", entry->name, entry->section));
    error_hint(ctx, "\"pgmend %s%s--help\" lists the options, which are the settings%s.",
        is_general ? "" : entry->section, is_general ? "" : " ",
        is_general ? "; those of a command stand in a section of its name" : "");
    return suggest(ctx, entry, command);
}

static bool
check_entry(struct ctx *ctx, const struct config *config, const struct config_entry *entry)
{
    const struct command *last = NULL;
    bool is_section = false;
    bool is_known = false;

    /* The NULL at the end of the list stands for the program itself. */
    for (size_t i = 0; i == 0 || commands[i - 1]; i++) {
        const struct command *command = commands[i];
        struct option option;

        if (!is_for(entry, command))
            continue;
        is_section = true;
        last = command;
        if (!option_find(command, entry->name, &option) || option.is_negated ||
            !option_is_persistent(option.field, option.is_global))
            continue;
        is_known = true;
        if (!check_value(ctx, config, entry, command, &option))
            return false;
    }
    if (!is_section) {
        refuse(ctx, config, entry->line,
            *entry->section ? arena_printf(ctx->arena, "unknown section [%s]", entry->section)
                            : arena_printf(ctx->arena, "\"%s\" stands in no section", entry->name));
        return error_hint(ctx, "Write [pgmend] above settings for every command, and for example "
                               "[backup] or [backup create] above those of some.");
    }
    return is_known || refuse_name(ctx, config, entry, last);
}

static bool
read_entries(struct ctx *ctx, const char *name, const char *text, size_t length, struct config *ret)
{
    struct config config = { .path = name };
    struct reader reader = { .ctx = ctx, .config = &config, .at = text, .end = text + length };
    int bad_line = ini_parse_stream(read_line, &reader, take_entry, &reader);

    if (reader.is_bad)
        return false;
    if (bad_line > 0) {
        refuse(ctx, &config, bad_line, "syntax error");
        return error_hint(
            ctx, "A line is \"[section]\", \"name = value\", or a comment that starts with \";\".");
    }
    if (bad_line < 0)
        return error_set(ctx, ERR_CONFIG, "%s: could not be read", name);
    *ret = config;
    return true;
}

bool
config_parse(struct ctx *ctx, const char *name, const char *text, size_t length, struct config *ret)
{
    struct config config;

    if (!read_entries(ctx, name, text, length, &config))
        return false;
    for (size_t i = 0; i < config.entries.count; i++)
        if (!check_entry(ctx, &config, &config.entries.items[i]))
            return false;
    *ret = config;
    return true;
}

/* A file that others can read must hold no password. */
static bool
check_mode(struct ctx *ctx, const struct config *config)
{
    struct stat info;

    if (stat(config->path, &info) < 0)
        return error_set_errno(ctx, "could not look at \"%s\"", config->path);
    if (!(info.st_mode & (S_IRGRP | S_IROTH)))
        return true;
    for (size_t i = 0; i < config->entries.count; i++) {
        const struct config_entry *entry = &config->entries.items[i];

        if (!secret_is_in(entry->name, entry->value))
            continue;
        refuse(ctx, config, entry->line,
            arena_printf(ctx->arena, "\"%s\" holds a password, and other users can read the file",
                entry->name));
        return error_hint(
            ctx, "Run \"chmod 600 %s\", or move the password to ~/.pgpass.", config->path);
    }
    return true;
}

static bool
read_text(struct ctx *ctx, const char *path, const char **ret_text, size_t *ret_length)
{
    if (file_read(ctx, path, ret_text, ret_length))
        return true;
    ctx->error.kind = ERR_CONFIG;
    return error_wrap(ctx, "configuration");
}

bool
config_load(struct ctx *ctx, const char *path, struct config *ret)
{
    const char *text;
    size_t length;

    return read_text(ctx, path, &text, &length) && config_parse(ctx, path, text, length, ret) &&
           check_mode(ctx, ret);
}

bool
config_read(struct ctx *ctx, const char *path, struct config *ret)
{
    const char *text;
    size_t length;

    return read_text(ctx, path, &text, &length) && read_entries(ctx, path, text, length, ret) &&
           check_mode(ctx, ret);
}
