/*
 * The application's tables and what replyx-api adds to them, for the queries that are about them: the columns of
 * test/replyx/expected_schema.txt, which another test compares with what the real revisions make.
 */
#pragma once

#include "support/test.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/file.h"

typedef void contract_run(PGconn *conn, const char *sql);

/* "users.email character varying notnull -" or "primary users(id)": the statement that makes it, or NULL. */
static const char *
contract_statement(struct arena *arena, const char *line)
{
    const char *dot = strchr(line, '.');
    const char *space = strchr(line, ' ');
    const char *end = strstr(line, " notnull ");
    const char *column;
    int table;

    if (text_starts_with(line, "primary ") || text_starts_with(line, "unique ")) {
        line = strchr(line, ' ') + 1;
        table = (int)strcspn(line, "(");
        return arena_printf(arena, "ALTER TABLE public.%.*s ADD %s %s", table, line,
            line[-2] == 'y' ? "PRIMARY KEY" : "UNIQUE", line + table);
    }
    if (!dot || !space || dot > space)
        return NULL;
    end = end ? end : strstr(line, " null ");
    table = (int)(dot - line);
    column = strstr(line, " nextval(")
                 ? arena_printf(arena, "%.*s serial", (int)(space - dot - 1), dot + 1)
                 : arena_strndup(arena, dot + 1, (size_t)(end - dot - 1));
    return arena_printf(arena,
        "CREATE TABLE IF NOT EXISTS public.%.*s (); ALTER TABLE public.%.*s ADD %s", table, line,
        table, line, column);
}

static const char *
contract_read(struct ctx *ctx, const char *path)
{
    const char *text;
    size_t length;

    if (!file_read(ctx, path, &text, &length))
        fail_msg("%s", ctx->error.message);
    return text;
}

static void
contract_create_replyx(struct ctx *ctx, PGconn *conn, contract_run *run)
{
    const char *at = contract_read(ctx, test_source(ctx, "test/replyx/expected_schema.txt"));
    const char *folder = test_source(ctx, "replyx/api");
    struct text_list names = { 0 };

    run(conn, "CREATE EXTENSION vector SCHEMA public");
    for (; *at; at += at[strcspn(at, "\n")] ? strcspn(at, "\n") + 1 : strcspn(at, "\n")) {
        const char *sql =
            contract_statement(ctx->arena, arena_strndup(ctx->arena, at, strcspn(at, "\n")));

        if (sql && *at != '#')
            run(conn, sql);
    }
    if (!file_list(ctx, folder, &names))
        fail_msg("%s", ctx->error.message);
    for (size_t i = 0; i < names.count; i++) {
        if (text_ends_with(names.items[i], ".sql"))
            run(conn, contract_read(ctx, file_join(ctx->arena, folder, names.items[i])));
    }
}
