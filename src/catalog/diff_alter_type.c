/* The statements that mend an enum, domain or composite type. */
#include "base/json.h"
#include "catalog/diff_part.h"

static json_t *
labels_of(const void *type)
{
    const char *labels = ((const struct sql_schema_types *)type)->labels;

    return labels ? json_loads(labels, 0, NULL) : NULL;
}

/* Whether all labels of old are in new, in their order. */
static bool
is_only_longer(const json_t *old, const json_t *new)
{
    size_t at = 0;

    for (size_t i = 0; i < json_array_size(new) && at < json_array_size(old); i++)
        at += text_equal(
            json_string_value(json_array_get(old, at)), json_string_value(json_array_get(new, i)));
    return at == json_array_size(old);
}

bool
diff_is_new_enum(const struct change *change)
{
    if (change->class != SCHEMA_types || change->kind != DIFFERENCE_CHANGED ||
        !change_has(change, "labels") || change_has(change, "kind"))
        return false;

    json_t *old CLEANUP(json_release) = labels_of(change->found);
    json_t *new CLEANUP(json_release) = labels_of(change->wanted);

    return !is_only_longer(old, new);
}

static bool
has_label(const json_t *labels, const char *label)
{
    const json_t *item;
    size_t i;

    json_array_foreach(labels, i, item) if (text_equal(json_string_value(item), label)) return true;
    return false;
}

static void
add_labels(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_types *wanted = change->wanted;
    const char *name = db_qualified(ddl->arena, wanted->schema, wanted->name);
    json_t *old CLEANUP(json_release) = labels_of(change->found);
    json_t *new CLEANUP(json_release) = labels_of(wanted);
    const char *before = NULL;
    const json_t *item;
    size_t i;

    json_array_foreach(new, i, item)
    {
        const char *label = json_string_value(item);
        const char *literal = db_literal(ddl->arena, label);

        if (has_label(old, label)) {
            before = literal;
            continue;
        }
        /* Behind the one that is there or was just added; in front of the first of all. */
        if (before)
            ddl_add(ddl, "ALTER TYPE %s ADD VALUE %s AFTER %s", name, literal, before);
        else if (json_array_size(old) > 0)
            ddl_add(ddl, "ALTER TYPE %s ADD VALUE %s BEFORE %s", name, literal,
                db_literal(ddl->arena, json_string_value(json_array_get(old, 0))));
        else
            ddl_add(ddl, "ALTER TYPE %s ADD VALUE %s", name, literal);
        before = literal;
    }
}

/* "app.mood" or "app.mood[]". */
bool
diff_is_of_type(const struct diff *diff, const char *type, const struct sql_schema_types *wanted)
{
    const char *name = db_qualified(diff->arena, wanted->schema, wanted->name);

    return text_equal(type, name) || text_equal(type, arena_printf(diff->arena, "%s[]", name));
}

/* A type of the new labels in the place of the old one, and every column over to it. */
static void
renew_enum(const struct diff *diff, const struct ddl *ddl, struct change *change)
{
    const struct sql_schema_types *wanted = change->wanted;
    const char *name = db_qualified(diff->arena, wanted->schema, wanted->name);
    const char *old = arena_printf(diff->arena, "%.50s__old", wanted->name);

    ddl_add(ddl, "ALTER TYPE %s RENAME TO %s", name, db_ident(diff->arena, old));
    diff_make(diff, SCHEMA_types, wanted, ddl->out);
    for (size_t i = 0; i < diff->found->columns.count; i++) {
        const struct sql_schema_columns *column = &diff->found->columns.items[i];
        const struct sql_schema_tables *table =
            schema_find_table(diff->found, column->schema, column->table_name);
        const struct sql_schema_columns *then =
            schema_find_column(diff->wanted, column->schema, column->table_name, column->name);

        if (!diff_is_of_type(diff, column->type, wanted) || !table || table->definition || !then ||
            (table->parent && !column->is_local))
            continue;
        ddl_add(ddl, "%s TYPE %s USING %s::text%s::%s", ddl_alter_column(ddl, column, false),
            column->type, db_ident(diff->arena, column->name),
            text_ends_with(column->type, "[]") ? "[]" : "", column->type);
    }
    ddl_add(ddl, "DROP TYPE %s", db_qualified(diff->arena, wanted->schema, old));
    change->note = "Rows that hold a label that is gone make this fail.";
}

/* ---- composite types ---- */

/* "AS (street text, \"No\" integer)" to its items. */
static void
split_members(struct arena *arena, const char *definition, struct text_list *ret)
{
    const char *at = strchr(definition, '(');
    struct buffer item = { .arena = arena };
    int depth = 0;
    bool is_quoted = false;

    for (at = at ? at + 1 : ""; *at; at++) {
        is_quoted = is_quoted != (*at == '"');
        depth += is_quoted ? 0 : (*at == '(') - (*at == ')');
        if (depth < 0 || (*at == ',' && depth == 0 && !is_quoted)) {
            text_list_add(arena, ret, buffer_text(&item));
            item = (struct buffer){ .arena = arena };
            at += *at == ',' && at[1] == ' ';
            continue;
        }
        buffer_append(&item, at, 1);
    }
}

/* The length of the name at the beginning of "\"No\" integer". */
static size_t
name_length(const char *member)
{
    size_t length = 0;
    bool is_quoted = false;

    for (; member[length] && (is_quoted || member[length] != ' '); length++)
        is_quoted = is_quoted != (member[length] == '"');
    return length;
}

static const char *
find_member(const struct text_list *members, const char *like)
{
    size_t length = name_length(like);

    for (size_t i = 0; i < members->count; i++)
        if (name_length(members->items[i]) == length &&
            strncmp(members->items[i], like, length) == 0)
            return members->items[i];
    return NULL;
}

/* Attributes can be dropped, altered and added at the end; false if that does not suffice. */
static bool
alter_members(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_types *found = change->found;
    const struct sql_schema_types *wanted = change->wanted;
    const char *name = db_qualified(ddl->arena, wanted->schema, wanted->name);
    struct text_list old = { 0 };
    struct text_list new = { 0 };
    struct text_list result = { 0 };

    split_members(ddl->arena, found->definition, &old);
    split_members(ddl->arena, wanted->definition, &new);
    for (size_t i = 0; i < old.count; i++) {
        const char *then = find_member(&new, old.items[i]);
        size_t length = name_length(old.items[i]);

        if (!then)
            ddl_add(
                ddl, "ALTER TYPE %s DROP ATTRIBUTE %.*s CASCADE", name, (int)length, old.items[i]);
        else if (!text_equal(then, old.items[i]))
            ddl_add(ddl, "ALTER TYPE %s ALTER ATTRIBUTE %.*s TYPE%s CASCADE", name, (int)length,
                then, then + length);
        if (then)
            text_list_add(ddl->arena, &result, then);
    }
    for (size_t i = 0; i < new.count; i++) {
        if (find_member(&old, new.items[i]))
            continue;
        ddl_add(ddl, "ALTER TYPE %s ADD ATTRIBUTE %s CASCADE", name, new.items[i]);
        text_list_add(ddl->arena, &result, new.items[i]);
    }
    return text_equal(
        text_list_join(ddl->arena, &result, ","), text_list_join(ddl->arena, &new, ","));
}

bool
diff_must_remake_type(const struct diff *diff, const struct change *change)
{
    const struct sql_schema_types *wanted = change->wanted;
    struct text_list unused = { 0 };
    struct ddl ddl = diff_writer(diff, false, &unused);

    if (change_has(change, "kind") || change_has(change, "base_type") ||
        change_has(change, "collation"))
        return true;
    if (!change_has(change, "definition"))
        return false;
    return !text_equal(wanted->kind, "composite") || !alter_members(&ddl, change);
}

static void
alter_domain(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_types *wanted = change->wanted;
    const char *alter = arena_printf(
        ddl->arena, "ALTER DOMAIN %s", db_qualified(ddl->arena, wanted->schema, wanted->name));

    if (change_has(change, "default_text") && wanted->default_text)
        ddl_add(ddl, "%s SET DEFAULT %s", alter, wanted->default_text);
    else if (change_has(change, "default_text"))
        ddl_add(ddl, "%s DROP DEFAULT", alter);
    if (change_has(change, "is_not_null"))
        ddl_add(ddl, "%s %s NOT NULL", alter, wanted->is_not_null ? "SET" : "DROP");
}

static void
alter_comments(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_types *found = change->found;
    const struct sql_schema_types *wanted = change->wanted;
    const char *name = db_qualified(ddl->arena, wanted->schema, wanted->name);
    json_t *old CLEANUP(json_release) =
        found->column_comments ? json_loads(found->column_comments, 0, NULL) : json_object();
    json_t *new CLEANUP(json_release) =
        wanted->column_comments ? json_loads(wanted->column_comments, 0, NULL) : json_object();
    const char *column;
    const json_t *comment;

    json_object_foreach(old, column, comment) if (!json_object_get(new, column))
        ddl_add(ddl, "COMMENT ON COLUMN %s.%s IS NULL", name, db_ident(ddl->arena, column));
    json_object_foreach(
        new, column, comment) if (!json_equal(json_object_get(old, column), comment))
        ddl_add(ddl, "COMMENT ON COLUMN %s.%s IS %s", name, db_ident(ddl->arena, column),
            db_literal(ddl->arena, json_string_value(comment)));
}

void
diff_alter_type(const struct diff *diff, struct change *change)
{
    const struct sql_schema_types *wanted = change->wanted;
    struct ddl ddl = diff_writer(diff, false, &change->statements);

    if (diff_is_new_enum(change))
        renew_enum(diff, &ddl, change);
    else if (change_has(change, "labels"))
        add_labels(&ddl, change);
    if (text_equal(wanted->kind, "domain"))
        alter_domain(&ddl, change);
    if (change_has(change, "definition")) {
        alter_members(&ddl, change);
        for (size_t i = 0; i < change->statements.count; i++)
            change->loses_rows |= strstr(change->statements.items[i], " DROP ATTRIBUTE ") != NULL;
    }
    if (change_has(change, "column_comments"))
        alter_comments(&ddl, change);
}
