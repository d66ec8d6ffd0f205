#include "staging/schema_load.h"

#include <inttypes.h>

#include "base/vec.h"
#include "db/ident.h"
#include "lang/sql.h"
#include "staging/private_server.h"
#include "staging/schema_copy.h"
#include "staging/schema_load_lines.h"
#include "staging/schema_load_verdict.h"

/* PASSES_MOST: a definition can wait for one that waits; what never comes ends it sooner. */
enum { STATEMENT_LIMIT_US = 60 * 1000000, PASSES_MOST = 6 };

struct failed {
    struct load_statement statement;
    size_t line;
    const char *path; /* search_path that it was run with */
    const char *why;
};

struct load {
    struct ctx *ctx;
    struct db *admin;
    struct db *owner; /* session of PRIVATE_SERVER_OWNER */
    const char *name;
    const char *path; /* search_path in force */
    VEC(struct failed) failed;
    struct text_list *left_out;
};

static bool
is_interrupted(const struct ctx *ctx)
{
    return ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED;
}

/* An error of the statement is told; one of ours or of the connection is not survived. */
static bool
can_go_on(const struct load *load)
{
    return !is_interrupted(load->ctx) && db_is_connected(load->owner) &&
           db_is_connected(load->admin);
}

static bool
set_path(struct load *load, const char *path)
{
    const char *value = *path ? path : "''";

    if (text_equal(load->path, path))
        return true;
    load->path = path;
    return db_exec(
        load->ctx, load->owner, arena_printf(load->ctx->arena, "SET search_path TO %s", value));
}

static bool
make_extension(struct load *load, const struct load_statement *statement)
{
    struct arena *arena = load->ctx->arena;
    struct buffer sql = { .arena = arena };

    buffer_printf(&sql, "CREATE EXTENSION IF NOT EXISTS %s WITH SCHEMA %s CASCADE",
        db_ident(arena, statement->extension),
        statement->schema ? db_ident(arena, statement->schema) : "public");
    if (db_exec(load->ctx, load->admin, buffer_text(&sql)))
        return true;
    if (!can_go_on(load))
        return false;
    /* One that insists on a schema of its own says so; it is the only one that may. */
    error_clear(load->ctx);
    return db_exec(load->ctx, load->admin,
        arena_printf(arena, "CREATE EXTENSION IF NOT EXISTS %s CASCADE",
            db_ident(arena, statement->extension)));
}

static bool
run(struct load *load, const struct load_statement *statement)
{
    return statement->verdict == LOAD_EXTENSION ? make_extension(load, statement)
                                                : db_exec(load->ctx, load->owner, statement->sql);
}

static void
tell(struct load *load, const char *label, size_t line, const char *why)
{
    struct arena *arena = load->ctx->arena;

    text_list_add(arena, load->left_out,
        arena_printf(arena, "%s (%s:%zu): %s", label, load->name, line, why));
}

static bool
run_or_keep(struct load *load, const struct load_statement *statement, size_t line)
{
    struct failed failed = { .statement = *statement, .line = line, .path = load->path };

    if (run(load, statement))
        return true;
    if (!can_go_on(load))
        return false;
    failed.why = load->ctx->error.message;
    error_clear(load->ctx);
    VEC_PUSH(load->ctx->arena, &load->failed, failed);
    return true;
}

/* Whether this pass is the one for a statement: schemas, then extensions, then the rest in order. */
static bool
is_turn(enum load_verdict verdict, enum load_verdict pass)
{
    return verdict == pass || (pass == LOAD_RUN && verdict == LOAD_PATH);
}

static bool
load_one(struct load *load, const struct sql_statement *text,
    const struct load_statement *statement, enum load_verdict pass)
{
    if (pass == LOAD_RUN && statement->verdict == LOAD_REFUSE)
        tell(load, statement->label, text->line, statement->why);
    if (!is_turn(statement->verdict, pass))
        return true;
    if (statement->verdict != LOAD_PATH)
        return run_or_keep(load, statement, text->line);
    if (set_path(load, statement->sql))
        return true;
    if (!can_go_on(load))
        return false;
    tell(load, statement->label, text->line, load->ctx->error.message);
    error_clear(load->ctx);
    return true;
}

/* What failed for want of another object, until nothing more comes of it. */
static bool
retry(struct load *load)
{
    bool has_progress = load->failed.count > 0;

    for (int pass = 0; has_progress && pass < PASSES_MOST; pass++) {
        size_t before = load->failed.count;
        struct failed *items = load->failed.items;

        load->failed.items = NULL;
        load->failed.count = 0;
        load->failed.capacity = 0;
        for (size_t i = 0; i < before; i++) {
            if (!set_path(load, items[i].path) ||
                !run_or_keep(load, &items[i].statement, items[i].line))
                return false;
        }
        has_progress = load->failed.count < before && load->failed.count > 0;
    }
    for (size_t i = 0; i < load->failed.count; i++)
        tell(load, load->failed.items[i].statement.label, load->failed.items[i].line,
            load->failed.items[i].why);
    return true;
}

static bool
load_all(struct load *load, const struct sql_statements *texts)
{
    static const enum load_verdict passes[] = { LOAD_SCHEMA, LOAD_EXTENSION, LOAD_RUN };
    struct ctx *ctx = load->ctx;
    struct load_statement *statements =
        ARENA_ARRAY(ctx->arena, struct load_statement, texts->count + 1);

    for (size_t i = 0; i < texts->count; i++)
        if (!schema_load_judge(ctx, texts->items[i].text, &statements[i]))
            return false;
    for (size_t pass = 0; pass < COUNT_OF(passes); pass++)
        for (size_t i = 0; i < texts->count; i++)
            if (!load_one(load, &texts->items[i], &statements[i], passes[pass]))
                return false;
    return retry(load);
}

/* Elsewhere a role would be left behind, and definitions made where they have no business. */
static bool
require_private(struct ctx *ctx, struct db *db)
{
    const char *name;

    if (!db_value(ctx, db, "SELECT pg_catalog.current_setting('cluster_name')", NULL, 0, &name))
        return false;
    return text_equal(name, PRIVATE_SERVER_NAME) ||
           error_set(ctx, ERR_UNSUPPORTED, "definitions are loaded into a private server only");
}

static bool
open_owner(struct ctx *ctx, struct db *db, struct db **ret)
{
    const struct db_options options = {
        .url = private_server_url(ctx->arena, db, PRIVATE_SERVER_OWNER),
        .application = "pgmend",
        .access = ACCESS_WRITE,
        .statement_timeout_us = STATEMENT_LIMIT_US,
    };

    *ret = NULL;
    return require_private(ctx, db) && db_open(ctx, &options, ret) &&
           db_exec(ctx, *ret, "SET check_function_bodies = off") &&
           db_exec(ctx, *ret, "SET search_path TO public") &&
           db_exec(ctx, *ret, "SET client_min_messages = error");
}

bool
schema_load_text(struct ctx *ctx, struct db *db, const char *name, const char *text,
    struct text_list *ret_left_out)
{
    struct sql_statements texts = { 0 };
    struct db *owner CLEANUP(db_cleanup) = NULL;

    if (!sql_split(ctx, name, schema_load_only_sql(ctx->arena, text), &texts))
        return false;
    if (!open_owner(ctx, db, &owner))
        return error_wrap(ctx, "loading the definitions of %s", name);

    struct load load = {
        .ctx = ctx,
        .admin = db,
        .owner = owner,
        .name = name,
        .path = "public",
        .left_out = ret_left_out,
    };

    return load_all(&load, &texts) || error_wrap(ctx, "loading the definitions of %s", name);
}

bool
schema_load_from(struct ctx *ctx, struct db *db, struct db *from, const struct dump_tools *tools,
    struct text_list *ret_left_out)
{
    const char *text;

    return schema_copy_dump(ctx, from, tools, NULL, &text) &&
           schema_load_text(
               ctx, db, arena_printf(ctx->arena, "dump of %s", db_name(from)), text, ret_left_out);
}
