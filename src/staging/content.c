#include "staging/content.h"

#include <inttypes.h>

#include "db/ident.h"
#include "sql.h"

enum { BATCH = 100 };

bool
content_pin_session(struct ctx *ctx, struct db *db, bool is_alone)
{
    static const char *const settings[][2] = {
        { "DateStyle", "ISO, YMD" },
        { "IntervalStyle", "postgres" },
        { "TimeZone", "UTC" },
        { "extra_float_digits", "1" },
        { "bytea_output", "hex" },
        { "xmlbinary", "base64" },
        { "lc_monetary", "C" },
        /* Rows that a policy hides must be an error here, not a smaller sum. */
        { "row_security", "off" },
        /* Compiling the catalogue query takes seconds, running it milliseconds. */
        { "jit", "off" },
        { "statement_timeout", "0" },
        { "idle_in_transaction_session_timeout", "0" },
        { "idle_session_timeout", "0" },
    };

    for (size_t i = 0; i < COUNT_OF(settings); i++)
        if (!db_set(ctx, db, settings[i][0], settings[i][1]))
            return error_wrap(ctx, "preparing the session");
    if (db_major(db) >= 17 && !db_set(ctx, db, "transaction_timeout", "0"))
        return error_wrap(ctx, "preparing the session");
    if (!is_alone && !db_set(ctx, db, "max_parallel_workers_per_gather", "0"))
        return error_wrap(ctx, "preparing the session");
    return true;
}

static bool
refuse_table(struct ctx *ctx, const struct sql_staging_tables *table, const char *user)
{
    const char *name = db_qualified(ctx->arena, table->schema, table->name);

    if (!table->may_read) {
        error_set(ctx, ERR_RIGHTS, "may not read table %s", name);
        return error_hint(ctx,
            "Grant SELECT on every table to role \"%s\", for example "
            "GRANT pg_read_all_data TO %s;",
            user, db_ident(ctx->arena, user));
    }
    error_set(
        ctx, ERR_RIGHTS, "row-level security hides rows of table %s from role \"%s\"", name, user);
    return error_hint(ctx, "A backup needs every row: use a role with BYPASSRLS, or the table's "
                           "owner when FORCE ROW LEVEL SECURITY is off.");
}

static bool
list_tables(struct ctx *ctx, struct db *db, struct sql_staging_tables_rows *ret)
{
    if (!sql_staging_tables(ctx, db, ret))
        return false;
    for (size_t i = 0; i < ret->count; i++)
        if (!ret->items[i].may_read || ret->items[i].is_filtered)
            return refuse_table(ctx, &ret->items[i], db_user(db));
    return true;
}

static bool
lock_tables(struct ctx *ctx, struct db *db, const struct sql_staging_tables_rows *tables)
{
    for (size_t start = 0; start < tables->count; start += BATCH) {
        struct buffer sql = { .arena = ctx->arena };

        for (size_t i = start; i < tables->count && i < start + BATCH; i++)
            buffer_printf(&sql, "%s ONLY %s", i > start ? "," : "LOCK TABLE",
                db_qualified(ctx->arena, tables->items[i].schema, tables->items[i].name));
        buffer_add(&sql, " IN ACCESS SHARE MODE");
        if (db_exec(ctx, db, buffer_text(&sql)))
            continue;
        if (text_equal(ctx->error.sqlstate, "55P03"))
            error_hint(ctx, "Another session changes a table (ACCESS EXCLUSIVE lock): wait for it "
                            "to end, or give it more time with --lock-wait-timeout.");
        return error_wrap(ctx, "locking the tables against changes of their structure");
    }
    return true;
}

bool
content_begin(struct ctx *ctx, struct db *db, struct db_transaction *ret)
{
    struct sql_staging_tables_rows tables;

    ret->db = NULL;
    /* LOCK TABLE takes no snapshot, so the snapshot is younger than the locks. */
    return list_tables(ctx, db, &tables) &&
           db_begin(ctx, db, "ISOLATION LEVEL REPEATABLE READ READ ONLY", ret) &&
           lock_tables(ctx, db, &tables);
}

static bool
load_sequence_values(
    struct ctx *ctx, struct db *db, struct content *content, size_t start, bool is_end)
{
    struct buffer sql = { .arena = ctx->arena };
    struct result result;

    for (size_t i = start; i < content->sequences.count && i < start + BATCH; i++)
        buffer_printf(&sql, "%sSELECT %zu, last_value, is_called FROM %s",
            i > start ? " UNION ALL " : "", i,
            db_qualified(
                ctx->arena, content->sequences.items[i].schema, content->sequences.items[i].name));
    if (!db_query(ctx, db, buffer_text(&sql), NULL, 0, &result))
        return false;
    for (size_t row = 0; row < result.rows; row++) {
        int64_t at = 0;
        int64_t value = 0;
        bool is_called = text_equal(result_cell(&result, row, 2), "t");

        if (!text_to_int64(result_cell(&result, row, 0), &at) ||
            !text_to_int64(result_cell(&result, row, 1), &value))
            return error_set(ctx, ERR_SERVER, "a sequence has no value");

        struct content_sequence *sequence = &content->sequences.items[at];

        sequence->last_value = value;
        sequence->last_called = is_called;
        if (!is_end) {
            sequence->first_value = value;
            sequence->first_called = is_called;
        }
    }
    return true;
}

static bool
read_sequences(struct ctx *ctx, struct db *db, struct content *content, bool is_end)
{
    for (size_t start = 0; start < content->sequences.count; start += BATCH)
        if (!load_sequence_values(ctx, db, content, start, is_end))
            return error_wrap(ctx, "reading the sequences");
    return true;
}

bool
content_end_sequences(struct ctx *ctx, struct db *db, struct content *content)
{
    return read_sequences(ctx, db, content, true);
}

static bool
load_sequences(struct ctx *ctx, struct db *db, struct content *ret)
{
    struct sql_staging_sequences_rows rows;

    if (!sql_staging_sequences(ctx, db, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_staging_sequences *row = &rows.items[i];

        if (!row->may_read)
            return error_set(ctx, ERR_RIGHTS, "may not read sequence %s",
                db_qualified(ctx->arena, row->schema, row->name));
        VEC_PUSH(ctx->arena, &ret->sequences,
            (struct content_sequence){
                .schema = row->schema,
                .name = row->name,
                .increment = row->increment,
                .can_cycle = row->can_cycle,
            });
    }
    return read_sequences(ctx, db, ret, false);
}

static bool
load_large_objects(struct ctx *ctx, struct db *db, struct content *ret)
{
    struct sql_staging_large_objects_rows rows;
    struct sql_staging_large_objects_sum_rows sums;

    if (!sql_staging_large_objects(ctx, db, &rows))
        return false;
    ret->large_objects = rows.items[0].count;
    ret->large_object_sum = NULL;
    if (!rows.items[0].may_read)
        return true;
    if (!sql_staging_large_objects_sum(ctx, db, &sums))
        return error_wrap(ctx, "summing up the large objects");
    ret->large_object_sum = sums.items[0].checksum;
    return true;
}

static bool
load_alembic(struct ctx *ctx, struct db *db, struct content *ret)
{
    struct sql_staging_alembic_rows schemas;

    if (!sql_staging_alembic(ctx, db, &schemas))
        return false;
    for (size_t i = 0; i < schemas.count; i++) {
        const char *sql =
            arena_printf(ctx->arena, "SELECT version_num::pg_catalog.text FROM %s ORDER BY 1",
                db_qualified(ctx->arena, schemas.items[i].schema, "alembic_version"));
        struct result result;

        if (!db_query(ctx, db, sql, NULL, 0, &result))
            return error_wrap(ctx, "reading alembic_version");
        for (size_t row = 0; row < result.rows; row++)
            if (result_cell(&result, row, 0))
                text_list_add(ctx->arena, &ret->alembic, result_cell(&result, row, 0));
    }
    return true;
}

bool
content_load(struct ctx *ctx, struct db *db, struct content *ret)
{
    struct sql_staging_tables_rows tables;
    struct sql_staging_objects_rows objects;
    struct sql_staging_roles_rows roles;

    *ret = (struct content){ 0 };
    if (!list_tables(ctx, db, &tables))
        return false;
    for (size_t i = 0; i < tables.count; i++)
        VEC_PUSH(ctx->arena, &ret->tables,
            (struct content_table){
                .schema = tables.items[i].schema, .name = tables.items[i].name });
    if (!sql_staging_objects(ctx, db, &objects) || !sql_staging_roles(ctx, db, &roles))
        return error_wrap(ctx, "listing what the database holds");
    for (size_t i = 0; i < objects.count; i++)
        VEC_PUSH(ctx->arena, &ret->objects,
            (struct content_object){ .kind = objects.items[i].kind,
                .name = objects.items[i].name,
                .definition = objects.items[i].definition });
    for (size_t i = 0; i < roles.count; i++)
        text_list_add(ctx->arena, &ret->roles, roles.items[i].name);
    return load_sequences(ctx, db, ret) && load_large_objects(ctx, db, ret) &&
           load_alembic(ctx, db, ret);
}

/* The answer is left in a setting, because a statement that runs by the way gives no rows. */
static bool
send_count(struct ctx *ctx, struct db *db, const struct content_table *table)
{
    return db_send(ctx, db,
        arena_printf(ctx->arena,
            "SELECT /* pgmend */ pg_catalog.set_config('pgmend.count', (SELECT pg_catalog.concat("
            "pg_catalog.count(*), ' ', coalesce(pg_catalog.sum(pg_catalog.hashtextextended("
            "(ROW(t.*))::pg_catalog.text COLLATE pg_catalog.\"C\", 0)), 0)) FROM ONLY %s t), false)",
            db_qualified(ctx->arena, table->schema, table->name)));
}

static bool
take_count(struct ctx *ctx, struct db *db, struct content_table *table)
{
    const char *text = NULL;

    if (!db_value(ctx, db, "SELECT pg_catalog.current_setting('pgmend.count')", NULL, 0, &text))
        return false;

    const char *space = text ? strchr(text, ' ') : NULL;

    if (!space ||
        !text_to_int64(arena_strndup(ctx->arena, text, (size_t)(space - text)), &table->rows))
        return error_set(ctx, ERR_SERVER, "the server gave no count");
    table->checksum = space + 1;
    return true;
}

bool
content_count_step(
    struct ctx *ctx, struct content_counter *counter, int64_t wait_us, bool *ret_done)
{
    struct content *content = counter->content;
    bool is_ready = false;

    *ret_done = counter->next == content->tables.count;
    if (*ret_done)
        return true;

    struct content_table *table = &content->tables.items[counter->next];
    const char *name = db_qualified(ctx->arena, table->schema, table->name);

    if (!counter->is_running) {
        if (!send_count(ctx, counter->db, table))
            return error_wrap(ctx, "counting the rows of table %s", name);
        counter->is_running = true;
    }
    if (!db_wait(ctx, counter->db, wait_us, &is_ready))
        return error_wrap(ctx, "counting the rows of table %s", name);
    if (!is_ready)
        return true;
    counter->is_running = false;
    if (!take_count(ctx, counter->db, table))
        return error_wrap(ctx, "counting the rows of table %s", name);
    counter->next++;
    *ret_done = counter->next == content->tables.count;
    return true;
}

void
content_count_stop(struct content_counter *counter)
{
    if (counter->is_running)
        (void)db_cancel_wait(counter->db, 5000000);
    counter->is_running = false;
}

bool
content_load_all(struct ctx *ctx, struct db *db, struct content *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    bool is_done = false;

    if (!content_pin_session(ctx, db, true) ||
        !db_begin(ctx, db, "ISOLATION LEVEL REPEATABLE READ READ ONLY", &transaction) ||
        !content_load(ctx, db, ret))
        return false;

    struct content_counter counter = { .db = db, .content = ret };

    while (!is_done) {
        if (!content_count_step(ctx, &counter, 1000000, &is_done)) {
            content_count_stop(&counter);
            return false;
        }
    }
    return db_commit(ctx, &transaction);
}
