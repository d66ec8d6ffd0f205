/* How statements call an object. */
#include <ctype.h>

#include "catalog/ddl_part.h"

static const char *
table_word(const struct sql_schema_tables *table)
{
    if (text_equal(table->kind, "view"))
        return "VIEW";
    if (text_equal(table->kind, "materialized view"))
        return "MATERIALIZED VIEW";
    return text_equal(table->kind, "foreign table") ? "FOREIGN TABLE" : "TABLE";
}

static const char *
function_word(const struct sql_schema_functions *function)
{
    if (text_equal(function->kind, "procedure"))
        return "PROCEDURE";
    return text_equal(function->kind, "aggregate") ? "AGGREGATE" : "FUNCTION";
}

/* Words of the classes whose objects are all called the same. */
static const char *const words[SCHEMA_CLASS_COUNT] = {
    [SCHEMA_schemas] = "SCHEMA",
    [SCHEMA_extensions] = "EXTENSION",
    [SCHEMA_columns] = "COLUMN",
    [SCHEMA_constraints] = "CONSTRAINT",
    [SCHEMA_indexes] = "INDEX",
    [SCHEMA_sequences] = "SEQUENCE",
    [SCHEMA_triggers] = "TRIGGER",
    [SCHEMA_rules] = "RULE",
    [SCHEMA_policies] = "POLICY",
    [SCHEMA_statistics] = "STATISTICS",
};

const char *
ddl_word(struct arena *arena, enum schema_class class, const void *item)
{
    if (class == SCHEMA_tables)
        return table_word(item);
    if (class == SCHEMA_functions)
        return function_word(item);
    if (class == SCHEMA_types)
        return text_equal(((const struct sql_schema_types *)item)->kind, "domain") ? "DOMAIN"
                                                                                   : "TYPE";
    if (class != SCHEMA_others)
        return words[class];

    /* Its kind in capitals. */
    char *word = arena_strdup(arena, ((const struct sql_schema_others *)item)->kind);

    for (char *at = word; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return word;
}

const char *
ddl_member(enum schema_class class, const void *item, const char *name)
{
    const struct query *query = schema_classes[class].query;

    for (size_t i = 0; i < query->column_count; i++)
        if (query->columns[i].type == FIELD_TEXT && text_equal(query->columns[i].name, name))
            return *(const char *const *)((const char *)item + query->columns[i].offset);
    return NULL;
}

const char *
ddl_target(struct arena *arena, enum schema_class class, const void *item)
{
    const char *schema_name = ddl_member(class, item, "schema");
    const char *table_name = ddl_member(class, item, "table_name");
    const char *name = ddl_member(class, item, "name");

    if (class == SCHEMA_others)
        return name;
    if (class == SCHEMA_functions)
        return arena_printf(arena, "%s(%s)", db_qualified(arena, schema_name, name),
            ddl_member(class, item, "arguments"));
    if (class == SCHEMA_schemas || class == SCHEMA_extensions)
        return db_ident(arena, name);
    if (class == SCHEMA_columns)
        return arena_printf(
            arena, "%s.%s", db_qualified(arena, schema_name, table_name), db_ident(arena, name));
    if (class == SCHEMA_indexes || !table_name)
        return db_qualified(arena, schema_name, name);

    bool is_domain =
        class == SCHEMA_constraints && ((const struct sql_schema_constraints *)item)->is_domain;

    return arena_printf(arena, "%s ON %s%s", db_ident(arena, name), is_domain ? "DOMAIN " : "",
        db_qualified(arena, schema_name, table_name));
}

const char *
ddl_alter_table(
    struct arena *arena, const struct schema *schema, const char *schema_name, const char *name)
{
    const struct sql_schema_tables *table = schema_find_table(schema, schema_name, name);

    return arena_printf(arena, "ALTER %s %s", table ? table_word(table) : "TABLE",
        db_qualified(arena, schema_name, name));
}

void
ddl_add(const struct ddl *ddl, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_list_add(ddl->arena, ddl->out, arena_vprintf(ddl->arena, format, args));
    va_end(args);
}
