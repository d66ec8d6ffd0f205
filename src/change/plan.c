#include "change/plan.h"

#include <stdlib.h>

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

/*
 * Whether the line tells of a column that the plan itself adds: a run that was cut off after it has
 * to be able to go on. A line is "column <table> <number> <name> <type> …".
 */
static bool
is_of_plan(struct ctx *ctx, const struct plan *plan, const char *line)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct change *change = &plan->items[i];
        const char *start = arena_printf(ctx->arena, "column %u ", change->table_oid);
        const char *name = arena_printf(ctx->arena, " %s ", change->name);

        if (!change_is_of(change, KIND_COLUMN) || !text_starts_with(line, start))
            continue;
        if (text_starts_with(
                line + strlen(start) + strspn(line + strlen(start), "0123456789"), name))
            return true;
    }
    return false;
}

/* Whether the line is about a table that one of these changes partitions: it judges itself, also when half done. */
static bool
is_partitioned_by(const struct plan *plan, size_t first, size_t count, const char *line)
{
    const char *oid = strchr(line, ' ');

    for (size_t i = first; oid && i < first + count; i++)
        if (change_is_of(&plan->items[i], KIND_PARTITION) &&
            strtoul(oid + 1, NULL, 10) == plan->items[i].table_oid)
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
        if (!is_of_plan(ctx, plan, rows.items[i].line) &&
            !is_partitioned_by(plan, first, count, rows.items[i].line))
            buffer_printf(&buffer, "%s\n", rows.items[i].line);
    *ret = sha256_of(ctx->arena, buffer_text(&buffer), buffer.length);
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
plan_check_fresh(struct ctx *ctx, struct db *db, const struct plan *plan)
{
    const char *shape;
    const char *cluster;
    bool is_begun;

    if (!text_equal(plan->database, db_name(db))) {
        error_set(ctx, ERR_STALE, "the plan was made for database \"%s\", this is \"%s\"",
            plan->database, db_name(db));
        return error_state(ctx, "Nothing was changed.");
    }
    if (!journal_system_identifier(ctx, db, &cluster) ||
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
