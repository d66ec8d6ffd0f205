/* What rules mean in a database: which columns, and whether each can be masked that way. */
#include "db/ident.h"
#include "sql.h"
#include "staging/mask.h"

struct resolve {
    struct ctx *ctx;
    const struct mask_rules *rules;
    struct sql_staging_mask_columns_rows found;
    struct sql_staging_mask_links_rows links;
    struct mask_plan *plan;
    bool *is_used; /* by rule */
};

static bool
matches(const struct mask_rule *rule, const struct sql_staging_mask_columns *row)
{
    return mask_rule_matches(rule, row->schema, row->name, row->attribute) ||
           mask_rule_matches(rule, row->root_schema, row->root_name, row->attribute);
}

/* The rule of a column; NULL: none. Two that say different things are ERR_INPUT. */
static bool
choose_rule(
    struct resolve *work, const struct sql_staging_mask_columns *row, const struct mask_rule **ret)
{
    const struct mask_rule *best = NULL;

    for (size_t i = 0; i < work->rules->items.count; i++) {
        const struct mask_rule *rule = &work->rules->items.items[i];

        if (!matches(rule, row))
            continue;
        work->is_used[i] = true;
        if (best && best->is_pattern == rule->is_pattern &&
            (best->kind != rule->kind || !text_equal(best->value, rule->value))) {
            mask_refuse(work->ctx, work->rules, rule,
                "%s.%s is masked as \"%s\" here and as \"%s\" in line %d",
                db_qualified(work->ctx->arena, row->schema, row->name), row->attribute,
                mask_kind_name(rule->kind), mask_kind_name(best->kind), (int)best->line);
            return error_hint(
                work->ctx, "A rule without * and ? goes before those that have them.");
        }
        if (!best || (best->is_pattern && !rule->is_pattern))
            best = rule;
    }
    *ret = best;
    return true;
}

static bool
add_columns(struct resolve *work)
{
    for (size_t i = 0; i < work->found.count; i++) {
        const struct sql_staging_mask_columns *row = &work->found.items[i];
        const struct mask_rule *rule;

        if (!choose_rule(work, row, &rule))
            return false;
        /* What is generated follows what it is generated from. */
        if (!rule || rule->kind == MASK_KEEP || (row->is_generated && rule->is_pattern))
            continue;

        const char *name = arena_printf(work->ctx->arena, "%s.%s",
            db_qualified(work->ctx->arena, row->schema, row->name), row->attribute);

        if (row->is_generated)
            return mask_refuse(work->ctx, work->rules, rule,
                "%s is generated: mask the columns that it is generated from", name);
        if (row->is_partition_key)
            return mask_refuse(work->ctx, work->rules, rule,
                "%s decides in which partition a row is, so it cannot be masked", name);
        VEC_PUSH(work->ctx->arena, &work->plan->columns,
            (struct mask_column){
                .rule = rule,
                .schema = row->schema,
                .table = row->name,
                .root_schema = row->root_schema,
                .root_table = row->root_name,
                .name = row->attribute,
                .type = row->type,
                .base = row->base,
                .max_length = row->max_length,
                .is_not_null = row->is_not_null,
                .is_unique = row->is_unique,
                .has_triggers = row->has_triggers,
                .pages = row->pages,
            });
    }
    return true;
}

/* ---- rules that match nothing ---- */

static const char *
most_alike(struct resolve *work, const struct mask_rule *rule)
{
    const char *best = NULL;
    size_t least = strlen(rule->name) / 2 + 1;

    for (size_t i = 0; i < work->found.count; i++) {
        const struct sql_staging_mask_columns *row = &work->found.items[i];
        const char *full = arena_printf(
            work->ctx->arena, "%s.%s.%s", row->root_schema, row->root_name, row->attribute);
        size_t distance = text_distance(rule->name, full);
        size_t brief = text_distance(rule->name, full + strlen(row->root_schema) + 1);

        if (brief < distance)
            distance = brief;
        if (distance < least) {
            least = distance;
            best = full;
        }
    }
    return best;
}

static bool
refuse_unused(struct resolve *work)
{
    for (size_t i = 0; i < work->rules->items.count; i++) {
        const struct mask_rule *rule = &work->rules->items.items[i];
        const char *alike;

        if (work->is_used[i])
            continue;
        mask_refuse(work->ctx, work->rules, rule, "no column is called %s", rule->name);
        alike = most_alike(work, rule);
        return alike ? error_hint(work->ctx, "Did you mean %s?", alike) : false;
    }
    return true;
}

/* ---- keys ---- */

static bool
is_column(const struct mask_column *column, const char *schema, const char *table, const char *name)
{
    return text_equal(column->name, name) &&
           ((text_equal(column->schema, schema) && text_equal(column->table, table)) ||
               (text_equal(column->root_schema, schema) && text_equal(column->root_table, table)));
}

static struct mask_column *
find_column(struct resolve *work, const char *schema, const char *table, const char *name)
{
    for (size_t i = 0; i < work->plan->columns.count; i++)
        if (is_column(&work->plan->columns.items[i], schema, table, name))
            return &work->plan->columns.items[i];
    return NULL;
}

/* One end is masked and the other is not, or otherwise: a line for the rules file. */
static const char *
missing_line(struct arena *arena, const struct sql_staging_mask_links *link,
    const struct mask_column *from, const struct mask_column *to)
{
    if (!from)
        return arena_printf(arena, "%s.%s.%s = %s", link->schema, link->table_name, link->attribute,
            mask_kind_name(to->rule->kind));
    return arena_printf(arena, "%s.%s.%s = %s", link->to_schema, link->to_table, link->to_attribute,
        mask_kind_name(from->rule->kind));
}

/* Whether a link is as it should be; else its other end has to be named. */
static bool
is_linked(const struct resolve *work, const struct sql_staging_mask_links *link,
    const struct mask_column *from, const struct mask_column *to)
{
    if (from && to && !text_list_has(&work->plan->orphans, link->orphans))
        text_list_add(work->ctx->arena, &work->plan->orphans, link->orphans);
    return (!from && !to) || (from && to) || (from && from->rule->kind == MASK_NULL);
}

static bool
check_links(struct resolve *work)
{
    struct arena *arena = work->ctx->arena;
    struct text_list missing = { 0 };
    const struct mask_rule *rule = NULL;

    for (size_t i = 0; i < work->links.count; i++) {
        const struct sql_staging_mask_links *link = &work->links.items[i];
        const struct mask_column *from =
            find_column(work, link->schema, link->table_name, link->attribute);
        const struct mask_column *to =
            find_column(work, link->to_schema, link->to_table, link->to_attribute);

        if (from && to && from->rule->kind != to->rule->kind)
            return mask_refuse(work->ctx, work->rules, from->rule,
                "%s.%s refers to %s.%s, which is masked as \"%s\" and not as \"%s\"",
                link->table_name, link->attribute, link->to_table, link->to_attribute,
                mask_kind_name(to->rule->kind), mask_kind_name(from->rule->kind));
        if (is_linked(work, link, from, to))
            continue;
        rule = from ? from->rule : to->rule;

        const char *line = missing_line(arena, link, from, to);

        if (!text_list_has(&missing, line))
            text_list_add(arena, &missing, line);
    }
    if (missing.count == 0)
        return true;
    mask_refuse(work->ctx, work->rules, rule,
        "a foreign key would point to nothing: its other end is not masked");
    return error_hint(work->ctx, "Add: %s", text_list_join(arena, &missing, "; "));
}

/* Both ends of a key get the same text, so it has to fit both; until nothing gets smaller any more. */
static void
share_lengths(struct resolve *work)
{
    bool is_changed = true;

    while (is_changed) {
        is_changed = false;
        for (size_t i = 0; i < work->links.count; i++) {
            const struct sql_staging_mask_links *link = &work->links.items[i];
            struct mask_column *from =
                find_column(work, link->schema, link->table_name, link->attribute);
            struct mask_column *to =
                find_column(work, link->to_schema, link->to_table, link->to_attribute);

            if (!from || !to || from->max_length == to->max_length)
                continue;
            if (from->max_length == 0 || (to->max_length > 0 && to->max_length < from->max_length))
                from->max_length = to->max_length;
            else
                to->max_length = from->max_length;
            is_changed = true;
        }
    }
}

static size_t
count_columns(const struct mask_plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->columns.count; i++) {
        const struct mask_column *column = &plan->columns.items[i];
        bool is_first = true;

        for (size_t j = 0; j < i; j++)
            is_first &= !is_column(
                &plan->columns.items[j], column->root_schema, column->root_table, column->name);
        count += is_first;
    }
    return count;
}

bool
mask_resolve(struct ctx *ctx, struct db *db, const struct mask_rules *rules, struct mask_plan *ret)
{
    struct resolve work = { .ctx = ctx, .rules = rules, .plan = ret };

    *ret = (struct mask_plan){ .rules = rules };
    work.is_used = ARENA_ARRAY(ctx->arena, bool, rules->items.count + 1);
    if (!sql_staging_mask_columns(ctx, db, &work.found) ||
        !sql_staging_mask_links(ctx, db, &work.links))
        return error_wrap(ctx, "looking at the columns to be masked");
    if (!add_columns(&work) || !refuse_unused(&work) || !check_links(&work))
        return false;
    share_lengths(&work);
    for (size_t i = 0; i < ret->columns.count; i++)
        if (!mask_compose(ctx, rules, &ret->columns.items[i]))
            return false;
    ret->kinds_of_columns = count_columns(ret);
    return true;
}
