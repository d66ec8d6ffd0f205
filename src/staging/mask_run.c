/*
 * Rules carried out. All rows of a table are written in one transaction, some megabytes of it at a time: a
 * row that was written already is known by its xmin, wherever the server has put it. Functions are temporary ones
 * of the session, and the key is a setting of it, so nothing of either stays in the copy.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "db/ident.h"
#include "sql.h"
#include "staging/mask.h"

enum {
    PAGES_AT_ONCE = 256,
    POOL_LETTERS = 2048,
    LETTERS = 16,
    STEP_US = 200000,
    CANCEL_US = 5000000
};

struct masking {
    struct ctx *ctx;
    struct db *db;
    const struct mask_plan *plan;
    const struct step_watch *watch;
    struct mask_result *result;
    int64_t start_us;
    int64_t pages;      /* of all tables */
    int64_t pages_done; /* of those before this one */
    bool is_replica;    /* triggers and foreign keys are off */
};

/* The columns of one table. */
struct part {
    const struct mask_column *columns;
    size_t count;
};

/* Runs a long statement; a signal ends it. */
static bool
run_long(struct masking *work, const char *phase, double ratio, const char *sql)
{
    bool is_done = false;

    if (!db_send(work->ctx, work->db, sql))
        return false;
    while (!is_done) {
        step_watch_show(work->watch, phase, ratio, clock_us() - work->start_us, NULL);
        if (!db_wait(work->ctx, work->db, STEP_US, &is_done)) {
            struct error why = work->ctx->error;

            (void)db_cancel_wait(work->db, CANCEL_US);
            work->ctx->error = why;
            return false;
        }
    }
    return true;
}

static const char *
table_name(struct arena *arena, const struct part *part)
{
    return db_qualified(arena, part->columns[0].schema, part->columns[0].table);
}

static bool
next_part(const struct mask_plan *plan, size_t *at, struct part *ret)
{
    size_t first = *at;

    if (first >= plan->columns.count)
        return false;
    ret->columns = &plan->columns.items[first];
    while (*at < plan->columns.count &&
           text_equal(plan->columns.items[*at].schema, ret->columns[0].schema) &&
           text_equal(plan->columns.items[*at].table, ret->columns[0].table))
        ++*at;
    ret->count = *at - first;
    return true;
}

/* ---- before ---- */

/*
 * Letters that follow from the key, of which masked words are made: a text that has letters of two or three bytes keeps
 * its size.
 */
static const char *
make_pool(struct arena *arena, const char *key, const char *const letters[LETTERS])
{
    struct buffer pool = { .arena = arena };
    unsigned char digest[SHA256_SIZE];

    for (int i = 0; i < POOL_LETTERS; i++) {
        int place = i % SHA256_SIZE;

        if (place == 0)
            hmac_sha256(key, strlen(key), &i, sizeof(i), digest);
        buffer_add(&pool, letters[digest[place] % LETTERS]);
    }
    return buffer_text(&pool);
}

static bool
make_pools(struct masking *work, const char *key)
{
    static const char *const latin[LETTERS] = { "e", "t", "a", "o", "i", "n", "s", "r", "h", "l",
        "d", "c", "u", "m", "f", "p" };
    static const char *const cyrillic[LETTERS] = { "о", "е", "а", "и", "н", "т", "с", "р", "в", "л",
        "к", "м", "д", "п", "у", "я" };
    static const char *const han[LETTERS] = { "的", "一", "是", "不", "了", "人", "我", "在", "有",
        "他", "这", "中", "大", "来", "上", "国" };
    struct arena *arena = work->ctx->arena;
    const char *encoding;
    bool is_utf8;

    if (!db_value(work->ctx, work->db, "SELECT pg_catalog.getdatabaseencoding()::text", NULL, 0,
            &encoding))
        return false;
    is_utf8 = text_equal(encoding, "UTF8");
    return db_set(work->ctx, work->db, "pgmend.mask_pool1", make_pool(arena, key, latin)) &&
           db_set(work->ctx, work->db, "pgmend.mask_pool2",
               make_pool(arena, key, is_utf8 ? cyrillic : latin)) &&
           db_set(work->ctx, work->db, "pgmend.mask_pool3",
               make_pool(arena, key, is_utf8 ? han : latin));
}

static bool
make_functions(struct masking *work, const char *key)
{
    struct ctx *ctx = work->ctx;
    struct db *db = work->db;

    return db_set(ctx, db, "pgmend.mask_key", key) && db_set(ctx, db, "statement_timeout", "0") &&
           db_set(ctx, db, "row_security", "off") &&
           db_set(ctx, db, "check_function_bodies", "off") &&
           db_set(ctx, db, "standard_conforming_strings", "on") &&
           sql_staging_mask_digest(ctx, db) && sql_staging_mask_number(ctx, db) &&
           sql_staging_mask_email(ctx, db) && sql_staging_mask_name(ctx, db) &&
           sql_staging_mask_letters(ctx, db) && make_pools(work, key) &&
           sql_staging_mask_text(ctx, db) && sql_staging_mask_json(ctx, db);
}

/* Triggers would write elsewhere, and foreign keys look at a table that is not masked yet. */
static bool
quiet_triggers(struct masking *work)
{
    const struct mask_column *first = NULL;

    work->is_replica = db_set(work->ctx, work->db, "session_replication_role", "replica");
    if (work->is_replica)
        return true;
    if (!db_is_connected(work->db))
        return false;
    error_clear(work->ctx);
    for (size_t i = 0; i < work->plan->columns.count && !first; i++)
        if (work->plan->columns.items[i].has_triggers)
            first = &work->plan->columns.items[i];
    if (!first && work->plan->orphans.count == 0)
        return true;
    error_set(work->ctx, ERR_RIGHTS, "role \"%s\" may not switch %s off while rows are masked",
        db_user(work->db),
        first ? arena_printf(work->ctx->arena, "the triggers of %s",
                    db_qualified(work->ctx->arena, first->schema, first->table))
              : "foreign keys");
    return error_hint(work->ctx,
        "Run it as a superuser, or from PostgreSQL 15 on: GRANT SET ON PARAMETER "
        "session_replication_role TO %s;",
        db_ident(work->ctx->arena, db_user(work->db)));
}

/* Digests of the values of before that can be told apart, to be looked for afterwards. */
static bool
remember(struct masking *work, const struct part *part)
{
    struct buffer sql = { .arena = work->ctx->arena };
    size_t parts = 0;

    for (size_t i = 0; i < part->count; i++) {
        const struct mask_column *column = &part->columns[i];
        const char *name = db_ident(work->ctx->arena, column->name);

        if (!column->exposed)
            continue;
        buffer_printf(&sql,
            "%s SELECT DISTINCT %zu, pg_catalog.hashtextextended(%s::text, 0) FROM ONLY %s WHERE "
            "%s IS NOT NULL AND %s",
            parts++ > 0 ? " UNION ALL" : "INSERT INTO pg_temp.mask_before", i, name,
            table_name(work->ctx->arena, part), name, column->exposed);
    }
    return db_exec(work->ctx, work->db, "TRUNCATE pg_temp.mask_before") &&
           (parts == 0 ||
               run_long(work, "remembering old values as digests", -1, buffer_text(&sql)));
}

/* ---- the rows ---- */

static const char *
update_statement(struct masking *work, const struct part *part, int64_t from_page, int64_t to_page)
{
    struct buffer sql = { .arena = work->ctx->arena };

    buffer_printf(&sql, "UPDATE ONLY %s SET ", table_name(work->ctx->arena, part));
    for (size_t i = 0; i < part->count; i++)
        buffer_printf(&sql, "%s%s = %s", i ? ", " : "",
            db_ident(work->ctx->arena, part->columns[i].name), part->columns[i].expression);
    buffer_printf(&sql,
        " WHERE ctid >= '(%" PRId64 ",0)' AND ctid < '(%" PRId64 ",0)'"
        " AND xmin <> pg_catalog.pg_current_xact_id()::pg_catalog.xid",
        from_page, to_page);
    return buffer_text(&sql);
}

static bool
update_rows(struct masking *work, const struct part *part)
{
    int64_t pages = part->columns[0].pages;
    const char *phase =
        arena_printf(work->ctx->arena, "masking %s", table_name(work->ctx->arena, part));

    for (int64_t page = 0; page < pages; page += PAGES_AT_ONCE) {
        int64_t end = page + PAGES_AT_ONCE < pages ? page + PAGES_AT_ONCE : pages;
        double ratio =
            work->pages > 0 ? (double)(work->pages_done + page) / (double)work->pages : -1;

        if (interrupt_signal())
            return interrupt_error(work->ctx, interrupt_signal());
        if (!run_long(work, phase, ratio, update_statement(work, part, page, end)))
            return false;
    }
    work->pages_done += pages;
    return true;
}

static bool
explain_refusal(struct masking *work, const struct part *part)
{
    if (text_starts_with(work->ctx->error.sqlstate, "23"))
        error_hint(work->ctx,
            "A constraint of the table does not take the masked values: choose "
            "another way for that column in %s.",
            work->plan->rules->path);
    return error_wrap(work->ctx, "masking %s", table_name(work->ctx->arena, part));
}

static bool
count_rows(struct masking *work, const struct part *part)
{
    const char *count = NULL;
    int64_t rows = 0;

    if (!db_value(work->ctx, work->db,
            arena_printf(work->ctx->arena, "SELECT pg_catalog.count(*) FROM ONLY %s",
                table_name(work->ctx->arena, part)),
            NULL, 0, &count) ||
        !count || !text_to_int64(count, &rows))
        return false;
    work->result->rows += rows;
    return true;
}

/* ---- afterwards ---- */

/* Every digest of before, in the table as it is now. */
static bool
look_for_old(struct masking *work, const struct part *part)
{
    struct arena *arena = work->ctx->arena;
    struct result counts;

    for (size_t i = 0; i < part->count; i++) {
        const struct mask_column *column = &part->columns[i];
        const char *name = db_ident(arena, column->name);
        const char *number = arena_printf(arena, "%zu", i);
        int64_t left = 0;
        int64_t known = 0;

        if (!column->exposed)
            continue;
        if (!db_query(work->ctx, work->db,
                arena_printf(arena,
                    "SELECT (SELECT pg_catalog.count(*) FROM ONLY %s AS t WHERE t.%s IS NOT NULL AND "
                    "pg_catalog.hashtextextended(t.%s::text, 0) IN (SELECT b.digest FROM "
                    "pg_temp.mask_before AS b WHERE b.place = $1::int)), (SELECT pg_catalog.count(*) "
                    "FROM pg_temp.mask_before AS b WHERE b.place = $1::int)",
                    table_name(arena, part), name, name),
                &number, 1, &counts) ||
            counts.rows != 1 || !text_to_int64(result_cell(&counts, 0, 0), &left) ||
            !text_to_int64(result_cell(&counts, 0, 1), &known))
            return false;
        work->result->checked += known;
        if (left > 0) {
            error_set(work->ctx, ERR_VERIFICATION,
                "%" PRId64 " row%s of %s.%s still hold%s a value of before", left,
                left == 1 ? "" : "s", table_name(arena, part), name, left == 1 ? "s" : "");
            return error_hint(work->ctx,
                "The copy is not handed out. Choose another way for the "
                "column in %s.",
                work->plan->rules->path);
        }
    }
    return true;
}

static bool
mask_table(struct masking *work, const struct part *part)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    if (!remember(work, part) || !db_begin(work->ctx, work->db, "READ WRITE", &transaction))
        return false;
    if (!update_rows(work, part) || !db_commit(work->ctx, &transaction))
        return explain_refusal(work, part);
    return count_rows(work, part) && look_for_old(work, part);
}

/* The files of the tables, with the rows of before, are removed when this is done. */
static bool
rewrite_tables(struct masking *work)
{
    struct part part;
    size_t at = 0;

    while (next_part(work->plan, &at, &part)) {
        const char *name = table_name(work->ctx->arena, &part);

        if (!run_long(work, arena_printf(work->ctx->arena, "rewriting %s", name), -1,
                arena_printf(work->ctx->arena, "VACUUM (FULL) %s", name)))
            return error_wrap(work->ctx, "rewriting %s", name);
    }
    return true;
}

/* A file that VACUUM FULL replaced lives until the next checkpoint. */
static bool
free_files(struct masking *work)
{
    if (db_exec(work->ctx, work->db, "CHECKPOINT"))
        return true;
    if (!db_is_connected(work->db))
        return false;
    error_clear(work->ctx);
    return true;
}

static bool
refresh_views(struct masking *work)
{
    struct sql_staging_mask_views_rows views;

    if (!sql_staging_mask_views(work->ctx, work->db, &views))
        return false;
    for (size_t i = 0; i < views.count; i++) {
        const char *name =
            db_qualified(work->ctx->arena, views.items[i].schema, views.items[i].name);

        if (!run_long(work, arena_printf(work->ctx->arena, "filling %s again", name), -1,
                arena_printf(work->ctx->arena, "REFRESH MATERIALIZED VIEW %s", name)))
            return error_wrap(work->ctx, "filling materialized view %s with masked values", name);
    }
    return true;
}

static bool
check_keys(struct masking *work)
{
    for (size_t i = 0; i < work->plan->orphans.count; i++) {
        const char *count = NULL;

        if (!db_value(work->ctx, work->db, work->plan->orphans.items[i], NULL, 0, &count))
            return error_wrap(work->ctx, "checking the foreign keys");
        if (!text_equal(count, "0")) {
            error_set(work->ctx, ERR_VERIFICATION,
                "after masking %s rows refer to nothing by a foreign key", count ? count : "some");
            work->ctx->error.detail = work->plan->orphans.items[i];
            return false;
        }
    }
    return true;
}

/* Only a superuser may; for others ANALYZE replaces what it can. */
static bool
forget_statistics(struct masking *work)
{
    json_t *names CLEANUP(json_release) = json_array();
    struct part part;
    size_t at = 0;

    while (next_part(work->plan, &at, &part)) {
        json_array_append_new(names, json_string(table_name(work->ctx->arena, &part)));
        json_array_append_new(names, json_string(db_qualified(work->ctx->arena,
                                         part.columns[0].root_schema, part.columns[0].root_table)));
    }

    const char *text = json_text(work->ctx->arena, names);

    if (sql_staging_mask_forget(work->ctx, work->db, .tables = text) &&
        sql_staging_mask_forget_extended(work->ctx, work->db, .tables = text) &&
        db_exec(work->ctx, work->db, "VACUUM (FULL) pg_catalog.pg_statistic") &&
        db_exec(work->ctx, work->db, "VACUUM (FULL) pg_catalog.pg_statistic_ext_data"))
        return true;
    if (!db_is_connected(work->db) || work->ctx->error.kind != ERR_RIGHTS)
        return error_wrap(work->ctx, "forgetting the statistics of before");
    error_clear(work->ctx);
    text_list_add(work->ctx->arena, &work->result->notes,
        "only a superuser may forget statistics: of columns with a statistics target of 0 the old "
        "ones, with their commonest values, stay in pg_statistic");
    return true;
}

static bool
mask_tables(struct masking *work)
{
    struct part part;
    size_t at = 0;

    while (next_part(work->plan, &at, &part))
        work->pages += part.columns[0].pages;
    at = 0;
    while (next_part(work->plan, &at, &part))
        if (!mask_table(work, &part))
            return false;
    return true;
}

bool
mask_run(struct ctx *ctx, struct db *db, const struct mask_plan *plan, const char *key,
    const struct step_watch *watch, struct mask_result *ret)
{
    struct masking work = {
        .ctx = ctx, .db = db, .plan = plan, .watch = watch, .result = ret, .start_us = clock_us()
    };

    *ret = (struct mask_result){ 0 };
    if (!make_functions(&work, key))
        return error_wrap(ctx, "preparing to mask");
    return quiet_triggers(&work) &&
           db_exec(ctx, db,
               "CREATE TEMPORARY TABLE mask_before (place int NOT NULL, digest bigint "
               "NOT NULL)") &&
           mask_tables(&work) && check_keys(&work) &&
           db_exec(ctx, db, "DROP TABLE pg_temp.mask_before") &&
           (!work.is_replica || db_set(ctx, db, "session_replication_role", "origin")) &&
           rewrite_tables(&work) && refresh_views(&work) && forget_statistics(&work) &&
           free_files(&work);
}
