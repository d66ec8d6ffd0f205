/* Files of SQL as a workload: each statement with the weight that the comment before it says. */
#include <ctype.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "index/intake/intake_part.h"
#include "workload/script.h"

struct weight {
    double calls;
    double ms; /* a call; -1: not said */
};

/* The text of line number so and so, from 1; lines are looked up backwards from the one before. */
struct lines {
    const char **starts;
    size_t count;
};

static struct lines
find_lines(struct arena *arena, const char *text)
{
    struct text_list starts = { 0 };

    for (const char *at = text; at;) {
        const char *newline = strchr(at, '\n');

        text_list_add(arena, &starts, at);
        at = newline ? newline + 1 : NULL;
    }
    return (struct lines){ starts.items, starts.count };
}

/* More is a mistake, and sums of it are no numbers any more. */
static const double most_calls = 1e15;

/* "weight: 12.5" and its like behind the dashes; what is not understood is an ordinary comment. */
static void
read_comment(struct arena *arena, const char *text, size_t length, struct weight *ret)
{
    const char *line = arena_strndup(arena, text, length);
    const char *colon = strchr(line, ':');
    const char *value;
    double number;
    int64_t us;

    if (!colon)
        return;
    value = colon + 1 + strspn(colon + 1, " \t");
    value = arena_strndup(arena, value, strcspn(value, " \t\r,;"));
    if ((strncasecmp(line, "weight", 6) == 0 || strncasecmp(line, "calls", 5) == 0) &&
        text_to_double(value, &number) && number > 0 && number <= most_calls)
        ret->calls = number;
    else if (strncasecmp(line, "time", 4) == 0 && text_to_us(value, &us) && us >= 0)
        ret->ms = (double)us / 1000;
}

static struct weight
weight_before(struct arena *arena, const struct lines *lines, size_t line)
{
    struct weight weight = { .calls = 1, .ms = -1 };

    for (size_t i = line - 1; i > 0 && i <= lines->count; i--) {
        const char *text = lines->starts[i - 1];
        size_t length = strcspn(text, "\n");
        size_t blanks = 0;

        while (blanks < length && isspace((unsigned char)text[blanks]))
            blanks++;
        if (blanks == length)
            continue;
        if (length - blanks < 2 || strncmp(text + blanks, "--", 2) != 0)
            break;
        for (blanks += 2; blanks < length && (text[blanks] == ' ' || text[blanks] == '-'); blanks++)
            ;
        read_comment(arena, text + blanks, length - blanks, &weight);
    }
    return weight;
}

/* "2:5: syntax error …" of a statement that begins on this line of a file. */
static const char *
place_problem(struct arena *arena, const char *name, size_t line, const char *message)
{
    char *rest;
    unsigned long row = strtoul(message, &rest, 10);

    if (row == 0 || *rest != ':')
        return arena_printf(arena, "%s:%zu: %s", name, line, message);
    return arena_printf(arena, "%s:%zu%s", name, line + row - 1, rest);
}

static void
add_script(struct gather *gather, const char *name, const char *text, const struct script *script)
{
    struct arena *arena = gather->arena;
    struct lines lines = find_lines(arena, text);

    for (size_t i = 0; i < script->count; i++) {
        const struct script_statement *statement = &script->items[i];
        struct weight weight = weight_before(arena, &lines, statement->line);
        bool has_names = statement->names.count > 0;
        const char *problem = NULL;

        if (!statement->fingerprint && statement->problem)
            problem = place_problem(arena, name, statement->line, statement->problem);
        gather_add(gather, statement->sql,
            &(struct gather_seen){
                .source = arena_printf(arena, "%s:%zu", name, statement->line),
                .calls = weight.calls,
                .total_ms = weight.ms < 0 ? -1 : weight.ms * weight.calls,
                .rows = -1,
                .problem = problem,
                .has_constants = true,
                .sample = has_names ? statement->sample : NULL,
            });
    }
}

/* What cannot even be cut into statements is one, with the reason. */
static void
add_broken(struct ctx *ctx, struct gather *gather, const char *name, const char *text)
{
    const char *message = ctx->error.message;

    error_clear(ctx);
    gather_add(gather, arena_strndup(ctx->arena, text, strnlen(text, 200)),
        &(struct gather_seen){
            .source = arena_printf(ctx->arena, "%s:1", name),
            .calls = 1,
            .total_ms = -1,
            .rows = -1,
            .problem = message,
            .has_constants = true,
        });
}

static bool
read_file(struct ctx *ctx, struct gather *gather, const char *path)
{
    static const struct text_list no_defines = { 0 };
    const char *slash = strrchr(path, '/');
    const char *name = strcmp(path, "-") == 0 ? "stdin" : slash ? slash + 1 : path;
    struct script script;
    const char *text;
    size_t length;

    if (!file_read(ctx, strcmp(path, "-") == 0 ? "/dev/stdin" : path, &text, &length))
        return false;
    if (strlen(text) != length)
        return error_set(ctx, ERR_INPUT, "%s is not a file of SQL: it has a NUL byte", path);
    if (script_read(ctx, name, text, &no_defines, &script)) {
        add_script(gather, name, text, &script);
        return true;
    }
    if (ctx->error.kind != ERR_INPUT)
        return false;
    add_broken(ctx, gather, name, text);
    return true;
}

static bool
read_folder(struct ctx *ctx, struct gather *gather, const char *path, size_t *count)
{
    struct text_list names;

    if (!file_list(ctx, path, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        if (!text_ends_with(names.items[i], ".sql"))
            continue;
        if (!read_file(ctx, gather, file_join(ctx->arena, path, names.items[i])))
            return false;
        (*count)++;
    }
    return true;
}

static bool
is_folder(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

bool
intake_files(struct ctx *ctx, const struct text_list *paths, struct intake *ret)
{
    struct gather gather CLEANUP(gather_end);
    size_t count = 0;

    *ret = (struct intake){ .span_s = -1 };
    gather_begin(ctx->arena, &gather);
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i];

        if (is_folder(path) ? !read_folder(ctx, &gather, path, &count)
                            : !read_file(ctx, &gather, path))
            return error_wrap(ctx, "reading the workload");
        count += !is_folder(path);
    }
    gather_finish(&gather, ret);
    if (ret->count == 0 && ret->own == 0) {
        error_set(
            ctx, ERR_INPUT, "there is no statement in %s", text_list_join(ctx->arena, paths, ", "));
        return error_hint(ctx,
            "A workload is a file of SQL statements with semicolons between them, or a folder"
            " with such files named *.sql.");
    }
    ret->source = arena_printf(ctx->arena, "%zu file%s of SQL", count, count == 1 ? "" : "s");
    return true;
}
