/* Operations that are not Alembic's own: those of extensions that are known, and all others. */
#include <string.h>

#include "migrate/lower/lower.h"

/* ---- alembic_utils: create_entity(PGFunction(schema=…, signature=…, definition=…)) ---- */

struct entity {
    const char *class_name;
    const char *kind;   /* FUNCTION */
    const char *create; /* between kind and definition: " AS " */
    bool can_replace;
    bool has_table; /* its name is found in on_entity */
};

static const struct entity entities[] = {
    { "PGFunction", "FUNCTION", " ", true, false },
    { "PGProcedure", "PROCEDURE", " ", true, false },
    { "PGView", "VIEW", " AS ", true, false },
    { "PGMaterializedView", "MATERIALIZED VIEW", " AS ", false, false },
    { "PGTrigger", "TRIGGER", " ", false, true },
    { "PGPolicy", "POLICY", " ", false, true },
    { "PGExtension", "EXTENSION", "", false, false },
};

struct entity_parts {
    const struct entity *entity;
    const char *schema;
    const char *signature;
    const char *definition;
    const char *table;
};

static bool
entity_read(struct host *host, const struct value *value, struct entity_parts *ret)
{
    const struct call *call = value && value->kind == VALUE_CALL ? value->call : NULL;

    *ret = (struct entity_parts){ 0 };
    if (!call || !call->path || !text_starts_with(call->path, "alembic_utils."))
        return false;
    for (size_t i = 0; i < COUNT_OF(entities); i++)
        if (text_equal(entities[i].class_name, path_verb(call->path)))
            ret->entity = &entities[i];
    if (!ret->entity)
        return false;
    ret->schema = value_name(host->arena, call_argument(call, 0, "schema"));
    ret->signature = value_name(host->arena, call_argument(call, 1, "signature"));
    ret->definition = value_name(host->arena, call_argument(call, SIZE_MAX, "definition"));
    if (!ret->definition)
        ret->definition = value_name(
            host->arena, call_argument(call, ret->entity->has_table ? SIZE_MAX : 2, "definition"));
    ret->table = value_name(host->arena, call_argument(call, SIZE_MAX, "on_entity"));
    if (text_equal(ret->entity->kind, "EXTENSION"))
        return ret->signature != NULL;
    return ret->schema && ret->signature && ret->definition &&
           (ret->table || !ret->entity->has_table);
}

static const char *
entity_name(struct arena *arena, const struct entity_parts *parts)
{
    if (parts->entity->has_table || text_equal(parts->entity->kind, "EXTENSION"))
        return sql_ident(arena, parts->signature);
    if (strchr(parts->signature, '('))
        return arena_printf(arena, "%s.%s", sql_ident(arena, parts->schema), parts->signature);
    return arena_printf(
        arena, "%s.%s", sql_ident(arena, parts->schema), sql_ident(arena, parts->signature));
}

static const char *
create_sql(struct arena *arena, const struct entity_parts *parts, bool replaces)
{
    const struct entity *entity = parts->entity;
    const char *on =
        strcmp(entity->kind, "POLICY") == 0 ? arena_printf(arena, " ON %s", parts->table) : "";

    return arena_printf(arena, "CREATE %s%s %s%s%s%s",
        replaces && entity->can_replace ? "OR REPLACE " : "", entity->kind,
        entity_name(arena, parts), on, entity->create, parts->definition ? parts->definition : "");
}

/* The parameters of a function as DROP wants them: without their defaults. */
static const char *
drop_sql(struct arena *arena, const struct entity_parts *parts)
{
    const char *name = entity_name(arena, parts);
    const char *on = parts->entity->has_table ? arena_printf(arena, " ON %s", parts->table) : "";

    if (strchr(name, '(') && strchr(name, '='))
        name = arena_strndup(arena, name, strcspn(name, "("));
    return arena_printf(arena, "DROP %s %s%s", parts->entity->kind, name, on);
}

static bool
op_entity(struct host *host, const char *name, const struct call *call)
{
    bool creates = text_equal(name, "create_entity");
    bool drops = text_equal(name, "drop_entity");
    bool replaces = text_equal(name, "replace_entity");
    struct entity_parts parts;

    if (!creates && !drops && !replaces)
        return false;
    if (!entity_read(host, call_argument(call, 0, "target"), &parts))
        return false;
    if (drops || (replaces && !parts.entity->can_replace))
        op_sql_text(host, drop_sql(host->arena, &parts));
    if (creates || replaces)
        op_sql_text(host, create_sql(host->arena, &parts, replaces));
    return true;
}

/* ---- alembic_postgresql_enum: sync_enum_values(schema, name, labels, [TableReference(…)]) ---- */

/* The columns get the new type; false if one is not known. */
static bool
sync_columns(struct host *host, const struct value *columns, const char *type, struct buffer *sql)
{
    if (!columns || (columns->kind != VALUE_LIST && columns->kind != VALUE_TUPLE))
        return false;
    for (size_t i = 0; i < columns->items.count; i++) {
        const struct call *call = columns->items.items[i].call;
        struct object_name table;
        const char *column;

        if (!call || !text_equal(path_verb(call->path), "TableReference"))
            return false;
        table.name = value_name(host->arena, call_argument(call, SIZE_MAX, "table_name"));
        table.schema = value_name(host->arena, call_argument(call, SIZE_MAX, "table_schema"));
        column = value_name(host->arena, call_argument(call, SIZE_MAX, "column_name"));
        if (!table.name || !column)
            return false;
        column = sql_ident(host->arena, column);
        buffer_printf(sql, "ALTER TABLE %s ALTER COLUMN %s TYPE %s USING %s::text::%s;\n",
            sql_object(host->arena, table), column, type, column, type);
    }
    return true;
}

/* The type is made anew under its name, and the old one dropped when no column has it any more. */
static bool
sync_enum_values(struct host *host, const struct call *call)
{
    const struct value *labels = call_argument(call, 2, "new_values");
    struct buffer sql = { .arena = host->arena };
    struct text_list names = { 0 };
    struct object_name name = {
        .schema = value_name(host->arena, call_argument(call, 0, "enum_schema")),
        .name = value_name(host->arena, call_argument(call, 1, "enum_name")),
    };
    struct object_name old = { .schema = name.schema };

    if (!name.name || !labels || labels->kind != VALUE_LIST || !op_names(host, labels, &names))
        return false;
    old.name = arena_printf(host->arena, "%s_old", name.name);
    buffer_printf(&sql, "ALTER TYPE %s RENAME TO %s;\nCREATE TYPE %s AS ENUM (",
        sql_object(host->arena, name), sql_ident(host->arena, old.name),
        sql_object(host->arena, name));
    for (size_t i = 0; i < names.count; i++)
        buffer_printf(&sql, "%s%s", i > 0 ? ", " : "", sql_quoted(host->arena, names.items[i]));
    buffer_add(&sql, ");\n");
    if (!sync_columns(
            host, call_argument(call, 3, "affected_columns"), sql_object(host->arena, name), &sql))
        return false;
    buffer_printf(&sql, "DROP TYPE %s;", sql_object(host->arena, old));
    op_sql_text(host, buffer_text(&sql));
    return true;
}

void
op_plugin(struct host *host, const char *name, const struct call *call)
{
    op_note(host, NOTE_PLUGIN, name);
    if (text_equal(name, "sync_enum_values") && sync_enum_values(host, call))
        return;
    if (!op_entity(host, name, call))
        op_mystery(host, REACH_ALL,
            "%s() is no operation of Alembic's own: only the extension knows what it does", name);
}
