/* What Python and Alembic print when they fail. */
#include <string.h>

#include "base/file.h"
#include "migrate/alembic/parts.h"

/* The length of the UTF-8 character that text begins with; 0: it is none. */
static size_t
character_length(const char *text)
{
    for (size_t length = 1; length <= 4; length++) {
        char character[5] = { 0 };

        memcpy(character, text, strnlen(text, length));
        if (strlen(character) == length && text_is_utf8(character))
            return length;
    }
    return 0;
}

const char *
alembic_utf8(struct arena *arena, const char *text)
{
    struct buffer buffer = { .arena = arena };

    if (!text || text_is_utf8(text))
        return text;
    while (*text) {
        size_t length = character_length(text);

        buffer_append(&buffer, length > 0 ? text : "?", length > 0 ? length : 1);
        text += length > 0 ? length : 1;
    }
    return buffer_text(&buffer);
}

static const char start[] = "Traceback (most recent call last):";

static const char *
line_at(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strcspn(text, "\r\n"));
}

static const char *
next_line(const char *text)
{
    text += strcspn(text, "\n");
    return *text ? text + 1 : text;
}

/* The last traceback: the exceptions before it are what it came from. */
static const char *
last_traceback(const char *text)
{
    const char *last = NULL;

    for (const char *at = strstr(text, start); at; at = strstr(at + 1, start))
        last = at;
    return last;
}

static const char *
real_path(struct arena *arena, const char *path)
{
    char *found = realpath(path, NULL);
    const char *copy = arena_strdup(arena, found ? found : path);

    free(found);
    return copy;
}

/* The file as the user names its folder, if it lies in one of the version folders; else NULL. */
static const char *
as_named(struct arena *arena, const struct alembic *alembic, const char *file)
{
    const struct text_list *locations = &alembic->environment->locations;
    bool is_relative = *file != '/' && alembic->folder;
    const char *whole =
        real_path(arena, is_relative ? file_join(arena, alembic->folder, file) : file);
    size_t count = alembic->versions ? 1 : locations->count;

    for (size_t i = 0; i < count; i++) {
        const char *folder = alembic->versions ? alembic->versions : locations->items[i];
        const char *real = real_path(arena, folder);
        size_t length = strlen(real);

        if (strncmp(whole, real, length) == 0 && whole[length] == '/')
            return file_join(arena, folder, whole + length + 1);
    }
    return NULL;
}

/* '  File "/a/b.py", line 12, in upgrade' */
static bool
read_frame(struct arena *arena, const struct alembic *alembic, const char *line, struct place *ret)
{
    static const char before[] = "File \"", between[] = "\", line ";
    const char *name = line + strspn(line, " ");
    const char *end = text_starts_with(name, before) ? strstr(name, between) : NULL;
    const char *file;

    if (!end)
        return false;
    name += strlen(before);
    file = as_named(arena, alembic, arena_strndup(arena, name, (size_t)(end - name)));
    if (!file)
        return false;
    *ret = (struct place){
        .file = file,
        .line = (uint32_t)strtoul(end + strlen(between), NULL, 10),
    };
    return true;
}

static void
read_traceback(struct ctx *ctx, const struct alembic *alembic, const char *traceback,
    struct alembic_outcome *ret)
{
    for (const char *at = next_line(traceback); *at; at = next_line(at)) {
        const char *line = line_at(ctx->arena, at);

        if (*line && *line != ' ') {
            ret->exception = line;
            return;
        }
        (void)read_frame(ctx->arena, alembic, line, &ret->place);
    }
}

/* "FAILED: Can't locate revision identified by 'x'", on standard output or behind a log's prefix. */
static const char *
alembic_says(struct arena *arena, const char *text)
{
    static const char failed[] = "FAILED: ";
    const char *at = text_starts_with(text, failed) ? text : strstr(text, "\nFAILED: ");

    if (!at)
        return NULL;
    at += *at == '\n';
    return line_at(arena, at + strlen(failed));
}

/* The last line that is not empty. */
static const char *
last_line(struct arena *arena, const char *text)
{
    const char *last = NULL;

    for (; *text; text = next_line(text))
        if (strcspn(text, "\r\n") > 0)
            last = text;
    return last ? line_at(arena, last) : NULL;
}

void
alembic_read_traceback(struct ctx *ctx, const struct alembic *alembic, struct alembic_outcome *ret)
{
    const char *traceback = last_traceback(ret->errors);

    if (ret->status == 0)
        return;
    if (traceback)
        read_traceback(ctx, alembic, traceback, ret);
    if (!ret->exception)
        ret->exception = alembic_says(ctx->arena, ret->output);
    if (!ret->exception)
        ret->exception = last_line(ctx->arena, ret->errors);
    /* The statement failed within a chain whose end is elsewhere. */
    for (const char *at = ret->errors; !ret->place.file && traceback && *at; at = next_line(at))
        (void)read_frame(ctx->arena, alembic, line_at(ctx->arena, at), &ret->place);
}
