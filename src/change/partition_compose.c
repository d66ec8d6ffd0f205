/* The statements of a table's exchange for a partitioned one, by the catalogue as it is before. */
#include "change/judge.h"
#include "change/kind_partition.h"
#include "db/ident.h"

enum { NAME_BYTES = 63 };

/* <table>_<suffix>, cut before a character that would make it too long. */
const char *
partition_name(struct arena *arena, const char *table, const char *suffix)
{
    size_t room = NAME_BYTES - strlen(suffix) - 1;
    size_t length = strlen(table);

    if (length > room)
        for (length = room; length > 0 && ((unsigned char)table[length] & 0xc0) == 0x80;)
            length--;
    return arena_printf(arena, "%.*s_%s", (int)length, table, suffix);
}

bool
partition_use_utc(struct ctx *ctx, struct db *db)
{
    return db_set(ctx, db, "timezone", "UTC");
}

void
partition_end_utc(struct db *db)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };

    if (db_is_connected(db))
        (void)!db_exec(&ctx, db, "RESET timezone");
}

/* What the change's definition says: {"ahead": 3, "give_up": […]}. */
static bool
read_wish(
    struct ctx *ctx, const struct change *change, int32_t *ret_ahead, const char **ret_give_up)
{
    json_t *json CLEANUP(json_release) = NULL;
    const json_t *names;

    if (!json_parse(ctx, "definition", change->definition, &json))
        return false;
    *ret_ahead = (int32_t)json_get_int(json, "ahead", 0);
    names = json_object_get(json, "give_up");
    *ret_give_up = json_is_array(names) ? json_text(ctx->arena, names) : "[]";
    if (*ret_ahead < 1 || *ret_ahead > PARTITION_MOST_AHEAD)
        return error_set(ctx, ERR_INPUT, "so many partitions cannot be made: %d", *ret_ahead);
    return true;
}

/* Rows for the months to come, and one for all that fits nowhere, so that no row is ever refused. */
static bool
add_partitions(struct ctx *ctx, struct db *db, const struct change *change, const char *key_type,
    struct partition *ret)
{
    struct sql_change_partition_periods_rows rows;
    struct arena *arena = ctx->arena;
    const char *relation = change_relation(arena, change);
    const char *give_up;
    int32_t ahead;

    if (!read_wish(ctx, change, &ahead, &give_up) ||
        !sql_change_partition_periods(ctx, db, &rows, .unit = change->type,
            .start = change->expression, .least_days = 0, .count = ahead, .key_type = key_type))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        text_list_add(arena, &ret->exchange,
            arena_printf(arena, "CREATE TABLE %s PARTITION OF %s FOR VALUES FROM (%s) TO (%s)",
                db_qualified(arena, change->schema,
                    partition_name(arena, change->table, rows.items[i].suffix)),
                relation, db_literal(arena, rows.items[i].lower),
                db_literal(arena, rows.items[i].upper)));
    text_list_add(arena, &ret->exchange,
        arena_printf(arena, "CREATE TABLE %s PARTITION OF %s DEFAULT",
            db_qualified(arena, change->schema, partition_name(arena, change->table, "default")),
            relation));
    return true;
}

static void
add_before(struct arena *arena, const struct change *change, struct partition *ret)
{
    const char *relation = change_relation(arena, change);
    const char *check = db_ident(arena, ret->bound_check);

    text_list_add(arena, &ret->before,
        arena_printf(arena, "ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s < %s) NOT VALID", relation,
            check, db_ident(arena, ret->key), db_literal(arena, ret->bound)));
    text_list_add(arena, &ret->before,
        arena_printf(arena, "ALTER TABLE %s VALIDATE CONSTRAINT %s", relation, check));
    if (*ret->primary_index)
        text_list_add(arena, &ret->before,
            arena_printf(arena, "CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s, %s)",
                db_ident(arena, ret->primary_index), relation, ret->primary_columns,
                db_ident(arena, ret->key)));
}

static void
sort_statement(struct arena *arena, const char *stage, const char *statement, bool is_first_half,
    struct partition *ret)
{
    if (text_equal(stage, "exchange") && is_first_half) {
        text_list_add(arena, &ret->exchange, statement);
        if (text_ends_with(statement, " IN SHARE ROW EXCLUSIVE MODE"))
            text_list_add(arena, &ret->others, statement);
    } else if (text_equal(stage, "attached") && !is_first_half)
        text_list_add(arena, &ret->exchange, statement);
    else if (!is_first_half)
        return;
    else if (text_equal(stage, "undo"))
        text_list_add(arena, &ret->undo, statement);
    else if (text_equal(stage, "restore"))
        text_list_add(arena, &ret->restore, statement);
    else if (text_equal(stage, "validate"))
        text_list_add(arena, &ret->validate, statement);
    else if (text_equal(stage, "primary"))
        ret->primary_sql = statement;
    else if (text_equal(stage, "primary name"))
        ret->primary_back = statement;
    else if (text_equal(stage, "clash"))
        ret->clash = statement;
}

static bool
add_scripts(struct ctx *ctx, struct db *db, const struct change *change, const char *key_type,
    struct partition *ret)
{
    struct sql_change_partition_script_rows rows;
    const char *give_up;
    int32_t ahead;

    if (!read_wish(ctx, change, &ahead, &give_up) ||
        !sql_change_partition_script(ctx, db, &rows, .table_oid = change->table_oid,
            .key = change->column, .history = ret->history, .primary_index = ret->primary_index,
            .bound_check = ret->bound_check, .bound = ret->bound, .give_up = give_up))
        return false;
    ret->give_up = give_up;
    for (size_t i = 0; i < rows.count; i++)
        sort_statement(ctx->arena, rows.items[i].stage, rows.items[i].statement, true, ret);
    ret->given_up = (int64_t)ret->restore.count;
    if (!add_partitions(ctx, db, change, key_type, ret))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        sort_statement(ctx->arena, rows.items[i].stage, rows.items[i].statement, false, ret);
    return true;
}

static bool
is_of_time(const char *type)
{
    return text_equal(type, "timestamp without time zone") ||
           text_equal(type, "timestamp with time zone") || text_equal(type, "date");
}

/* The first reason why it cannot be done, of the column and of the table. */
static bool
find_obstacle(struct ctx *ctx, struct db *db, struct change *change,
    const struct sql_change_partition_facts *facts)
{
    struct sql_change_partition_obstacles_rows rows;
    const char *column = db_ident(ctx->arena, change->column);
    const char *relation = change_relation(ctx->arena, change);
    const char *give_up;
    int32_t ahead;

    if (!facts->key_type)
        return change_block(
            change, arena_printf(ctx->arena, "it has no column %s", column), "--column NAME");
    if (!is_of_time(facts->key_type))
        return change_block(change,
            arena_printf(ctx->arena, "its column %s is of type %s, which is no time", column,
                facts->key_type),
            "--column NAME");
    if (!facts->key_not_null)
        return change_block(change,
            arena_printf(
                ctx->arena, "its column %s may be NULL, and then a row has no place", column),
            arena_printf(ctx->arena,
                "ALTER TABLE %s ADD CHECK (%s IS NOT NULL) NOT VALID; VALIDATE it; then SET NOT NULL",
                relation, column));
    if (!read_wish(ctx, change, &ahead, &give_up) ||
        !sql_change_partition_obstacles(ctx, db, &rows, .table_oid = change->table_oid,
            .key = change->column, .give_up = give_up))
        return false;
    if (rows.count > 0)
        return change_block(change, rows.items[0].problem, rows.items[0].remedy);
    if (facts->row_triggers && !facts->may_silence)
        return change_block(change,
            "it has triggers that an undo would fire for each row it moves, and only a superuser may "
            "keep them from it",
            "do it as a superuser");
    return true;
}

static bool
names_are_free(struct ctx *ctx, struct db *db, struct change *change, const struct partition *made)
{
    const char *names[] = { made->history, *made->primary_index ? made->primary_index : NULL };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct sql_change_partition_now_rows rows;

        if (!names[i])
            continue;
        if (!sql_change_partition_now(ctx, db, &rows, .schema = change->schema, .name = names[i]))
            return false;
        if (rows.count > 0)
            return change_block(change,
                arena_printf(ctx->arena, "the name %s is taken",
                    db_qualified(ctx->arena, change->schema, names[i])),
                "rename what has it");
    }
    return true;
}

static bool
compose(struct ctx *ctx, struct db *db, struct change *change, struct partition *ret)
{
    struct sql_change_partition_facts_rows rows;
    struct arena *arena = ctx->arena;
    struct sql_change_partition_facts facts;

    if (!sql_change_partition_facts(
            ctx, db, &rows, .table_oid = change->table_oid, .key = change->column))
        return false;
    if (rows.count != 1)
        return change_block(change, "it is not there", NULL);
    facts = rows.items[0];
    if (!find_obstacle(ctx, db, change, &facts) || change->action == ACTION_BLOCKED)
        return change->action == ACTION_BLOCKED;
    *ret = (struct partition){
        .about = *change,
        .key = change->column,
        .bound = change->expression,
        .history = partition_name(arena, change->table, "history"),
        .primary_index =
            facts.primary_has_key ? "" : partition_name(arena, change->table, "history_pkey"),
        .primary_columns = facts.primary_columns,
        .bound_check = partition_name(arena, change->table, "bound"),
        .columns = facts.columns,
        .primary_back = "",
        .primary_sql = "",
        .is_silent = facts.row_triggers,
    };
    add_before(arena, change, ret);
    return names_are_free(ctx, db, change, ret) &&
           add_scripts(ctx, db, change, facts.key_type, ret);
}

bool
partition_compose(
    struct ctx *ctx, struct db *db, struct change *change, struct partition *ret, bool *ret_good)
{
    bool is_good;

    *ret_good = false;
    if (!partition_use_utc(ctx, db))
        return false;
    is_good = compose(ctx, db, change, ret);
    partition_end_utc(db);
    if (!is_good)
        return error_wrap(ctx, "looking at %s", change_relation(ctx->arena, change));
    *ret_good = change->action != ACTION_BLOCKED;
    return true;
}
