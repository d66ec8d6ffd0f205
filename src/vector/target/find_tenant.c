/* Which column tells whose rows a search looks at. */
#include "db/ident.h"
#include "vector/target/find.h"
#include "vector/target/shape.h"

/* The usual names, finest first, for when nothing else tells. */
static const char *const usual_names[] = { "assistant_id", "agent_id", "bot_id", "tenant_id",
    "workspace_id", "project_id", "organization_id", "organisation_id", "org_id", "company_id",
    "customer_id", "account_id", "team_id", "user_id" };

struct choice {
    const struct sql_vector_target_attributes *attribute;
    int64_t calls;
};
struct choices {
    struct choice *items;
    size_t count;
    size_t capacity;
};

static void
add_choice(struct found_column *column, struct choices *choices, const char *name, int64_t calls)
{
    const struct sql_vector_target_attributes *attribute = found_attribute(column, name);

    /* A unique column finds a row, and a truth or a type is a filter. */
    if (!attribute || attribute->is_unique || strcmp(attribute->category, "B") == 0 ||
        strcmp(attribute->name, column->row->column_name) == 0)
        return;
    for (size_t i = 0; i < choices->count; i++) {
        if (choices->items[i].attribute == attribute) {
            choices->items[i].calls += calls;
            return;
        }
    }
    VEC_PUSH(column->finder->ctx->arena, choices,
        (struct choice){ .attribute = attribute, .calls = calls });
}

static size_t
usual_rank(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(usual_names); i++)
        if (strcmp(usual_names[i], name) == 0)
            return i;
    return COUNT_OF(usual_names);
}

/* The number of different values, as far as the statistics tell; -1 of n rows is n. */
static double
distinct_values(const struct found_column *column, const struct choice *choice)
{
    double rows = column->row->rows > 0 ? (double)column->row->rows : 1;

    return choice->attribute->distinct < 0 ? -choice->attribute->distinct * rows
                                           : choice->attribute->distinct;
}

/* Foreign keys first, then what is asked for most, then what parts the rows finer. */
static int
compare(const struct found_column *column, const struct choice *a, const struct choice *b)
{
    double few_a = distinct_values(column, a), few_b = distinct_values(column, b);

    if (a->attribute->is_foreign != b->attribute->is_foreign)
        return a->attribute->is_foreign ? -1 : 1;
    if (a->calls > b->calls + b->calls / 4 || b->calls > a->calls + a->calls / 4)
        return a->calls > b->calls ? -1 : 1;

    size_t rank_a = usual_rank(a->attribute->name), rank_b = usual_rank(b->attribute->name);

    if (rank_a != rank_b)
        return rank_a < rank_b ? -1 : 1;
    if (few_a > few_b * 2 || few_b > few_a * 2)
        return few_a > few_b ? -1 : 1;
    return 0;
}

/* Takes the best, or tells that it is not clear. */
static bool
take(struct found_column *column, const struct choices *choices, const char *reason)
{
    struct arena *arena = column->finder->ctx->arena;
    const struct choice *best = NULL;

    for (size_t i = 0; i < choices->count; i++)
        if (!best || compare(column, &choices->items[i], best) < 0)
            best = &choices->items[i];
    if (!best)
        return false;
    for (size_t i = 0; i < choices->count; i++)
        if (&choices->items[i] != best && compare(column, &choices->items[i], best) == 0)
            text_list_add(arena, &column->ambiguous, choices->items[i].attribute->name);
    if (column->ambiguous.count > 0) {
        text_list_add(arena, &column->ambiguous, best->attribute->name);
        text_list_add(arena, &column->reasons, "tenant: not clear");
        return true;
    }
    column->target.tenant = best->attribute->name;
    column->target.tenant_type = best->attribute->type;
    text_list_add(arena, &column->reasons, arena_printf(arena, "tenant: %s", reason));
    return true;
}

static void
from_searches(struct found_column *column, struct choices *ret)
{
    for (size_t i = 0; i < column->searches.count; i++) {
        const struct found_search *search = column->searches.items[i];

        for (size_t k = 0; k < search->shape.equal.count; k++)
            add_choice(column, ret, search->shape.equal.items[k], search->calls);
    }
}

/* A condition on a small set of values beside the tenant: a type, a language. */
static bool
is_a_kind(const struct found_column *column, const struct sql_vector_target_attributes *attribute)
{
    enum { FEW = 8 };

    return !attribute->is_foreign && usual_rank(attribute->name) == COUNT_OF(usual_names) &&
           attribute->distinct > 0 && attribute->distinct <= FEW && column->row->rows > 0;
}

static void
drop_kinds(struct found_column *column, struct choices *choices)
{
    size_t kept = 0;

    for (size_t i = 0; i < choices->count; i++)
        if (!is_a_kind(column, choices->items[i].attribute))
            choices->items[kept++] = choices->items[i];
    choices->count = kept;
}

/* Other statements on the table show what belongs together too, by their foreign keys. */
static void
from_others(struct found_column *column, struct choices *ret)
{
    struct finder *finder = column->finder;

    for (size_t i = 0; i < finder->workload.others.count; i++) {
        const struct found_statement *statement = &finder->workload.others.items[i];
        const char *names[] = {
            db_ident(finder->ctx->arena, column->row->table_name),
            db_qualified(finder->ctx->arena, column->row->schema, column->row->table_name),
        };

        for (size_t n = 0; n < COUNT_OF(names); n++) {
            struct vector_shape shape;

            if (!strstr(statement->query, column->row->table_name) ||
                !finder_is_table(finder, names[n], column->row))
                continue;
            shape_conditions(finder->ctx, statement->query, names[n], &shape);
            for (size_t k = 0; k < shape.equal.count; k++)
                add_choice(column, ret, shape.equal.items[k], statement->calls);
        }
    }
}

static void
keep_foreign(struct choices *choices)
{
    size_t kept = 0;

    for (size_t i = 0; i < choices->count; i++)
        if (choices->items[i].attribute->is_foreign)
            choices->items[kept++] = choices->items[i];
    choices->count = kept;
}

static bool
from_columns(struct found_column *column)
{
    struct arena *arena = column->finder->ctx->arena;
    struct choices leading = { 0 }, foreign = { 0 };

    for (size_t i = 0; i < column->attributes.count; i++) {
        const struct sql_vector_target_attributes *attribute = &column->attributes.items[i];

        if (!attribute->is_foreign)
            continue;
        add_choice(column, &foreign, attribute->name, 0);
        if (attribute->lead_index)
            add_choice(column, &leading, attribute->name, 0);
    }
    return take(column, &leading, "a foreign key that an index begins with") ||
           take(column, &foreign,
               arena_printf(arena, "%s",
                   foreign.count == 1 ? "the only foreign key" : "a foreign key, by its name"));
}

static bool
take_wish(struct found_column *column, const char *name)
{
    struct ctx *ctx = column->finder->ctx;
    const struct sql_vector_target_attributes *attribute = found_attribute(column, name);
    struct text_list names = { 0 };

    if (attribute && strcmp(attribute->name, column->row->column_name) != 0) {
        column->target.tenant = attribute->name;
        column->target.tenant_type = attribute->type;
        text_list_add(ctx->arena, &column->reasons, "tenant: option");
        return true;
    }
    for (size_t i = 0; i < column->attributes.count; i++)
        if (strcmp(column->attributes.items[i].name, column->row->column_name) != 0)
            text_list_add(ctx->arena, &names, column->attributes.items[i].name);
    error_set(ctx, ERR_USAGE, "--tenant: %s has no such column \"%s\"",
        vector_table(ctx->arena, &column->target), name);
    return error_hint(ctx, "It has: %s.", text_list_join(ctx->arena, &names, ", "));
}

bool
found_tenant(struct found_column *column)
{
    const struct vector_wish *wish = column->finder->wish;
    struct arena *arena = column->finder->ctx->arena;
    struct choices choices = { 0 };

    if (wish && wish->tenant && *wish->tenant == '\0') {
        text_list_add(arena, &column->reasons, "no tenant: option");
        return true;
    }
    if (wish && wish->tenant)
        return take_wish(column, wish->tenant);
    from_searches(column, &choices);
    drop_kinds(column, &choices);
    if (take(column, &choices, "the searches in pg_stat_statements"))
        return true;
    if (column->searches.count > 0) {
        text_list_add(arena, &column->reasons, "no tenant: the searches compare no column");
        return true;
    }
    choices.count = 0;
    from_others(column, &choices);
    keep_foreign(&choices);
    if (take(column, &choices, "other statements in pg_stat_statements") || from_columns(column))
        return true;
    text_list_add(arena, &column->reasons, "no tenant: no search, no foreign key");
    return true;
}
