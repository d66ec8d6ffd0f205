#include "report/store.h"

#include "base/json.h"
#include "base/vec.h"
#include "change/journal.h"
#include "sql.h"
#include "workload/script.h"

struct plans {
    struct snapshot_plan *items;
    size_t count;
    size_t capacity;
};

static bool
install(struct ctx *ctx, struct db *db)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    if (!journal_install(ctx, db) || !db_begin(ctx, db, NULL, &transaction) ||
        !sql_report_create_snapshot(ctx, db) || !sql_report_create_snapshot_statement(ctx, db) ||
        !sql_report_create_snapshot_index(ctx, db) || !sql_report_create_snapshot_table(ctx, db) ||
        !sql_report_create_snapshot_plan(ctx, db) || !db_commit(ctx, &transaction))
        return error_wrap(ctx, "making the tables of snapshots");
    return true;
}

/* A statement that cannot be explained is recorded with the reason; only we ourselves fail. */
static bool
explain_script(struct ctx *ctx, struct db *db, const struct script *script, struct plans *plans)
{
    static const struct explain_options options = { .analyze = false };

    for (size_t i = 0; i < script->count; i++) {
        const struct script_statement *statement = &script->items[i];
        struct snapshot_plan plan = {
            .script = script->name,
            .number = (int64_t)i + 1,
            .statement_count = (int64_t)script->count,
            .query = statement->text,
            .fingerprint = statement->fingerprint,
            .used_values = statement->values,
            .problem = statement->problem,
        };

        if (statement->sample)
            plan.has_plan = explain_statement(ctx, db, statement->sample, &options, &plan.plan);
        if (statement->sample && !plan.has_plan) {
            if (!db_is_connected(db) || ctx->error.kind == ERR_INTERRUPTED ||
                ctx->error.kind == ERR_TERMINATED)
                return false;
            plan.problem = ctx->error.message;
            error_clear(ctx);
        }
        VEC_PUSH(ctx->arena, plans, plan);
    }
    return true;
}

static bool
explain_all(
    struct ctx *ctx, struct db *db, const struct snapshot_options *options, struct snapshot *ret)
{
    struct plans plans = { 0 };
    struct scripts scripts;

    if (!options->queries)
        return true;
    if (!script_read_folder(ctx, options->queries, &options->defines, &scripts))
        return false;
    for (size_t i = 0; i < scripts.count; i++)
        if (!explain_script(ctx, db, &scripts.items[i], &plans))
            return error_wrap(ctx, "explaining \"%s\"", scripts.items[i].name);
    ret->plans = plans.items;
    ret->plan_count = plans.count;
    return true;
}

static const char *
statements_json(struct ctx *ctx, const struct workload *workload)
{
    json_t *array CLEANUP(json_release) = json_array();

    for (size_t i = 0; i < workload->count; i++)
        json_array_append_new(array, json_from_fields(workload_statement_fields,
                                         workload_statement_field_count, &workload->items[i]));
    return json_text(ctx->arena, array);
}

static const char *
plans_json(struct ctx *ctx, const struct snapshot *snapshot)
{
    json_t *array CLEANUP(json_release) = json_array();

    for (size_t i = 0; i < snapshot->plan_count; i++) {
        const struct snapshot_plan *plan = &snapshot->plans[i];
        json_t *object = json_pack("{s:s, s:I, s:I, s:s, s:s?, s:s, s:s?, s:s?}", "script",
            plan->script, "number", (json_int_t)plan->number, "statement_count",
            (json_int_t)plan->statement_count, "query", plan->query, "fingerprint",
            plan->fingerprint, "used_values", plan->used_values, "plan",
            plan->has_plan ? plan->plan.json : NULL, "problem", plan->problem);

        if (object)
            json_array_append_new(array, object);
    }
    return json_text(ctx->arena, array);
}

static bool
store(struct ctx *ctx, struct db *db, const struct snapshot_options *options,
    const struct snapshot *snapshot)
{
    const struct workload *workload = &snapshot->workload;
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct sql_report_put_snapshot_rows made;

    if (!db_begin(ctx, db, NULL, &transaction))
        return false;
    if (options->replace && !sql_report_delete_snapshot(ctx, db, .name = options->name))
        return false;
    if (!sql_report_put_snapshot(ctx, db, &made, .name = options->name,
            .taken_at = workload->taken_at, .server_start = workload->server_start,
            .stats_reset = workload->stats_reset, .evicted = workload->evicted,
            .most_entries = workload->most_entries, .hidden = workload->hidden)) {
        if (text_equal(ctx->error.sqlstate, "23505")) {
            error_set(ctx, ERR_CONFLICT, "there is a snapshot \"%s\" already", options->name);
            return error_hint(ctx, "Choose another name, or use --replace.");
        }
        return false;
    }

    int64_t id = made.items[0].id;

    return sql_report_put_statements(
               ctx, db, .snapshot = id, .statements = statements_json(ctx, workload)) &&
           sql_report_put_indexes(ctx, db, .snapshot = id) &&
           sql_report_put_tables(ctx, db, .snapshot = id) &&
           sql_report_put_plans(ctx, db, .snapshot = id, .plans = plans_json(ctx, snapshot)) &&
           db_commit(ctx, &transaction);
}

bool
snapshot_take(
    struct ctx *ctx, struct db *db, const struct snapshot_options *options, struct snapshot *ret)
{
    *ret = (struct snapshot){ .name = options->name };
    /* Counters first: making tables and plans shall not count as the application's work. */
    if (!workload_read(ctx, db, &ret->workload) || !explain_all(ctx, db, options, ret) ||
        !install(ctx, db) || !store(ctx, db, options, ret))
        return error_wrap(ctx, "taking snapshot \"%s\"", options->name);
    return true;
}

/* The rows of snapshots; NULL and no error when there are no tables for them. */
static bool
load_rows(struct ctx *ctx, struct db *db, struct sql_report_snapshots_rows *ret)
{
    struct sql_report_snapshots_exist_rows exist;

    *ret = (struct sql_report_snapshots_rows){ 0 };
    if (!sql_report_snapshots_exist(ctx, db, &exist))
        return false;
    if (exist.count == 0 || !exist.items[0].exist)
        return true;
    return sql_report_snapshots(ctx, db, ret);
}

bool
snapshot_list(struct ctx *ctx, struct db *db, struct snapshot_summary **ret, size_t *ret_count)
{
    struct sql_report_snapshots_rows rows;

    if (!load_rows(ctx, db, &rows))
        return error_wrap(ctx, "listing snapshots");
    *ret_count = rows.count;
    *ret = ARENA_ARRAY(ctx->arena, struct snapshot_summary, rows.count + 1);
    for (size_t i = 0; i < rows.count; i++)
        (*ret)[i] = (struct snapshot_summary){
            .name = rows.items[i].name,
            .taken_at = rows.items[i].taken_at,
            .statements = rows.items[i].statement_count,
            .plans = rows.items[i].plan_count,
        };
    return true;
}

static bool
load_statements(struct ctx *ctx, struct db *db, struct snapshot *ret)
{
    struct sql_report_statements_rows rows;

    if (!sql_report_statements(ctx, db, &rows, .snapshot = ret->id))
        return false;
    ret->workload.items = ARENA_ARRAY(ctx->arena, struct workload_statement, rows.count + 1);
    ret->workload.count = rows.count;
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_report_statements *row = &rows.items[i];

        ret->workload.items[i] = (struct workload_statement){
            .user_id = row->user_id,
            .query_id = row->query_id,
            .is_top_level = row->is_top_level,
            .query = row->query,
            .fingerprint = row->fingerprint,
            .calls = row->calls,
            .total_ms = row->total_ms,
            .mean_ms = row->mean_ms,
            .min_ms = row->min_ms,
            .max_ms = row->max_ms,
            .stddev_ms = row->stddev_ms,
            .row_count = row->row_count,
            .blocks_hit = row->blocks_hit,
            .blocks_read = row->blocks_read,
            .temp_read = row->temp_read,
            .temp_written = row->temp_written,
            .wal_bytes = row->wal_bytes,
            .stats_since = row->stats_since,
        };
    }
    return true;
}

static bool
load_plans(struct ctx *ctx, struct db *db, struct snapshot *ret)
{
    struct sql_report_plans_rows rows;

    if (!sql_report_plans(ctx, db, &rows, .snapshot = ret->id))
        return false;
    ret->plans = ARENA_ARRAY(ctx->arena, struct snapshot_plan, rows.count + 1);
    ret->plan_count = rows.count;
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_report_plans *row = &rows.items[i];
        struct snapshot_plan *plan = &ret->plans[i];

        *plan = (struct snapshot_plan){
            .script = row->script,
            .number = row->number,
            .statement_count = row->statement_count,
            .query = row->query,
            .fingerprint = row->fingerprint,
            .used_values = row->used_values,
            .has_plan = row->plan != NULL,
            .problem = row->problem,
        };
        if (row->plan && !explain_read(ctx, row->plan, &plan->plan))
            return false;
    }
    return true;
}

static bool
load_indexes(struct ctx *ctx, struct db *db, struct snapshot *ret)
{
    struct sql_report_indexes_rows rows;

    if (!sql_report_indexes(ctx, db, &rows, .snapshot = ret->id))
        return false;
    ret->indexes = ARENA_ARRAY(ctx->arena, struct snapshot_index, rows.count + 1);
    ret->index_count = rows.count;
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_report_indexes *row = &rows.items[i];

        ret->indexes[i] = (struct snapshot_index){
            .index_id = row->index_id,
            .schema = row->schema,
            .table_name = row->table_name,
            .name = row->name,
            .definition = row->definition,
            .is_valid = row->is_valid,
            .size_bytes = row->size_bytes,
            .scans = row->scans,
        };
    }
    return true;
}

static bool
load_tables(struct ctx *ctx, struct db *db, struct snapshot *ret)
{
    struct sql_report_tables_rows rows;

    if (!sql_report_tables(ctx, db, &rows, .snapshot = ret->id))
        return false;
    ret->tables = ARENA_ARRAY(ctx->arena, struct snapshot_table, rows.count + 1);
    ret->table_count = rows.count;
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_report_tables *row = &rows.items[i];

        ret->tables[i] = (struct snapshot_table){
            .table_id = row->table_id,
            .schema = row->schema,
            .name = row->name,
            .live_rows = row->live_rows,
            .table_bytes = row->table_bytes,
            .index_bytes = row->index_bytes,
            .seq_scans = row->seq_scans,
            .seq_rows_read = row->seq_rows_read,
            .index_scans = row->index_scans,
        };
    }
    return true;
}

static bool
refuse_name(struct ctx *ctx, const char *name, const struct sql_report_snapshots_rows *rows)
{
    struct text_list names = { 0 };

    for (size_t i = 0; i < rows->count; i++)
        text_list_add(ctx->arena, &names, rows->items[i].name);
    error_set(ctx, ERR_NOT_FOUND, "there is no snapshot \"%s\"", name);
    if (names.count == 0)
        return error_hint(ctx, "Take one: pgmend report snapshot %s", name);
    return error_hint(ctx, "There are: %s.", text_list_join(ctx->arena, &names, ", "));
}

bool
snapshot_load(struct ctx *ctx, struct db *db, const char *name, struct snapshot *ret)
{
    struct sql_report_snapshots_rows rows;
    size_t at = 0;

    if (!load_rows(ctx, db, &rows))
        return error_wrap(ctx, "loading snapshot \"%s\"", name);
    while (at < rows.count && !text_equal(rows.items[at].name, name))
        at++;
    if (at == rows.count)
        return refuse_name(ctx, name, &rows);

    const struct sql_report_snapshots *row = &rows.items[at];

    *ret = (struct snapshot){
        .id = row->id,
        .name = row->name,
        .server_version = row->server_version,
        .database_reset = row->database_reset,
        .settings = row->settings,
        .workload = {
            .taken_at = row->taken_at,
            .server_start = row->server_start,
            .stats_reset = row->stats_reset,
            .evicted = row->evicted,
            .most_entries = row->most_entries,
            .hidden = row->hidden,
        },
    };
    if (!load_statements(ctx, db, ret) || !load_plans(ctx, db, ret) ||
        !load_indexes(ctx, db, ret) || !load_tables(ctx, db, ret))
        return error_wrap(ctx, "loading snapshot \"%s\"", name);
    return true;
}
