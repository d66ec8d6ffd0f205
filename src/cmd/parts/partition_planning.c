#include "cmd/parts/partition_planning.h"

#include "base/clock.h"
#include "change/journal.h"
#include "change/judge.h"
#include "sql.h"

bool
partition_planning_find(struct ctx *ctx, struct db *db, const char *name, const char **ret_schema,
    const char **ret_table)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct sql_catalog_table_rows rows;

    if (!db_begin(ctx, db, NULL, &transaction) || !db_use_own_path(ctx, db) ||
        !sql_catalog_table(ctx, db, &rows, .name = name))
        return false;
    if (rows.count != 1)
        return error_set(ctx, ERR_NOT_FOUND, "table %s does not exist", name);
    *ret_schema = rows.items[0].schema;
    *ret_table = rows.items[0].name;
    return true;
}

static bool
begin(struct ctx *ctx, struct db *db, struct plan *ret)
{
    *ret = (struct plan){
        .database = db_name(db),
        .server_version = db_version_text(db),
        .created_at = clock_text(ctx->arena, clock_wall_us()),
    };
    return db_require_primary(ctx, db) &&
           journal_system_identifier(ctx, db, &ret->system_identifier);
}

bool
partition_planning_table(
    struct ctx *ctx, struct db *db, const struct partition_wish *wish, struct plan *ret)
{
    struct change change;
    struct journal_entries journal;

    if (!begin(ctx, db, ret) || !journal_load(ctx, db, &journal) ||
        !partition_change(ctx, db, wish, &change))
        return error_wrap(ctx, "planning");
    if (change.action != ACTION_BLOCKED && !change_judge(ctx, db, &journal, &change))
        return error_wrap(ctx, "planning");
    change.reason = arena_printf(ctx->arena,
        "old rows stay in one partition, a partition a %s from %s", wish->unit, change.expression);
    VEC_PUSH(ctx->arena, ret, change);
    return plan_seal(ctx, db, ret);
}

bool
partition_planning_extend(
    struct ctx *ctx, struct db *db, const struct partition_wish *wish, struct plan *ret)
{
    return begin(ctx, db, ret) && partition_extend(ctx, db, wish, ret) && plan_seal(ctx, db, ret);
}
