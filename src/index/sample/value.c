/* Values for a $n from what the statistics of its column hold. */
#include <inttypes.h>

#include "base/text.h"
#include "db/ident.h"
#include "index/sample/sample_part.h"
#include "sql/sql.h"

/*
 * Where in the histogram the bounds of ranges are: who asks for a range of times mostly wants the newest; what
 * is between two bounds is narrow.
 */
static const double newest = 0.95, oldest = 0.05, high = 0.90, low = 0.10;
/* Times as common as another value that make a column skewed; less is how samples scatter. */
static const double skew = 3;

enum { LISTED = 3, MOST_DOCUMENTS = 20, MOST_DIMENSIONS = 16000 };

struct finder {
    struct ctx *ctx;
    struct query_maker *maker;
    const struct sample_places *places;
    const struct sample_place *place;
    const struct fact_column *column; /* or NULL */
    const char *type;
    struct sample_values *values;
};

static const char *
column_name(const struct finder *finder)
{
    return arena_printf(finder->ctx->arena, "%s.%s", finder->place->table->qualified,
        db_ident(finder->ctx->arena, finder->column->name));
}

static void
add(struct finder *finder, const char *text, double share)
{
    struct sample_values *values = finder->values;

    for (size_t i = 0; i < values->count; i++) {
        if (text_equal(values->items[i].text, text)) {
            values->items[i].share += share;
            return;
        }
    }
    if (values->count < QUERY_MOST_INSTANCES)
        values->items[values->count++] = (struct sample_value){ .text = text, .share = share };
}

static void
say_values(struct finder *finder)
{
    finder->values->from = arena_printf(finder->ctx->arena, "values of %s", column_name(finder));
}

static bool
has_values(const struct finder *finder)
{
    return finder->column && finder->column->common_count + finder->column->bound_count > 0;
}

/* Somewhere in the histogram, 0 … 1; without one a common value. */
static const char *
value_at(const struct fact_column *column, double share, size_t ordinal)
{
    if (column->bound_count > 0) {
        size_t at = (size_t)(share * (double)(column->bound_count - 1) + 0.5);

        return column->bounds[(at + ordinal) % column->bound_count];
    }
    if (column->common_count == 0)
        return NULL;
    return column->common[(column->common_count / 2 + ordinal) % column->common_count];
}

/* One that is neither common nor rare. */
static const char *
typical(const struct finder *finder)
{
    const struct fact_column *column = finder->column;
    size_t ordinal = finder->place->ordinal;

    if (column->common_count > 1)
        return column->common[(column->common_count / 2 + ordinal) % column->common_count];
    return value_at(column, 0.5, ordinal);
}

static const char *
lowered(const struct finder *finder, const char *text)
{
    char *copy = arena_strdup(finder->ctx->arena, text);

    if (!finder->place->is_lowered)
        return text;
    for (char *at = copy; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return copy;
}

/*
 * A common value, a middle one and a rare one, each for as many calls as there are rows that those like it have:
 * that is how often rows ask for them. One alone where none is much commoner than others.
 */
static void
find_equal(struct finder *finder)
{
    const struct fact_column *column = finder->column;
    size_t count = column->common_count;
    size_t middle = count / 2;
    size_t ordinal = finder->place->ordinal;
    double listed = 0;

    for (size_t i = 0; i < count; i++)
        listed += column->common_shares[i];

    double rest = 1 - column->null_share - listed;
    double others = column->distinct - (double)count;
    bool has_rare = column->bound_count > 0 && rest > 0;
    double rare = has_rare ? rest / (others > 1 ? others : 1) : 0;

    if (!has_rare && count > 0)
        rare = column->common_shares[count - 1];
    say_values(finder);
    if (count == 0 || column->common_shares[0] < skew * rare) {
        add(finder, lowered(finder, typical(finder)), 1);
        return;
    }
    finder->values->is_skewed = true;
    add(finder, lowered(finder, column->common[ordinal % count]), column->common_shares[0]);
    if (count > 1)
        add(finder, lowered(finder, column->common[(middle + ordinal) % count]),
            listed - column->common_shares[0] - (has_rare || count < 3 ? 0 : rare));
    if (has_rare)
        add(finder, lowered(finder, value_at(column, 0.5, ordinal)), rest);
    else if (count > 2)
        add(finder, lowered(finder, column->common[(count - 1 + ordinal) % count]), rare);
}

/* col = ANY ($n) */
static void
find_list(struct finder *finder)
{
    struct text_list values = { 0 };
    size_t distinct = finder->column->common_count + finder->column->bound_count;

    for (size_t i = 0; i < LISTED && i < distinct; i++) {
        size_t at = finder->column->common_count / 2 + i;
        const char *value = at < finder->column->common_count ? finder->column->common[at]
                                                              : value_at(finder->column, 0.5, i);

        if (finder->place->role == SAMPLE_LIKE || finder->place->role == SAMPLE_ILIKE)
            value = arena_printf(
                finder->ctx->arena, "%s%%", sample_piece(finder->ctx->arena, value, true));
        if (!text_list_has(&values, value))
            text_list_add(finder->ctx->arena, &values, lowered(finder, value));
    }
    say_values(finder);
    add(finder, sample_array_of(finder->ctx->arena, &values), 1);
}

/* Where the bound is, and what to say of it. */
static double
bound_place(const struct finder *finder, const char **ret_words)
{
    const struct sample_place *place = finder->place;
    bool is_time = finder->column->category == 'D';
    bool is_below = place->role == SAMPLE_BELOW || (place->role == SAMPLE_AGE && place->is_below);

    if (place->has_low && place->has_high) {
        *ret_words = "a narrow slice";
        return is_below ? newest : high;
    }
    if (is_below && place->is_newest_first) {
        *ret_words = "nearly the newest";
        return newest;
    }
    if (is_below) {
        *ret_words = is_time ? "the oldest 5 %" : "the lowest 10 %";
        return is_time ? oldest : low;
    }
    *ret_words = is_time ? "the newest 5 %" : "the highest 10 %";
    return is_time ? newest : high;
}

static void
find_bound(struct finder *finder)
{
    const char *words;
    double at = bound_place(finder, &words);

    add(finder, value_at(finder->column, at, 0), 1);
    finder->values->from = arena_printf(finder->ctx->arena, "%s of %s", words, column_name(finder));
}

/* now() - $n: as long ago as the slice begins. */
static void
find_age(struct finder *finder)
{
    const char *words;
    double at = bound_place(finder, &words);
    int64_t then_s;
    int64_t age_s;

    if (!sample_read_time(value_at(finder->column, at, 0), &then_s))
        return;
    age_s = finder->maker->now_s - then_s;
    if (age_s <= 0)
        return;
    add(finder, arena_printf(finder->ctx->arena, "%" PRId64 " seconds", age_s), 1);
    finder->values->from = arena_printf(finder->ctx->arena, "%s of %s", words, column_name(finder));
}

static void
find_pattern(struct finder *finder)
{
    struct arena *arena = finder->ctx->arena;
    const char *value = lowered(finder, typical(finder));
    const char *inner = sample_piece(arena, value, false);

    say_values(finder);
    if (finder->place->role == SAMPLE_PIECE) {
        add(finder, finder->place->is_prefix ? sample_piece(arena, value, true) : inner, 1);
    } else if (finder->place->role == SAMPLE_ILIKE) {
        add(finder, arena_printf(arena, "%%%s%%", inner), 1);
    } else {
        /* Nobody knows which one it was, and only the first can use a B-tree: the caller sees both. */
        finder->values->is_skewed = true;
        add(finder, arena_printf(arena, "%s%%", sample_piece(arena, value, true)), 0.5);
        add(finder, arena_printf(arena, "%%%s%%", inner), 0.5);
    }
}

static void
find_word(struct finder *finder)
{
    const char *word = sample_word(finder->ctx->arena, lowered(finder, typical(finder)));

    if (!word)
        return;
    say_values(finder);
    add(finder, word, 1);
}

/* A document of the column that gives something, and what it gives. */
static const char *
document_part(const struct finder *finder)
{
    const struct fact_column *column = finder->column;
    struct ctx *ctx = finder->ctx;
    size_t count = column->common_count + column->bound_count;

    for (size_t i = 0; i < count && i < MOST_DOCUMENTS; i++) {
        const char *document =
            i < column->common_count ? column->common[i] : column->bounds[i - column->common_count];
        const char *part;

        if (finder->place->keys.count > 0)
            part = sample_json_at(ctx, document, &finder->place->keys, finder->place->is_number);
        else if (finder->place->role == SAMPLE_CONTAINS)
            part = sample_json_part(ctx, document);
        else
            part = sample_json_key(ctx, document, finder->place->is_number);
        if (part)
            return part;
    }
    return NULL;
}

static void
find_document(struct finder *finder)
{
    const char *part = document_part(finder);
    struct text_list keys = { 0 };

    if (!part || !has_values(finder))
        return;
    if (text_ends_with(finder->type, "[]")) {
        text_list_add(finder->ctx->arena, &keys, part);
        part = sample_array_of(finder->ctx->arena, &keys);
    }
    say_values(finder);
    add(finder, part, 1);
}

/* The common elements of an array or text search column, read once. */
static bool
read_elements(struct ctx *ctx, struct query_maker *maker, const struct sample_place *place,
    const struct text_list **ret)
{
    const char *key =
        arena_printf(maker->arena, "%s %s", place->table->qualified, place->column->name);
    struct text_list *list = map_get(&maker->elements, key);
    struct sql_index_query_elements_rows rows;

    *ret = list;
    if (list)
        return true;
    if (!sql_index_query_elements(ctx, maker->db, &rows, .schema_name = place->table->schema,
            .table_name = place->table->name, .column_name = place->column->name))
        return false;
    list = ARENA_NEW(maker->arena, struct text_list);
    for (size_t i = 0; i < rows.count; i++)
        text_list_add(maker->arena, list, arena_strdup(maker->arena, rows.items[i].element));
    map_set(&maker->elements, key, list);
    *ret = list;
    return true;
}

/* One of an enumerated type's labels; NULL: it is no such type. */
static bool
read_label(struct ctx *ctx, struct query_maker *maker, const char *type, const char **ret)
{
    const char *label = map_get(&maker->enums, type);
    struct sql_index_query_labels_rows rows;

    *ret = label && *label ? label : NULL;
    if (label)
        return true;
    if (!sql_index_query_labels(ctx, maker->db, &rows, .type = type))
        return false;
    label = arena_strdup(maker->arena, rows.count > 0 ? rows.items[0].label : "");
    map_set(&maker->enums, arena_strdup(maker->arena, type), (void *)(uintptr_t)label);
    *ret = *label ? label : NULL;
    return true;
}

/* Of arrays and text search vectors: one element that rows have. */
static bool
find_element(struct finder *finder)
{
    const struct text_list *elements;
    struct text_list one = { 0 };
    const char *element = NULL;

    if (!read_elements(finder->ctx, finder->maker, finder->place, &elements))
        return false;
    if (elements->count > 0)
        element = elements->items[(elements->count / 2 + finder->place->ordinal) % elements->count];
    else if (has_values(finder))
        element = sample_first_element(finder->ctx->arena, typical(finder));
    if (!element)
        return true;
    if (text_ends_with(finder->type, "[]")) {
        text_list_add(finder->ctx->arena, &one, element);
        element = sample_array_of(finder->ctx->arena, &one);
    } else if (finder->place->role == SAMPLE_MATCH) {
        element = sample_word(finder->ctx->arena, element);
    }
    if (!element)
        return true;
    say_values(finder);
    add(finder, element, 1);
    return true;
}

/* A vector as long as the column's, or one that is there. */
static void
find_vector(struct finder *finder)
{
    const char *open = strchr(finder->column->type, '(');
    struct buffer buffer = { .arena = finder->ctx->arena };
    int64_t count = 0;

    if (has_values(finder)) {
        say_values(finder);
        add(finder, typical(finder), 1);
        return;
    }
    if (!open ||
        !text_to_int64(
            arena_strndup(finder->ctx->arena, open + 1, strcspn(open + 1, ")")), &count) ||
        count <= 0 || count > MOST_DIMENSIONS || text_equal(finder->column->base_type, "sparsevec"))
        return;
    buffer_add(&buffer, "[1");
    for (int64_t i = 1; i < count; i++)
        buffer_add(&buffer, ",0");
    buffer_add(&buffer, "]");
    finder->values->from =
        arena_printf(finder->ctx->arena, "a vector as long as %s", column_name(finder));
    add(finder, buffer_text(&buffer), 1);
}

static bool
is_document(const struct fact_column *column)
{
    return text_equal(column->base_type, "jsonb") || text_equal(column->base_type, "json");
}

/* What is contained in a range, a document, an array. */
static bool
find_contained(struct finder *finder)
{
    if (is_document(finder->column)) {
        find_document(finder);
        return true;
    }
    if (finder->column->category == 'A')
        return find_element(finder);
    if (!has_values(finder))
        return true;

    const char *value = typical(finder);

    if (finder->column->category == 'R' && !text_ends_with(finder->type, "range"))
        value = sample_lower_bound(finder->ctx->arena, value);
    if (value) {
        say_values(finder);
        add(finder, value, 1);
    }
    return true;
}

static bool
find_by_list(struct finder *finder)
{
    return text_ends_with(finder->type, "[]") && finder->column->category != 'A' &&
           finder->place->keys.count == 0;
}

/* By what is done with a column that has statistics. */
static bool
find_by_values(struct finder *finder)
{
    switch (finder->place->role) {
    case SAMPLE_EQUAL:
        if (find_by_list(finder))
            find_list(finder);
        else
            find_equal(finder);
        return true;
    case SAMPLE_ABOVE:
    case SAMPLE_BELOW:
        find_bound(finder);
        return true;
    case SAMPLE_AGE:
        find_age(finder);
        return true;
    case SAMPLE_LIKE:
    case SAMPLE_ILIKE:
        if (find_by_list(finder))
            find_list(finder);
        else
            find_pattern(finder);
        return true;
    case SAMPLE_PIECE:
        find_pattern(finder);
        return true;
    case SAMPLE_REGEX:
    case SAMPLE_MATCH:
        find_word(finder);
        return true;
    case SAMPLE_STORED:
    case SAMPLE_CONTAINED:
        say_values(finder);
        add(finder, typical(finder), 1);
        return true;
    case SAMPLE_OTHER:
    case SAMPLE_ARGUMENT:
    case SAMPLE_THRESHOLD:
    case SAMPLE_WILDCARD:
    case SAMPLE_OFFSET:
    case SAMPLE_LIMIT:
    case SAMPLE_NOW:
    case SAMPLE_DISTANCE:
    case SAMPLE_JSON_KEY:
    case SAMPLE_HAS_KEY:
    case SAMPLE_CONTAINS:
    case SAMPLE_ELEMENT:
        break;
    }
    return true;
}

static bool
find_by_column(struct finder *finder)
{
    const struct sample_place *place = finder->place;
    bool is_text_search = text_equal(finder->column->base_type, "tsvector");

    if (place->keys.count > 0 || place->role == SAMPLE_JSON_KEY || place->role == SAMPLE_HAS_KEY) {
        if (has_values(finder))
            find_document(finder);
        return true;
    }
    if (place->role == SAMPLE_CONTAINS)
        return find_contained(finder);
    if (place->role == SAMPLE_ELEMENT || (place->role == SAMPLE_MATCH && is_text_search))
        return find_element(finder);
    if (place->role == SAMPLE_DISTANCE && finder->column->category == 'U')
        find_vector(finder);
    if (place->role == SAMPLE_DISTANCE && finder->column->category == 'S' && has_values(finder)) {
        say_values(finder);
        add(finder, lowered(finder, typical(finder)), 1);
    }
    return !has_values(finder) || find_by_values(finder);
}

static void
find_numbers(struct finder *finder)
{
    if (finder->place->role == SAMPLE_LIMIT) {
        add(finder, "10", 1);
        finder->values->from = "LIMIT 10";
    } else if (finder->place->role == SAMPLE_OFFSET) {
        finder->values->is_skewed = true;
        add(finder, "0", 0.7);
        add(finder, "20", 0.3);
        finder->values->from = "OFFSET 0 and 20";
    } else if (finder->place->role == SAMPLE_WILDCARD) {
        add(finder, "%", 1);
        finder->values->from = "% around the pattern";
    } else if (finder->place->role == SAMPLE_THRESHOLD) {
        add(finder, "0.3", 1);
        finder->values->from = "a similarity of 0.3";
    }
}

bool
sample_find_values(struct ctx *ctx, struct query_maker *maker, const struct sample_places *places,
    size_t number, const char *type, struct sample_values *ret)
{
    const struct sample_place *place = &places->items[number - 1];
    struct finder finder = { .ctx = ctx,
        .maker = maker,
        .places = places,
        .place = place,
        .column = place->column,
        .type = type,
        .values = ret };
    const char *value = NULL;

    *ret = (struct sample_values){ 0 };
    find_numbers(&finder);
    if (ret->count == 0 && place->column && !find_by_column(&finder))
        return false;
    if (ret->count > 0)
        return true;
    ret->is_skewed = false;
    value = sample_default(ctx->arena, place, type);
    if (!value && !read_label(ctx, maker, type, &value))
        return false;
    add(&finder, value, 1);
    return true;
}
