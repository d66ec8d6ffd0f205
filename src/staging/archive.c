#include "staging/archive.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { STEP_US = 200000 };

/* The last lines of what it said. */
static const char *
last_words(struct arena *arena, struct process *process)
{
    const char *text = buffer_text(&process->err);
    size_t start = strlen(text);
    int lines = 0;

    while (start > 0 && lines < 6) {
        start--;
        if (text[start] == '\n' && text[start + 1])
            lines++;
    }
    return arena_strdup(arena, lines == 6 ? text + start + 1 : text);
}

static void
explain(struct ctx *ctx, const char *words)
{
    if (strstr(words, "No space left on device") || strstr(words, "Disk quota exceeded")) {
        ctx->error.kind = ERR_IO;
        error_hint(ctx, "Make room, or choose another folder with --backup-dir.");
    } else if (strstr(words, "LOCK TABLE") || strstr(words, "could not obtain lock")) {
        ctx->error.kind = ERR_TIMEOUT;
        error_hint(ctx, "Another session changes a table or waits to do so (ACCESS EXCLUSIVE "
                        "lock): wait for it to end, or give it more time with "
                        "--lock-wait-timeout.");
    } else if (strstr(words, "row-level security") || strstr(words, "permission denied")) {
        ctx->error.kind = ERR_RIGHTS;
    } else if (strstr(words, "No space left on device")) {
        ctx->error.kind = ERR_IO;
    }
}

bool
archive_failure(struct ctx *ctx, struct process *process)
{
    const char *words = last_words(ctx->arena, process);

    if (process->status > 128)
        error_set(
            ctx, ERR_FAILED, "%s was killed by signal %d", process->name, process->status - 128);
    else
        error_set(ctx, ERR_FAILED, "%s failed with status %d", process->name, process->status);
    if (*words)
        ctx->error.detail = words;
    explain(ctx, words);
    return false;
}

/* Runs it to the end and tells how long it takes. */
static bool
run_shown(struct ctx *ctx, const struct process_options *options, const char *phase,
    const struct step_watch *watch)
{
    struct process process;
    int64_t start = clock_us();

    if (!process_start(ctx, options, &process))
        return false;
    while (!process.is_done) {
        step_watch_show(watch, phase, -1, clock_us() - start, NULL);
        if (!process_poll(ctx, &process, STEP_US))
            return false;
    }
    return process.status == 0 || archive_failure(ctx, &process);
}

bool
archive_read_through(struct ctx *ctx, const struct dump_tools *tools, const char *archive,
    const struct step_watch *watch)
{
    const char *argv[] = { tools->restore, "--file=/dev/null", "--", archive, NULL };
    struct process_options options = { .argv = argv, .own_group = true };

    if (!run_shown(ctx, &options, "reading the archive", watch))
        return error_wrap(ctx, "reading the archive from beginning to end");
    return true;
}

/* Whether to restore an entry of the table of contents: "12; 3079 16385 EXTENSION - vector". */
static bool
is_wanted(const struct archive_restore *restore, const char *line)
{
    const char *at = strchr(line, ';');

    /* The two numbers behind the semicolon. */
    for (int number = 0; at && number < 3; number++)
        at = strchr(at + 1, ' ');
    if (!at)
        return true;
    if (restore->data)
        for (size_t i = 0; i < restore->data->left_out->count; i++)
            if (text_starts_with(at + 1, restore->data->left_out->items[i]))
                return false;
    return (restore->has_extensions || !text_starts_with(at + 1, "EXTENSION ")) &&
           (restore->has_comments || !text_starts_with(at + 1, "COMMENT - EXTENSION "));
}

static const char *
choose_entries(struct arena *arena, const struct archive_restore *restore, const char *contents)
{
    struct buffer kept = { .arena = arena };

    while (*contents) {
        size_t length = strcspn(contents, "\n");

        length += contents[length] == '\n';
        if (is_wanted(restore, arena_strndup(arena, contents, length)))
            buffer_append(&kept, contents, length);
        contents += length;
    }
    return buffer_text(&kept);
}

/* A private file with the entries to restore. */
static bool
write_list(struct ctx *ctx, const struct archive_restore *restore, struct temporary *ret)
{
    const char *argv[] = { restore->tools->restore, "--list", "--", restore->archive, NULL };
    struct process_options options = { .argv = argv, .own_group = true };
    struct process process;

    if (!process_run(ctx, &options, &process))
        return error_wrap(ctx, "reading the table of contents");
    return temporary_file(
        ctx, "list", choose_entries(ctx->arena, restore, buffer_text(&process.out)), ret);
}

/*
 * --dbname takes a connection string, so the name goes into one, quoted: a database called
 * "host=evil" stays a database.
 */
static const char *
dbname_argument(struct arena *arena, const char *database)
{
    struct buffer argument = { .arena = arena };

    buffer_add(&argument, "--dbname=dbname='");
    for (const char *at = database; *at; at++) {
        if (*at == '\'' || *at == '\\')
            buffer_add(&argument, "\\");
        buffer_append(&argument, at, 1);
    }
    buffer_add(&argument, "'");
    return buffer_text(&argument);
}

static bool
run_restore(struct ctx *ctx, const struct archive_restore *restore, const char *list,
    const struct db_child_env *env, int64_t *ret_us)
{
    struct text_list argv = { 0 };
    struct arena *arena = ctx->arena;
    int64_t start = clock_us();

    text_list_add(arena, &argv, restore->tools->restore);
    text_list_add(arena, &argv, "--exit-on-error");
    text_list_add(arena, &argv, "--no-password");
    /* A restored subscription could begin to take what belongs to the real one. */
    text_list_add(arena, &argv, "--no-subscriptions");
    text_list_add(arena, &argv, "--no-publications");
    text_list_add(arena, &argv, arena_printf(arena, "--jobs=%d", (int)restore->jobs));
    text_list_add(arena, &argv, dbname_argument(arena, restore->database));
    if (!restore->has_owners)
        text_list_add(arena, &argv, "--no-owner");
    if (!restore->has_grants)
        text_list_add(arena, &argv, "--no-acl");
    if (restore->data)
        text_list_add(arena, &argv, "--data-only");
    if (restore->data && !restore->data->triggers_stay)
        text_list_add(arena, &argv, "--disable-triggers");
    if (list)
        text_list_add(arena, &argv, arena_printf(arena, "--use-list=%s", list));
    text_list_add(arena, &argv, "--");
    text_list_add(arena, &argv, restore->archive);
    text_list_add(arena, &argv, NULL);

    struct process_options options = { .argv = argv.items, .env = env->env, .own_group = true };

    if (!run_shown(ctx, &options, "restoring", restore->watch)) {
        if (ctx->error.detail && strstr(ctx->error.detail, "permission denied to create extension"))
            error_hint(ctx, "Only a superuser can create that extension: make a database that has "
                            "it and name it with --scratch-template.");
        return error_wrap(ctx, "restoring into database \"%s\"", restore->database);
    }
    *ret_us = clock_us() - start;
    return true;
}

/* A pg_restore of 17 or newer begins with a setting that an older server does not know, and stops. */
static bool
check_tools(struct ctx *ctx, const struct db *db, const struct dump_tools *tools)
{
    int server = db_major(db);

    if (dump_tools_can_restore(tools, server))
        return true;
    error_set(ctx, ERR_UNSUPPORTED, "pg_restore %s cannot restore into PostgreSQL %d",
        tools->version_text, server);
    return error_hint(ctx,
        "Make the backup with the programs of postgresql-client-%d, and name their folder with "
        "--bin-dir.",
        server);
}

bool
archive_restore(
    struct ctx *ctx, struct db *db, const struct archive_restore *restore, int64_t *ret_us)
{
    struct db_child_env env CLEANUP(db_child_env_end) = { 0 };
    struct temporary list CLEANUP(temporary_end) = { 0 };

    if (!check_tools(ctx, db, restore->tools))
        return false;
    if ((restore->data || !restore->has_extensions || !restore->has_comments) &&
        !write_list(ctx, restore, &list))
        return false;

    return db_child_env_begin(ctx, db, restore->database, &env) &&
           run_restore(ctx, restore, list.path, &env, ret_us);
}
