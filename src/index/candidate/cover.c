/* INCLUDE, so that the table itself need not be read. */
#include "index/candidate/make.h"

/* Text that is wider on average makes an index of the table itself. */
static const double most_text_width = 64;

static bool
is_key(const struct index_candidate *candidate, const char *name)
{
    for (size_t i = 0; i < candidate->key_count; i++)
        if (text_equal(candidate->keys[i].column, name))
            return true;
    return false;
}

static bool
is_narrow(const struct fact_column *column)
{
    if (column->category == 'A' || !column->has_btree || text_equal(column->base_type, "jsonb"))
        return false;
    if (column->category == 'S')
        return column->has_statistics && column->width <= most_text_width;
    return true;
}

void
candidate_include(
    struct arena *arena, struct index_candidate *candidate, const struct text_list *names)
{
    struct text_list include = { 0 };

    for (size_t i = 0; i < candidate->table->column_count; i++) {
        const char *name = candidate->table->columns[i].name;

        if (text_list_has(names, name) && !is_key(candidate, name))
            text_list_add(arena, &include, name);
    }
    candidate->include = include;
}

bool
candidate_cover(struct arena *arena, const struct explained_relation *relation,
    struct index_candidate *candidate)
{
    double bytes = 0;
    size_t count = 0;

    if (relation->needs_all)
        return false;
    for (size_t i = 0; i < relation->needed.count; i++) {
        const char *name = relation->needed.items[i];
        const struct fact_column *column = facts_column(candidate->table, name);

        if (is_key(candidate, name))
            continue;
        if (!column || !is_narrow(column))
            return false;
        bytes += column->width;
        count++;
    }
    for (size_t i = 0; i < candidate->key_count; i++)
        if (!candidate->keys[i].column)
            return false;
    if (count == 0 || count > CANDIDATE_MOST_INCLUDED || bytes > CANDIDATE_MOST_INCLUDED_BYTES)
        return false;
    candidate_include(arena, candidate, &relation->needed);
    return true;
}
