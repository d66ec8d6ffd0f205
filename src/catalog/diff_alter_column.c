/* The statements that mend a column. */
#include "catalog/diff_part.h"

bool
diff_is_regenerated(const struct diff *diff, const struct change *change)
{
    const struct sql_schema_columns *wanted = change->wanted;

    if (change->class != SCHEMA_columns || change->kind != DIFFERENCE_CHANGED)
        return false;
    if (change_has(change, "is_virtual"))
        return true;
    /* Since 17 a stored expression can be changed. */
    return change_has(change, "generated") && wanted->generated &&
           (diff->found->server_major < 17 ||
               !((const struct sql_schema_columns *)change->found)->generated);
}

bool
diff_disturbs(const struct diff *diff, const struct change *change)
{
    return change->class == SCHEMA_columns && change->kind == DIFFERENCE_CHANGED &&
           (change_has(change, "type") || change_has(change, "collation") ||
               diff_is_regenerated(diff, change));
}

/* ---- types ---- */

/* Kinds of types between which values go over by assignment; text takes all. */
static const struct {
    const char *type;
    char family;
    int width; /* a narrower one may lose something */
} families[] = {
    { "smallint", 'n', 1 },
    { "integer", 'n', 2 },
    { "bigint", 'n', 3 },
    { "numeric", 'n', 6 },
    { "real", 'n', 4 },
    { "double precision", 'n', 5 },
    { "text", 't', 0 },
    { "character varying", 't', 0 },
    { "character", 't', 0 },
    { "date", 'd', 1 },
    { "timestamp without time zone", 'd', 2 },
    { "timestamp with time zone", 'd', 2 },
    { "json", 'j', 0 },
    { "jsonb", 'j', 0 },
    { "time without time zone", 'h', 0 },
    { "time with time zone", 'h', 1 },
};

/* "numeric(12,2)[]" to "numeric". */
static const char *
base_type(struct arena *arena, const char *type)
{
    const char *open = strchr(type, '(');
    const char *close = open ? strchr(open, ')') : NULL;
    const char *array = strstr(type, "[]");

    if (type[0] == '"' || !(open || array))
        return type;
    if (open && close)
        type = arena_printf(arena, "%.*s%s", (int)(open - type), type, close + 1);
    array = strstr(type, "[]");
    return array ? arena_strndup(arena, type, (size_t)(array - type)) : type;
}

static size_t
family_of(const char *type)
{
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (text_equal(families[i].type, type))
            return i;
    return COUNT_OF(families);
}

static bool
is_assignable(struct arena *arena, const char *from, const char *to)
{
    const char *old = base_type(arena, from);
    const char *new = base_type(arena, to);
    size_t one = family_of(old);
    size_t other = family_of(new);

    if ((strstr(from, "[]") != NULL) != (strstr(to, "[]") != NULL))
        return false;
    if (text_equal(old, new))
        return true;
    if (other == COUNT_OF(families))
        return false;
    return families[other].family == 't' ||
           (one < COUNT_OF(families) && families[one].family == families[other].family);
}

/* Whether there is a cast that has to be asked for; by way of text there always is one. */
static bool
has_cast(struct arena *arena, const char *from, const char *to)
{
    const char *old = base_type(arena, from);
    size_t family = family_of(old);

    return (text_equal(old, "boolean") && text_equal(to, "integer")) ||
           (text_equal(old, "integer") && text_equal(to, "boolean")) ||
           (family < COUNT_OF(families) && families[family].family == 't' && !strstr(from, "[]"));
}

/* The number at a place of "numeric(12,2)", or -1. */
static long
modifier(const char *type, size_t place)
{
    const char *at = strchr(type, '(');

    for (; at && place > 0; place--)
        at = strchr(at + 1, ',');
    return at ? strtol(at + 1, NULL, 10) : -1;
}

/* Whether values may be rounded or cut; too long texts and too great numbers are refused. */
static bool
is_lossy(struct arena *arena, const char *from, const char *to)
{
    const char *old = base_type(arena, from);
    const char *new = base_type(arena, to);
    size_t one = family_of(old);
    size_t other = family_of(new);
    bool is_scaled =
        text_equal(new, "numeric") || families[other % COUNT_OF(families)].family == 'd';

    if (one == COUNT_OF(families) || other == COUNT_OF(families) ||
        families[one].family != families[other].family)
        return false;
    if (families[one].family == 'n' && families[one].width <= 3)
        return false;
    if (families[other].width < families[one].width)
        return true;
    if (!is_scaled)
        return false;
    /* Digits behind the point; of times those of the seconds. */
    size_t place = families[one].family == 'n' ? 1 : 0;
    long scale = modifier(to, place);

    return modifier(to, 0) >= 0 && scale >= 0 &&
           (modifier(from, place) > scale || modifier(from, 0) < 0);
}

static void
alter_type(const struct ddl *ddl, struct change *change)
{
    const struct sql_schema_columns *found = change->found;
    const struct sql_schema_columns *wanted = change->wanted;
    const char *alter = ddl_alter_column(ddl, wanted, false);
    bool needs_cast = !is_assignable(ddl->arena, found->type, wanted->type);
    bool moves_default = found->default_text && (needs_cast || change_has(change, "default_text"));
    struct buffer text = { .arena = ddl->arena };

    if (moves_default)
        ddl_add(ddl, "%s DROP DEFAULT", alter);
    buffer_printf(&text, "%s TYPE %s", alter, wanted->type);
    if (wanted->collation)
        buffer_printf(&text, " COLLATE %s", wanted->collation);
    if (needs_cast)
        buffer_printf(&text, " USING %s%s::%s", db_ident(ddl->arena, wanted->name),
            has_cast(ddl->arena, found->type, wanted->type) ? "" : "::text", wanted->type);
    ddl_add(ddl, "%s", buffer_text(&text));
    if (moves_default && wanted->default_text)
        ddl_add(ddl, "%s SET DEFAULT %s", alter, wanted->default_text);
    /* A new type brings its own storage and compression. */
    if (wanted->storage)
        ddl_add(ddl, "%s SET STORAGE %s", alter, wanted->storage);
    if (wanted->compression)
        ddl_add(ddl, "%s SET COMPRESSION %s", alter, wanted->compression);
    if (is_lossy(ddl->arena, found->type, wanted->type)) {
        change->loses_rows = true;
        change->note = "Values are rounded or cut to the new type.";
    }
}

/* ---- identity and defaults ---- */

static void
add_identity(const struct diff *diff, const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_columns *found = change->found;
    const struct sql_schema_columns *wanted = change->wanted;
    const struct sql_schema_sequences *sequence =
        schema_identity_sequence(ddl->arena, diff->wanted, wanted);
    const char *alter = ddl_alter_column(ddl, wanted, false);
    const char *name = sequence ? db_qualified(ddl->arena, sequence->schema, sequence->name) : NULL;

    if (found->default_text)
        ddl_add(ddl, "%s DROP DEFAULT", alter);
    if (sequence && schema_find_sequence(diff->found, sequence->schema, sequence->name))
        ddl_add(ddl, "DROP SEQUENCE %s", name);
    if (!found->is_not_null)
        ddl_add(ddl, "%s SET NOT NULL", alter);
    ddl_add(ddl, "%s ADD %s", alter, ddl_identity_text(ddl, wanted));
    if (!sequence)
        return;
    ddl_add_sequence_extras(ddl, sequence);
    /* Numbers go on behind those that are there. */
    ddl_add(ddl,
        "SELECT pg_catalog.setval(%s, pg_catalog.max(%s)) FROM %s HAVING "
        "pg_catalog.max(%s) IS NOT NULL",
        db_literal(ddl->arena, name), db_ident(ddl->arena, wanted->name),
        db_qualified(ddl->arena, wanted->schema, wanted->table_name),
        db_ident(ddl->arena, wanted->name));
}

static void
drop_identity(const struct diff *diff, const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_columns *wanted = change->wanted;
    const struct sql_schema_sequences *old =
        schema_identity_sequence(ddl->arena, diff->found, change->found);
    const struct sql_schema_sequences *new =
        old ? schema_find_sequence(diff->wanted, old->schema, old->name) : NULL;
    const char *alter = ddl_alter_column(ddl, wanted, false);

    ddl_add(ddl, "%s DROP IDENTITY", alter);
    if (!wanted->is_not_null)
        ddl_add(ddl, "%s DROP NOT NULL", alter);
    if (new)
        ddl_add_sequence(ddl, new);
    if (wanted->default_text)
        ddl_add(ddl, "%s SET DEFAULT %s", alter, wanted->default_text);
    ddl_add_owned_sequences(ddl, schema_identity(ddl->arena, SCHEMA_columns, wanted));
    if (new)
        ddl_add(ddl,
            "SELECT pg_catalog.setval(%s, pg_catalog.max(%s)) FROM %s HAVING "
            "pg_catalog.max(%s) IS NOT NULL",
            db_literal(ddl->arena, db_qualified(ddl->arena, new->schema, new->name)),
            db_ident(ddl->arena, wanted->name),
            db_qualified(ddl->arena, wanted->schema, wanted->table_name),
            db_ident(ddl->arena, wanted->name));
}

static void
alter_identity(const struct diff *diff, const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_columns *found = change->found;
    const struct sql_schema_columns *wanted = change->wanted;

    if (!found->identity)
        add_identity(diff, ddl, change);
    else if (!wanted->identity)
        drop_identity(diff, ddl, change);
    else
        ddl_add(ddl, "%s SET GENERATED %s", ddl_alter_column(ddl, wanted, false),
            text_equal(wanted->identity, "always") ? "ALWAYS" : "BY DEFAULT");
}

/* The beginning of a statement about an attribute: for the children too when all follow. */
static const char *
alter_for(const struct ddl *ddl, const struct change *change, const char *name)
{
    const struct attribute *attribute = diff_attribute(change, name);

    return ddl_alter_column(ddl, change->wanted, attribute && !attribute->is_followed);
}

static void
alter_default(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_columns *wanted = change->wanted;
    const char *alter = alter_for(ddl, change, "default_text");

    if (wanted->default_text)
        ddl_add(ddl, "%s SET DEFAULT %s", alter, wanted->default_text);
    else
        ddl_add(ddl, "%s DROP DEFAULT", alter);
}

/* ---- the rest ---- */

/* What a type has by itself; before 16 there is no SET STORAGE DEFAULT. */
static const char *
standard_storage(struct arena *arena, const char *type)
{
    const char *base = base_type(arena, type);

    if (strstr(type, "[]"))
        return "extended";
    return text_equal(base, "numeric") || text_equal(base, "inet") || text_equal(base, "cidr")
               ? "main"
               : "extended";
}

static void
alter_storage(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_columns *found = change->found;
    const struct sql_schema_columns *wanted = change->wanted;

    bool has_type = change_has(change, "type") || change_has(change, "collation");

    if (change_has(change, "storage") && !has_type)
        ddl_add(ddl, "%s SET STORAGE %s", alter_for(ddl, change, "storage"),
            wanted->storage ? wanted->storage : standard_storage(ddl->arena, wanted->type));
    if (change_has(change, "compression") && !has_type)
        ddl_add(ddl, "%s SET COMPRESSION %s", ddl_alter_column(ddl, wanted, true),
            wanted->compression ? wanted->compression : "default");
    if (change_has(change, "statistics"))
        ddl_add(ddl, "%s SET STATISTICS %s", alter_for(ddl, change, "statistics"),
            wanted->statistics ? wanted->statistics : "-1");
    if (change_has(change, "options"))
        ddl_add_options(ddl, ddl_alter_column(ddl, wanted, true), found->options, wanted->options);
    if (change_has(change, "foreign_options"))
        ddl_add(ddl, "%s OPTIONS (%s)", ddl_alter_column(ddl, wanted, true),
            ddl_foreign_options_text(ddl->arena, found->foreign_options, wanted->foreign_options));
}

static void
alter_generated(const struct diff *diff, const struct ddl *ddl, struct change *change)
{
    const struct sql_schema_columns *found = change->found;
    const struct sql_schema_columns *wanted = change->wanted;

    if (!diff_is_regenerated(diff, change)) {
        if (wanted->generated)
            ddl_add(ddl, "%s SET EXPRESSION AS (%s)", ddl_alter_column(ddl, wanted, false),
                wanted->generated);
        else
            ddl_add(ddl, "%s DROP EXPRESSION", ddl_alter_column(ddl, wanted, false));
        return;
    }
    ddl_add(ddl, "%s", ddl_drop(ddl->arena, SCHEMA_columns, found));
    diff_make(diff, SCHEMA_columns, wanted, &change->statements);
    change->loses_rows = !found->generated;
    change->note = found->generated
                       ? "The column is made anew and stands behind the others then."
                       : "The column is made anew: its values are lost, and it stands behind the "
                         "others then.";
}

void
diff_alter_column(const struct diff *diff, struct change *change)
{
    struct ddl ddl = diff_writer(diff, false, &change->statements);
    const struct sql_schema_columns *wanted = change->wanted;
    bool has_type = change_has(change, "type") || change_has(change, "collation");

    if (change_has(change, "generated") || change_has(change, "is_virtual")) {
        alter_generated(diff, &ddl, change);
        if (wanted->generated && diff_is_regenerated(diff, change))
            return;
    }
    if (has_type)
        alter_type(&ddl, change);
    if (change_has(change, "identity"))
        alter_identity(diff, &ddl, change);
    else if (change_has(change, "default_text") &&
             !(has_type && ((const struct sql_schema_columns *)change->found)->default_text))
        alter_default(&ddl, change);
    if (change_has(change, "is_not_null") && !change_has(change, "identity"))
        ddl_add(&ddl, "%s %s NOT NULL", alter_for(&ddl, change, "is_not_null"),
            wanted->is_not_null ? "SET" : "DROP");
    alter_storage(&ddl, change);
    if (change_has(change, "is_local"))
        change->note = wanted->is_local
                           ? "Only ALTER TABLE … NO INHERIT and INHERIT make an inherited column "
                             "the table's own too."
                           : "Only making the table anew makes a column inherited alone.";
}
