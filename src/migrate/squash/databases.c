/* Where a database of the user stands in the history, and what to run there first. */
#include "db/ident.h"
#include "migrate/squash/squash.h"
#include "migrate/squash/version_table.h"

/* A value of a connection string, for a shell: host='my db'. */
static void
add_word(struct buffer *text, const char *name, const char *value)
{
    bool is_plain = *value != '\0';

    for (const char *at = value; *at; at++)
        is_plain &= strchr(" '\"\\$`!", *at) == NULL;
    buffer_printf(text, "%s%s=", text->length > 0 ? " " : "", name);
    if (is_plain) {
        buffer_add(text, value);
        return;
    }
    buffer_add(text, "'");
    for (const char *at = value; *at; at++) {
        if (*at == '\'' || *at == '\\')
            buffer_add(text, "\\");
        buffer_append(text, at, 1);
    }
    buffer_add(text, "'");
}

/* The call that brings it to the old head; without a password, which belongs into ~/.pgpass. */
static const char *
catch_up_call(struct arena *arena, const struct db *db)
{
    struct buffer where = { .arena = arena };

    add_word(&where, "host", db_host(db));
    add_word(&where, "port", db_port(db));
    add_word(&where, "user", db_user(db));
    add_word(&where, "dbname", db_name(db));
    return arena_printf(
        arena, "pgmend migrations catch-up --db-url %s", text_shell(arena, buffer_text(&where)));
}

static const char *
unknown_todo(struct arena *arena, const struct squash_database *database, const char *unknown)
{
    return arena_printf(arena,
        "revision %s in %s is not in this history: nothing can be promised for this database. "
        "Find the branch or release whose version folder has it (git log --all -S%s), and run its "
        "\"alembic upgrade\" first; stamp it only if its schema was compared.",
        unknown, database->label, unknown);
}

bool
squash_ask_database(struct ctx *ctx, struct db *db, const struct environment *environment,
    const struct graph *graph, const char *head, struct squash_database *ret)
{
    const char *unknown = NULL;
    bool is_there = false;

    *ret = (struct squash_database){ .label = db_label(ctx->arena, db) };
    if (!version_table_read(ctx, db, environment->version_table_schema,
            environment->version_table ? environment->version_table : "alembic_version",
            &ret->revisions, &is_there))
        return false;
    ret->is_empty = ret->revisions.count == 0;
    ret->is_at_head = ret->revisions.count == 1 && text_equal(ret->revisions.items[0], head);
    for (size_t i = 0; i < ret->revisions.count && !unknown; i++)
        if (!map_get(&graph->by_id, ret->revisions.items[i]))
            unknown = ret->revisions.items[i];
    ret->is_known = !unknown;
    if (unknown)
        ret->todo = unknown_todo(ctx->arena, ret, unknown);
    else if (!ret->is_at_head && !ret->is_empty)
        ret->todo = catch_up_call(ctx->arena, db);
    return true;
}
