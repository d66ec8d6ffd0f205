#include <ini.h>
#include <sys/stat.h>

#include "base/file.h"
#include "monitor/setup_parts.h"

/* The text between two calls of inih, whose lines we count because it does not tell. */
struct reader {
    struct ctx *ctx;
    struct setup_file *file;
    const char *at;
    const char *end;
    int line;
    const char *value; /* of this line, whole: inih would cut a long one; NULL: none */
    bool is_bad;       /* ctx->error says why */
};

bool
setup_refuse(struct ctx *ctx, const struct setup_file *file, int line, const char *what)
{
    return error_set(ctx, ERR_CONFIG, "%s:%d: %s", file->path, line, what);
}

static const char *
trim(struct arena *arena, const char *text, size_t length)
{
    while (length > 0 && strchr(" \t\r", *text)) {
        text++;
        length--;
    }
    while (length > 0 && strchr(" \t\r", text[length - 1]))
        length--;
    return arena_strndup(arena, text, length);
}

/* As inih has it: what stands behind " ;" is a comment. */
static const char *
value_of(struct arena *arena, const char *text, size_t length)
{
    for (size_t i = 1; i < length; i++)
        if (text[i] == ';' && (text[i - 1] == ' ' || text[i - 1] == '\t'))
            length = i;
    return trim(arena, text, length);
}

static bool
refuse_line(struct reader *reader, const char *what)
{
    reader->is_bad = true;
    return setup_refuse(reader->ctx, reader->file, reader->line, what);
}

/* A header is read here, since inih cuts long names and is silent about a section without lines. */
static bool
begin_section(struct reader *reader, const char *start, size_t length)
{
    struct arena *arena = reader->ctx->arena;
    const char *close = memchr(start, ']', length);

    if (!close) {
        refuse_line(reader, "the section's name has no \"]\" behind it");
        return error_hint(reader->ctx, "Write for example \"[server main]\".");
    }

    const char *title = trim(arena, start + 1, (size_t)(close - start - 1));
    size_t word = strcspn(title, " \t");
    struct setup_section section = {
        .kind = arena_strndup(arena, title, word),
        .name = trim(arena, title + word, strlen(title + word)),
        .line = reader->line,
    };

    for (size_t i = 0; i < reader->file->sections.count; i++) {
        const struct setup_section *other = &reader->file->sections.items[i];

        if (!text_equal(other->kind, section.kind) || !text_equal(other->name, section.name))
            continue;
        refuse_line(reader,
            arena_printf(arena, "section [%s] stands in line %d already", title, other->line));
        return error_hint(reader->ctx, "Put what both say into one of them.");
    }
    VEC_PUSH(arena, &reader->file->sections, section);
    return true;
}

/* Gives inih the next line; of a value only its first letter, for it is taken from the line itself. */
static char *
read_line(char *line, int size, void *stream)
{
    struct reader *reader = stream;
    size_t left = (size_t)(reader->end - reader->at);

    reader->value = NULL;
    if (reader->is_bad || left == 0)
        return NULL;

    const char *newline = memchr(reader->at, '\n', left);
    const char *start = reader->at;
    const char *end = newline ? newline : reader->end;

    reader->line++;
    reader->at = newline ? newline + 1 : reader->end;
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;

    size_t length = (size_t)(end - start);
    const char *equals = memchr(start, '=', length);

    if (memchr(start, '\0', length)) {
        refuse_line(reader, "the line holds a NUL byte");
        return NULL;
    }
    if (length > 0 && *start == '[') {
        if (!begin_section(reader, start, length))
            return NULL;
        length = 0;
    } else if (length > 0 && (*start == ';' || *start == '#')) {
        length = 0;
    } else if (equals) {
        reader->value = value_of(reader->ctx->arena, equals + 1, (size_t)(end - equals - 1));
        length = (size_t)(equals + 1 - start);
    }
    if (length + 2 > (size_t)size) {
        refuse_line(reader, "the setting's name is too long");
        return NULL;
    }
    memcpy(line, start, length);
    line[length] = '\0';
    return line;
}

static int
take_line(void *user, const char *title, const char *name, const char *value)
{
    struct reader *reader = user;
    struct arena *arena = reader->ctx->arena;
    struct setup_file *file = reader->file;
    struct setup_line line = { .value = reader->value, .line = reader->line };
    char *plain = arena_strdup(arena, name);

    (void)title;
    (void)value;
    for (char *c = plain; *c; c++)
        if (*c == '-')
            *c = '_';
    line.name = plain;
    if (!line.value) {
        refuse_line(reader, arena_printf(arena, "\"%s\" has no value", name));
        error_hint(reader->ctx, "Write \"%s = VALUE\".", name);
        return 1;
    }
    if (file->sections.count == 0) {
        refuse_line(reader, arena_printf(arena, "\"%s\" stands in no section", name));
        error_hint(reader->ctx, "Write for example [monitor] or [server main] above it.");
        return 1;
    }
    VEC_PUSH(arena, &file->sections.items[file->sections.count - 1].lines, line);
    return 1;
}

/* A file that others can read must hold no secret. */
static bool
check_mode(struct ctx *ctx, const struct setup_file *file)
{
    struct stat info;

    if (stat(file->path, &info) < 0)
        return error_set_errno(ctx, "could not look at \"%s\"", file->path);
    if (file->secret_line == 0 || !(info.st_mode & (S_IRWXG | S_IRWXO)))
        return true;
    setup_refuse(ctx, file, file->secret_line,
        arena_printf(ctx->arena, "\"%s\" holds a secret, and other users can read the file",
            file->secret_name));
    return error_hint(ctx,
        "Run \"chmod 600 %s\", or move the secret: a password to ~/.pgpass, the address of a sink "
        "to a file that url_file names.",
        file->path);
}

bool
setup_read(struct ctx *ctx, const char *path, struct setup *ret)
{
    struct setup_file file = { .path = path };
    struct setup setup = { .path = path };
    struct reader reader = { .ctx = ctx, .file = &file };
    size_t length;

    if (!file_read(ctx, path, &reader.at, &length)) {
        ctx->error.kind = ERR_CONFIG;
        return error_wrap(ctx, "setup of the monitor");
    }
    reader.end = reader.at + length;
    if (text_starts_with(reader.at, "\xef\xbb\xbf"))
        reader.at += 3;

    int bad_line = ini_parse_stream(read_line, &reader, take_line, &reader);

    if (reader.is_bad)
        return false;
    if (bad_line > 0) {
        setup_refuse(ctx, &file, bad_line, "syntax error");
        return error_hint(
            ctx, "A line is \"[section]\", \"name = value\", or a comment that starts with \";\".");
    }
    if (bad_line < 0)
        return error_set(ctx, ERR_CONFIG, "%s: could not be read", path);
    if (!setup_take(ctx, &file, &setup) || !check_mode(ctx, &file))
        return false;
    *ret = setup;
    return true;
}

bool
setup_has_sink(const struct setup *setup, const char *name)
{
    for (size_t i = 0; i < setup->sinks.count; i++)
        if (text_equal(setup->sinks.items[i].name, name))
            return true;
    return false;
}
