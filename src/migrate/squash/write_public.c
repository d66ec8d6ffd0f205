/* Schema public is there from the beginning: only what a history changed of it is written. */
#include "db/ident.h"
#include "migrate/squash/write_sql.h"

static const char standard_comment[] = "standard public schema";

/* Who an item of rights is about: PUBLIC, or a name, quoted. */
static const char *
grantee_of(struct arena *arena, const char *item)
{
    struct buffer name = { .arena = arena };
    bool is_quoted = false;

    for (; *item && (is_quoted || *item != '='); item++) {
        if (*item == '"' && item[1] == '"' && is_quoted)
            item++;
        else if (*item == '"') {
            is_quoted = !is_quoted;
            continue;
        }
        buffer_append(&name, item, 1);
    }
    return name.length > 0 ? db_ident(arena, buffer_text(&name)) : "PUBLIC";
}

/* Everybody may use it, and before 15 make things in it; the owner may both. */
static bool
has_standard_rights(const struct writing *writing, const struct sql_schema_schemas *schema,
    const struct text_list *items)
{
    struct arena *arena = writing->arena;
    const char *everybody = writing->schema->server_major < 15 ? "=UC/" : "=U/";

    if (items->count != 2)
        return false;
    for (size_t i = 0; i < items->count; i++) {
        const char *item = items->items[i];

        if (!text_starts_with(item, everybody) &&
            (!text_equal(grantee_of(arena, item), db_ident(arena, schema->owner)) ||
                !strstr(item, "=UC/")))
            return false;
    }
    return true;
}

static void
write_owner(struct writing *writing, const struct sql_schema_schemas *schema)
{
    static const char standard[] = "pg_database_owner";

    if (writing->schema->server_major < 15 || text_equal(schema->owner, standard))
        return;
    write_up_sql(writing, arena_printf(writing->arena, "ALTER SCHEMA public OWNER TO %s",
                              db_ident(writing->arena, schema->owner)));
    write_down_sql(writing, "ALTER SCHEMA public OWNER TO pg_database_owner");
}

static void
write_rights(struct writing *writing, const struct sql_schema_schemas *schema,
    const struct text_list *statements)
{
    struct arena *arena = writing->arena;
    struct text_list items = { 0 };

    if (schema->acl && write_names(arena, schema->acl, &items) &&
        has_standard_rights(writing, schema, &items))
        return;
    write_up_sql(writing, "REVOKE ALL ON SCHEMA public FROM PUBLIC");
    for (size_t i = 0; i < statements->count; i++)
        if (strstr(statements->items[i], " ON SCHEMA public ") &&
            !text_starts_with(statements->items[i], "COMMENT "))
            write_up_sql(writing, statements->items[i]);
    write_down_sql(writing, arena_printf(arena, "GRANT %s ON SCHEMA public TO PUBLIC",
                                writing->schema->server_major < 15 ? "ALL" : "USAGE"));
    for (size_t i = 0; i < items.count; i++) {
        const char *grantee = grantee_of(arena, items.items[i]);

        if (!text_equal(grantee, db_ident(arena, schema->owner)))
            write_down_sql(
                writing, arena_printf(arena, "REVOKE ALL ON SCHEMA public FROM %s", grantee));
    }
}

void
write_public(struct writing *writing, const struct sql_schema_schemas *schema)
{
    struct ddl_options options = { .with_rights = true };
    struct text_list statements = { 0 };
    struct arena *arena = writing->arena;

    ddl_create(arena, writing->schema, SCHEMA_schemas, schema, &options, &statements);
    write_owner(writing, schema);
    write_rights(writing, schema, &statements);
    if (text_equal(schema->comment, standard_comment))
        return;
    write_up_sql(writing, arena_printf(arena, "COMMENT ON SCHEMA public IS %s",
                              schema->comment ? db_literal(arena, schema->comment) : "NULL"));
    write_down_sql(writing,
        arena_printf(arena, "COMMENT ON SCHEMA public IS %s", db_literal(arena, standard_comment)));
}
