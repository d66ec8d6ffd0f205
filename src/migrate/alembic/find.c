/* The user's Alembic. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "migrate/alembic/parts.h"
#include "migrate/history/ini.h"

enum { VERSION_LIMIT_US = 60 * 1000000, MOST_LEVELS = 6 };

/* ---- the command ---- */

/* One word, as a shell takes quotes and backslashes; false at an end without its quote. */
static bool
take_word(const char **at, struct buffer *word)
{
    char quote = '\0';

    buffer_add(word, "");
    for (; **at; (*at)++) {
        char c = **at;

        if (!quote && strchr(" \t\r\n", c))
            break;
        if (c == quote) {
            quote = '\0';
        } else if (!quote && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == '\\' && quote != '\'') {
            char next = (*at)[1];

            if (!next)
                return false;
            /* Between double quotes it stands for itself before most characters. */
            if (quote && !strchr("\"\\$`", next))
                buffer_append(word, &c, 1);
            buffer_append(word, &next, 1);
            (*at)++;
        } else {
            buffer_append(word, &c, 1);
        }
    }
    return !quote;
}

static bool
split_command(struct ctx *ctx, const char *command, struct text_list *ret)
{
    const char *at = command;

    *ret = (struct text_list){ 0 };
    for (;;) {
        struct buffer word = { .arena = ctx->arena };

        at += strspn(at, " \t\r\n");
        if (!*at)
            break;
        if (!take_word(&at, &word)) {
            error_set(
                ctx, ERR_USAGE, "--alembic: a quote or backslash in \"%s\" has no end", command);
            return error_hint(ctx, "It is a command with its arguments, such as \"poetry run "
                                   "alembic\"; no shell reads it.");
        }
        text_list_add(ctx->arena, ret, buffer_text(&word));
    }
    if (ret->count == 0)
        return error_set(ctx, ERR_USAGE, "--alembic is empty");
    return true;
}

/* Variables of libpq that would lead past us and cannot be emptied, only taken away. */
static void
add_unset(struct arena *arena, struct text_list *argv)
{
    static const char *const names[] = { "PGHOSTADDR", "PGSERVICE", "PGREQUIREAUTH",
        "PGSSLNEGOTIATION", "PGMINPROTOCOLVERSION", "PGREQUIRESSL" };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!getenv(names[i]))
            continue;
        text_list_add(arena, argv, "-u");
        text_list_add(arena, argv, names[i]);
    }
}

const char *const *
alembic_argv(struct ctx *ctx, const struct alembic *alembic, const char *const *args)
{
    struct text_list argv = { 0 };

    text_list_add(ctx->arena, &argv, "env");
    add_unset(ctx->arena, &argv);
    if (alembic->folder) {
        text_list_add(ctx->arena, &argv, "-C");
        text_list_add(ctx->arena, &argv, alembic->folder);
    }
    if (argv.count == 1)
        argv.count = 0;
    for (size_t i = 0; i < alembic->argv.count; i++)
        text_list_add(ctx->arena, &argv, alembic->argv.items[i]);
    for (; *args; args++)
        text_list_add(ctx->arena, &argv, *args);
    text_list_add(ctx->arena, &argv, NULL);
    return argv.items;
}

/* ---- where it is started ---- */

static const char *
real_path(struct arena *arena, const char *path)
{
    char *found = realpath(path, NULL);
    const char *copy = found ? arena_strdup(arena, found) : NULL;

    free(found);
    return copy;
}

static const char *
folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    return slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
}

static bool
is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return text_starts_with(path, folder) &&
           (path[length] == '/' || !path[length] || strcmp(folder, "/") == 0);
}

/*
 * Alembic takes relative folders from the working folder. Ours is the one that counts when it is
 * the project: the script folder is found from it, or the ini file lies below it. Otherwise we
 * were told of a project elsewhere, and it is started beside its ini file.
 */
static const char *
find_folder(struct ctx *ctx, const struct environment *environment, const char *section)
{
    const char *anchor = environment->ini ? environment->ini : environment->script;
    const char *whole = anchor ? real_path(ctx->arena, anchor) : NULL;
    const char *folder = whole ? folder_of(ctx->arena, whole) : NULL;
    const char *here = real_path(ctx->arena, "."), *script = NULL;
    struct ini ini;
    struct stat info;

    if (!folder || !here || strcmp(folder, here) == 0)
        return NULL;
    if (environment->ini && ini_read(ctx, environment->ini, section ? section : "alembic", &ini))
        script = map_get(&ini.values, "script_location");
    error_clear(ctx);
    if (script && *script != '/' && *script != '%' && !strchr(script, ':'))
        return stat(script, &info) == 0 ? NULL : folder;
    return is_below(folder, here) ? NULL : folder;
}

/* ---- finding ---- */

/* Sets alembic->version; false, without an error but why, when it does not answer. */
static bool
ask_version(struct ctx *ctx, struct alembic *alembic, const char **ret_why)
{
    static const char *const args[] = { "--version", NULL };
    const char *const env[] = { "PYTHONDONTWRITEBYTECODE=1", NULL };
    struct process process = { .pid = 0 };
    struct process_options options = {
        .argv = alembic_argv(ctx, alembic, args),
        .env = env,
        .timeout_us = VERSION_LIMIT_US,
        .own_group = true,
    };
    bool is_good = process_run(ctx, &options, &process);
    const char *text = is_good ? strstr(buffer_text(&process.out), "alembic ") : NULL;

    *ret_why = ctx->error.message;
    if (!is_good) {
        if (ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED)
            return false;
        if (ctx->error.detail)
            *ret_why = arena_printf(ctx->arena, "%s: %s", ctx->error.message, ctx->error.detail);
        error_clear(ctx);
        return false;
    }
    text = text ? text + strlen("alembic ") : NULL;
    if (!text || !strspn(text, "0123456789")) {
        *ret_why = "it does not say \"alembic\" and a version";
        return false;
    }
    alembic->version = arena_strndup(ctx->arena, text, strspn(text, "0123456789.abcrcdevpost"));
    return true;
}

static bool
is_stopped(const struct ctx *ctx)
{
    return ctx->error.kind != ERR_NONE;
}

/* Programs of virtual environments beside the ini file and in the folders above, the nearest first. */
static void
list_environments(struct ctx *ctx, const struct environment *environment, struct text_list *ret)
{
    static const char *const names[] = { ".venv/bin/alembic", "venv/bin/alembic",
        "env/bin/alembic" };
    const char *anchor = environment->ini ? environment->ini : environment->script;
    const char *folder = anchor ? real_path(ctx->arena, anchor) : NULL;

    for (int level = 0; folder && level < MOST_LEVELS && strcmp(folder, "/") != 0; level++) {
        folder = folder_of(ctx->arena, folder);
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            const char *path = file_join(ctx->arena, folder, names[i]);

            if (access(path, X_OK) == 0)
                text_list_add(ctx->arena, ret, path);
        }
    }
}

static bool
find_by_itself(struct ctx *ctx, struct alembic *alembic)
{
    static const char *const modules[] = { "python3 -m alembic", "python -m alembic" };
    struct text_list commands = { 0 };
    struct buffer tried = { .arena = ctx->arena };

    list_environments(ctx, alembic->environment, &commands);
    text_list_add(ctx->arena, &commands, "alembic");
    for (size_t i = 0; i < commands.count + COUNT_OF(modules); i++) {
        bool is_module = i >= commands.count;
        const char *command = is_module ? modules[i - commands.count] : commands.items[i];
        const char *why;

        alembic->argv = (struct text_list){ 0 };
        if (!is_module)
            text_list_add(ctx->arena, &alembic->argv, command);
        else if (!split_command(ctx, command, &alembic->argv))
            return false;
        if (ask_version(ctx, alembic, &why))
            return true;
        if (is_stopped(ctx))
            return false;
        buffer_printf(&tried, "%s%s: %.*s", tried.length > 0 ? "\n" : "", command,
            (int)strcspn(why, "\n"), why);
    }
    error_set(ctx, ERR_NOT_FOUND, "there is no Alembic that runs");
    ctx->error.detail = buffer_text(&tried);
    return error_hint(ctx, "Give its command: --alembic \"poetry run alembic\".");
}

static bool
find_given(struct ctx *ctx, struct alembic *alembic)
{
    const char *why;

    if (!split_command(ctx, alembic->options.command, &alembic->argv))
        return false;
    /* A path of the command counts from where we are. */
    if (alembic->folder && strchr(alembic->argv.items[0], '/') && *alembic->argv.items[0] != '/') {
        const char *whole = real_path(ctx->arena, alembic->argv.items[0]);

        if (whole)
            alembic->argv.items[0] = whole;
    }
    if (ask_version(ctx, alembic, &why))
        return true;
    if (is_stopped(ctx))
        return false;
    error_set(ctx, ERR_NOT_FOUND, "\"%s --version\" does not work: %.*s", alembic->options.command,
        (int)strcspn(why, "\n"), why);
    if (strchr(why, '\n'))
        ctx->error.detail = strchr(why, '\n') + 1;
    return error_hint(ctx, "--alembic takes the command as you type it, such as \"poetry run "
                           "alembic\".");
}

bool
alembic_begin(struct ctx *ctx, const struct environment *environment,
    const struct alembic_options *options, struct alembic *ret)
{
    *ret = (struct alembic){ .options = *options, .environment = environment };
    if (!environment->env && !options->plain_env) {
        error_set(ctx, ERR_INPUT, "there is no env.py, without which Alembic does not run");
        return error_hint(
            ctx, "Name the folder with alembic.ini, or give --plain-env to run with one of ours.");
    }
    ret->folder = find_folder(ctx, environment, options->section);
    if (!(options->command ? find_given(ctx, ret) : find_by_itself(ctx, ret)))
        return false;
    return temporary_folder(ctx, "alembic", &ret->work);
}

void
alembic_end(struct alembic *alembic)
{
    temporary_end(&alembic->work);
}
