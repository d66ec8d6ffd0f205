/* What a change of each kind needs, and the words and statements that follow from it. */
#include "change/change.h"
#include "change/setting.h"
#include "db/ident.h"

enum { NEEDED_MEMBERS = 6 };

/* Names of members, in the order in which they are missed. */
struct need {
    const char *kind;
    const char *members[NEEDED_MEMBERS + 1];
};

static const struct need needs[] = {
    { KIND_INDEX, { "schema", "table", "statement", "undo", "definition", "lock" } },
    { KIND_DROP, { "schema", "table", "definition", "statement" } },
    { KIND_REINDEX, { "schema", "table", "definition", "statement" } },
    { KIND_COLUMN, { "schema", "table", "type", "statement" } },
    { KIND_TRIGGER, { "schema", "table", "statement", "definition" } },
    { KIND_FILL, { "schema", "table", "column", "expression", "key", "statement" } },
    { KIND_FUNCTION, { "schema", "arguments", "statement" } },
    { KIND_VACUUM, { "schema", "table", "statement" } },
    { KIND_RECORD, { "definition", "statement" } },
    { KIND_SETTING, { "definition", "statement" } },
    { KIND_PARTITION, { "schema", "table", "column", "type", "definition", "statement" } },
    { KIND_PARTITION_ADD, { "schema", "table", "definition", "statement" } },
};

static const struct field *
find_field(const char *name)
{
    for (size_t i = 0; i < change_field_count; i++)
        if (text_equal(change_fields[i].name, name))
            return &change_fields[i];
    return NULL;
}

/* The first that is missing, or NULL. */
static const char *
missing_member(struct arena *arena, const struct change *change, const struct need *need)
{
    if (!change->name)
        return "name";
    for (size_t i = 0; need->members[i]; i++) {
        const struct field *field = find_field(need->members[i]);

        if (field && !field_text(arena, field, change))
            return field->name;
    }
    return NULL;
}

static const struct need *
find_need(const struct change *change)
{
    for (size_t i = 0; i < COUNT_OF(needs); i++)
        if (change_is_of(change, needs[i].kind))
            return &needs[i];
    return NULL;
}

bool
change_check(struct ctx *ctx, const struct change *change)
{
    const char *missing = NULL;

    if (!change->kind || !change->name)
        return error_set(ctx, ERR_INPUT, "a change is incomplete");
    for (size_t i = 0; i < COUNT_OF(needs); i++) {
        if (!change_is_of(change, needs[i].kind))
            continue;
        missing = missing_member(ctx->arena, change, &needs[i]);
        if (missing)
            return error_set(ctx, ERR_INPUT, "the change %s is incomplete: a %s needs \"%s\"",
                change->name, change->kind, missing);
        return true;
    }
    return error_set(
        ctx, ERR_INPUT, "the change %s is of an unknown kind: \"%s\"", change->name, change->kind);
}

static void
compose_column(struct arena *arena, struct change *change)
{
    const char *relation = change_relation(arena, change);
    const char *column = db_ident(arena, change->name);

    change->statement =
        arena_printf(arena, "ALTER TABLE %s ADD COLUMN %s %s", relation, column, change->type);
    change->undo = arena_printf(arena, "ALTER TABLE %s DROP COLUMN %s", relation, column);
    change->lock = "ACCESS EXCLUSIVE";
    change->blocks = "everybody, for some milliseconds; it gives way to who holds the table";
}

static void
compose_fill(struct arena *arena, struct change *change)
{
    const char *column = db_ident(arena, change->column);
    const char *key = db_ident(arena, change->key);

    change->statement = arena_printf(arena,
        "UPDATE ONLY %s SET %s = %s WHERE %s > $1 AND %s <= $2 AND %s IS DISTINCT FROM %s",
        change_relation(arena, change), column, change->expression, key, key, column,
        change->expression);
    change->undo = "nothing: what was filled goes with its column";
    change->lock = "ROW EXCLUSIVE";
    change->blocks = "reads and writes go on; writers of the rows of a batch wait for its end, "
                     "about 100 ms";
}

static void
compose_drop(struct arena *arena, struct change *change)
{
    change->statement = arena_printf(
        arena, "DROP INDEX CONCURRENTLY %s", db_qualified(arena, change->schema, change->name));
    /* Who makes the plan may know that it is unusable: then nothing is built again. */
    if (!change->undo)
        change->undo = arena_printf(arena, "CREATE %sINDEX CONCURRENTLY %s ON %s %s",
            change->is_unique ? "UNIQUE " : "", db_ident(arena, change->name),
            change_relation(arena, change), change->definition);
    change->lock = "SHARE UPDATE EXCLUSIVE";
    change->blocks = "reads and writes go on; VACUUM and other DDL of this table wait";
}

static void
compose_reindex(struct arena *arena, struct change *change)
{
    change->statement = arena_printf(
        arena, "REINDEX INDEX CONCURRENTLY %s", db_qualified(arena, change->schema, change->name));
    change->undo = "nothing: the definition is the same";
    change->lock = "SHARE UPDATE EXCLUSIVE";
    change->blocks = "reads and writes go on; VACUUM and other DDL of this table wait";
}

static void
compose_trigger(struct arena *arena, struct change *change)
{
    change->undo = arena_printf(arena, "DROP TRIGGER %s ON %s, and its function",
        db_ident(arena, change->name), change_relation(arena, change));
    change->lock = "SHARE ROW EXCLUSIVE";
    change->blocks = "writes, for some milliseconds; it gives way to who holds the table";
}

static void
compose_function(struct arena *arena, struct change *change)
{
    change->undo = arena_printf(
        arena, "DROP FUNCTION %s, or back to the definition before", change_object(arena, change));
    change->lock = "none";
    change->blocks = "nobody waits";
}

static void
compose_vacuum(struct arena *arena, struct change *change)
{
    change->statement = arena_printf(arena, "VACUUM (ANALYZE) %s", change_relation(arena, change));
    change->undo = "nothing";
    change->lock = "SHARE UPDATE EXCLUSIVE";
    change->blocks = "reads and writes go on; other maintenance of this table waits";
}

static void
compose_record(struct arena *arena, struct change *change)
{
    change->statement = arena_printf(arena,
        "INSERT INTO pgmend.value (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE",
        db_literal(arena, change->name), db_literal(arena, change->definition));
    change->undo = "the value before, or none";
    change->lock = "none";
    change->blocks = "nobody waits";
}

/* What was there before is known only when it is done; who makes the plan may know it already. */
static void
compose_setting(struct arena *arena, struct change *change)
{
    change->statement = setting_statement(arena, change, change->definition);
    if (!change->undo)
        change->undo = "the value before, or none";
    change->lock = change->table ? "SHARE UPDATE EXCLUSIVE" : "none";
    change->blocks = change->table
                         ? "reads and writes go on; VACUUM and other DDL of this table wait"
                         : "nobody waits";
}

/* The statement was made by the server, with all that the table has: see partition_compose.c. */
static void
compose_partition(struct arena *arena, struct change *change)
{
    (void)arena;
    change->undo =
        "the table gets its name again in one short transaction, then the rows of the other "
        "partitions are moved into it in batches";
    change->lock = "ACCESS EXCLUSIVE";
    change->blocks =
        "everybody, for some milliseconds in the exchange, and it gives way to who holds the "
        "table; reads and writes go on while rows are checked and the index is built";
}

static void
compose_partition_add(struct arena *arena, struct change *change)
{
    change->statement = arena_printf(arena, "CREATE TABLE %s PARTITION OF %s %s",
        db_qualified(arena, change->schema, change->name), change_relation(arena, change),
        change->definition);
    change->undo = arena_printf(arena, "DROP TABLE %s, while it is empty",
        db_qualified(arena, change->schema, change->name));
    change->lock = "ACCESS EXCLUSIVE";
    change->blocks = "everybody, for some milliseconds; it gives way to who holds the table";
}

void
change_compose(struct arena *arena, struct change *change)
{
    static const struct {
        const char *kind;
        void (*compose)(struct arena *arena, struct change *change);
    } kinds[] = {
        { KIND_COLUMN, compose_column },
        { KIND_FILL, compose_fill },
        { KIND_DROP, compose_drop },
        { KIND_REINDEX, compose_reindex },
        { KIND_TRIGGER, compose_trigger },
        { KIND_FUNCTION, compose_function },
        { KIND_VACUUM, compose_vacuum },
        { KIND_RECORD, compose_record },
        { KIND_SETTING, compose_setting },
        { KIND_PARTITION, compose_partition },
        { KIND_PARTITION_ADD, compose_partition_add },
    };

    const struct need *need = find_need(change);
    const char *missing = need ? missing_member(arena, change, need) : "kind";

    /* The statement itself is last among what is needed. */
    if (missing && !text_equal(missing, "statement"))
        return;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (change_is_of(change, kinds[i].kind))
            kinds[i].compose(arena, change);
}
