/*
 * The order in which rows can be inserted while all foreign keys stand: tables after those that
 * their rows refer to, rows after those of the same table. A depth-first search for each.
 */
#include "db/ident.h"
#include "migrate/squash/seed.h"

/* A foreign key that some row uses; places are in the columns of the seed tables. */
struct link {
    size_t from; /* indexes of seed tables */
    size_t to;
    struct seed_places columns;
    struct seed_places targets;
};

struct links {
    struct link *items;
    size_t count;
    size_t capacity;
};

enum mark { MARK_NEW, MARK_OPEN, MARK_DONE };

struct sorting {
    struct ctx *ctx;
    struct seeds *seeds;
    struct links links;
    enum mark *marks;
    VEC(size_t) order;
};

/* The table a partition belongs to, in the words of schema.tables; NULL: none. */
static const char *
parent_of(const struct schema *schema, struct arena *arena, const char *qualified)
{
    for (size_t i = 0; i < schema->tables.count; i++)
        if (text_equal(
                db_qualified(arena, schema->tables.items[i].schema, schema->tables.items[i].name),
                qualified))
            return schema->tables.items[i].parent;
    return NULL;
}

/* Whether a foreign key of or to that table is about the seed table too: it may be a partition. */
static bool
is_within(struct arena *arena, const struct schema *schema, const struct seed_table *table,
    const char *qualified)
{
    const char *at = db_qualified(arena, table->schema, table->name);

    while (at && !text_equal(at, qualified))
        at = parent_of(schema, arena, at);
    return at != NULL;
}

static bool
is_used(const struct seed_table *table, const struct seed_places *columns)
{
    for (size_t row = 0; row < table->rows; row++) {
        bool has_null = false;

        for (size_t i = 0; i < columns->count; i++)
            has_null |= text_equal(seed_row(table, row)[columns->items[i]], "NULL");
        if (!has_null)
            return true;
    }
    return false;
}

static void
add_links(
    struct sorting *sorting, const struct schema *schema, const struct sql_schema_constraints *key)
{
    struct arena *arena = sorting->ctx->arena;
    const struct seeds *seeds = sorting->seeds;
    const char *source = db_qualified(arena, key->schema, key->table_name);
    const char *target = db_qualified(arena, key->target_schema, key->target_table);

    for (size_t from = 0; from < seeds->tables.count; from++) {
        struct link link = { .from = from };

        if (!is_within(arena, schema, &seeds->tables.items[from], source) ||
            !seed_find_columns(
                sorting->ctx, &seeds->tables.items[from], key->columns, &link.columns) ||
            !is_used(&seeds->tables.items[from], &link.columns))
            continue;
        for (link.to = 0; link.to < seeds->tables.count; link.to++)
            if (is_within(arena, schema, &seeds->tables.items[link.to], target) &&
                seed_find_columns(sorting->ctx, &seeds->tables.items[link.to], key->target_columns,
                    &link.targets))
                VEC_PUSH(arena, &sorting->links, link);
    }
}

/* Deferred ones are looked at when all rows are there. */
static void
find_links(struct sorting *sorting, const struct schema *schema)
{
    for (size_t i = 0; i < schema->constraints.count; i++) {
        const struct sql_schema_constraints *constraint = &schema->constraints.items[i];

        if (text_equal(constraint->kind, "foreign key") && constraint->target_table &&
            constraint->target_schema && !constraint->is_deferred)
            add_links(sorting, schema, constraint);
    }
}

static void
tell_circle(struct sorting *sorting, size_t a, size_t b)
{
    struct arena *arena = sorting->ctx->arena;
    const struct seed_table *left = &sorting->seeds->tables.items[a];
    const struct seed_table *right = &sorting->seeds->tables.items[b];

    text_list_add(arena, &sorting->seeds->left_out,
        arena_printf(arena,
            "the rows of tables %s and %s refer to each other in a circle: no order of inserts "
            "satisfies their foreign keys",
            db_qualified(arena, left->schema, left->name),
            db_qualified(arena, right->schema, right->name)));
}

static void
visit_table(struct sorting *sorting, size_t table)
{
    sorting->marks[table] = MARK_OPEN;
    for (size_t i = 0; i < sorting->links.count; i++) {
        const struct link *link = &sorting->links.items[i];

        if (link->from != table || link->to == table)
            continue;
        if (sorting->marks[link->to] == MARK_OPEN)
            tell_circle(sorting, table, link->to);
        else if (sorting->marks[link->to] == MARK_NEW)
            visit_table(sorting, link->to);
    }
    sorting->marks[table] = MARK_DONE;
    VEC_PUSH(sorting->ctx->arena, &sorting->order, table);
}

static const char *
row_key(struct arena *arena, const struct seed_table *table, size_t row,
    const struct seed_places *columns)
{
    struct buffer key = { .arena = arena };

    for (size_t i = 0; i < columns->count; i++) {
        const char *cell = seed_row(table, row)[columns->items[i]];

        if (text_equal(cell, "NULL"))
            return NULL;
        buffer_add(&key, cell);
        buffer_append(&key, "\x1f", 1);
    }
    return buffer_text(&key);
}

/* The rows that each row refers to, for one foreign key of a table to itself. */
static const size_t *
find_parents(struct arena *arena, const struct seed_table *table, const struct link *link)
{
    struct map rows = { .arena = arena };
    size_t *numbers = ARENA_ARRAY(arena, size_t, table->rows);
    size_t *parents = ARENA_ARRAY(arena, size_t, table->rows);

    for (size_t row = 0; row < table->rows; row++) {
        const char *key = row_key(arena, table, row, &link->targets);

        numbers[row] = row;
        if (key)
            map_set(&rows, key, &numbers[row]);
    }
    for (size_t row = 0; row < table->rows; row++) {
        const char *key = row_key(arena, table, row, &link->columns);
        const size_t *parent = key ? map_get(&rows, key) : NULL;

        parents[row] = parent ? *parent : SIZE_MAX;
    }
    return parents;
}

struct row_sorting {
    VEC(const size_t *) parents; /* one for each foreign key to the table itself */
    enum mark *marks;
    VEC(size_t) stack;
    VEC(size_t) order;
    bool has_circle;
};

/* A row that must come first and was not looked at yet; SIZE_MAX: none. */
static size_t
find_first_parent(struct row_sorting *rows, size_t row)
{
    for (size_t i = 0; i < rows->parents.count; i++) {
        size_t parent = rows->parents.items[i][row];

        if (parent == SIZE_MAX || parent == row || rows->marks[parent] == MARK_DONE)
            continue;
        if (rows->marks[parent] == MARK_NEW)
            return parent;
        rows->has_circle = true;
    }
    return SIZE_MAX;
}

static void
visit_row(struct arena *arena, struct row_sorting *rows, size_t row)
{
    VEC_PUSH(arena, &rows->stack, row);
    while (rows->stack.count > 0) {
        size_t top = rows->stack.items[rows->stack.count - 1];

        rows->marks[top] = MARK_OPEN;

        size_t parent = find_first_parent(rows, top);

        if (parent != SIZE_MAX) {
            VEC_PUSH(arena, &rows->stack, parent);
            continue;
        }
        rows->stack.count--;
        rows->marks[top] = MARK_DONE;
        VEC_PUSH(arena, &rows->order, top);
    }
}

static void
order_rows(struct sorting *sorting, size_t index)
{
    struct arena *arena = sorting->ctx->arena;
    struct seed_table *table = &sorting->seeds->tables.items[index];
    struct row_sorting rows = { .marks = ARENA_ARRAY(arena, enum mark, table->rows) };
    const char **cells = ARENA_ARRAY(arena, const char *, table->cells.count);

    for (size_t i = 0; i < sorting->links.count; i++)
        if (sorting->links.items[i].from == index && sorting->links.items[i].to == index)
            VEC_PUSH(arena, &rows.parents, find_parents(arena, table, &sorting->links.items[i]));
    if (rows.parents.count == 0)
        return;
    for (size_t row = 0; row < table->rows; row++)
        if (rows.marks[row] == MARK_NEW)
            visit_row(arena, &rows, row);
    for (size_t row = 0; row < table->rows; row++)
        memcpy(&cells[row * table->columns.count], seed_row(table, rows.order.items[row]),
            table->columns.count * sizeof(cells[0]));
    table->cells.items = cells;
    if (rows.has_circle)
        text_list_add(arena, &sorting->seeds->left_out,
            arena_printf(arena,
                "rows of table %s refer to each other in a circle: no order of inserts satisfies "
                "their foreign keys",
                db_qualified(arena, table->schema, table->name)));
}

void
seed_order(struct ctx *ctx, const struct schema *schema, struct seeds *seeds)
{
    struct sorting sorting = {
        .ctx = ctx,
        .seeds = seeds,
        .marks = ARENA_ARRAY(ctx->arena, enum mark, seeds->tables.count),
    };
    struct seed_table *sorted = ARENA_ARRAY(ctx->arena, struct seed_table, seeds->tables.count);

    find_links(&sorting, schema);
    for (size_t i = 0; i < seeds->tables.count; i++)
        order_rows(&sorting, i);
    for (size_t i = 0; i < seeds->tables.count; i++)
        if (sorting.marks[i] == MARK_NEW)
            visit_table(&sorting, i);
    for (size_t i = 0; i < sorting.order.count; i++)
        sorted[i] = seeds->tables.items[sorting.order.items[i]];
    for (size_t i = 0; i < seeds->tables.count; i++)
        seeds->tables.items[i] = sorted[i];
}
