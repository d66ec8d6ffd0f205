/* Indexes: by operations, inside tables, and of columns with index=True. */
#include <string.h>
#include <strings.h>

#include "migrate/lower/lower.h"

enum { KEYS_MOST = 32 }; /* of an index of PostgreSQL */

/* ---- keys ---- */

/* "a DESC NULLS LAST" of plain SQL: the column and its order; false if it is an expression. */
static bool
split_order(struct arena *arena, const char *sql, struct index_key *ret)
{
    static const char *const orders[] = { " NULLS LAST", " NULLS FIRST", " DESC", " ASC" };
    size_t end = strlen(sql);
    size_t plain;

    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        size_t length = strlen(orders[i]);

        if (end > length && strncasecmp(sql + end - length, orders[i], length) == 0)
            end -= length;
    }
    plain = strspn(sql, "abcdefghijklmnopqrstuvwxyz_0123456789");
    ret->order = sql[end] ? sql + end + 1 : NULL;
    if (ret->order && strcasecmp(ret->order, "ASC") == 0)
        ret->order = NULL;
    if (plain == end) {
        ret->column = arena_strndup(arena, sql, end);
        return true;
    }
    if (sql[0] == '"' && end > 2 && sql[end - 1] == '"' && strcspn(sql + 1, "\"") == end - 2) {
        ret->column = arena_strndup(arena, sql + 1, end - 2);
        return true;
    }
    return false;
}

/* The key of a PostgreSQL index element as text: the parser splits what is more than a column. */
static void
add_sql_key(struct host *host, struct index *index, const char *sql)
{
    struct index_key key = { 0 };
    struct sql_source source = { .place = host->call->place };
    struct steps made = { 0 };
    const struct index *parsed;

    if (split_order(host->arena, sql, &key)) {
        VEC_PUSH(host->arena, &index->keys, key);
        return;
    }
    source.text = arena_printf(host->arena, "CREATE INDEX ON t (%s)", sql);
    if (!steps_from_sql(host->ctx, &source, &made)) {
        error_clear(host->ctx);
        made.count = 0;
    }
    parsed = made.count == 1 ? made.items[0].index : NULL;
    if (!parsed) {
        VEC_PUSH(host->arena, &index->keys, (struct index_key){ .expression = sql });
        return;
    }
    for (size_t i = 0; i < parsed->keys.count; i++)
        VEC_PUSH(host->arena, &index->keys, parsed->keys.items[i]);
    for (size_t i = 0; i < parsed->uses.count; i++)
        if (!text_list_has(&index->uses, parsed->uses.items[i]))
            text_list_add(host->arena, &index->uses, parsed->uses.items[i]);
}

/* false: the element is not known. */
static bool
add_key(struct host *host, struct index *index, const struct value *value)
{
    const char *sql;

    if (value->kind == VALUE_TEXT) {
        VEC_PUSH(host->arena, &index->keys, (struct index_key){ .column = value->text });
        return true;
    }
    sql = op_expression(host, value, TEXT_IS_SQL);
    if (!sql || strchr(sql, VALUE_HOLE))
        return false;
    add_sql_key(host, index, sql);
    return true;
}

/* postgresql_ops={"column": "gin_trgm_ops"} */
static void
set_opclasses(struct host *host, const struct call *call, struct index *index)
{
    const struct value *ops = call_argument(call, SIZE_MAX, "postgresql_ops");

    for (size_t i = 0; ops && i < ops->pairs.count; i++) {
        const char *column = value_name(host->arena, &ops->pairs.items[i].key);
        const char *opclass = value_name(host->arena, &ops->pairs.items[i].value);

        for (size_t j = 0; j < index->keys.count && j < KEYS_MOST; j++)
            if (column && text_equal(index->keys.items[j].column, column))
                index->keys.items[j].opclass = opclass;
    }
}

/* What an index's keywords say; false if one is not known. */
static bool
set_options(struct host *host, const struct call *call, struct index *index)
{
    const struct value *using = call_argument(call, SIZE_MAX, "postgresql_using");
    const struct value *where = call_argument(call, SIZE_MAX, "postgresql_where");
    const struct value *include = call_argument(call, SIZE_MAX, "postgresql_include");
    bool is_known = true;

    index->method = value_is_given(using) ? value_name(host->arena, using) : "btree";
    index->nulls_not_distinct = call_flag(call, "postgresql_nulls_not_distinct");
    if (value_is_given(include))
        is_known = op_names(host, include, &index->include);
    if (value_is_given(where)) {
        index->where = op_expression(host, where, TEXT_IS_SQL);
        if (index->where && strchr(index->where, VALUE_HOLE))
            index->where = NULL;
        if (index->where)
            op_sql_columns(host, index->where, &index->uses);
        else
            is_known = false;
    }
    set_opclasses(host, call, index);
    return is_known && index->method;
}

/* ---- making the step ---- */

static void
set_name(
    struct host *host, const struct value *given, struct object_name table, struct index *index)
{
    struct text_list columns = { 0 };
    struct named named = { .is_index = true, .table = table, .columns = &columns };

    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.items[i];

        text_list_add(host->arena, &columns, key->column ? key->column : key->expression);
    }
    naming_apply(host, given, &named, &index->name, &index->is_name_unknown);
}

struct index_parts {
    const struct call *call;
    const struct value *name;
    struct object_name table;
    bool is_unique;
    bool is_known;
};

static void
emit(struct host *host, const struct index_parts *parts, struct index *index)
{
    bool is_known = set_options(host, parts->call, index) && parts->is_known;
    struct step *step;

    index->is_unique = parts->is_unique;
    set_name(host, parts->name, parts->table, index);
    step = op_step(host, STEP_CREATE_INDEX);
    step->object = (struct object_name){ parts->table.schema, index->name };
    step->table = parts->table;
    step->name_kind = NAME_INDEX;
    step->index = index;
    step->concurrently = call_flag(parts->call, "postgresql_concurrently");
    step->if_not_exists = call_flag(parts->call, "if_not_exists");
    if (!parts->table.name)
        op_unknown(host, step, REACH_ALL, "the index's table is not known");
    else if (!is_known)
        op_unknown(host, step, REACH_TABLE, "a part of the index is not known");
}

void
op_create_index(struct host *host, const struct subject *subject)
{
    const struct value *columns = subject_argument(subject, "columns");
    const struct value *unique = subject_argument(subject, "unique");
    struct index *index = ARENA_NEW(host->arena, struct index);
    struct index_parts parts = {
        .call = subject->call,
        .name = subject_argument(subject, "index_name"),
        .table = subject_table(host, subject, "table_name", "schema"),
        .is_unique = unique && value_is_true(unique),
        .is_known = columns != NULL,
    };

    if (columns && columns->kind != VALUE_LIST && columns->kind != VALUE_TUPLE)
        parts.is_known = add_key(host, index, columns);
    if (columns && columns->items.count > 0 && columns->items.count <= KEYS_MOST)
        VEC_ROOM(host->arena, &index->keys, columns->items.count);
    for (size_t i = 0; columns && i < columns->items.count && op_afford(host, 1); i++)
        parts.is_known &= add_key(host, index, &columns->items.items[i]);
    emit(host, &parts, index);
}

void
op_drop_index(struct host *host, const struct subject *subject)
{
    const struct value *name = subject_argument(subject, "index_name");
    struct object_name table = subject_table(host, subject, "table_name", "schema");
    const struct value *schema = subject_argument(subject, "schema");
    struct step *step = op_step(host, STEP_DROP_INDEX);

    step->table = table;
    step->name_kind = NAME_INDEX;
    step->object.schema = subject->table ? table.schema : value_name(host->arena, schema);
    step->object.name = op_name(host, step, name, "the index's name");
    step->concurrently = call_flag(subject->call, "postgresql_concurrently");
    step->if_exists = call_flag(subject->call, "if_exists");
}

void
op_index_element(struct host *host, const struct call *call, const struct object_name *table)
{
    struct index *index = ARENA_NEW(host->arena, struct index);
    struct index_parts parts = {
        .call = call,
        .name = call_argument(call, 0, "name"),
        .is_unique = call_flag(call, "unique"),
        .is_known = !call->has_unknown_arguments,
    };

    if (table)
        parts.table = *table;
    for (size_t i = 1; i < call->arguments.count; i++) {
        const struct value *value = &call->arguments.items[i];

        parts.is_known &= add_key(host, index, value);
        if (!table && !parts.table.name && value->call)
            parts.table = call_table(host->arena, value->call);
    }
    emit(host, &parts, index);
}

void
op_column_index(struct host *host, struct object_name table, const char *column, bool is_unique)
{
    static const struct call nothing = { 0 };
    struct index *index = ARENA_NEW(host->arena, struct index);
    struct index_parts parts = {
        .call = &nothing, .table = table, .is_unique = is_unique, .is_known = true
    };

    VEC_ROOM(host->arena, &index->keys, 1);
    VEC_PUSH(host->arena, &index->keys, (struct index_key){ .column = column });
    emit(host, &parts, index);
}
