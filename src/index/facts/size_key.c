/*
 * How wide a key is, and in how many rows each value of it stands. Widths come from real values where the
 * statistics have some, because alignment makes steps that no average shows.
 */
#include <ctype.h>
#include <math.h>

#include "base/text.h"
#include "index/facts/size_part.h"

enum {
    DRAWS = 64,
    HEADER = 8,
    HEADER_WITH_NULLS = 16,
    ALIGNMENT = 8,
    MOST_SHORT = 126, /* bytes of text with a header of one byte */
    MOST_PLAIN = 508, /* longer values are compressed */
};

/* A part of the key: a column, or an expression that is taken to be as wide as one. */
struct shape {
    const struct fact_column *column; /* whose texts are as long as it; or NULL */
    int length;                       /* of a fixed type; 0: it varies */
    double width;                     /* on average, if it varies and there are no texts */
    double null_share;
};

static bool
is_text(const struct fact_column *column)
{
    static const char *const types[] = { "text", "varchar", "bpchar", "citext" };

    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (strcmp(types[i], column->base_type) == 0)
            return true;
    return false;
}

static bool
is_word_byte(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '$' || (byte & 0x80);
}

static bool
has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if ((at == text || !is_word_byte(at[-1])) && !is_word_byte(at[length]) && at[length] != '(')
            return true;
    return false;
}

size_t
size_columns(
    const struct fact_table *table, const char *text, const struct fact_column **ret, size_t most)
{
    size_t count = 0;

    for (size_t i = 0; i < table->column_count && count < most; i++)
        if (has_word(text, table->columns[i].name))
            ret[count++] = &table->columns[i];
    return count;
}

static struct shape
column_shape(const struct fact_column *column)
{
    return (struct shape){
        .column = is_text(column) ? column : NULL,
        .length = column->type_length > 0 ? column->type_length : 0,
        .width = column->width,
        .null_share = column->null_share,
    };
}

/* What an expression gives, as far as its text tells: a cast at its end, or a function that is known. */
static struct shape
expression_shape(const struct fact_table *table, const char *text)
{
    static const struct {
        const char *part;
        int length;
    } kinds[] = { { "::integer)", 4 }, { "::bigint)", 8 }, { "::date)", 4 }, { "::boolean)", 1 },
        { "::uuid)", 16 }, { "::double precision)", 8 }, { "::timestamp", 8 }, { "date_trunc(", 8 },
        { "length(", 4 }, { "AT TIME ZONE", 8 } };
    const struct fact_column *source;

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strstr(text, kinds[i].part) && !strstr(text, "->>'"))
            return (struct shape){ .length = kinds[i].length };
    if (strstr(text, "->") || size_columns(table, text, &source, 1) == 0)
        return (struct shape){ .width = 16 };
    return column_shape(source);
}

static struct shape
key_shape(const struct fact_table *table, const struct candidate_key *key)
{
    const struct fact_column *column = key->column ? facts_column(table, key->column) : NULL;

    return column ? column_shape(column) : expression_shape(table, key->text);
}

/* A number between 0 and 1 that is spread evenly over the draws, otherwise for each part of the key. */
static double
draw(int number, size_t part, int use)
{
    double step = sqrt(2 + 3 * (double)part + (double)use * 5);

    return fmod(0.5 + number * step, 1);
}

/* Bytes of data of one draw; -1: NULL. */
static double
draw_length(const struct shape *shape, int number, size_t part)
{
    const struct fact_column *column = shape->column;
    double point = draw(number, part, 0) - shape->null_share;

    if (point < 0)
        return -1;
    if (!column || (column->common_count == 0 && column->bound_count < 2))
        return fmax(floor(shape->width - 1 + draw(number, part, 1)), 0);
    for (size_t i = 0; i < column->common_count; i++) {
        point -= column->common_shares[i];
        if (point < 0 && column->common[i])
            return (double)strlen(column->common[i]);
    }
    if (column->bound_count < 2)
        return column->common[0] ? (double)strlen(column->common[0]) : 0;

    size_t at = (size_t)(draw(number, part, 1) * (double)column->bound_count);

    return column->bounds[at] ? (double)strlen(column->bounds[at]) : 0;
}

static double
align(double offset, int by)
{
    return ceil(offset / by) * by;
}

/* Where the next part begins behind this one. */
static double
add_part(const struct shape *shape, double offset, double length)
{
    if (shape->length > 0) {
        int by = shape->length > 8 ? 8 : shape->length;

        /* uuid and char(1) types are not aligned; all others of 2, 4 and 8 bytes are. */
        if (by == 2 || by == 4 || (by == 8 && shape->length == 8))
            offset = align(offset, by);
        return offset + shape->length;
    }
    if (length <= MOST_SHORT)
        return offset + length + 1;
    if (length > MOST_PLAIN)
        length = MOST_PLAIN + (length - MOST_PLAIN) / 2;
    return align(offset, 4) + 4 + length;
}

static double
draw_width(const struct shape *shapes, size_t count, int number, bool *ret_has_null)
{
    double offset = 0;
    bool has_null = false;

    for (size_t i = 0; i < count; i++) {
        double length = draw_length(&shapes[i], number, i);

        if (length < 0)
            has_null = true;
        else
            offset = add_part(&shapes[i], offset, length);
    }
    *ret_has_null = has_null;
    return align(offset + (has_null ? HEADER_WITH_NULLS : HEADER), ALIGNMENT);
}

/*
 * Types whose equal values look the same, so that the server stores them once: those whose default operator
 * class has support function 4 (equalimage). char(n) has it, but before 18 the server does not use it. What is not named
 * here, types of extensions among them, has none.
 */
static bool
is_deduplicable(const struct fact_column *column)
{
    static const char *const types[] = { "bit", "bool", "bytea", "char", "cidr", "date", "inet",
        "int2", "int4", "int8", "macaddr", "macaddr8", "money", "name", "oid", "oidvector",
        "pg_lsn", "regclass", "text", "tid", "time", "timestamp", "timestamptz", "timetz", "uuid",
        "varbit", "varchar", "xid8" };

    if (column->category == 'E')
        return true;
    if (strcmp(column->base_type, "bpchar") == 0)
        return column->server_major >= 18;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (strcmp(types[i], column->base_type) == 0)
            return true;
    return false;
}

/* An expression that does not tell its type gives text mostly. */
static bool
is_expression_deduplicable(const char *text)
{
    static const char *const casts[] = { "::numeric)", "::double precision)", "::real)",
        "::interval)", "::bpchar)", "::jsonb)" };

    for (size_t i = 0; i < COUNT_OF(casts); i++)
        if (strstr(text, casts[i]))
            return false;
    return true;
}

void
size_of_key(
    const struct fact_table *table, const struct index_candidate *candidate, struct size_key *ret)
{
    struct shape shapes[64];
    size_t count = 0;
    double sums[2] = { 0 };
    int counts[2] = { 0 };

    ret->can_deduplicate = candidate->include.count == 0;
    for (size_t i = 0; i < candidate->key_count && count < COUNT_OF(shapes); i++) {
        const struct candidate_key *key = &candidate->keys[i];
        const struct fact_column *column = key->column ? facts_column(table, key->column) : NULL;

        ret->can_deduplicate &=
            column ? is_deduplicable(column) : is_expression_deduplicable(key->text);
        shapes[count++] = key_shape(table, key);
    }
    for (size_t i = 0; i < candidate->include.count && count < COUNT_OF(shapes); i++) {
        const struct fact_column *column = facts_column(table, candidate->include.items[i]);

        if (column)
            shapes[count++] = column_shape(column);
    }
    for (int i = 0; i < DRAWS; i++) {
        bool has_null;
        double width = draw_width(shapes, count, i, &has_null);

        sums[has_null] += width;
        counts[has_null]++;
    }
    ret->null_width = counts[1] > 0 ? sums[1] / counts[1] : HEADER_WITH_NULLS;
    ret->width = counts[0] > 0 ? sums[0] / counts[0] : ret->null_width;
}
