#include <math.h>

#include "change/journal.h"
#include "db/ident.h"
#include "monitor/kpi/parts.h"
#include "monitor/plain.h"

bool
kpi_refuse_hidden(struct ctx *ctx, const char *role)
{
    error_set(ctx, ERR_RIGHTS, "recording KPIs: this role may not read and write their tables");
    kpi_hint_rights(ctx, role);
    return false;
}

void
kpi_hint_rights(struct ctx *ctx, const char *role)
{
    if (ctx->error.kind == ERR_RIGHTS)
        error_hint(ctx,
            "As their owner: GRANT USAGE ON SCHEMA pgmend TO %s; GRANT SELECT, INSERT, UPDATE ON "
            "pgmend.kpi, pgmend.kpi_value TO %s;",
            role, role);
}

static bool
install(struct ctx *ctx, struct db *db)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct sql_monitor_kpi_exist_rows there;

    if (!sql_monitor_kpi_exist(ctx, db, &there))
        return false;
    if (there.count == 1 && there.items[0].kpis)
        return true;
    if (there.count == 1 && there.items[0].is_made)
        return kpi_refuse_hidden(ctx, db_ident(ctx->arena, db_user(db)));
    if (journal_install(ctx, db) && db_begin(ctx, db, NULL, &transaction) &&
        sql_monitor_create_kpi(ctx, db) && sql_monitor_create_kpi_value(ctx, db) &&
        db_commit(ctx, &transaction))
        return true;
    if (ctx->error.kind == ERR_RIGHTS)
        error_hint(ctx, "GRANT CREATE ON SCHEMA pgmend TO %s;", db_ident(ctx->arena, db_user(db)));
    return error_wrap(ctx, "making the tables of KPIs");
}

/* The name of a plan's goal that looks like this one, or NULL. */
static const char *
similar(const char *name)
{
    const char *best = NULL;
    size_t best_distance = 4;

    for (size_t i = 0; i < kpi_goal_count; i++) {
        size_t distance = text_distance(kpi_goals[i].name, name);

        if (distance < best_distance) {
            best_distance = distance;
            best = kpi_goals[i].name;
        }
    }
    return best;
}

bool
kpi_unknown_name(struct ctx *ctx, const struct kpi_value *values, size_t count)
{
    const char *detail = ctx->error.detail ? ctx->error.detail : "";
    const struct kpi_value *value = &values[0];

    /* Key (name)=(…) is not present in table "kpi". */
    for (size_t i = count; i > 0; i--)
        if (strstr(detail, arena_printf(ctx->arena, "=(%s)", values[i - 1].name)))
            value = &values[i - 1];

    const char *other = similar(value->name);

    error_set(ctx, ERR_INPUT, "there is no KPI \"%s\"", plain_text(ctx->arena, value->name));
    if (value->place)
        error_wrap(ctx, "%s", value->place);
    if (other)
        return error_hint(ctx, "Did you mean \"%s\"?", other);
    return error_hint(ctx, "\"pgmend kpi show\" lists them. To add one of your own: pgmend kpi "
                           "record NAME VALUE --unit UNIT --target VALUE.");
}

bool
kpi_record(struct ctx *ctx, struct db *db, const struct kpi_value *values, size_t count)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct sql_monitor_kpi_definitions_rows definitions;

    if (!kpi_check_values(ctx, values, count) || !install(ctx, db))
        return false;
    if (!sql_monitor_kpi_definitions(ctx, db, &definitions))
        return error_wrap(ctx, "reading the goals");
    if (!kpi_check_units(ctx, values, count, &definitions))
        return false;
    if (!db_begin(ctx, db, NULL, &transaction) ||
        !sql_monitor_kpi_seed(ctx, db, .names = kpi_goal_names(ctx->arena))) {
        kpi_hint_rights(ctx, db_ident(ctx->arena, db_user(db)));
        return error_wrap(ctx, "recording KPIs");
    }
    if (!sql_monitor_kpi_put(ctx, db, .values = kpi_values_text(ctx->arena, values, count))) {
        if (text_equal(ctx->error.sqlstate, "23503"))
            return kpi_unknown_name(ctx, values, count);
        kpi_hint_rights(ctx, db_ident(ctx->arena, db_user(db)));
        return error_wrap(ctx, "recording KPIs");
    }
    return db_commit(ctx, &transaction);
}

static bool
check_name(struct ctx *ctx, const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

    if (length > 0 && length <= 63 && !name[length] && name[0] >= 'a')
        return true;
    error_set(ctx, ERR_INPUT, "\"%s\" cannot be the name of a KPI", name);
    return error_hint(ctx, "It begins with a lower-case letter and has at most 63 letters, digits, "
                           "\"-\" and \"_\".");
}

static bool
check_words(struct ctx *ctx, const struct kpi_definition *definition)
{
    const struct kpi_goal *goal = kpi_goal_find(definition->name);
    const char *unit = definition->unit ? definition->unit : goal ? goal->unit : NULL;

    if ((definition->title && kpi_has_controls(definition->title)) ||
        (unit && kpi_has_controls(unit)))
        return error_set(ctx, ERR_INPUT, "the title or unit of %s has control characters in it",
            definition->name);
    return isnan(definition->target) ||
           kpi_check_sense(ctx, definition->name, definition->target, unit);
}

bool
kpi_define(struct ctx *ctx, struct db *db, const struct kpi_definition *definition)
{
    const char *target =
        isnan(definition->target) ? NULL : arena_printf(ctx->arena, "%.17g", definition->target);

    if (!check_name(ctx, definition->name) || !check_words(ctx, definition) || !install(ctx, db))
        return false;
    if (sql_monitor_kpi_define(ctx, db, .name = definition->name, .title = definition->title,
            .unit = definition->unit, .less_is_better = definition->less_is_better,
            .target = target, .deadline = definition->deadline))
        return true;
    kpi_hint_rights(ctx, db_ident(ctx->arena, db_user(db)));
    return error_wrap(ctx, "keeping the goal %s", definition->name);
}

bool
kpi_load(struct ctx *ctx, struct db *db, struct kpis *ret)
{
    struct kpi_sources sources = { 0 };
    struct sql_monitor_kpi_exist_rows exist;
    struct sql_monitor_kpi_first_change_rows first;

    if (!sql_monitor_kpi_exist(ctx, db, &exist) ||
        !sql_monitor_kpi_database(ctx, db, &sources.database))
        return error_wrap(ctx, "reading KPIs");

    const struct sql_monitor_kpi_exist *there = &exist.items[0];

    sources.grant = there->missing;

    if (there->journal) {
        if (!sql_monitor_kpi_first_change(ctx, db, &first))
            return error_wrap(ctx, "reading when the first change was made");
        sources.first_change_wall_us = first.items[0].at;
    }
    if (there->kpis && (!sql_monitor_kpi_definitions(ctx, db, &sources.definitions) ||
                           !sql_monitor_kpi_values(ctx, db, &sources.values)))
        return error_wrap(ctx, "reading what was recorded of KPIs");
    if (there->snapshots && !sql_monitor_kpi_snapshots(ctx, db, &sources.snapshots))
        return error_wrap(ctx, "reading KPIs from snapshots");
    if (there->stored &&
        !sql_monitor_kpi_stored(ctx, db, &sources.stored, .metrics = kpi_goal_metrics(ctx->arena),
            .first_change = sources.first_change_wall_us))
        return error_wrap(ctx, "reading KPIs from the monitor's tables");
    kpi_make(ctx->arena, &sources, ret);
    return true;
}
