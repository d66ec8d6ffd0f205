#include "index/state/plan.h"

#include "base/clock.h"
#include "change/estimate.h"
#include "change/judge.h"
#include "sql.h"

/* What is done besides reading and writing: waiting for snapshots, twice. */
enum { FIXED_US = 200000 };

void
index_state_change(struct arena *arena, const struct index_state *index, const char *kind,
    const char *reason, struct change *ret)
{
    const struct sql_index_state_indexes *row = index->row;

    *ret = (struct change){
        .kind = kind,
        .schema = row->table_schema,
        .table = row->table_name,
        .table_oid = row->table_oid,
        .name = row->name,
        .definition = row->definition,
        .access_method = row->method,
        /* A rebuild enforces what the index that is there enforces already. */
        .is_unique = row->is_unique && !text_equal(kind, KIND_REINDEX),
        .undo = text_equal(kind, KIND_DROP) && !index_state_is_good(index)
                    ? "nothing: no query could use it"
                    : NULL,
        .reason = reason,
        .source = index->object,
        .table_rows = (int64_t)row->table_rows,
        .table_bytes = row->table_bytes,
        .bytes = text_equal(kind, KIND_REINDEX) ? index->bytes : 0,
        .action = ACTION_CREATE,
    };
    change_compose(arena, ret);
}

static void
estimate(struct ctx *ctx, const struct journal_entries *journal, struct change *change)
{
    double rate = estimate_build_rate(ctx, journal, change->access_method);

    change->wal_bytes = change->bytes;
    if (rate > 0)
        change->us =
            FIXED_US + (int64_t)((double)(change->table_bytes + change->bytes) / rate * 1e6);
}

bool
index_state_plan(struct ctx *ctx, struct db *db, struct plan *plan)
{
    struct journal_entries journal;

    plan->database = db_name(db);
    plan->server_version = db_version_text(db);
    plan->created_at = clock_text(ctx->arena, clock_wall_us());
    if (!journal_system_identifier(ctx, db, &plan->system_identifier) ||
        !journal_load(ctx, db, &journal))
        return false;
    for (size_t i = 0; i < plan->count; i++) {
        struct change *change = &plan->items[i];

        if (!change_judge(ctx, db, &journal, change))
            return error_wrap(ctx, "looking at %s", change_object(ctx->arena, change));
        if (change_is_of(change, KIND_REINDEX))
            estimate(ctx, &journal, change);
    }
    return plan_seal(ctx, db, plan);
}
