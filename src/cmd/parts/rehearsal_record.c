#include "cmd/parts/rehearsal_record.h"

#include "change/journal.h"
#include "sql.h"

static const double most_growth = 1.2;
/* A few rows more of hardly any say nothing. */
static const double least_rows = 1000;

static const char *
value_name(struct arena *arena, const char *plan_hash)
{
    return arena_printf(arena, "rehearsal %s", plan_hash);
}

bool
rehearsal_save(struct ctx *ctx, struct db *db, const char *plan_hash, const json_t *record)
{
    if (!journal_install(ctx, db) ||
        !sql_change_put_value(ctx, db, .name = value_name(ctx->arena, plan_hash),
            .value = json_text(ctx->arena, record)))
        return error_wrap(ctx, "keeping what the rehearsal measured");
    return true;
}

bool
rehearsal_load(struct ctx *ctx, struct db *db, const char *plan_hash, json_t **ret)
{
    struct sql_change_value_rows rows;

    *ret = NULL;
    if (!sql_change_value(ctx, db, &rows, .name = value_name(ctx->arena, plan_hash)))
        return error_wrap(ctx, "looking for a rehearsal");
    return rows.count != 1 || json_parse(ctx, "rehearsal", rows.items[0].value, ret);
}

bool
rehearsal_measure(struct ctx *ctx, struct db *db, double *ret_rows, int64_t *ret_bytes)
{
    struct sql_staging_volume_rows rows;

    if (!sql_staging_volume(ctx, db, &rows) || rows.count != 1)
        return error_wrap(ctx, "measuring the database");
    *ret_rows = rows.items[0].rows;
    *ret_bytes = rows.items[0].bytes;
    return true;
}

bool
rehearsal_is_outgrown(struct ctx *ctx, struct db *db, const char *plan_hash, const char **ret)
{
    json_t *record CLEANUP(json_release) = NULL;
    struct arena *arena = ctx->arena;
    double rows_now;
    int64_t bytes_now;

    *ret = NULL;
    if (!rehearsal_load(ctx, db, plan_hash, &record))
        return false;
    if (!record || !json_get_bool(record, "with_rows", false))
        return true;
    if (!rehearsal_measure(ctx, db, &rows_now, &bytes_now))
        return false;

    double rows = json_get_double(record, "rows", 0);
    int64_t bytes = json_get_int(record, "database_bytes", 0);

    if (rows >= least_rows && rows_now > most_growth * rows)
        *ret = arena_printf(arena,
            "the database has %s rows now, %.0f %% more than were rehearsed (%s): it may take longer "
            "and need more room than measured",
            text_from_count(arena, (int64_t)rows_now), 100 * (rows_now / rows - 1),
            text_from_count(arena, (int64_t)rows));
    else if (bytes > 0 && (double)bytes_now > most_growth * (double)bytes)
        *ret = arena_printf(arena,
            "the database has %s now, %.0f %% more than when it was rehearsed (%s): it may take "
            "longer and need more room than measured",
            text_from_bytes(arena, bytes_now), 100 * ((double)bytes_now / (double)bytes - 1),
            text_from_bytes(arena, bytes));
    return true;
}
