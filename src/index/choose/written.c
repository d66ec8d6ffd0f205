#include "index/choose/written.h"

#include <math.h>

#include "lang/sql.h"

struct written {
    struct map by_table; /* qualified → struct written_table */
};

struct reading {
    struct arena *arena;
    const struct facts *facts;
    struct written *written;
    double rows; /* of the statement */
};

static struct written_table *
table_for(const struct reading *reading, const struct fact_table *table)
{
    struct written_table *found = map_get(&reading->written->by_table, table->qualified);

    if (!found) {
        found = ARENA_NEW(reading->arena, struct written_table);
        found->table = table;
        map_set(&reading->written->by_table, table->qualified, found);
    }
    return found;
}

/* Without a schema: the one of that name in public, else the first one. */
static const struct fact_table *
resolve(const struct reading *reading, const json_t *relation)
{
    const char *name = json_string_value(json_object_get(relation, "relname"));
    const char *schema = json_string_value(json_object_get(relation, "schemaname"));
    const struct fact_table *found = NULL;

    if (!name)
        return NULL;
    if (schema)
        return facts_table(reading->facts, schema, name);
    found = facts_table(reading->facts, "public", name);
    for (size_t i = 0; i < reading->facts->count && !found; i++)
        if (text_equal(reading->facts->items[i].name, name))
            found = &reading->facts->items[i];
    return found;
}

static bool
is_indexed(const struct fact_table *table, const char *column)
{
    for (size_t i = 0; i < table->index_count; i++)
        if (text_list_has(&table->indexes[i].columns, column))
            return true;
    return false;
}

static void
read_update(const struct reading *reading, const json_t *update)
{
    const struct fact_table *table = resolve(reading, json_object_get(update, "relation"));
    struct written_set set = { .rows = reading->rows, .is_hot = true };
    const json_t *item;
    size_t i;

    if (!table)
        return;
    json_array_foreach(json_object_get(update, "targetList"), i, item)
    {
        const char *column =
            json_string_value(json_object_get(json_object_get(item, "ResTarget"), "name"));

        if (!column)
            continue;
        text_list_add(reading->arena, &set.columns, arena_strdup(reading->arena, column));
        set.is_hot = set.is_hot && !is_indexed(table, column);
    }

    struct written_table *written = table_for(reading, table);

    written->updates += set.rows;
    written->hot_updates += set.is_hot ? set.rows : 0;
    VEC_PUSH(reading->arena, &written->sets, set);
}

static void
read_insert(const struct reading *reading, const json_t *insert)
{
    const struct fact_table *table = resolve(reading, json_object_get(insert, "relation"));

    if (table)
        table_for(reading, table)->inserts += reading->rows;
}

/* Also those in WITH. Depth is limited by the JSON reader's. */
static void
read_node(const struct reading *reading, const json_t *node)
{
    const json_t *child;
    const char *key;
    size_t i;

    if (json_is_array(node))
        json_array_foreach(node, i, child) read_node(reading, child);
    if (!json_is_object(node))
        return;
    json_object_foreach((json_t *)(uintptr_t)node, key, child)
    {
        if (strcmp(key, "UpdateStmt") == 0)
            read_update(reading, child);
        else if (strcmp(key, "InsertStmt") == 0)
            read_insert(reading, child);
        read_node(reading, child);
    }
}

/* What the grammar does not know is written by nobody, as far as we can tell. */
static void
read_statement(struct reading *reading, const struct index_query *query)
{
    const struct intake_statement *statement = query->statement;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };
    json_t *tree CLEANUP(json_release) = NULL;

    if (!statement || statement->is_read || !query->sql)
        return;
    reading->rows = statement->rows >= 0 ? statement->rows : statement->calls;
    if (sql_parse(&scratch, query->sql, &tree))
        read_node(reading, tree);
}

/* What the server counted holds what no statement of the list shows: COPY, other users, what is light. */
static void
add_counters(const struct reading *reading, const struct fact_table *table, double scale)
{
    double updates = table->updates * scale;
    double hot = table->hot_updates * scale;
    struct written_table *written = map_get(&reading->written->by_table, table->qualified);

    if (table->inserts + table->updates <= 0)
        return;
    if (!written)
        written = table_for(reading, table);
    written->inserts = fmax(written->inserts, table->inserts * scale);
    if (table->updates > 0) {
        written->updates = fmax(written->updates, updates);
        written->hot_updates = written->updates * hot / updates;
    }
}

/* The measured share of HOT updates is used in any case; without a span, only where updates are known. */
static void
scale_hot(struct written_table *written)
{
    const struct fact_table *table = written->table;

    if (table->updates > 0)
        written->hot_updates = written->updates * table->hot_updates / table->updates;
}

const struct written *
written_new(struct arena *arena, const struct facts *facts, const struct choose_query *queries,
    size_t count, double span_s)
{
    struct written *written = ARENA_NEW(arena, struct written);
    struct reading reading = { .arena = arena, .facts = facts, .written = written };

    written->by_table.arena = arena;
    for (size_t i = 0; i < count; i++)
        read_statement(&reading, queries[i].query);
    for (size_t i = 0; i < facts->count; i++) {
        struct written_table *table = map_get(&written->by_table, facts->items[i].qualified);

        if (span_s > 0 && facts->stats_age_s > 0)
            add_counters(&reading, &facts->items[i], span_s / facts->stats_age_s);
        else if (table)
            scale_hot(table);
    }
    return written;
}

const struct written_table *
written_table(const struct written *written, const struct fact_table *table)
{
    return map_get(&written->by_table, table->qualified);
}

static bool
shares_column(const struct text_list *a, const struct text_list *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (text_list_has(b, a->items[i]))
            return true;
    return false;
}

double
written_lost_hot(const struct written_table *table, const struct text_list *columns)
{
    double possible = 0;
    double lost = 0;

    for (size_t i = 0; i < table->sets.count; i++) {
        const struct written_set *set = &table->sets.items[i];

        if (!set->is_hot)
            continue;
        possible += set->rows;
        if (shares_column(&set->columns, columns))
            lost += set->rows;
    }
    /* Not all that could be HOT are: the page may be full. */
    return possible > 0 ? lost * fmin(1, table->hot_updates / possible) : 0;
}
