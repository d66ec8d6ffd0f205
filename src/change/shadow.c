#include "change/shadow.h"

#include "db/ident.h"

#define UNDEFINED_OBJECT "42704"

/* The script's names of types, functions and operator classes are found as its author finds them. */
static bool
use_own_search_path(struct ctx *ctx, struct db *db)
{
    return db_exec(ctx, db,
        "SELECT pg_catalog.set_config('search_path', s.reset_val, true)"
        " FROM pg_catalog.pg_settings AS s WHERE s.name = 'search_path'");
}

static bool
make_copy(struct ctx *ctx, struct db *db, const struct shadow_index *index)
{
    const char *table = db_qualified(ctx->arena, index->schema, index->table);
    const char *copy = db_ident(ctx->arena, index->table);
    const char *sql = arena_printf(ctx->arena,
        "CREATE TEMPORARY TABLE %s (LIKE %s INCLUDING GENERATED) ON COMMIT DROP", copy, table);
    bool is_good = db_exec(ctx, db, sql);

    for (size_t i = 0; is_good && i < index->columns.count; i++)
        is_good = db_exec(ctx, db,
            arena_printf(ctx->arena, "ALTER TABLE pg_temp.%s ADD COLUMN IF NOT EXISTS %s", copy,
                index->columns.items[i]));
    if (is_good)
        return true;
    if (ctx->error.kind == ERR_RIGHTS)
        error_hint(ctx, "GRANT TEMPORARY ON DATABASE %s TO %s; GRANT SELECT ON %s TO %s;",
            db_ident(ctx->arena, db_name(db)), db_ident(ctx->arena, db_user(db)), table,
            db_ident(ctx->arena, db_user(db)));
    return error_wrap(ctx, "trying the statement on an empty copy of %s", index->table);
}

/* Whose extension is missing when the server does not know one of these. */
static const struct provider {
    const char *part; /* of the server's message */
    const char *extension;
} providers[] = {
    { "\"ivfflat\"", "vector" },
    { "\"hnsw\"", "vector" },
    { "_trgm_ops\"", "pg_trgm" },
};

/* The server's refusal is an answer, not a failure of ours. */
static bool
take_refusal(struct ctx *ctx, struct trial *ret)
{
    const char *detail = ctx->error.detail;

    if (ctx->error.kind == ERR_CONNECTION || ctx->error.kind == ERR_INTERRUPTED ||
        ctx->error.kind == ERR_TERMINATED)
        return false;
    ret->problem = arena_printf(ctx->arena, "the server refuses it: %s%s%s", ctx->error.message,
        detail ? ": " : "", detail ? detail : "");
    memcpy(ret->sqlstate, ctx->error.sqlstate, sizeof(ret->sqlstate));
    for (size_t i = 0; i < COUNT_OF(providers); i++)
        if (text_equal(ctx->error.sqlstate, UNDEFINED_OBJECT) &&
            strstr(ctx->error.message, providers[i].part))
            ret->remedy = arena_printf(ctx->arena, "CREATE EXTENSION %s;", providers[i].extension);
    error_clear(ctx);
    return true;
}

static bool
read_shadow(
    struct ctx *ctx, struct db *db, const struct shadow_index *index, struct sql_change_shadow *ret)
{
    struct sql_change_shadow_rows rows;

    if (!sql_change_shadow(ctx, db, &rows, .name = index->name, .schema = index->schema,
            .table_name = index->table))
        return false;
    if (rows.count != 1)
        return error_set(ctx, ERR_FAILED, "the trial index %s was not found", index->name);
    *ret = rows.items[0];
    return true;
}

/* Makes the trial index anew from the server's own wording, which is what will be sent. */
static bool
make_again(struct ctx *ctx, struct db *db, const char *create, const char *name,
    const struct sql_change_shadow *shadow)
{
    const char *drop =
        arena_printf(ctx->arena, "DROP INDEX pg_temp.%s", db_ident(ctx->arena, name));

    return db_exec(ctx, db, drop) &&
           db_exec(ctx, db, arena_printf(ctx->arena, "%s %s", create, shadow->definition));
}

/*
 * Only expressions may be worded otherwise when they are read again; a name with a parenthesis is made again
 * for nothing.
 */
static bool
has_expressions(const struct sql_change_shadow *shadow)
{
    return shadow->predicate || strchr(shadow->keys, '(');
}

bool
shadow_copy_open(
    struct ctx *ctx, struct db *db, const struct shadow_index *like, struct shadow_copy *ret)
{
    *ret =
        (struct shadow_copy){ .ctx = ctx, .db = db, .schema = like->schema, .table = like->table };
    return db_begin(ctx, db, "READ WRITE", &ret->transaction) &&
           db_exec(ctx, db, "SET LOCAL lock_timeout = '2s'") && make_copy(ctx, db, like) &&
           use_own_search_path(ctx, db);
}

void
shadow_copy_close(struct shadow_copy *copy)
{
    db_transaction_end(&copy->transaction);
}

/* Within a savepoint, which takes back the index and the path. */
static bool
try_within(struct shadow_copy *copy, const struct shadow_index *index, struct trial *ret)
{
    struct ctx *ctx = copy->ctx;
    struct db *db = copy->db;
    const char *create = arena_printf(ctx->arena, "CREATE %sINDEX %s ON pg_temp.%s",
        index->is_unique ? "UNIQUE " : "", db_ident(ctx->arena, index->name),
        db_ident(ctx->arena, copy->table));
    struct sql_change_shadow again;

    if (!db_exec(ctx, db, arena_printf(ctx->arena, "%s %s", create, index->rest)))
        return take_refusal(ctx, ret);
    if (!db_exec(ctx, db, "SET LOCAL search_path = pg_catalog, pg_temp") ||
        !read_shadow(ctx, db, index, &ret->shadow))
        return error_wrap(ctx, "trying %s on an empty copy", index->name);
    ret->built = ret->shadow.definition;
    if (!has_expressions(&ret->shadow))
        return true;
    if (!make_again(ctx, db, create, index->name, &ret->shadow) ||
        !read_shadow(ctx, db, index, &again))
        return error_wrap(ctx, "trying %s on an empty copy", index->name);
    ret->built = again.definition;
    return true;
}

bool
shadow_copy_try(struct shadow_copy *copy, const struct shadow_index *index, struct trial *ret)
{
    struct ctx *ctx = copy->ctx;

    *ret = (struct trial){ 0 };
    return db_exec(ctx, copy->db, "SAVEPOINT pgmend_trial") && try_within(copy, index, ret) &&
           db_exec(ctx, copy->db, "ROLLBACK TO SAVEPOINT pgmend_trial") &&
           db_exec(ctx, copy->db, "RELEASE SAVEPOINT pgmend_trial");
}

bool
shadow_try(struct ctx *ctx, struct db *db, const struct shadow_index *index, struct trial *ret)
{
    struct shadow_copy copy CLEANUP(shadow_copy_close) = { 0 };

    *ret = (struct trial){ 0 };
    return shadow_copy_open(ctx, db, index, &copy) && shadow_copy_try(&copy, index, ret);
}
