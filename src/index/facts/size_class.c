/* In how many rows each value of a key stands: from common values, the number of values, and NULLs. */
#include <math.h>

#include "index/facts/size_part.h"

enum { MOST_PARTS = 100, MOST_SOURCES = 8 };

/* Values are taken for unique from so near to one row each. */
static const double nearly_unique = 1.05;

struct parts {
    struct size_class items[MOST_PARTS]; /* rows: of one value */
    size_t count;
};

/*
 * Values that were seen in rows rows on average as ones that chance may also leave out: with λ rows each
 * on average, of which λ / (1 - exp(-λ)) is what those have that are there.
 */
static struct size_class
spread(double values, double rows)
{
    double rate = rows;

    if (rows < nearly_unique)
        return (struct size_class){ .values = values * rows, .rows = 1, .is_unique = true };
    for (int i = 0; i < 60; i++)
        rate = rows * (1 - exp(-rate));
    return (struct size_class){ .values = values * rows / rate, .rows = rate };
}

/* Common values from the first on; the last so many share one entry when there is no room for all. */
static void
add_common(const struct fact_column *column, double rows, size_t most, struct parts *ret)
{
    size_t alone = column->common_count <= most ? column->common_count : most - 1;
    double rest = 0;

    for (size_t i = 0; i < alone; i++)
        ret->items[ret->count++] =
            (struct size_class){ .values = 1, .rows = column->common_shares[i] * rows };
    for (size_t i = alone; i < column->common_count; i++)
        rest += column->common_shares[i];
    if (alone < column->common_count) {
        double values = (double)(column->common_count - alone);

        ret->items[ret->count++] =
            (struct size_class){ .values = values, .rows = rest * rows / values };
    }
}

static void
column_parts(const struct fact_column *column, double rows, size_t most, struct parts *ret)
{
    double nulls = column->null_share * rows;
    double common = 0;
    double others = column->distinct - (double)column->common_count;

    ret->count = 0;
    if (nulls >= 1)
        ret->items[ret->count++] =
            (struct size_class){ .values = 1, .rows = nulls, .is_null = true };
    if (column->common_count > 0)
        add_common(column, rows, most - 2, ret);
    for (size_t i = 0; i < column->common_count; i++)
        common += column->common_shares[i];

    double rest = rows - nulls - common * rows;

    if (column->distinct <= 0 && rest >= 1)
        ret->items[ret->count++] =
            (struct size_class){ .values = rest, .rows = 1, .is_unique = true };
    else if (others >= 1 && rest >= 1)
        ret->items[ret->count++] = spread(fmin(others, rest), rest / fmin(others, rest));
    if (ret->count == 0)
        ret->items[ret->count++] = (struct size_class){ .values = 1, .rows = fmax(rows, 1) };
}

/* Two independent columns: each value of one with each of the other. */
static struct size_class
both(const struct size_class *a, const struct size_class *b, double rows)
{
    double together = a->values * a->rows * b->values * b->rows / rows;
    double values = a->values * b->values;

    if (a->is_unique || b->is_unique || together / values < 1e-6)
        return (struct size_class){
            .values = together, .rows = 1, .is_unique = true, .is_null = a->is_null || b->is_null
        };
    return (struct size_class){
        .values = values, .rows = together / values, .is_null = a->is_null || b->is_null
    };
}

static size_t
multiply(struct size_class *classes, size_t count, const struct parts *parts, double rows)
{
    struct size_class result[SIZE_MOST_CLASSES];
    size_t made = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < parts->count && made < SIZE_MOST_CLASSES; j++)
            result[made++] = both(&classes[i], &parts->items[j], rows);
    memcpy(classes, result, made * sizeof(result[0]));
    return made;
}

/* The columns that make the keys, each once. */
static size_t
key_columns(const struct fact_table *table, const struct index_candidate *candidate,
    const struct fact_column **ret, size_t most)
{
    size_t count = 0;

    for (size_t i = 0; i < candidate->key_count && count < most; i++) {
        const struct candidate_key *key = &candidate->keys[i];

        if (!key->column)
            count += size_columns(table, key->text, ret + count, most - count);
        else if (facts_column(table, key->column))
            ret[count++] = facts_column(table, key->column);
    }
    return count;
}

size_t
size_classes(
    const struct fact_table *table, const struct index_candidate *candidate, struct size_class *ret)
{
    const struct fact_column *columns[MOST_SOURCES];
    size_t count = key_columns(table, candidate, columns, COUNT_OF(columns));
    double rows = fmax(table->planner_rows, 1);
    size_t made = 1;
    size_t most = count > 0 ? (size_t)pow(SIZE_MOST_CLASSES, 1.0 / (double)count) : 0;

    if (most > MOST_PARTS)
        most = MOST_PARTS;
    ret[0] = (struct size_class){ .values = 1, .rows = rows };
    for (size_t i = 0; i < count; i++) {
        struct parts parts;

        column_parts(columns[i], rows, most < 4 ? 4 : most, &parts);
        if (made * parts.count > SIZE_MOST_CLASSES) {
            count = 0;
            made = 1;
            break;
        }
        made = multiply(ret, made, &parts, rows);
    }
    if (count == 0)
        ret[0] = (struct size_class){ .values = rows, .rows = 1, .is_unique = true };
    return made;
}
