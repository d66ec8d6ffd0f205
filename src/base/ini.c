#include "base/ini.h"

#include <ini.h>
#include <inttypes.h>

#include "base/file.h"
#include "base/text.h"

enum { MOST_BYTES = 1024 * 1024 };

/* The text between two calls of inih, whose lines we count because it does not tell. */
struct reader {
    struct ctx *ctx;
    const struct ini_options *options;
    struct ini_file *file;
    const char *at;
    const char *end;
    int32_t line;
    const char *value; /* of this line, whole: inih would cut a long one; NULL: none */
    bool is_bad;       /* ctx->error says why */
};

bool
ini_file_refuse(struct ctx *ctx, const struct ini_file *file, int32_t line, const char *format, ...)
{
    va_list args;

    va_start(args, format);

    const char *what = arena_vprintf(ctx->arena, format, args);

    va_end(args);
    return error_set(ctx, file->kind, "%s:%" PRId32 ": %s", file->path, line, what);
}

static bool
refuse_line(struct reader *reader, const char *what)
{
    reader->is_bad = true;
    return ini_file_refuse(reader->ctx, reader->file, reader->line, "%s", what);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static const char *
trim(struct arena *arena, const char *text, size_t length)
{
    while (length > 0 && is_blank(*text)) {
        text++;
        length--;
    }
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    return arena_strndup(arena, text, length);
}

/* As inih has it, what stands behind " ;" is a comment; where values are long, it is part of them. */
static const char *
value_of(const struct reader *reader, const char *text, size_t length)
{
    for (size_t i = 1; i < length && !reader->options->has_long_values; i++)
        if (text[i] == ';' && (text[i - 1] == ' ' || text[i - 1] == '\t'))
            length = i;
    return trim(reader->ctx->arena, text, length);
}

static struct ini_section *
last_section(const struct ini_file *file)
{
    return file->sections.count > 0 ? &file->sections.items[file->sections.count - 1] : NULL;
}

static void
add_section(struct reader *reader, const char *title)
{
    struct arena *arena = reader->ctx->arena;
    size_t word = strcspn(title, " \t");
    struct ini_section section = {
        .title = title,
        .kind = arena_strndup(arena, title, word),
        .name = trim(arena, title + word, strlen(title + word)),
        .line = reader->line,
    };

    VEC_PUSH(arena, &reader->file->sections, section);
}

/* A header is read here, since inih cuts long names and is silent about a section without lines. */
static bool
begin_section(struct reader *reader, const char *start, size_t length)
{
    const char *close = memchr(start, ']', length);

    if (!close) {
        refuse_line(reader, "the section's name has no \"]\" behind it");
        return error_hint(reader->ctx, "Write for example \"%s\".", reader->options->example);
    }
    add_section(reader, trim(reader->ctx->arena, start + 1, (size_t)(close - start - 1)));
    return true;
}

/* A line that goes on with the value above. */
static bool
go_on(struct reader *reader, const char *start, size_t length)
{
    struct ini_section *section = last_section(reader->file);
    const char *more = trim(reader->ctx->arena, start, length);

    if (!section || section->settings.count == 0) {
        refuse_line(
            reader, "the line is indented, and there is no value above that it goes on with");
        return error_hint(reader->ctx, "Remove the white space in front of it.");
    }

    struct ini_setting *setting = &section->settings.items[section->settings.count - 1];
    struct buffer buffer = { .arena = reader->ctx->arena };

    buffer_add(&buffer, setting->value);
    if (buffer.length > 0)
        buffer_add(&buffer, "\n");
    buffer_add(&buffer, more);
    setting->value = buffer_text(&buffer);
    setting->is_long = true;
    return true;
}

/*
 * What inih shall see of the line: nothing of headers, comments and lines that go on, which are dealt with
 * here, and of a setting no value.
 */
static bool
look_at(struct reader *reader, const char **start, size_t *length)
{
    const char *end = *start + *length;
    bool is_indented = *length > 0 && is_blank(**start);

    while (*start < end && is_blank(**start))
        (*start)++;
    *length = (size_t)(end - *start);
    if (memchr(*start, '\0', *length))
        return refuse_line(reader, "the line holds a NUL byte");
    if (*length == 0)
        return true;
    if (**start == ';' || **start == '#') {
        *length = 0;
        return true;
    }
    if (is_indented && reader->options->has_long_values) {
        size_t whole = *length;

        *length = 0;
        return go_on(reader, *start, whole);
    }
    if (**start == '[') {
        size_t whole = *length;

        *length = 0;
        return begin_section(reader, *start, whole);
    }

    const char *equals = memchr(*start, '=', *length);

    if (equals) {
        reader->value = value_of(reader, equals + 1, (size_t)(end - equals - 1));
        *length = (size_t)(equals + 1 - *start);
    }
    return true;
}

/* Gives inih the next line. */
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
    size_t length = newline ? (size_t)(newline - start) : left;

    reader->line++;
    reader->at += length + (newline != NULL);
    if (!look_at(reader, &start, &length))
        return NULL;
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
    struct ini_setting setting = {
        .name = arena_strdup(arena, name),
        .value = reader->value ? reader->value : "",
        .line = reader->line,
        .has_value = reader->value != NULL,
    };

    (void)title;
    (void)value;
    if (!*name) {
        refuse_line(reader, "the setting has no name");
        return 1;
    }
    if (reader->file->sections.count == 0)
        add_section(reader, "");
    VEC_PUSH(arena, &last_section(reader->file)->settings, setting);
    return 1;
}

bool
ini_file_parse(struct ctx *ctx, const char *path, const char *text, size_t length,
    const struct ini_options *options, struct ini_file *ret)
{
    struct reader reader = { .ctx = ctx, .options = options, .file = ret };

    *ret = (struct ini_file){ .path = path, .kind = options->kind };
    reader.at = text;
    reader.end = text + length;
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        reader.at += 3;

    int bad_line = ini_parse_stream(read_line, &reader, take_line, &reader);

    if (reader.is_bad)
        return false;
    if (bad_line > 0) {
        ini_file_refuse(ctx, ret, bad_line, "syntax error: the line is no setting");
        return error_hint(ctx,
            "A line is \"%s\", \"name = value\", or a comment that starts with \";\".",
            options->example);
    }
    if (bad_line < 0)
        return error_set(ctx, options->kind, "%s: could not be read", path);
    return true;
}

bool
ini_file_read(
    struct ctx *ctx, const char *path, const struct ini_options *options, struct ini_file *ret)
{
    const char *text;
    size_t length;

    if (!file_read_most(ctx, path, MOST_BYTES, &text, &length)) {
        ctx->error.kind = options->kind;
        return false;
    }
    return ini_file_parse(ctx, path, text, length, options, ret);
}
