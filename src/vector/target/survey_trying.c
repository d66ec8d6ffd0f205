/* Which tenants the searches are tried for, and how they are planned. */
#include "vector/target/survey_trial.h"

enum { OF_A_BUCKET = 3, WITHOUT_TENANT = 5 };

static bool
add_asked(struct trying *trying, const struct vector_tenant *tenant, int64_t skip)
{
    struct asked asked = { .tenant = tenant };

    if (trying->count == MOST_ASKED)
        return true;
    if (!trial_vector(trying->column, tenant->value, skip, &asked.vector))
        return survey_goes_on(trying->column, "taking a vector to search for");
    if (asked.vector)
        trying->items[trying->count++] = asked;
    return true;
}

/* The first tenant of a bucket, as they are sorted by size, and how many there are. */
static size_t
bucket_start(const struct vector_sizes *sizes, size_t bucket)
{
    size_t i = 0;

    while (i < sizes->tenants.count && sizes->tenants.items[i].bucket != bucket)
        i++;
    return i;
}

/* The largest, the middle and the smallest tenant of each bucket, large ones first. */
bool
trying_choose(struct trying *trying)
{
    const struct vector_sizes *sizes = &trying->column->facts->sizes;

    if (!trying->column->found.target.tenant) {
        trying->whole.rows = sizes->rows;
        for (int64_t i = 0; sizes->rows > 0 && i < WITHOUT_TENANT; i++)
            if (!add_asked(trying, &trying->whole, i * (sizes->rows / WITHOUT_TENANT / 10)))
                return false;
        return true;
    }
    for (size_t bucket = sizes->buckets.count; bucket-- > 0;) {
        size_t first = bucket_start(sizes, bucket);
        size_t count = (size_t)sizes->buckets.items[bucket].tenants;
        size_t places[OF_A_BUCKET] = { 0, count / 2, count - 1 };

        for (size_t i = 0; i < OF_A_BUCKET; i++)
            if ((i == 0 || places[i] > places[i - 1]) &&
                !add_asked(trying, &sizes->tenants.items[first + places[i]], 0))
                return false;
    }
    return true;
}

static void
mark_planned(struct surveyed *column, const struct trial_plan *plan)
{
    for (size_t i = 0; i < column->facts->indexes.count; i++)
        if (text_list_has(&plan->plan.indexes, column->facts->indexes.items[i].name))
            column->facts->indexes.items[i].is_planned = true;
}

/* The plans that the tenants get, each planned for itself. */
bool
trying_plan(struct trying *trying)
{
    struct trial trial CLEANUP(trial_end) = { 0 };

    if (!trial_begin(trying->column, &trial) ||
        !trial_set(&trial, "plan_cache_mode", "force_custom_plan"))
        return false;
    for (size_t i = 0; i < trying->count; i++) {
        struct asked *asked = &trying->items[i];

        if (!trial_explain(&trial, asked->tenant->value, asked->vector, &asked->plan))
            return false;
        mark_planned(trying->column, &asked->plan);
        if (!trying->ann && asked->plan.ann) {
            trying->ann = asked->plan.ann;
            trying->has_filter = asked->plan.has_filter;
        }
    }
    return true;
}

const char *
trying_tenant(struct arena *arena, const struct vector_tenant *tenant)
{
    const char *rows = text_from_count(arena, tenant->rows);

    if (!tenant->value)
        return arena_printf(arena, "the whole table (%s rows)", rows);
    return arena_printf(arena, "tenant %s (%s rows)", tenant->value, rows);
}
