/*
 * A baseline: what stood in the database before the first revision, as pg_dump -s wrote it. It is
 * run statement by statement through a session of ours and never given to psql, which would also
 * run the commands of its own that a file can hold.
 */
#include "base/file.h"
#include "lang/sql.h"
#include "migrate/squash/replayed.h"

static bool
is_restrict(const char *line)
{
    return text_starts_with(line, "\\restrict ") || text_starts_with(line, "\\unrestrict ");
}

/*
 * A patched pg_dump frames its text in two lines for psql, the first before any statement, the
 * other after the last: they are blanked out, so that line numbers stay.
 */
static char *
without_frame(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_strndup(arena, text, length);
    char *last = NULL;
    bool has_statement = false;

    for (char *line = copy; *line;) {
        size_t end = strcspn(line, "\n");
        bool is_comment = text_starts_with(line, "--") || end == 0;

        if (is_restrict(line) && !has_statement)
            memset(line, ' ', end);
        else if (is_restrict(line))
            last = line;
        else if (!is_comment) {
            has_statement = true;
            last = NULL;
        }
        line += end + (line[end] == '\n');
    }
    if (last)
        memset(last, ' ', strcspn(last, "\n"));
    return copy;
}

static bool
check_statement(struct ctx *ctx, const char *path, const struct sql_statement *statement)
{
    const char *text = statement->text;

    if (strncasecmp(text, "copy", 4) == 0 && strcasestr(text, "from stdin")) {
        error_set(ctx, ERR_INPUT, "%s:%zu: the baseline holds rows", path, statement->line);
        return error_hint(ctx, "Make it with pg_dump --schema-only.");
    }
    if (strncasecmp(text, "create database", 15) == 0 ||
        strncasecmp(text, "drop database", 13) == 0) {
        error_set(ctx, ERR_INPUT, "%s:%zu: the baseline is about a whole database", path,
            statement->line);
        return error_hint(ctx, "Make it with pg_dump --schema-only, without --create.");
    }
    if (*text == '\\') {
        error_set(ctx, ERR_INPUT, "%s:%zu: a command of psql: %.*s", path, statement->line,
            (int)strcspn(text, "\n"), text);
        return error_hint(
            ctx, "The baseline may hold SQL only, as pg_dump --schema-only writes it.");
    }
    return true;
}

/* A statement that fails is the file's fault, whatever the server calls it. */
static bool
blame_file(struct ctx *ctx, const char *path, const struct sql_statement *statement)
{
    bool is_about_roles =
        text_equal(ctx->error.sqlstate, "42501") || text_equal(ctx->error.sqlstate, "42704");

    if (ctx->error.kind == ERR_SERVER || ctx->error.kind == ERR_RIGHTS)
        ctx->error.kind = ERR_INPUT;
    if (is_about_roles && !ctx->error.hint)
        error_hint(ctx, "pg_dump --schema-only --no-owner makes a baseline that needs no roles.");
    return error_wrap(ctx, "%s:%zu", path, statement->line);
}

static bool
run_all(struct ctx *ctx, struct db *db, const char *path, const struct sql_statements *statements)
{
    for (size_t i = 0; i < statements->count; i++) {
        const struct sql_statement *statement = &statements->items[i];

        if (!check_statement(ctx, path, statement))
            return false;
        if (!db_exec(ctx, db, statement->text))
            return blame_file(ctx, path, statement);
    }
    return true;
}

bool
replayed_baseline(struct ctx *ctx, const struct replayed *replayed, const char *path)
{
    const char *text;
    size_t length;
    struct sql_statements statements = { 0 };
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const struct db_options options = { .access = ACCESS_WRITE };

    if (!file_read(ctx, path, &text, &length))
        return error_wrap(ctx, "reading the baseline");
    if (strlen(text) != length) {
        error_set(ctx, ERR_INPUT, "%s is no text", path);
        return error_hint(ctx, "The baseline is a plain file: pg_dump --schema-only, no --format.");
    }
    if (!sql_split(ctx, path, without_frame(ctx->arena, text, length), &statements))
        return false;
    /* A dump sets up its session, so it gets one of its own. */
    return db_open_like(ctx, replayed->db, &options, &db) &&
           db_exec(ctx, db, "RESET search_path") && db_begin(ctx, db, NULL, &transaction) &&
           run_all(ctx, db, path, &statements) && db_commit(ctx, &transaction);
}
