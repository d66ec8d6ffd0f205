/* What is kept of the statements of a run. Between revisions nothing is asked: it must be cheap. */
#include <ctype.h>
#include <inttypes.h>

#include "lang/sql.h"
#include "migrate/squash/replayed.h"
#include "sql.h"

/* The words that a statement about rows begins with, or that its answer's tag begins with. */
static const char *const row_words[] = { "INSERT", "UPDATE", "DELETE", "MERGE", "COPY",
    "TRUNCATE" };

static bool
starts_with_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    return strncasecmp(text, word, length) == 0 && !isalnum((unsigned char)text[length]) &&
           text[length] != '_';
}

static bool
is_row_word(const char *text)
{
    for (size_t i = 0; i < COUNT_OF(row_words); i++)
        if (starts_with_word(text, row_words[i]))
            return true;
    return false;
}

/* Whether one of the words stands anywhere in a text, as a word: in the body of a DO block. */
static bool
mentions_rows(const char *text)
{
    bool is_in_word = false;

    for (const char *at = text; *at; at++) {
        if (!is_in_word && is_row_word(at))
            return true;
        is_in_word = isalnum((unsigned char)*at) || *at == '_';
    }
    return false;
}

/* Several statements sent as one answer with the last one's tag, so the text is looked at. */
static bool
has_row_statement(struct ctx *ctx, const char *sql)
{
    struct sql_statements statements = { 0 };
    struct error before = ctx->error;
    bool is_found = false;

    if (!sql_split(ctx, "statement", sql, &statements))
        ctx->error = before;
    for (size_t i = 0; i < statements.count && !is_found; i++)
        is_found = is_row_word(statements.items[i].text) ||
                   (starts_with_word(statements.items[i].text, "WITH") &&
                       mentions_rows(statements.items[i].text));
    return is_found;
}

static bool
is_about_rows(struct ctx *ctx, const struct alembic_statement *statement)
{
    const char *tag = statement->tag;

    if (!tag || statement->is_failed || statement->is_version_table)
        return false;
    if (is_row_word(tag))
        return true;
    if (starts_with_word(tag, "SELECT") && strcasestr(statement->sql, "setval"))
        return true;
    if (starts_with_word(tag, "DO"))
        return mentions_rows(statement->sql);

    const char *semicolon = strchr(statement->sql, ';');

    return semicolon && semicolon[1] && has_row_statement(ctx, statement->sql);
}

static const char *
made_key(struct arena *arena, const char *class, int64_t oid)
{
    return arena_printf(arena, "%s %" PRId64, class, oid);
}

/*
 * Notes the revision of every object that was not there before; in the run's own transaction. The
 * server gives out OIDs upwards, and begins anew after four billions: what is made just then has
 * no revision, which others must expect.
 */
static bool
note_made(struct ctx *ctx, struct replayed_watch *watch, struct db *db)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx inner = { .arena = arena };
    struct sql_squash_made_after_rows rows;
    int64_t last_oid = watch->last_oid;

    if (!sql_squash_made_after(&inner, db, &rows, .oid = last_oid))
        return error_set(ctx, inner.error.kind, "looking for new objects: %s", inner.error.message);
    for (size_t i = 0; i < rows.count; i++) {
        if (rows.items[i].oid > watch->last_oid)
            watch->last_oid = rows.items[i].oid;
        map_set(&watch->made, made_key(ctx->arena, rows.items[i].class, rows.items[i].oid),
            arena_strdup(ctx->arena, watch->revision));
    }
    return true;
}

/* What is there before the run (a baseline, what the template has) is no revision's. */
bool
replayed_watch_begin(struct ctx *ctx, struct replayed_watch *watch)
{
    watch->revision = "";
    if (watch->graph && !note_made(ctx, watch, watch->replayed->db))
        return false;
    watch->revision = NULL;
    return true;
}

static void
close_data(struct replayed_watch *watch, const char *revision)
{
    struct replayed *replayed = watch->replayed;

    while (watch->first_open < replayed->data.count)
        replayed->data.items[watch->first_open++].revision = revision;
}

bool
replayed_watch_statement(void *self, struct ctx *ctx, const struct alembic_statement *statement)
{
    struct replayed_watch *watch = self;
    struct replayed *replayed = watch->replayed;

    replayed->statements++;
    replayed->server_us += statement->us;
    replayed->revisions += !text_is_empty(statement->version);
    if (!watch->graph)
        return true;
    if (is_about_rows(ctx, statement))
        VEC_PUSH(ctx->arena, &replayed->data,
            (struct squash_data){
                .sql = arena_strdup(ctx->arena, statement->sql),
                .tag = arena_strdup(ctx->arena, statement->tag),
                .rows = statement->rows,
            });
    if (text_is_empty(statement->version))
        return true;
    watch->revision = arena_strdup(ctx->arena, statement->version);
    close_data(watch, watch->revision);
    return note_made(ctx, watch, statement->db);
}

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The revision that failed: that of the traceback's file, else the next one in Alembic's order. */
static const char *
failing_revision(const struct replayed_watch *watch)
{
    const struct graph *graph = watch->graph;
    const char *file = watch->replayed->outcome.place.file;
    size_t next = 0;

    for (size_t i = 0; file && i < graph->count; i++)
        if (text_equal(base_name(graph->nodes[i].revision->file), base_name(file)))
            return graph->nodes[i].revision->id;
    while (watch->revision && next < graph->order.count &&
           !text_equal(graph->nodes[graph->order.items[next]].revision->id, watch->revision))
        next++;
    next += watch->revision != NULL;
    return next < graph->order.count ? graph->nodes[graph->order.items[next]].revision->id
                                     : watch->revision;
}

/* The objects that are there now, with the revision that made each, whatever it was called then. */
static bool
find_origins(struct ctx *ctx, struct replayed_watch *watch)
{
    struct sql_squash_made_rows rows;

    if (!sql_squash_made(ctx, watch->replayed->db, &rows))
        return error_wrap(ctx, "listing what the history made");
    for (size_t i = 0; i < rows.count; i++) {
        const char *revision =
            map_get(&watch->made, made_key(ctx->arena, rows.items[i].class, rows.items[i].oid));

        if (!text_is_empty(revision))
            VEC_PUSH(ctx->arena, &watch->replayed->origins,
                (struct squash_origin){ .identity = rows.items[i].identity, .revision = revision });
    }
    return true;
}

bool
replayed_watch_end(struct ctx *ctx, struct replayed_watch *watch)
{
    if (!watch->graph)
        return true;
    if (watch->replayed->outcome.status == 0) {
        close_data(watch, watch->revision);
        return find_origins(ctx, watch);
    }
    close_data(watch, failing_revision(watch));
    return true;
}
