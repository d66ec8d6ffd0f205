/* Differences that go along with another one: what is in a table that is missing, and such. */
#include <ctype.h>

#include "base/json.h"
#include "catalog/diff_part.h"

bool
diff_names_column(const char *columns, const char *name)
{
    json_t *names CLEANUP(json_release) = columns ? json_loads(columns, 0, NULL) : NULL;
    const json_t *item;
    size_t i;

    json_array_foreach(names, i,
        item) if (json_is_string(item) && text_equal(json_string_value(item), name)) return true;
    return false;
}

/* Whether the name stands in the text, not as a part of a longer one. */
static bool
has_word(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = text ? strstr(text, name) : NULL; at; at = strstr(at + 1, name)) {
        bool begins = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
        bool ends = !(isalnum((unsigned char)at[length]) || at[length] == '_');

        if (begins && ends)
            return true;
    }
    return false;
}

bool
diff_mentions(enum schema_class class, const void *item, const char *column)
{
    return has_word(ddl_member(class, item, "definition"), column) ||
           has_word(ddl_member(class, item, "using_text"), column) ||
           has_word(ddl_member(class, item, "check_text"), column);
}

/* The change of what an object belongs to, when that is as missing or extra as itself. */
static struct change *
find_whole(const struct diff *diff, const struct change *change, enum schema_class class,
    const char *identity)
{
    struct change *whole = identity ? diff_find(diff, class, identity) : NULL;

    return whole && whole->kind == change->kind ? whole : NULL;
}

static const void *
item_of(const struct change *change)
{
    return change->wanted ? change->wanted : change->found;
}

static const char *
table_of(const struct diff *diff, const struct change *change)
{
    const char *table_name = ddl_member(change->class, item_of(change), "table_name");

    return table_name ? db_qualified(diff->arena,
                            ddl_member(change->class, item_of(change), "schema"), table_name)
                      : NULL;
}

static struct change *
whole_of_sequence(const struct diff *diff, struct change *change)
{
    const struct sql_schema_sequences *sequence = item_of(change);
    struct change *whole = find_whole(diff, change, SCHEMA_columns, sequence->owned_by);
    struct schema_place place = schema_place_of(diff->arena, sequence->owned_by);

    if (!whole && place.column)
        whole = find_whole(
            diff, change, SCHEMA_tables, db_qualified(diff->arena, place.schema, place.name));
    return whole;
}

/* The table or column that statistics are about. */
static struct change *
whole_of_statistics(const struct diff *diff, const struct change *change)
{
    const struct schema *schema = change->kind == DIFFERENCE_EXTRA ? diff->found : diff->wanted;
    struct schema_span span =
        schema_dependencies_of(schema, schema_classes[SCHEMA_statistics].name, change->identity);

    for (size_t i = span.first; i < span.first + span.count; i++) {
        const struct sql_schema_dependencies *item = &schema->dependencies.items[i];
        struct change *whole = NULL;

        if (text_equal(item->on_class, "tables"))
            whole = find_whole(diff, change, SCHEMA_tables, item->on_identity);
        else if (text_equal(item->on_class, "columns"))
            whole = find_whole(diff, change, SCHEMA_columns, item->on_identity);
        if (whole)
            return whole;
    }
    return NULL;
}

/* The constraint of an index; the index or constraint of the parent's that a partition's is of. */
static struct change *
whole_of_index(
    const struct diff *diff, const struct change *change, const struct sql_schema_indexes *index)
{
    const struct schema *schema = change->kind == DIFFERENCE_EXTRA ? diff->found : diff->wanted;
    struct schema_place place = schema_place_of(diff->arena, index->parent);
    const struct sql_schema_indexes *parent =
        place.name ? schema_find_index(schema, place.schema, place.name) : NULL;
    struct change *whole = NULL;

    if (index->constraint_name && change->class == SCHEMA_indexes)
        whole = find_whole(diff, change, SCHEMA_constraints,
            arena_printf(diff->arena, "%s.%s",
                db_qualified(diff->arena, index->schema, index->table_name),
                db_ident(diff->arena, index->constraint_name)));
    if (!whole && parent)
        whole = parent->constraint_name
                    ? find_whole(diff, change, SCHEMA_constraints,
                          arena_printf(diff->arena, "%s.%s",
                              db_qualified(diff->arena, parent->schema, parent->table_name),
                              db_ident(diff->arena, parent->constraint_name)))
                    : find_whole(diff, change, SCHEMA_indexes, index->parent);
    return whole;
}

/* A column that is missing or extra as well, of those that a constraint or index is about. */
static struct change *
whole_column(const struct diff *diff, const struct change *change, const char *columns)
{
    json_t *names CLEANUP(json_release) = columns ? json_loads(columns, 0, NULL) : NULL;
    const char *table = table_of(diff, change);

    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct change *whole =
            name ? find_whole(diff, change, SCHEMA_columns,
                       arena_printf(diff->arena, "%s.%s", table, db_ident(diff->arena, name)))
                 : NULL;

        if (whole)
            return whole;
    }
    return NULL;
}

static struct change *
whole_of_constraint(const struct diff *diff, const struct change *change)
{
    const struct sql_schema_constraints *constraint = item_of(change);
    const struct schema *schema = change->kind == DIFFERENCE_EXTRA ? diff->found : diff->wanted;
    const struct sql_schema_indexes *index =
        constraint->index_name
            ? schema_find_index(schema, constraint->schema, constraint->index_name)
            : NULL;
    struct change *whole = NULL;

    if (constraint->is_domain)
        return find_whole(diff, change, SCHEMA_types, table_of(diff, change));
    if (index)
        whole = whole_of_index(diff, change, index);
    return whole ? whole : whole_column(diff, change, constraint->columns);
}

static struct change *
whole_of(const struct diff *diff, struct change *change)
{
    const char *table = table_of(diff, change);
    struct change *whole = table ? find_whole(diff, change, SCHEMA_tables, table) : NULL;

    if (whole)
        return whole;
    switch ((int)change->class) {
    case SCHEMA_sequences:
        return whole_of_sequence(diff, change);
    case SCHEMA_statistics:
        return whole_of_statistics(diff, change);
    case SCHEMA_constraints:
        return whole_of_constraint(diff, change);
    case SCHEMA_indexes:
        whole = whole_of_index(diff, change, item_of(change));
        if (!whole)
            whole = whole_column(
                diff, change, ((const struct sql_schema_indexes *)item_of(change))->keys);
        return whole ? whole
                     : whole_column(diff, change,
                           ((const struct sql_schema_indexes *)item_of(change))->include);
    default:
        return NULL;
    }
}

static void
silence(struct change *change)
{
    change->is_told = false;
    change->is_done = true;
}

/* A table that became a view, or the other way round, is told once. */
static bool
is_in_other_kind(const struct diff *diff, const struct change *change)
{
    const char *table = table_of(diff, change);
    const struct change *whole = table ? diff_find(diff, SCHEMA_tables, table) : NULL;

    return whole && change_has(whole, "kind");
}

/* The sequence of a column that becomes an identity, or stops to be one, goes with the column. */
static void
join_identity(const struct diff *diff, struct change *change)
{
    const struct sql_schema_sequences *found = change->found;
    const struct sql_schema_sequences *wanted = change->wanted;
    const struct change *column = NULL;

    if (wanted && wanted->is_identity && wanted->owned_by)
        column = diff_find(diff, SCHEMA_columns, wanted->owned_by);
    if (!column && found && found->is_identity && found->owned_by)
        column = diff_find(diff, SCHEMA_columns, found->owned_by);
    if (column && change_has(column, "identity"))
        silence(change);
}

/* An index that becomes a constraint, or stops to be one, goes with the constraint. */
static void
join_constraint(const struct diff *diff, struct change *change)
{
    const struct sql_schema_indexes *found = change->found;
    const struct sql_schema_indexes *wanted = change->wanted;
    const struct sql_schema_indexes *served = wanted->constraint_name ? wanted : found;
    struct change *constraint = diff_find(diff, SCHEMA_constraints,
        arena_printf(diff->arena, "%s.%s",
            db_qualified(diff->arena, served->schema, served->table_name),
            db_ident(diff->arena, served->constraint_name)));

    if (!constraint || constraint->kind == DIFFERENCE_CHANGED)
        return;
    silence(change);
    if (wanted->constraint_name)
        text_list_add(
            diff->arena, &constraint->before, ddl_drop(diff->arena, SCHEMA_indexes, found));
    else
        diff_make(diff, SCHEMA_indexes, wanted, &constraint->after);
}

static void
drop_attribute(struct change *change, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < change->attributes.count; i++)
        if (!text_equal(change->attributes.items[i].name, name))
            change->attributes.items[kept++] = change->attributes.items[i];
    change->attributes.count = kept;
    if (kept == 0)
        silence(change);
}

/* A sequence that belongs to a column gets the owner of the table with it. */
static void
join_owner(const struct diff *diff, struct change *change)
{
    const struct sql_schema_sequences *sequence = change->wanted;
    struct schema_place place = schema_place_of(diff->arena, sequence->owned_by);
    const struct change *table =
        place.name
            ? diff_find(diff, SCHEMA_tables, db_qualified(diff->arena, place.schema, place.name))
            : NULL;

    if (table && table->kind == DIFFERENCE_CHANGED && change_has(table, "owner"))
        drop_attribute(change, "owner");
}

/* The columns of a typed table come and go with its type. */
static bool
is_of_changed_type(const struct diff *diff, const struct change *change)
{
    const struct sql_schema_columns *column = item_of(change);
    const struct sql_schema_tables *table =
        change->class == SCHEMA_columns
            ? schema_find_table(diff->wanted, column->schema, column->table_name)
            : NULL;
    const struct change *type =
        table && table->of_type ? diff_find(diff, SCHEMA_types, table->of_type) : NULL;

    return type && type->kind == DIFFERENCE_CHANGED && change_has(type, "definition");
}

/* What an index is for its table is set anew when the index is made, and gone with it. */
static bool
goes_with_index(
    const struct diff *diff, const struct change *change, const struct attribute *attribute)
{
    const struct sql_schema_tables *table = change->wanted;
    bool is_clustering = text_equal(attribute->name, "clustered_on");
    const char *gone = is_clustering ? NULL : "nothing"; /* as it is without its index */
    const struct change *index;

    if (!is_clustering && !text_equal(attribute->name, "replica_identity"))
        return false;
    index = attribute->wanted ? diff_find(diff, SCHEMA_indexes,
                                    db_qualified(diff->arena, table->schema, attribute->wanted))
                              : NULL;
    if (index && index->kind == DIFFERENCE_MISSING)
        return true;
    index = attribute->found ? diff_find(diff, SCHEMA_indexes,
                                   db_qualified(diff->arena, table->schema, attribute->found))
                             : NULL;
    return index && index->kind == DIFFERENCE_EXTRA && text_equal(attribute->wanted, gone);
}

static void
join_table(const struct diff *diff, struct change *change)
{
    size_t kept = 0;

    for (size_t i = 0; i < change->attributes.count; i++)
        if (!goes_with_index(diff, change, &change->attributes.items[i]))
            change->attributes.items[kept++] = change->attributes.items[i];
    change->attributes.count = kept;
    if (kept == 0)
        silence(change);
}

static void
join_part(const struct diff *diff, struct change *change)
{
    struct change *whole = NULL;

    if (change->kind != DIFFERENCE_CHANGED)
        whole = whole_of(diff, change);
    if (whole) {
        change->whole = whole;
        change->is_told = false;
        change->is_done =
            change->kind == DIFFERENCE_EXTRA || change->class == SCHEMA_columns ||
            (change->class == SCHEMA_indexes && change->wanted &&
                ((const struct sql_schema_indexes *)change->wanted)->constraint_name) ||
            (change->class == SCHEMA_sequences && change->wanted &&
                ((const struct sql_schema_sequences *)change->wanted)->is_identity);
    } else if (is_in_other_kind(diff, change) || diff_joins_family(diff, change) ||
               is_of_changed_type(diff, change)) {
        silence(change);
    } else if (change->class == SCHEMA_columns && change_has(change, "is_local") &&
               diff_changes_family(diff, table_of(diff, change))) {
        drop_attribute(change, "is_local");
    } else if (change->class == SCHEMA_sequences) {
        join_identity(diff, change);
        if (change->kind == DIFFERENCE_CHANGED && !change->is_done)
            join_owner(diff, change);
    } else if (change->class == SCHEMA_indexes && change_has(change, "constraint_name")) {
        join_constraint(diff, change);
    }
}

void
diff_join_parts(struct diff *diff)
{
    for (size_t i = 0; i < diff->changes.count; i++) {
        struct change *change = diff->changes.items[i];

        if (change->class == SCHEMA_tables && change->kind == DIFFERENCE_CHANGED)
            join_table(diff, change);
        else
            join_part(diff, change);
    }
}
