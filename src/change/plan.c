#include "change/plan.h"

#include "base/crypto.h"
#include "change/journal.h"
#include "change/plan_part.h"
#include "change/step.h"
#include "sql.h"

/* The OIDs of all tables of these changes, as an array literal. */
static const char *
tables_of(struct ctx *ctx, const struct plan *plan, size_t first, size_t count)
{
    struct buffer buffer = { .arena = ctx->arena };

    buffer_add(&buffer, "{");
    for (size_t i = first; i < first + count; i++)
        if (plan->items[i].table_oid)
            buffer_printf(&buffer, "%s%u", buffer.length > 1 ? "," : "", plan->items[i].table_oid);
    buffer_add(&buffer, "}");
    return buffer_text(&buffer);
}

/* Whether the line tells of a column that the plan itself adds: a run that was cut off after it has to be able to go on. */
static bool
is_of_plan(const struct plan *plan, const struct sql_catalog_table_shape *row)
{
    for (size_t i = 0; row->attribute && i < plan->count; i++) {
        const struct change *change = &plan->items[i];

        if (change_is_of(change, KIND_COLUMN) && change->table_oid == row->table_oid &&
            text_equal(change->name, row->attribute))
            return true;
    }
    return false;
}

/* Whether the line is about a table that one of these changes partitions: it judges itself, also when half done. */
static bool
is_partitioned_by(
    const struct plan *plan, size_t first, size_t count, const struct sql_catalog_table_shape *row)
{
    for (size_t i = first; i < first + count; i++)
        if (change_is_of(&plan->items[i], KIND_PARTITION) &&
            plan->items[i].table_oid == row->table_oid)
            return true;
    return false;
}

static bool
digest_shape(struct ctx *ctx, struct db *db, const struct plan *plan, size_t first, size_t count,
    const char **ret)
{
    struct sql_catalog_table_shape_rows rows;
    struct buffer buffer = { .arena = ctx->arena };

    if (!sql_catalog_table_shape(ctx, db, &rows, .tables = tables_of(ctx, plan, first, count)))
        return error_wrap(ctx, "reading the tables' definitions");
    for (size_t i = 0; i < rows.count; i++)
        if (!is_of_plan(plan, &rows.items[i]) &&
            !is_partitioned_by(plan, first, count, &rows.items[i]))
            buffer_printf(&buffer, "%s\n", rows.items[i].line);
    *ret = sha256_of(ctx->arena, buffer_text(&buffer), buffer.length);
    return true;
}

/*
 * A database that was restored from a backup has the same tables under other OIDs. Where no table has the OID of the
 * plan any more, the one of the same name is meant; whether it looks the same is what the digest is for.
 */
static bool
find_tables(struct ctx *ctx, struct db *db, struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct change *change = &plan->items[i];
        const char *params[] = { arena_printf(ctx->arena, "%u", change->table_oid) };
        struct sql_change_table_now_rows rows;
        const char *there;

        if (!change->table_oid || !change->table)
            continue;
        if (!db_value(ctx, db,
                "SELECT c.oid FROM pg_catalog.pg_class AS c WHERE c.oid = $1::pg_catalog.oid",
                params, 1, &there) ||
            (!there && !sql_change_table_now(
                           ctx, db, &rows, .schema = change->schema, .name = change->table)))
            return error_wrap(ctx, "looking for the tables of the plan");
        if (!there && rows.count == 1)
            change->table_oid = rows.items[0].oid;
    }
    return true;
}

bool
plan_seal(struct ctx *ctx, struct db *db, struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        change_compose(ctx->arena, &plan->items[i]);
        if (change_is_pending(&plan->items[i]) && !change_check(ctx, &plan->items[i]))
            return error_wrap(ctx, "sealing the plan");
    }
    if (!plan_check_steps(ctx, plan))
        return error_wrap(ctx, "sealing the plan");
    plan->hash = plan_digest(ctx, plan);
    for (size_t i = 0; i < plan->steps.count; i++) {
        struct plan_step *step = &plan->steps.items[i];

        if (!digest_shape(ctx, db, plan, step->first, step->count, &step->shape))
            return false;
    }
    return digest_shape(ctx, db, plan, 0, plan->count, &plan->shape);
}

static bool
refuse_stale(struct ctx *ctx, const struct plan *plan, const char *what)
{
    error_set(ctx, ERR_STALE,
        "the %s is stale: a table it is about was altered since it was made at %s", what,
        plan->created_at);
    return error_hint(ctx, "Make it again with \"pgmend plan\" and look at it.");
}

bool
plan_check_step_fresh(
    struct ctx *ctx, struct db *db, const struct plan *plan, const struct plan_step *step)
{
    const char *shape;

    if (!digest_shape(ctx, db, plan, step->first, step->count, &shape))
        return false;
    if (text_equal(shape, step->shape))
        return true;
    refuse_stale(ctx, plan, arena_printf(ctx->arena, "step %s of the plan", step->id));
    return error_state(ctx, "Step %s was not begun.", step->id);
}

/* Whether something of the step stands, or stood until it did not hold. */
static bool
was_done(const struct step_record *record)
{
    static const char *const undone[] = { STEP_FAILED, STEP_MANUAL };

    for (size_t i = 0; i < COUNT_OF(undone); i++)
        if (text_equal(record->state, undone[i]))
            return false;
    return !record->why || !text_starts_with(record->why, STEP_WHY_ROLLBACK) ||
           !text_equal(record->state, STEP_UNDONE);
}

/* Its own steps alter tables too. */
static bool
was_begun(struct ctx *ctx, struct db *db, const struct plan *plan, bool *ret)
{
    struct step_records records = { 0 };

    *ret = false;
    if (plan->steps.count > 0 && !step_load(ctx, db, plan->hash, &records))
        return false;
    for (size_t i = 0; i < records.count; i++)
        *ret |= was_done(&records.items[i]);
    return true;
}

bool
plan_check_fresh(struct ctx *ctx, struct db *db, struct plan *plan)
{
    const char *shape;
    const char *cluster;
    bool is_begun;

    if (!text_equal(plan->database, db_name(db))) {
        error_set(ctx, ERR_STALE, "the plan was made for database \"%s\", this is \"%s\"",
            plan->database, db_name(db));
        return error_state(ctx, "Nothing was changed.");
    }
    if (!find_tables(ctx, db, plan) || !journal_system_identifier(ctx, db, &cluster) ||
        !digest_shape(ctx, db, plan, 0, plan->count, &shape) ||
        !was_begun(ctx, db, plan, &is_begun))
        return false;
    if (cluster && plan->system_identifier && !text_equal(cluster, plan->system_identifier)) {
        error_set(ctx, ERR_STALE, "the plan was made on another server");
        return error_state(ctx, "Nothing was changed.");
    }
    if (is_begun || text_equal(shape, plan->shape))
        return true;
    refuse_stale(ctx, plan, "plan");
    return error_state(ctx, "Nothing was changed.");
}

size_t
plan_count(const struct plan *plan, enum change_action action)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++)
        count += plan->items[i].action == action;
    return count;
}

size_t
plan_pending(const struct plan *plan)
{
    return plan_count(plan, ACTION_CREATE) + plan_count(plan, ACTION_REPAIR);
}
