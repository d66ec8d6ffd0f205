/* [values NAME]: rows of which one is drawn for each request that names them. */
#include <inttypes.h>

#include "load/scenario/reading.h"

struct values {
    struct load_table *table;
    const struct ini_setting *source;
    const char *source_value;
    const struct ini_setting *match;
    const char *match_column;
};

static bool
take_source(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct values *values = object;

    if (values->source) {
        reading_refuse(reading, setting->line,
            "the values come from \"%s\" in line %" PRId32 " already", values->source->name,
            values->source->line);
        return error_hint(reading->ctx, "Values have one of query, file and range.");
    }
    values->source = setting;
    values->source_value = value;
    return true;
}

static bool
take_pick(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct load_table *table = ((struct values *)object)->table;

    if (text_equal(value, "uniform")) {
        table->pick = PICK_UNIFORM;
        return true;
    }
    if (text_equal(value, "own")) {
        table->pick = PICK_OWN;
        return true;
    }
    if (text_equal(value, "in turn")) {
        table->pick = PICK_IN_TURN;
        return true;
    }
    if (text_starts_with(value, "zipf ") && text_to_double(value + strlen("zipf "), &table->zipf) &&
        table->zipf > 0 && table->zipf <= 20) {
        table->pick = PICK_ZIPF;
        return true;
    }
    reading_refuse(reading, setting->line, "pick = %s is no way to draw a row", value);
    return error_hint(reading->ctx,
        "Write uniform, \"zipf 1.1\" (an exponent above 0, up to 20), own, or \"in turn\".");
}

/* "user_id = users.id". */
static bool
take_match(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct values *values = object;
    const char *where = reading_where(reading, setting->line);
    const char *equals = strchr(value, '=');
    struct arena *arena = reading->ctx->arena;

    if (!equals) {
        reading_refuse(reading, setting->line, "match = %s does not compare anything", value);
        return error_hint(
            reading->ctx, "Write \"match = COLUMN = EXPRESSION\": user_id = users.id.");
    }
    values->match = setting;
    values->match_column =
        reading_split(arena, arena_strndup(arena, value, (size_t)(equals - value)), '\0').items[0];
    return load_expression_compile(
        reading->ctx, reading->world, equals + 1, where, &values->table->match);
}

static const struct reading_key keys[] = {
    { .name = "query", .take = take_source, .is_long = true, .is_raw = true },
    { .name = "file", .take = take_source },
    { .name = "range", .take = take_source },
    { .name = "pick", .take = take_pick },
    { .name = "match", .take = take_match, .is_raw = true },
};

/* "1..1000". */
static bool
read_range(struct reading *reading, const struct values *values)
{
    struct load_table *table = values->table;
    const char *points = strstr(values->source_value, "..");
    struct arena *arena = reading->ctx->arena;
    int64_t high;

    if (!points ||
        !text_to_int64(
            arena_strndup(arena, values->source_value, (size_t)(points - values->source_value)),
            &table->low) ||
        !text_to_int64(points + 2, &high)) {
        reading_refuse(
            reading, values->source->line, "range = %s is no range", values->source_value);
        return error_hint(reading->ctx, "Write two whole numbers: 1..1000.");
    }
    if (high < table->low || table->low < -INT64_C(1000000000000000) ||
        high > INT64_C(1000000000000000))
        return reading_refuse(reading, values->source->line, "range = %s is empty, or beyond 10^15",
            values->source_value);
    table->is_range = true;
    table->rows = (size_t)(high - table->low) + 1;
    text_list_add(arena, &table->columns, "value");
    return true;
}

/* Constants in a query are put in as literals would be: the file's writer says which they are. */
static bool
read_rows(struct reading *reading, const struct values *values)
{
    struct ini_setting query = *values->source;

    if (text_equal(values->source->name, "range"))
        return read_range(reading, values);
    if (!reading->options->needs_values) {
        const char *ignored;

        return reading_expand(reading, values->source, &ignored);
    }
    if (text_equal(values->source->name, "file"))
        return values_of_file(reading, values->source, values->source_value, values->table);
    return reading_expand(reading, values->source, &query.value) &&
           values_of_query(reading, &query, values->table);
}

static bool
check_columns(struct reading *reading, const struct values *values)
{
    struct load_table *table = values->table;
    struct text_list *columns = &table->columns;

    for (size_t i = 0; i < columns->count; i++)
        for (size_t j = 0; j < i; j++)
            if (text_equal(columns->items[i], columns->items[j])) {
                reading_refuse(reading, values->source->line, "two columns are called \"%s\"",
                    columns->items[i]);
                return error_hint(reading->ctx, "Name one of them otherwise: … AS name.");
            }
    if (table->rows == 0) {
        reading_refuse(reading, values->source->line, "[values %s] has no rows", table->name);
        return error_hint(reading->ctx,
            "Nothing could be drawn from it: see whether the %s is right.", values->source->name);
    }
    return true;
}

static bool
match_rows(struct reading *reading, const struct values *values)
{
    struct load_table *table = values->table;
    size_t column = 0;

    while (column < table->columns.count &&
           !text_equal(table->columns.items[column], values->match_column))
        column++;
    if (column == table->columns.count) {
        reading_refuse(reading, values->match->line, "[values %s] has no column \"%s\"",
            table->name, values->match_column);
        return error_hint(reading->ctx, "Its columns are: %s.",
            text_list_join(reading->ctx->arena, &table->columns, ", "));
    }
    values_part(table, reading->world->arena, column);
    return true;
}

bool
reading_values(struct reading *reading, const struct ini_section *section)
{
    struct values values = { 0 };
    const char *where = reading_where(reading, section->line);

    if (!load_world_add_table(reading->ctx, reading->world, section->name, where, &values.table))
        return false;
    /* Its own match cannot name it. */
    reading->world->tables.count--;
    if (!reading_take(reading, section, keys, COUNT_OF(keys), &values))
        return false;
    reading->world->tables.count++;
    if (!values.source) {
        reading_refuse(
            reading, section->line, "[values %s] does not say where they are", section->name);
        return error_hint(
            reading->ctx, "Write query = SELECT …, file = FILE.csv or range = 1..1000.");
    }
    if (values.match && text_equal(values.source->name, "range"))
        return reading_refuse(reading, values.match->line, "a range has no column to match");
    if (!read_rows(reading, &values))
        return false;
    if (!reading->options->needs_values && !values.table->is_range)
        return true;
    values.table->has_columns = true;
    return check_columns(reading, &values) && (!values.match || match_rows(reading, &values));
}
