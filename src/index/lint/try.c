/* Each statement that creates an index tried by the server, on one empty copy of each table. */
#include <stdlib.h>

#include "base/map.h"
#include "db/ident.h"
#include "index/lint/check.h"

/* After so many the copy is made anew, so that no lock and no snapshot is held for long. */
enum { MOST_TRIALS = 200 };

/* A statement and the table that it is about. */
struct attempt {
    uint32_t table;
    size_t position;
};

struct attempts {
    struct attempt *items;
    size_t count;
    size_t capacity;
};

static int
compare_attempts(const void *a, const void *b)
{
    const struct attempt *left = a;
    const struct attempt *right = b;

    if (left->table != right->table)
        return left->table < right->table ? -1 : 1;
    return left->position < right->position ? -1 : left->position > right->position;
}

/* One table by its name as written; none when it is no name, as one of too many parts. */
static bool
find_one(struct lint_check *check, const char *name, struct sql_catalog_table **ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct sql_catalog_table_rows rows;

    *ret = ARENA_NEW(check->ctx->arena, struct sql_catalog_table);
    if (!db_begin(check->ctx, check->db, NULL, &transaction) ||
        !db_use_own_path(check->ctx, check->db))
        return false;
    if (!sql_catalog_table(check->ctx, check->db, &rows, .name = name)) {
        if (lint_must_stop(check))
            return false;
        error_clear(check->ctx);
        return true;
    }
    if (rows.count == 1)
        **ret = rows.items[0];
    return true;
}

static bool
find_tables(struct lint_check *check)
{
    struct lint *lint = check->lint;
    struct map found = { .arena = check->ctx->arena };

    for (size_t i = 0; i < lint->script.count; i++) {
        const struct lint_statement *statement = &lint->script.items[i];
        struct lint_index *index = &lint->indexes[i];
        struct sql_catalog_table *table;

        if (statement->kind != LINT_INDEX)
            continue;
        table = map_get(&found, statement->table);
        if (!table) {
            if (!find_one(check, statement->table, &table))
                return false;
            map_set(&found, statement->table, table);
        }
        index->is_found = table->oid != 0;
        index->relation = *table;
        if (index->is_found)
            index->table = facts_table(&lint->facts, table->schema, table->name);
    }
    return true;
}

/* The copy bears the table's name, so an index of that name cannot be tried. */
static bool
can_be_tried(const struct lint_statement *statement, const struct lint_index *index)
{
    return statement->kind == LINT_INDEX && index->is_found &&
           strchr("rpm", index->relation.kind[0]) &&
           !text_equal(statement->name, index->relation.name);
}

/* what: "Line 5 was not", the beginning of the sentence. */
static void
note_untried(struct lint_check *check, const char *what)
{
    const struct error *error = &check->ctx->error;

    text_list_add(check->ctx->arena, &check->lint->notes,
        arena_printf(check->ctx->arena,
            "%s tried, so what only the server can refuse is not told: %s%s%s%s", what,
            error->message, error->hint ? " (" : "", error->hint ? error->hint : "",
            error->hint ? ")" : "."));
    error_clear(check->ctx);
}

/* Whether any table can be copied here: not on a standby, nor without TEMPORARY. */
static bool
check_session(struct lint_check *check)
{
    struct ctx *ctx = check->ctx;
    const char *value = NULL;

    if (!db_require_primary(ctx, check->db) ||
        !db_value(ctx, check->db,
            "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')",
            NULL, 0, &value))
        return false;
    if (text_equal(value, "t"))
        return true;
    error_set(ctx, ERR_RIGHTS, "the role may not make temporary tables");
    return error_hint(ctx, "GRANT TEMPORARY ON DATABASE %s TO %s;",
        db_ident(ctx->arena, db_name(check->db)), db_ident(ctx->arena, db_user(check->db)));
}

/*
 * The attempts from *at on that are about one table, as many as one copy may serve. When one fails, and with
 * it the transaction, *at is the next one; those behind it get a copy of their own.
 */
static bool
try_some(
    struct lint_check *check, const struct attempts *attempts, struct shadow_copy *copy, size_t *at)
{
    struct lint *lint = check->lint;
    uint32_t table = attempts->items[*at].table;

    for (size_t done = 0; done < MOST_TRIALS && *at < attempts->count; done++) {
        size_t position = attempts->items[*at].position;
        const struct lint_statement *statement = &lint->script.items[position];
        struct lint_index *index = &lint->indexes[position];
        const struct shadow_index wanted = {
            .schema = index->relation.schema,
            .table = index->relation.name,
            .name = statement->name ? statement->name : "pgmend_lint",
            .rest = statement->rest,
            .is_unique = statement->is_unique,
        };

        if (attempts->items[*at].table != table)
            return true;
        ++*at;
        if (shadow_copy_try(copy, &wanted, &index->trial)) {
            index->is_tried = true;
            continue;
        }
        if (lint_must_stop(check))
            return false;
        note_untried(
            check, arena_printf(check->ctx->arena, "Line %u was not", statement->place.line));
        return true;
    }
    return true;
}

/* A table that cannot be copied is noted once, and its statements are passed over. */
static bool
try_table(struct lint_check *check, const struct attempts *attempts, size_t *at)
{
    struct shadow_copy copy CLEANUP(shadow_copy_close) = { 0 };
    const struct attempt *first = &attempts->items[*at];
    const struct sql_catalog_table *table = &check->lint->indexes[first->position].relation;
    const struct shadow_index like = { .schema = table->schema, .table = table->name };

    if (shadow_copy_open(check->ctx, check->db, &like, &copy))
        return try_some(check, attempts, &copy, at);
    if (lint_must_stop(check))
        return false;
    note_untried(check, arena_printf(check->ctx->arena, "Indexes on %s were not", table->name));
    while (*at < attempts->count && attempts->items[*at].table == table->oid)
        ++*at;
    return true;
}

bool
lint_try_all(struct lint_check *check)
{
    struct lint *lint = check->lint;
    struct attempts attempts = { 0 };

    if (!find_tables(check))
        return false;
    for (size_t i = 0; i < lint->script.count; i++) {
        const struct attempt attempt = { .table = lint->indexes[i].relation.oid, .position = i };

        if (can_be_tried(&lint->script.items[i], &lint->indexes[i]))
            VEC_PUSH(check->ctx->arena, &attempts, attempt);
    }
    if (attempts.count == 0)
        return true;
    if (!check_session(check)) {
        if (lint_must_stop(check))
            return false;
        note_untried(check, "No index was");
        return true;
    }
    qsort(attempts.items, attempts.count, sizeof(attempts.items[0]), compare_attempts);
    for (size_t at = 0; at < attempts.count;)
        if (!try_table(check, &attempts, &at))
            return false;
    return true;
}
