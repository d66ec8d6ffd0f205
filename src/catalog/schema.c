#include <assert.h>

#include "base/clock.h"
#include "catalog/schema_rows.h"
#include "db/ident.h"

enum { TRIES = 6, PAUSE_US = 20000 };

#define SCHEMA_INFO(name_, word_, key_) { #name_, word_, &query_schema_##name_, key_ },
const struct schema_class_info schema_classes[SCHEMA_CLASS_COUNT] = { SCHEMA_CLASSES(SCHEMA_INFO) };
#undef SCHEMA_INFO

#define SCHEMA_OFFSET(name_, word_, key_) offsetof(struct schema, name_),
static const size_t offsets[SCHEMA_CLASS_COUNT] = { SCHEMA_CLASSES(SCHEMA_OFFSET) };
#undef SCHEMA_OFFSET

/* The structs of all classes' rows have the layout of struct rows, but other types. */
struct rows
schema_rows(const struct schema *schema, enum schema_class class)
{
    struct rows rows;

    memcpy(&rows, (const char *)schema + offsets[class], sizeof(rows));
    return rows;
}

void
schema_set_rows(struct schema *schema, enum schema_class class, struct rows rows)
{
    memcpy((char *)schema + offsets[class], &rows, sizeof(rows));
}

const void *
schema_item(const struct schema *schema, enum schema_class class, size_t index)
{
    struct rows rows = schema_rows(schema, class);

    assert(index < rows.count);
    return (const char *)rows.items + index * schema_classes[class].query->row_size;
}

static const struct field *
find_field(const struct query *query, const char *name, size_t length)
{
    for (size_t i = 0; i < query->column_count; i++) {
        const struct field *field = &query->columns[i];

        if (strncmp(field->name, name, length) == 0 && !field->name[length])
            return field;
    }
    return NULL;
}

static const char *
text_of(const struct field *field, const void *item)
{
    const char *text = NULL;

    if (field && field->type == FIELD_TEXT)
        memcpy(&text, (const char *)item + field->offset, sizeof(text));
    return text;
}

const char *
schema_text(const struct query *query, const void *item, const char *name)
{
    return text_of(find_field(query, name, strlen(name)), item);
}

/* "kind name" of an object, schema.table.name of what stands in a table, schema.name of others. */
const char *
schema_identity(struct arena *arena, enum schema_class class, const void *item)
{
    const struct query *query = schema_classes[class].query;
    const char *schema = schema_text(query, item, "schema");
    const char *table = schema_text(query, item, "table_name");
    const char *name = schema_text(query, item, "name");
    bool is_in_table = strstr(schema_classes[class].key, "table_name") != NULL;

    if (class == SCHEMA_others)
        return arena_printf(arena, "%s %s", schema_text(query, item, "kind"), name);
    if (class == SCHEMA_schemas || class == SCHEMA_extensions)
        return db_ident(arena, name);
    if (class == SCHEMA_functions)
        return arena_printf(arena, "%s(%s)", db_qualified(arena, schema, name),
            schema_text(query, item, "arguments"));
    if (is_in_table)
        return arena_printf(
            arena, "%s.%s", db_qualified(arena, schema, table), db_ident(arena, name));
    return db_qualified(arena, schema, name);
}

/* By what a class is sorted: the members of its key, columns by their place in the table. */
struct order {
    const struct field *fields[4];
    size_t count;
    const struct field *position;
};

static struct order order_of(enum schema_class class)
{
    const struct query *query = schema_classes[class].query;
    struct order order = { .count = 0 };

    for (const char *key = schema_classes[class].key; *key; key += strspn(key, " ")) {
        size_t length = strcspn(key, " ");

        assert(order.count < COUNT_OF(order.fields));
        order.fields[order.count++] = find_field(query, key, length);
        key += length;
    }
    if (class == SCHEMA_columns) {
        order.position = find_field(query, "position", strlen("position"));
        order.count--; /* the position takes the place of the name */
    }
    return order;
}

static int
compare(const void *a, const void *b, void *context)
{
    const struct order *order = context;

    for (size_t i = 0; i < order->count; i++) {
        int result = strcmp(text_of(order->fields[i], a), text_of(order->fields[i], b));

        if (result)
            return result;
    }
    if (!order->position)
        return 0;

    int32_t first;
    int32_t second;

    memcpy(&first, (const char *)a + order->position->offset, sizeof(first));
    memcpy(&second, (const char *)b + order->position->offset, sizeof(second));
    return (first > second) - (first < second);
}

bool
schema_sort(struct schema *schema, enum schema_class class, const void **ret_twice)
{
    struct rows rows = schema_rows(schema, class);
    size_t size = schema_classes[class].query->row_size;
    struct order order = order_of(class);

    if (rows.count < 2)
        return true;
    qsort_r(rows.items, rows.count, size, compare, &order);
    for (size_t i = 1; i < rows.count; i++) {
        const char *item = (const char *)rows.items + i * size;

        if (compare(item - size, item, &order) == 0) {
            *ret_twice = item;
            return false;
        }
    }
    return true;
}

/*
 * The server's functions that print definitions look at the catalogue as it is now, not at our
 * snapshot: for what was dropped in between they give NULL.
 */
static bool
check_rows(struct ctx *ctx, const struct query *query, struct rows rows)
{
    for (size_t i = 0; i < query->column_count; i++) {
        const struct field *field = &query->columns[i];

        if (field->type != FIELD_TEXT || !field->required)
            continue;
        for (size_t row = 0; row < rows.count; row++)
            if (!text_of(field, (const char *)rows.items + row * query->row_size))
                return error_set(
                    ctx, ERR_CONFLICT, "query \"%s\": %s is null", query->name, field->name);
    }
    return true;
}

/* Publications have a file of their own, because it is another one for old servers. */
static bool
add_publications(struct ctx *ctx, struct db *db, struct schema *schema)
{
    struct sql_schema_publications_rows found;
    const void *twice;

    if (!sql_schema_publications(ctx, db, &found))
        return false;

    size_t count = schema->others.count + found.count;
    struct sql_schema_others *items = ARENA_ARRAY(ctx->arena, struct sql_schema_others, count);

    for (size_t i = 0; i < schema->others.count; i++)
        items[i] = schema->others.items[i];
    for (size_t i = 0; i < found.count; i++)
        items[schema->others.count + i] = (struct sql_schema_others){
            .kind = found.items[i].kind,
            .name = found.items[i].name,
            .definition = found.items[i].definition,
            .removal = found.items[i].removal,
            .owner = found.items[i].owner,
            .comment = found.items[i].comment,
        };
    schema->others.items = items;
    schema->others.count = count;
    /* The kinds differ, so none is there twice. */
    return schema_sort(schema, SCHEMA_others, &twice);
}

static bool
read_class(struct ctx *ctx, struct db *db, enum schema_class class, struct schema *schema)
{
    const struct query *query = schema_classes[class].query;
    struct rows rows = { .items = NULL };

    if (class == SCHEMA_others) {
        struct sql_schema_others_exist_rows found;

        if (!sql_schema_others_exist(ctx, db, &found))
            return false;
        if (found.count > 0 && !found.items[0].exist)
            return true;
    }
    if (!db_select(ctx, db, query, NULL, &rows) || !check_rows(ctx, query, rows))
        return false;
    schema_set_rows(schema, class, rows);
    return true;
}

static bool
read_objects(struct ctx *ctx, struct db *db, struct schema *ret)
{
    *ret = (struct schema){
        .database = arena_strdup(ctx->arena, db_name(db)),
        .server_version = arena_strdup(ctx->arena, db_version_text(db)),
        .server_major = db_major(db),
    };
    for (size_t i = 0; i < SCHEMA_CLASS_COUNT; i++)
        if (!read_class(ctx, db, (enum schema_class)i, ret))
            return false;
    return add_publications(ctx, db, ret);
}

bool
schema_load_here(struct ctx *ctx, struct db *db, struct schema *ret)
{
    if (!read_objects(ctx, db, ret) || !sql_schema_dependencies(ctx, db, &ret->dependencies))
        return error_wrap(ctx, "reading the schema of database \"%s\"", db_name(db));
    return true;
}

static bool
begin(struct ctx *ctx, struct db *db, struct db_transaction *ret)
{
    /*
     * Our statements name their tables in the order in which they are best joined, so the server
     * need not look for a better one: that was a third of the whole time.
     */
    static const char settings[] = "SELECT pg_catalog.set_config('search_path', '', true),"
                                   " pg_catalog.set_config('join_collapse_limit', '1', true),"
                                   " pg_catalog.set_config('from_collapse_limit', '1', true)";
    struct result unused;

    return db_begin(ctx, db, "ISOLATION LEVEL REPEATABLE READ READ ONLY", ret) &&
           db_query(ctx, db, settings, NULL, 0, &unused);
}

bool
schema_load_begin(
    struct ctx *ctx, struct db *db, struct db_transaction *ret_transaction, struct schema *ret)
{
    if (begin(ctx, db, ret_transaction) && read_objects(ctx, db, ret))
        return true;
    return error_wrap(ctx, "reading the schema of database \"%s\"", db_name(db));
}

/*
 * Our statements are about what they have just found, so when something is not there, it was
 * dropped in between: "cache lookup failed", "could not open relation", "does not exist".
 */
bool
schema_was_disturbed(const struct error *error)
{
    static const char *const states[] = { "XX000", "42P01", "42704", "42883", "3F000" };

    for (size_t i = 0; i < COUNT_OF(states); i++)
        if (strcmp(error->sqlstate, states[i]) == 0)
            return true;
    return error->kind == ERR_CONFLICT;
}

static bool
load_once(struct ctx *ctx, struct db *db, struct schema *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { .db = NULL };

    if (!schema_load_begin(ctx, db, &transaction, ret))
        return false;
    if (!sql_schema_dependencies(ctx, db, &ret->dependencies))
        return error_wrap(ctx, "reading the schema of database \"%s\"", db_name(db));
    return db_commit(ctx, &transaction);
}

bool
schema_load(struct ctx *ctx, struct db *db, struct schema *ret)
{
    const char *why = NULL;

    for (int i = 0; i < TRIES; i++) {
        error_clear(ctx);
        if (load_once(ctx, db, ret))
            return true;
        if (!schema_was_disturbed(&ctx->error))
            return false;
        why = ctx->error.message;
        clock_sleep_us(PAUSE_US << i);
    }
    error_set(ctx, ERR_CONFLICT, "the schema was changed while it was read: %s", why);
    return error_hint(ctx, "Try again when nobody is changing the schema.");
}
