#include "base/json.h"
#include "catalog/ddl_part.h"
#include "catalog/reparse.h"

/* Each line of a text that begins a statement of its own. */
static void
add_lines(const struct ddl *ddl, const char *text)
{
    static const char next[] = "\nALTER ";

    while (*text) {
        const char *end = strstr(text, next);
        size_t length = end ? (size_t)(end - text) : strlen(text);

        ddl_add(ddl, "%.*s", (int)length, text);
        text += length + (end ? 1 : 0);
    }
}

static void
add_type(const struct ddl *ddl, const struct sql_schema_types *type)
{
    const char *name = db_qualified(ddl->arena, type->schema, type->name);
    json_t *comments CLEANUP(json_release) =
        type->column_comments ? json_loads(type->column_comments, 0, NULL) : NULL;
    const char *column;
    const json_t *comment;

    ddl_add(
        ddl, "CREATE %s %s %s", ddl_word(ddl->arena, SCHEMA_types, type), name, type->definition);
    json_object_foreach(comments, column, comment) ddl_add(ddl, "COMMENT ON COLUMN %s.%s IS %s",
        name, db_ident(ddl->arena, column), db_literal(ddl->arena, json_string_value(comment)));
}

static void
add_policy(const struct ddl *ddl, const struct sql_schema_policies *policy)
{
    struct buffer text = { .arena = ddl->arena };

    buffer_printf(&text, "CREATE POLICY %s%s FOR %s TO %s",
        ddl_target(ddl->arena, SCHEMA_policies, policy),
        policy->is_permissive ? "" : " AS RESTRICTIVE", policy->command, policy->roles);
    if (policy->using_text)
        buffer_printf(&text, " USING (%s)", policy->using_text);
    if (policy->check_text)
        buffer_printf(&text, " WITH CHECK (%s)", policy->check_text);
    ddl_add(ddl, "%s", buffer_text(&text));
}

void
ddl_add_enabled(const struct ddl *ddl, enum schema_class class, const void *item)
{
    const char *enabled = ddl_member(class, item, "enabled");
    const char *how = text_equal(enabled, "disabled")  ? "DISABLE"
                      : text_equal(enabled, "replica") ? "ENABLE REPLICA"
                      : text_equal(enabled, "always")  ? "ENABLE ALWAYS"
                                                       : "ENABLE";

    ddl_add(ddl, "ALTER TABLE %s %s %s %s",
        db_qualified(
            ddl->arena, ddl_member(class, item, "schema"), ddl_member(class, item, "table_name")),
        how, ddl_word(ddl->arena, class, item),
        db_ident(ddl->arena, ddl_member(class, item, "name")));
}

static void
add_definition(const struct ddl *ddl, enum schema_class class, const void *item)
{
    switch ((int)class) {
    case SCHEMA_schemas:
        /* public is there in every new database. */
        ddl_add(ddl, "CREATE SCHEMA %s%s",
            text_equal(ddl_member(class, item, "name"), "public") ? "IF NOT EXISTS " : "",
            ddl_target(ddl->arena, class, item));
        break;
    case SCHEMA_extensions:
        ddl_add(ddl, "CREATE EXTENSION %s SCHEMA %s", ddl_target(ddl->arena, class, item),
            db_ident(ddl->arena, ddl_member(class, item, "schema")));
        break;
    case SCHEMA_types:
        add_type(ddl, item);
        break;
    case SCHEMA_policies:
        add_policy(ddl, item);
        break;
    case SCHEMA_others:
        add_lines(ddl, ddl_member(class, item, "definition"));
        break;
    case SCHEMA_statistics:
        ddl_add(ddl, "%s", ddl_member(class, item, "definition"));
        if (ddl_member(class, item, "target"))
            ddl_add(ddl, "ALTER STATISTICS %s SET STATISTICS %s",
                ddl_target(ddl->arena, class, item), ddl_member(class, item, "target"));
        break;
    default: /* functions, triggers, rules */
        ddl_add(ddl, "%s", ddl_member(class, item, "definition"));
        break;
    }
}

static void
add_object(const struct ddl *ddl, enum schema_class class, const void *item)
{
    const char *enabled = ddl_member(class, item, "enabled");

    if (class == SCHEMA_triggers && ((const struct sql_schema_triggers *)item)->copy_of) {
        ddl_add_enabled(ddl, class, item);
        return;
    }
    add_definition(ddl, class, item);
    if (enabled && !text_equal(enabled, "origin"))
        ddl_add_enabled(ddl, class, item);
    if (ddl_member(class, item, "comment"))
        ddl_add_comment(ddl, class, item);
    if (ddl->with_owner)
        ddl_add_owner(ddl, class, item);
    if (ddl->with_rights)
        ddl_add_rights(ddl, class, item);
}

void
ddl_make(const struct ddl *ddl, enum schema_class class, const void *item)
{
    switch ((int)class) {
    case SCHEMA_tables:
        ddl_add_table(ddl, item);
        break;
    case SCHEMA_columns:
        ddl_add_column(ddl, item);
        break;
    case SCHEMA_constraints:
        ddl_add_constraint(ddl, item);
        break;
    case SCHEMA_indexes:
        ddl_add_index(ddl, item);
        break;
    case SCHEMA_sequences:
        ddl_add_sequence(ddl, item);
        break;
    default:
        add_object(ddl, class, item);
        break;
    }
}

void
ddl_create(struct arena *arena, const struct schema *schema, enum schema_class class,
    const void *item, const struct ddl_options *options, struct text_list *ret)
{
    const struct ddl ddl = {
        .arena = arena,
        .schema = schema,
        .with_owner = options->with_rights,
        .with_rights = options->with_rights,
        .out = ret,
    };

    ddl_make(&ddl, class, item);
}

/* What is dropped by ALTER TABLE or ALTER DOMAIN. */
static const char *
drop_part(struct arena *arena, enum schema_class class, const void *item)
{
    bool is_domain =
        class == SCHEMA_constraints && ((const struct sql_schema_constraints *)item)->is_domain;

    return arena_printf(arena, "ALTER %s %s DROP %s %s", is_domain ? "DOMAIN" : "TABLE",
        db_qualified(
            arena, ddl_member(class, item, "schema"), ddl_member(class, item, "table_name")),
        ddl_word(arena, class, item), db_ident(arena, ddl_member(class, item, "name")));
}

const char *
ddl_drop(struct arena *arena, enum schema_class class, const void *item)
{
    if (class == SCHEMA_columns || class == SCHEMA_constraints)
        return drop_part(arena, class, item);
    if (class == SCHEMA_indexes && ddl_member(class, item, "constraint_name"))
        return arena_printf(arena, "ALTER TABLE %s DROP CONSTRAINT %s",
            db_qualified(
                arena, ddl_member(class, item, "schema"), ddl_member(class, item, "table_name")),
            db_ident(arena, ddl_member(class, item, "constraint_name")));
    if (class == SCHEMA_triggers && ((const struct sql_schema_triggers *)item)->copy_of) {
        const struct sql_schema_triggers *trigger = item;

        return arena_printf(arena, "ALTER TABLE %s ENABLE TRIGGER %s",
            db_qualified(arena, trigger->schema, trigger->table_name),
            db_ident(arena, trigger->name));
    }
    if (class == SCHEMA_others)
        return ddl_member(class, item, "removal");
    return arena_printf(
        arena, "DROP %s %s", ddl_word(arena, class, item), ddl_target(arena, class, item));
}

void
ddl_add_drop(const struct ddl *ddl, enum schema_class class, const void *item)
{
    const char *statement = ddl_drop(ddl->arena, class, item);

    if (class == SCHEMA_others)
        add_lines(ddl, statement);
    else
        ddl_add(ddl, "%s", statement);
}
