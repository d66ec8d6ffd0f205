#include "index/plan.h"

#include <math.h>

#include "base/clock.h"
#include "base/json.h"
#include "change/estimate.h"
#include "change/journal.h"
#include "change/judge.h"
#include "change/plan.h"
#include "change/shadow.h"
#include "db/ident.h"
#include "sql.h"

/* The part of a build that does not depend on the size. */
enum { FIXED_US = 200000 };

/* Index entries: 8 bytes tuple header, 4 line pointer, pages filled to 90 %. */
enum { ENTRY_OVERHEAD = 12 };

/* The user's own search_path decides which table an unqualified name means. */
static bool
find_table(struct ctx *ctx, struct db *db, const char *name, struct sql_catalog_table *ret,
    bool *ret_found)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct sql_catalog_table_rows rows;

    if (!db_begin(ctx, db, NULL, &transaction) ||
        !db_exec(ctx, db,
            "SELECT pg_catalog.set_config('search_path', s.reset_val, true)"
            " FROM pg_catalog.pg_settings AS s WHERE s.name = 'search_path'") ||
        !sql_catalog_table(ctx, db, &rows, .name = name))
        return false;
    *ret_found = rows.count == 1;
    if (*ret_found)
        *ret = rows.items[0];
    return true;
}

static bool
check_table(
    struct ctx *ctx, struct db *db, const struct sql_catalog_table *table, struct change *change)
{
    char kind = table->kind[0];

    if (kind == 'p')
        return change_block(change,
            "the table is partitioned: its index cannot be built CONCURRENTLY",
            "build it on each partition, then create it ON ONLY the parent and attach them");
    if (kind != 'r' && kind != 'm')
        return change_block(change,
            arena_printf(ctx->arena, "%s is not a table", change_relation(ctx->arena, change)),
            NULL);
    if (!table->may_own)
        return change_block(change,
            arena_printf(ctx->arena, "role %s may not build indexes on %s: it belongs to %s",
                db_user(db), change_relation(ctx->arena, change), table->owner),
            arena_printf(ctx->arena, "GRANT %s TO %s;", db_ident(ctx->arena, table->owner),
                db_ident(ctx->arena, db_user(db))));
    if (!table->may_create)
        return change_block(change,
            arena_printf(ctx->arena, "role %s may not create an index in schema %s", db_user(db),
                change->schema),
            arena_printf(ctx->arena, "GRANT CREATE ON SCHEMA %s TO %s;",
                db_ident(ctx->arena, change->schema), db_ident(ctx->arena, db_user(db))));
    return true;
}

static void
estimate(struct ctx *ctx, const struct journal_entries *journal,
    const struct sql_catalog_table *table, const struct sql_change_shadow *shadow,
    struct change *change)
{
    bool is_vector = estimate_is_vector_method(shadow->access_method);
    double rows = table->rows > 0 ? (double)table->rows : (double)table->bytes / 100;
    double width = (double)shadow->key_width + ENTRY_OVERHEAD;
    double per_second = estimate_build_rate(ctx, journal, shadow->access_method);

    change->table_rows = table->rows;
    change->table_bytes = table->bytes;
    /* The vectors themselves are in the index, and mostly outside the heap's own pages. */
    change->bytes = is_vector ? (int64_t)(rows * 8192) : llround(rows * width / 0.9) + 16384;
    /* An index build writes its pages once into the WAL: .88–.91 of its size was measured. */
    change->wal_bytes = change->bytes;
    change->us =
        llround(((double)table->bytes + (double)change->bytes) / per_second * 1e6) + FIXED_US;
}

/*
 * A query of ours would run functions of the index with our rights, where CREATE INDEX runs them
 * with those of the table's owner. With search_path pinned everything outside pg_catalog is
 * written with its schema, so a key or predicate without a dot calls none.
 */
static bool
calls_foreign_code(const struct text_list *keys, const char *predicate)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strchr(keys->items[i], '.'))
            return true;
    return predicate && strchr(predicate, '.');
}

/* Rows that a unique index would refuse: the first key that occurs twice. */
static bool
duplicates_query(struct ctx *ctx, const struct sql_change_shadow *shadow, struct change *change)
{
    json_t *keys CLEANUP(json_release) = NULL;
    struct text_list list = { 0 };
    struct text_list filled = { 0 };
    size_t i;
    json_t *key;

    if (!json_parse(ctx, "keys", shadow->keys, &keys))
        return false;
    json_array_foreach(keys, i, key)
    {
        const char *text = json_string_value(key);

        text_list_add(ctx->arena, &list, text);
        text_list_add(ctx->arena, &filled, arena_printf(ctx->arena, "(%s) IS NOT NULL", text));
    }
    if (shadow->predicate)
        text_list_add(ctx->arena, &filled, arena_printf(ctx->arena, "(%s)", shadow->predicate));
    if (!shadow->nulls_distinct)
        filled.count = shadow->predicate ? 1 : 0;
    if (!shadow->nulls_distinct && shadow->predicate)
        filled.items[0] = arena_printf(ctx->arena, "(%s)", shadow->predicate);

    const char *columns = text_list_join(ctx->arena, &list, ", ");

    if (calls_foreign_code(&list, shadow->predicate))
        return true;
    change->duplicates = arena_printf(ctx->arena,
        "SELECT pg_catalog.concat_ws(', ', %s) FROM %s%s%s GROUP BY %s"
        " HAVING pg_catalog.count(*) > 1 LIMIT 1",
        columns, change_relation(ctx->arena, change), filled.count > 0 ? " WHERE " : "",
        text_list_join(ctx->arena, &filled, " AND "), columns);
    return true;
}

/* The statement in the server's own wording, with every name quoted by us. */
static bool
compose(struct ctx *ctx, const struct script_index *index, const struct trial *trial,
    struct change *change)
{
    const struct sql_change_shadow *shadow = &trial->shadow;

    /* WHERE stands behind TABLESPACE, and the server's wording leaves the latter out. */
    const char *where =
        shadow->predicate ? arena_printf(ctx->arena, " WHERE %s", shadow->predicate) : NULL;
    size_t head = strlen(shadow->definition);

    if (index->tablespace && where && text_ends_with(shadow->definition, where))
        head -= strlen(where);
    change->definition = trial->built;
    change->wording = shadow->definition;
    change->access_method = shadow->access_method;
    change->is_unique = shadow->is_unique;
    change->statement = arena_printf(ctx->arena, "CREATE %sINDEX CONCURRENTLY %s ON %s %.*s%s%s%s",
        shadow->is_unique ? "UNIQUE " : "", db_ident(ctx->arena, index->name),
        change_relation(ctx->arena, change), (int)head, shadow->definition,
        index->tablespace ? " TABLESPACE " : "",
        index->tablespace ? db_ident(ctx->arena, index->tablespace) : "",
        shadow->definition + head);
    change->undo = arena_printf(ctx->arena, "DROP INDEX CONCURRENTLY %s",
        db_qualified(ctx->arena, change->schema, index->name));
    change->lock = "SHARE UPDATE EXCLUSIVE";
    change->blocks = "reads and writes go on; VACUUM and other DDL of this table wait";
    return !shadow->is_unique || duplicates_query(ctx, shadow, change);
}

/* An index of the same definition twice in one script. */
static void
look_at_earlier(struct ctx *ctx, const struct plan *plan, struct change *change)
{
    for (size_t i = 0; i < plan->count && change->action == ACTION_CREATE; i++) {
        const struct change *other = &plan->items[i];

        if (change_is_pending(other) && other->table_oid == change->table_oid &&
            other->is_unique == change->is_unique &&
            text_equal(other->definition, change->definition)) {
            change->action = ACTION_EQUIVALENT;
            change->problem =
                arena_printf(ctx->arena, "%s of this plan is the same index", other->name);
        }
    }
}

static bool
find_tablespace(struct ctx *ctx, struct db *db, const char *name, struct change *change)
{
    struct sql_catalog_tablespace_rows rows;

    if (!sql_catalog_tablespace(ctx, db, &rows, .name = name))
        return false;
    change->tablespace_path = rows.count == 1 && *rows.items[0].path ? rows.items[0].path : NULL;
    return true;
}

static bool
plan_one(struct ctx *ctx, struct db *db, const struct script_index *index,
    const struct journal_entries *journal, struct change *change)
{
    struct sql_catalog_table table;
    struct trial trial;
    bool is_found;

    *change = (struct change){ .kind = "create index",
        .schema = "",
        .table = index->table ? index->table : "",
        .name = index->name ? index->name : "",
        .statement = index->text,
        .reason = index->reason,
        .source = index->source };
    if (index->problem)
        return change_block(change, index->problem, index->remedy);
    if (!find_table(ctx, db, index->table, &table, &is_found))
        return false;
    if (!is_found)
        return change_block(change,
            arena_printf(ctx->arena, "table %s does not exist", index->table),
            "check the name and the schema");
    change->schema = table.schema;
    change->table = table.name;
    change->table_oid = table.oid;
    if (!check_table(ctx, db, &table, change) || change->action == ACTION_BLOCKED)
        return true;

    const struct shadow_index wanted = {
        .schema = table.schema,
        .table = table.name,
        .name = index->name,
        .rest = index->rest,
        .is_unique = index->is_unique,
    };

    if (!shadow_try(ctx, db, &wanted, &trial))
        return false;
    if (trial.problem)
        return change_block(change, trial.problem, trial.remedy);
    estimate(ctx, journal, &table, &trial.shadow, change);
    return find_tablespace(ctx, db, index->tablespace, change) &&
           compose(ctx, index, &trial, change) && change_judge(ctx, db, journal, change);
}

bool
index_plan(struct ctx *ctx, struct db *db, const struct index_script *script, struct plan *ret)
{
    struct journal_entries journal;

    *ret = (struct plan){
        .database = db_name(db),
        .server_version = db_version_text(db),
        .created_at = clock_text(ctx->arena, clock_wall_us()),
    };
    /* The trial needs a temporary table. */
    if (!db_require_primary(ctx, db) || !journal_load(ctx, db, &journal) ||
        !journal_system_identifier(ctx, db, &ret->system_identifier))
        return error_wrap(ctx, "planning");
    for (size_t i = 0; i < script->count; i++) {
        struct change change;

        if (!plan_one(ctx, db, &script->items[i], &journal, &change))
            return error_wrap(ctx, "planning %s", script->items[i].source);
        look_at_earlier(ctx, ret, &change);
        VEC_PUSH(ctx->arena, ret, change);
    }
    return plan_seal(ctx, db, ret);
}
