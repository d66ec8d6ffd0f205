/* Rows of two databases, compared where they can be told apart, with the server's own sums. */
#include <inttypes.h>

#include "db/ident.h"
#include "migrate/squash/prove.h"

enum { ROWS_SHOWN = 2000, LONGEST_ROW = 160 };

struct comparing {
    struct ctx *ctx;
    const struct prove_side *wanted;
    const struct prove_side *found;
    const struct seeds *seeds;
    const char *when;
    struct text_list *differences;
};

static void differ(struct comparing *comparing, const char *format, ...) PRINTF_LIKE(2, 3);

static void
differ(struct comparing *comparing, const char *format, ...)
{
    struct arena *arena = comparing->ctx->arena;
    va_list args;

    va_start(args, format);

    const char *text = arena_vprintf(arena, format, args);

    va_end(args);
    text_list_add(
        arena, comparing->differences, arena_printf(arena, "%s%s", comparing->when, text));
}

static bool
is_unstable(const struct seeds *seeds, const char *schema, const char *table, const char *column)
{
    for (size_t i = 0; seeds && i < seeds->tables.count; i++)
        if (text_equal(seeds->tables.items[i].schema, schema) &&
            text_equal(seeds->tables.items[i].name, table))
            return text_list_has(&seeds->tables.items[i].unstable, column);
    return false;
}

static bool
has_column(
    const struct schema *schema, const char *in_schema, const char *table, const char *column)
{
    for (size_t i = 0; i < schema->columns.count; i++)
        if (text_equal(schema->columns.items[i].table_name, table) &&
            text_equal(schema->columns.items[i].name, column) &&
            text_equal(schema->columns.items[i].schema, in_schema))
            return true;
    return false;
}

/* "ROW(t.a, t.b)" of the columns that both have and that count, whatever their order in the table. */
static const char *
row_of(struct comparing *comparing, const char *schema, const char *table)
{
    struct arena *arena = comparing->ctx->arena;
    const struct schema *wanted = comparing->wanted->schema;
    struct buffer row = { .arena = arena };

    buffer_add(&row, "ROW(");
    for (size_t i = 0; i < wanted->columns.count; i++) {
        const struct sql_schema_columns *column = &wanted->columns.items[i];

        if (!text_equal(column->schema, schema) || !text_equal(column->table_name, table) ||
            is_unstable(comparing->seeds, schema, table, column->name) ||
            !has_column(comparing->found->schema, schema, table, column->name))
            continue;
        buffer_printf(
            &row, "%st.%s", row.length > strlen("ROW(") ? ", " : "", db_ident(arena, column->name));
    }
    buffer_add(&row, ")");
    return buffer_text(&row);
}

static bool
sum_up(struct ctx *ctx, struct db *db, const char *row, const char *name, const char **ret)
{
    return db_value(ctx, db,
        arena_printf(ctx->arena,
            "SELECT pg_catalog.concat(pg_catalog.count(*), ' ', coalesce(pg_catalog.sum("
            "pg_catalog.hashtextextended((%s)::pg_catalog.text COLLATE pg_catalog.\"C\", 0)), 0)) "
            "FROM ONLY %s t",
            row, name),
        NULL, 0, ret);
}

static bool
list_rows(struct ctx *ctx, struct db *db, const char *row, const char *name, struct result *ret)
{
    return db_query(ctx, db,
        arena_printf(ctx->arena,
            "SELECT (%s)::pg_catalog.text COLLATE pg_catalog.\"C\" FROM ONLY %s t ORDER BY 1 "
            "LIMIT %d",
            row, name, ROWS_SHOWN + 1),
        NULL, 0, ret);
}

static const char *
shorten(struct arena *arena, const char *row)
{
    size_t length = strlen(row);

    if (length <= LONGEST_ROW)
        return row;
    length = LONGEST_ROW;
    while (length > 0 && ((unsigned char)row[length] & 0xC0) == 0x80)
        length--;
    return arena_printf(arena, "%.*s…", (int)length, row);
}

/* The first row of a sorted list that the other one has not; NULL: none. */
static const char *
first_lacking(const struct result *list, const struct result *other)
{
    size_t at = 0;

    for (size_t row = 0; row < list->rows; row++) {
        const char *text = result_cell(list, row, 0);

        while (at < other->rows && strcmp(result_cell(other, at, 0), text) < 0)
            at++;
        if (at >= other->rows || !text_equal(result_cell(other, at, 0), text))
            return text;
        at++;
    }
    return NULL;
}

/* Small tables, as those of a history's own rows are, also tell which rows. */
static bool
tell_rows(struct comparing *comparing, const char *row, const char *name, const char *what)
{
    struct ctx *ctx = comparing->ctx;
    struct buffer text = { .arena = ctx->arena };
    struct result wanted;
    struct result found;

    if (!list_rows(ctx, comparing->wanted->db, row, name, &wanted) ||
        !list_rows(ctx, comparing->found->db, row, name, &found))
        return false;
    buffer_add(&text, what);
    if (wanted.rows <= ROWS_SHOWN && found.rows <= ROWS_SHOWN) {
        const char *missing = first_lacking(&wanted, &found);
        const char *extra = first_lacking(&found, &wanted);

        if (missing)
            buffer_printf(&text, "; row %s is missing", shorten(ctx->arena, missing));
        if (extra)
            buffer_printf(&text, "; row %s is too much", shorten(ctx->arena, extra));
    }
    differ(comparing, "%s", buffer_text(&text));
    return true;
}

/* The sums differ: perhaps only in columns that do not count, or in the columns' order. */
static bool
compare_columns(struct comparing *comparing, const char *schema, const char *table)
{
    struct ctx *ctx = comparing->ctx;
    const char *row = row_of(comparing, schema, table);
    const char *name = db_qualified(ctx->arena, schema, table);
    const char *wanted = NULL;
    const char *found = NULL;

    if (!sum_up(ctx, comparing->wanted->db, row, name, &wanted) ||
        !sum_up(ctx, comparing->found->db, row, name, &found))
        return error_wrap(ctx, "comparing the rows of table %s", name);
    if (text_equal(wanted, found))
        return true;

    const char *what =
        strtoll(wanted, NULL, 10) == strtoll(found, NULL, 10)
            ? arena_printf(ctx->arena, "table %s has other rows", name)
            : arena_printf(ctx->arena, "table %s has %.*s rows instead of %.*s", name,
                  (int)strcspn(found, " "), found, (int)strcspn(wanted, " "), wanted);

    return tell_rows(comparing, row, name, what) ||
           error_wrap(ctx, "comparing the rows of table %s", name);
}

static bool
compare_tables(struct comparing *comparing)
{
    struct arena *arena = comparing->ctx->arena;
    struct content_table_walk walk = { 0 };

    while (content_walk_tables(comparing->wanted->content, comparing->found->content, &walk)) {
        const struct content_table *wanted = walk.expected;
        const struct content_table *found = walk.found;

        /* A table that is not there is told by the comparison of the schemas; its rows here. */
        if (wanted && !found && wanted->rows > 0)
            differ(comparing, "table %s is missing with its %" PRId64 " rows",
                db_qualified(arena, wanted->schema, wanted->name), wanted->rows);
        if (found && !wanted && found->rows > 0)
            differ(comparing, "table %s with %" PRId64 " rows is too much",
                db_qualified(arena, found->schema, found->name), found->rows);
        if (!wanted || !found ||
            (wanted->rows == found->rows && text_equal(wanted->checksum, found->checksum)))
            continue;
        if (!compare_columns(comparing, wanted->schema, wanted->name))
            return false;
    }
    return true;
}

static const struct sql_schema_tables *
find_table(const struct schema *schema, const struct sql_schema_tables *wanted)
{
    for (size_t i = 0; i < schema->tables.count; i++)
        if (text_equal(schema->tables.items[i].schema, wanted->schema) &&
            text_equal(schema->tables.items[i].name, wanted->name))
            return &schema->tables.items[i];
    return NULL;
}

/* Those of materialized views are no tables of a dump, but they were filled by the history. */
static bool
compare_views(struct comparing *comparing)
{
    const struct schema *schema = comparing->wanted->schema;

    for (size_t i = 0; i < schema->tables.count; i++) {
        const struct sql_schema_tables *view = &schema->tables.items[i];

        if (!text_equal(view->kind, "materialized view") || !view->is_populated)
            continue;

        const struct sql_schema_tables *found = find_table(comparing->found->schema, view);

        if (found && found->is_populated && text_equal(found->kind, view->kind) &&
            !compare_columns(comparing, view->schema, view->name))
            return false;
    }
    return true;
}

static const struct content_sequence *
find_sequence(const struct content *content, const struct content_sequence *wanted)
{
    for (size_t i = 0; i < content->sequences.count; i++)
        if (text_equal(content->sequences.items[i].schema, wanted->schema) &&
            text_equal(content->sequences.items[i].name, wanted->name))
            return &content->sequences.items[i];
    return NULL;
}

/* The next number, which is what an application sees of it. */
static const char *
stand_of(struct arena *arena, const struct content_sequence *sequence)
{
    return arena_printf(arena, "%" PRId64 " (%s)", sequence->last_value,
        sequence->last_called ? "used" : "not used yet");
}

static void
compare_sequences(struct comparing *comparing)
{
    struct arena *arena = comparing->ctx->arena;
    const struct content *wanted = comparing->wanted->content;

    for (size_t i = 0; i < wanted->sequences.count; i++) {
        const struct content_sequence *left = &wanted->sequences.items[i];
        const struct content_sequence *right = find_sequence(comparing->found->content, left);

        if (right &&
            (right->last_value != left->last_value || right->last_called != left->last_called))
            differ(comparing, "sequence %s stands at %s instead of %s",
                db_qualified(arena, left->schema, left->name), stand_of(arena, right),
                stand_of(arena, left));
    }
}

bool
prove_rows(struct ctx *ctx, const struct prove_side *wanted, const struct prove_side *found,
    const struct seeds *seeds, const char *when, struct text_list *ret)
{
    struct comparing comparing = {
        .ctx = ctx,
        .wanted = wanted,
        .found = found,
        .seeds = seeds,
        .when = when,
        .differences = ret,
    };

    if (!compare_tables(&comparing) || !compare_views(&comparing))
        return false;
    compare_sequences(&comparing);
    if (wanted->content->large_objects != found->content->large_objects ||
        !text_equal(wanted->content->large_object_sum, found->content->large_object_sum))
        differ(&comparing, "there are %" PRId64 " large objects instead of %" PRId64 ", or others",
            found->content->large_objects, wanted->content->large_objects);
    return true;
}
