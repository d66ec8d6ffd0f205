/*
 * INCLUDE, so that the table itself need not be read; and which columns an entry of a B-tree can hold at all.
 * An entry has to fit into a third of a page, with all its values untoasted: one row that does not makes the
 * build fail, and every later INSERT of such a row.
 */
#include <math.h>
#include <string.h>

#include "index/candidate/make.h"

/* Text that is wider on average makes an index of the table itself. */
static const double most_text_width = 64;

/* Without a limit in the type: an average of few bytes may be that of pointers to toasted values. */
static const double most_unlimited_width = 32;
static const double most_unlimited_length = 100;

/* A B-tree refuses 2,704 bytes; the statistics have not seen every value. */
static const double most_key_length = 2000;
static const double most_entry_length = 2600;

enum { BYTES_A_CHARACTER = 4, MOST_DECLARED = 200, NUMERIC_BYTES = 64, INET_BYTES = 22 };

static bool
is_key(const struct index_candidate *candidate, const char *name)
{
    for (size_t i = 0; i < candidate->key_count; i++)
        if (text_equal(candidate->keys[i].column, name))
            return true;
    return false;
}

static bool
is_one_of(const struct fact_column *column, const char *const *types, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(column->base_type, types[i]))
            return true;
    return false;
}

/* Of char(n) and varchar(n); 0: no limit. */
static int64_t
declared_characters(const struct fact_column *column)
{
    static const char *const types[] = { "varchar", "bpchar" };
    int64_t count = 0;

    if (!is_one_of(column, types, COUNT_OF(types)) || !text_starts_with(column->type, "character"))
        return 0;
    for (const char *c = strchr(column->type, '('); c && c[1] >= '0' && c[1] <= '9'; c++)
        count = count * 10 + (c[1] - '0');
    return count;
}

/* Of the values that the statistics show. */
static double
longest_known(const struct fact_column *column)
{
    size_t longest = 0;

    for (size_t i = 0; i < column->common_count; i++)
        if (column->common[i] && strlen(column->common[i]) > longest)
            longest = strlen(column->common[i]);
    for (size_t i = 0; i < column->bound_count; i++)
        if (column->bounds[i] && strlen(column->bounds[i]) > longest)
            longest = strlen(column->bounds[i]);
    return (double)longest;
}

/*
 * ANALYZE keeps no value of more than 1,024 bytes: where neither common values nor bounds speak for a part of
 * the rows, that part is longer.
 */
static bool
has_hidden_values(const struct fact_table *table, const struct fact_column *column)
{
    static const double least_share = 0.01;
    double hidden = 1 - column->null_share;
    bool is_loaded = false;

    if (!column->has_statistics || column->bound_count > 0)
        return false;
    for (size_t i = 0; i < table->column_count; i++)
        is_loaded |= table->columns[i].common_count + table->columns[i].bound_count > 0;
    for (size_t i = 0; i < column->common_count; i++)
        hidden -= column->common_shares[i];
    return is_loaded && hidden > least_share;
}

/* Bytes of its longest value as the type limits them; 0: it does not. */
static double
type_limit(const struct fact_column *column)
{
    static const char *const addresses[] = { "inet", "cidr" };

    if (column->type_length > 0)
        return column->type_length;
    if (is_one_of(column, addresses, COUNT_OF(addresses)))
        return INET_BYTES;
    /* A number may have more digits than that; none that is known has. */
    if (text_equal(column->base_type, "numeric"))
        return longest_known(column) <= most_unlimited_length ? NUMERIC_BYTES : 0;
    return (double)declared_characters(column) * BYTES_A_CHARACTER;
}

/* What it takes of an entry at most, as far as that can be told. */
static double
likely_limit(const struct fact_column *column)
{
    double limit = type_limit(column);

    return limit > 0 ? limit : fmax(longest_known(column), column->width);
}

bool
candidate_key_fits(const struct fact_table *table, const struct candidate_key *key)
{
    static const char *const never[] = { "vector", "halfvec", "sparsevec", "xml", "json" };
    const struct fact_column *column = key->column ? facts_column(table, key->column) : NULL;
    double limit;

    if (!column)
        return true;
    if (is_one_of(column, never, COUNT_OF(never)))
        return false;
    limit = type_limit(column);
    if (limit > 0 && limit <= most_entry_length)
        return true;
    return longest_known(column) <= most_key_length && !has_hidden_values(table, column);
}

static bool
is_narrow(const struct fact_table *table, const struct fact_column *column)
{
    static const char *const unlimited[] = { "text", "varchar", "bpchar", "citext" };

    if (column->category == 'A' || !column->has_btree)
        return false;
    if (column->category == 'S' && (!column->has_statistics || column->width > most_text_width))
        return false;
    if (type_limit(column) > 0)
        return declared_characters(column) <= MOST_DECLARED;
    return is_one_of(column, unlimited, COUNT_OF(unlimited)) && column->has_statistics &&
           column->width <= most_unlimited_width &&
           longest_known(column) <= most_unlimited_length && !has_hidden_values(table, column);
}

static double
length_of_keys(const struct index_candidate *candidate)
{
    double bytes = 0;

    for (size_t i = 0; i < candidate->key_count; i++) {
        const char *name = candidate->keys[i].column;
        const struct fact_column *column = name ? facts_column(candidate->table, name) : NULL;

        bytes += column ? likely_limit(column) : 0;
    }
    return bytes;
}

void
candidate_include(
    struct arena *arena, struct index_candidate *candidate, const struct text_list *names)
{
    struct text_list include = { 0 };
    double bytes = length_of_keys(candidate);

    for (size_t i = 0; i < candidate->table->column_count; i++) {
        const struct fact_column *column = &candidate->table->columns[i];

        if (!text_list_has(names, column->name) || is_key(candidate, column->name))
            continue;
        bytes += likely_limit(column);
        if (bytes <= most_entry_length)
            text_list_add(arena, &include, column->name);
    }
    candidate->include = include;
}

bool
candidate_cover(struct arena *arena, const struct explained_relation *relation,
    struct index_candidate *candidate)
{
    double bytes = 0;
    double most = length_of_keys(candidate);
    size_t count = 0;

    if (relation->needs_all)
        return false;
    for (size_t i = 0; i < relation->needed.count; i++) {
        const char *name = relation->needed.items[i];
        const struct fact_column *column = facts_column(candidate->table, name);

        if (is_key(candidate, name))
            continue;
        if (!column || !is_narrow(candidate->table, column))
            return false;
        bytes += column->width;
        most += likely_limit(column);
        count++;
    }
    for (size_t i = 0; i < candidate->key_count; i++)
        if (!candidate->keys[i].column)
            return false;
    if (count == 0 || count > CANDIDATE_MOST_INCLUDED || bytes > CANDIDATE_MOST_INCLUDED_BYTES ||
        most > most_entry_length)
        return false;
    candidate_include(arena, candidate, &relation->needed);
    return true;
}
