/*
 * What keeping an index up costs: an entry for each row that is inserted, or updated in another way than
 * HOT, and the HOT updates that the index would make impossible, each an entry in every index of the table.
 */
#include <math.h>

#include "index/choose/choose.h"
#include "index/choose/written.h"

/* Milliseconds of a planner unit where no times are known: a page out of the cache, with its rows. */
static const double standard_ms_a_unit = 0.01;

/*
 * Microseconds of the backend's CPU an entry, beyond the row's own; measured by bench/advisor/write on
 * PostgreSQL 15. B-trees: 1.8 for an int, 2.5 for (int, timestamptz), 3.7 for a text of 32: a fixed part and
 * one by width. GIN with fastupdate, the clean-up of its list counted; trigrams: 17.8 for a text of 32.
 * HNSW: 980 for 128 dimensions, 2,060 for 768.
 */
static const double btree_us = 1.5;
static const double btree_us_a_byte = 0.06;
static const double expression_us = 1.0;
static const double trigram_us_a_byte = 0.55;
static const double hnsw_us = 800;
static const double hnsw_us_a_byte = 0.4;

/* A new version of a row on another page, without its entries. */
static const double moved_row_us = 1.0;
static const double row_us = 0.6;

struct method_cost {
    const char *method;
    const char *opclass; /* a part of its name; NULL: any */
    double us;
};

static const struct method_cost method_costs[] = {
    { "hash", NULL, 1.1 },
    { "brin", NULL, 0.3 },
    { "gist", NULL, 14.0 },
    { "spgist", NULL, 14.0 },
    { "ivfflat", NULL, 5.3 },
    { "gin", "jsonb_path", 5.5 },
    { "gin", "jsonb", 9.8 },
    { "gin", "tsvector", 6.0 },
    { "gin", "array", 2.7 },
    { "gin", NULL, 9.8 },
};

enum { EXPRESSION_WIDTH = 16, UNKNOWN_WIDTH = 8 };

/* What the cost of an entry depends on. */
struct entry {
    const char *method;
    const char *opclass; /* of the first key; "" the default one */
    double width;        /* bytes of all keys and included columns */
    size_t expressions;
};

static double
entry_us(const struct entry *entry)
{
    if (text_equal(entry->method, "btree"))
        return btree_us + btree_us_a_byte * entry->width +
               expression_us * (double)entry->expressions;
    if (text_equal(entry->method, "hnsw"))
        return hnsw_us + hnsw_us_a_byte * entry->width;
    if (text_equal(entry->method, "gin") && strstr(entry->opclass, "trgm"))
        return trigram_us_a_byte * entry->width;
    for (size_t i = 0; i < COUNT_OF(method_costs); i++)
        if (text_equal(method_costs[i].method, entry->method) &&
            (!method_costs[i].opclass || strstr(entry->opclass, method_costs[i].opclass)))
            return method_costs[i].us;
    return method_costs[COUNT_OF(method_costs) - 1].us;
}

static double
width_of(const struct fact_table *table, const char *column)
{
    const struct fact_column *found = column ? facts_column(table, column) : NULL;

    if (!column)
        return EXPRESSION_WIDTH;
    return found && found->width > 0 ? found->width : UNKNOWN_WIDTH;
}

static struct entry
entry_of_candidate(const struct index_candidate *candidate)
{
    struct entry entry = { .method = candidate->method, .opclass = "" };

    for (size_t i = 0; i < candidate->key_count; i++) {
        const struct candidate_key *key = &candidate->keys[i];

        entry.width += width_of(candidate->table, key->column);
        entry.expressions += !key->column;
        if (i == 0 && key->opclass)
            entry.opclass = key->opclass;
    }
    for (size_t i = 0; i < candidate->include.count; i++)
        entry.width += width_of(candidate->table, candidate->include.items[i]);
    return entry;
}

static struct entry
entry_of_index(const struct fact_table *table, const struct fact_index *index)
{
    struct entry entry = { .method = index->method, .opclass = "" };

    for (size_t i = 0; i < index->key_count; i++) {
        entry.width += width_of(table, index->keys[i].column);
        entry.expressions += !index->keys[i].column;
        if (i == 0 && index->keys[i].opclass)
            entry.opclass = index->keys[i].opclass;
    }
    for (size_t i = 0; i < index->include_count; i++)
        entry.width += width_of(table, index->include[i].column);
    return entry;
}

struct write_load {
    const struct facts *facts;
    const struct written *written;
    double unit_ms; /* milliseconds of a unit of the result */
};

struct write_load *
write_load_new(struct arena *arena, const struct facts *facts, const struct choose_query *queries,
    size_t count, const struct write_load_options *options)
{
    struct write_load *load = ARENA_NEW(arena, struct write_load);

    *load = (struct write_load){
        .facts = facts,
        .written = written_new(arena, facts, queries, count, options->span_s),
        .unit_ms = options->ms_a_unit > 0 ? 1 : standard_ms_a_unit,
    };
    return load;
}

static double
in_units(const struct write_load *load, double us)
{
    return us / 1000 / load->unit_ms;
}

/* Microseconds of an entry in each index that is there, once. */
static double
all_entries_us(const struct fact_table *table)
{
    double us = 0;

    for (size_t i = 0; i < table->index_count; i++) {
        struct entry entry = entry_of_index(table, &table->indexes[i]);

        us += entry_us(&entry);
    }
    return us;
}

/* Rows that a partial index holds. */
static double
share_of(const struct write_load *load, const struct index_candidate *candidate)
{
    struct fact_index_size size = { 0 };
    double rows = candidate->table->planner_rows;

    if (!candidate->predicate || rows <= 0)
        return 1;
    facts_index_size(load->facts, candidate->table, candidate, &size);
    return fmin(1, fmax(0, size.entries / rows));
}

/* Since 16 an index that only sums up blocks does not stand in the way of HOT. */
static bool
stops_hot(const struct write_load *load, const struct index_candidate *candidate)
{
    return !text_equal(candidate->method, "brin") || load->facts->server_version < 160000;
}

double
write_load_cost(
    const struct write_load *load, const struct index_candidate *candidate, double *ret_lost_hot)
{
    const struct written_table *table = written_table(load->written, candidate->table);
    struct entry entry = entry_of_candidate(candidate);

    *ret_lost_hot = 0;
    if (!table)
        return 0;
    if (stops_hot(load, candidate))
        *ret_lost_hot = written_lost_hot(table, &candidate->columns);

    double entries = table->inserts + table->updates - table->hot_updates + *ret_lost_hot;
    double us = entries * share_of(load, candidate) * entry_us(&entry);

    return in_units(load, us + *ret_lost_hot * (all_entries_us(candidate->table) + moved_row_us));
}

double
write_load_of_indexes(const struct write_load *load)
{
    double us = 0;

    for (size_t i = 0; i < load->facts->count; i++) {
        const struct written_table *table = written_table(load->written, &load->facts->items[i]);

        if (table)
            us += (table->inserts + table->updates - table->hot_updates) *
                  all_entries_us(&load->facts->items[i]);
    }
    return in_units(load, us);
}

double
write_load_of_rows(const struct write_load *load)
{
    double us = 0;

    for (size_t i = 0; i < load->facts->count; i++) {
        const struct written_table *table = written_table(load->written, &load->facts->items[i]);

        if (table)
            us += table->inserts * row_us + table->updates * (row_us + moved_row_us);
    }
    return in_units(load, us);
}
