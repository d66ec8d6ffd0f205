#include "vector/stage/stage.h"

#include "base/interrupt.h"
#include "base/map.h"
#include "db/ident.h"
#include "sql.h"
#include "vector/stage/stage_parts.h"

/* To find the tenants of logged questions by an exact pass over the copy: some ten seconds. */
static const int64_t MOST_DISTANCES = INT64_C(20000000000);

static bool
count_tenants(struct ctx *ctx, struct staging *staging)
{
    struct vector_sizes *sizes = &staging->stage->sizes;
    struct sql_vector_stage_table_rows table;
    const char *name = vector_table(ctx->arena, staging->target);

    if (!vector_sizes_load(ctx, staging->live, staging->target, sizes) ||
        !sql_vector_stage_table(
            ctx, staging->live, &table, .table_oid = staging->target->table_oid))
        return false;
    if (sizes->tenants.count == 0 && sizes->null_rows > 0)
        return error_set(ctx, ERR_INPUT,
            "no row of %s has a tenant in column \"%s\": there is nothing to search for", name,
            staging->target->tenant);
    if (sizes->tenants.count == 0)
        return error_set(ctx, ERR_INPUT,
            "no row of %s has a vector in column \"%s\": there is nothing to measure", name,
            staging->target->column);
    staging->row_bytes =
        table.count > 0 ? table.items[0].bytes / (sizes->rows + sizes->null_rows) + 1 : 1;
    return true;
}

/* The tenants that the file names come first, as far as they are there. */
static bool *
find_preferred(
    struct arena *arena, const struct vector_sizes *sizes, const struct stage_given *given)
{
    bool *preferred = ARENA_ARRAY(arena, bool, sizes->tenants.count);
    struct map names = { .arena = arena };

    for (size_t i = 0; i < given->count; i++)
        if (given->items[i].tenant)
            map_set(&names, given->items[i].tenant, preferred);
    for (size_t i = 0; i < sizes->tenants.count; i++)
        preferred[i] =
            sizes->tenants.items[i].value && map_get(&names, sizes->tenants.items[i].value);
    return preferred;
}

static bool
choose_tenants(struct ctx *ctx, struct staging *staging, const struct stage_given *given)
{
    const struct vector_stage_options *options = staging->options;
    struct vector_sizes *sizes = &staging->stage->sizes;
    struct stage_limit limit = {
        .rows = options->most_rows > 0 ? options->most_rows : INT64_MAX / (staging->row_bytes + 1),
        .row_bytes = staging->row_bytes,
    };
    struct text_list *notes = &staging->stage->notes;
    struct stage_sample *sample = &staging->sample;

    if (options->most_bytes > 0 && options->most_bytes / staging->row_bytes < limit.rows)
        limit.rows = options->most_bytes / staging->row_bytes;
    if (!stage_sample_choose(
            ctx, sizes, &limit, find_preferred(ctx->arena, sizes, given), &staging->random, sample))
        return false;
    if (!sample->is_whole)
        text_list_add(ctx->arena, notes,
            arena_printf(ctx->arena, "%s of %s tenants were copied, %s of %s rows",
                text_from_count(ctx->arena, (int64_t)sample->count),
                text_from_count(ctx->arena, (int64_t)sizes->tenants.count),
                text_from_count(ctx->arena, sample->rows),
                text_from_count(ctx->arena, sizes->rows)));
    if (sizes->null_rows > 0)
        text_list_add(ctx->arena, notes,
            arena_printf(ctx->arena, "%s rows have no tenant: no search by tenant finds them",
                text_from_count(ctx->arena, sizes->null_rows)));
    return true;
}

/* Rows that became questions leave the copy, so that no answer is the question itself. */
static bool
remove_held(struct ctx *ctx, struct staging *staging, const struct text_list *held)
{
    const struct vector_target *copy = &staging->stage->target;
    const char *params[] = { stage_array(ctx->arena, held) };
    struct result result;

    if (held->count == 0)
        return true;
    if (!db_query(ctx, staging->stage->db,
            arena_printf(ctx->arena,
                "DELETE FROM %s WHERE %s OPERATOR(pg_catalog.=) ANY"
                " ($1::pg_catalog.text[]::%s[])",
                vector_table(ctx->arena, copy), db_ident(ctx->arena, copy->key), copy->key_type),
            params, 1, &result))
        return error_wrap(ctx, "taking the questions out of the copy");
    if (result.affected != (int64_t)held->count)
        return error_set(ctx, ERR_FAILED,
            "%zu rows were to be taken out of the copy, and %lld were", held->count,
            (long long)result.affected);
    staging->stage->rows -= result.affected;
    return true;
}

static bool
make_questions(struct ctx *ctx, struct staging *staging, const struct stage_given *given)
{
    struct vector_stage *stage = staging->stage;
    struct asking asking = {
        .db = stage->db,
        .target = &stage->target,
        .sizes = &stage->sizes,
        .options = staging->options,
        .observer = staging->observer,
        .sample = &staging->sample,
        .random = &staging->random,
        .may_hold_out = true,
        .most_distances = MOST_DISTANCES,
        .notes = &stage->notes,
        .queries = &stage->queries,
    };

    return stage_questions_make(ctx, staging->live, &asking, given) &&
           remove_held(ctx, staging, &asking.held);
}

/* The copy as autovacuum would leave it: all visible, with statistics. */
static bool
finish_table(struct ctx *ctx, struct staging *staging)
{
    struct vector_target *copy = &staging->stage->target;
    struct sql_vector_stage_table_rows table;
    const char *name = vector_table(ctx->arena, copy);

    vector_progress(staging->observer, "vacuuming the copy", -1, -1);
    if (!db_exec(ctx, staging->stage->db,
            arena_printf(ctx->arena, "ALTER TABLE %s ADD PRIMARY KEY (%s)", name,
                db_ident(ctx->arena, copy->key))) ||
        !db_exec(ctx, staging->stage->db, arena_printf(ctx->arena, "VACUUM (ANALYZE) %s", name)) ||
        !sql_vector_stage_table(ctx, staging->stage->db, &table, .table_oid = copy->table_oid))
        return error_wrap(ctx, "finishing the copy");
    copy->rows = staging->stage->rows;
    copy->table_bytes = table.items[0].heap_bytes;
    copy->toast_bytes = table.items[0].toast_bytes;
    staging->stage->bytes = table.items[0].bytes;
    return true;
}

static void
make_reader(struct staging *staging, struct asking *ret)
{
    *ret = (struct asking){
        .target = staging->target,
        .sizes = &staging->stage->sizes,
        .options = staging->options,
        .random = &staging->random,
        .notes = &staging->stage->notes,
    };
}

static bool
open_stage(struct ctx *ctx, struct staging *staging)
{
    struct stage_given given = { 0 };
    struct asking reader;

    /* What is wrong with the wishes shows before anything is made. */
    make_reader(staging, &reader);
    return scratch_heal(ctx, staging->options->server, &staging->stage->notes) &&
           count_tenants(ctx, staging) && stage_file_read(ctx, &reader, &given) &&
           stage_log_check(ctx, staging->live, &reader) && choose_tenants(ctx, staging, &given) &&
           stage_table_create(ctx, staging) && stage_room_check(ctx, staging) &&
           stage_rows_copy(ctx, staging) && make_questions(ctx, staging, &given) &&
           finish_table(ctx, staging);
}

/*
 * After a failure. The table goes first: on a full disk the server cannot drop a database, because
 * that needs a checkpoint, until something has made room.
 */
static void
clean_up(struct ctx *ctx, struct staging *staging)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx apart = { .arena = arena };
    struct vector_stage *stage = staging->stage;
    const char *params[] = { stage->scratch.name };
    const char *is_left = NULL;
    int signal_number = interrupt_take();

    if (stage->db && db_is_connected(stage->db) && stage->target.table)
        (void)!db_exec(&apart, stage->db,
            arena_printf(arena, "DROP TABLE IF EXISTS %s", vector_table(arena, &stage->target)));
    vector_stage_close(stage);
    if (!params[0] || (db_value(&apart, staging->options->server,
                           "SELECT pg_catalog.count(*) FROM pg_catalog.pg_database AS d WHERE"
                           " d.datname OPERATOR(pg_catalog.=) $1::pg_catalog.name",
                           params, 1, &is_left) &&
                          text_equal(is_left, "0")))
        error_state(ctx, "Nothing was changed in the live database, and no copy is left.");
    else
        error_state(ctx,
            "Nothing was changed in the live database. The scratch database %s may be left: the "
            "next run removes it.",
            params[0]);
    if (signal_number)
        interrupt_put(signal_number);
}

bool
vector_stage_open(struct ctx *ctx, struct db *live, const struct vector_target *target,
    const struct vector_stage_options *options, const struct vector_observer *observer,
    struct vector_stage *ret)
{
    struct staging staging = {
        .live = live,
        .target = target,
        .options = options,
        .observer = observer,
        .stage = ret,
        .random = stage_random_new(options->seed),
    };

    *ret = (struct vector_stage){ 0 };
    if (!open_stage(ctx, &staging)) {
        clean_up(ctx, &staging);
        return false;
    }
    ret->is_whole = staging.sample.is_whole;
    return true;
}

void
vector_stage_close(struct vector_stage *stage)
{
    db_close(stage->db);
    stage->db = NULL;
    scratch_drop(&stage->scratch);
}
