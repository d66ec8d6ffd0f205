/* Which objects differ, and in what. */
#include <assert.h>

#include "base/vec.h"
#include "catalog/diff_part.h"

/* Members that only say again what others say, or have a comparison of their own. */
static const struct {
    enum schema_class class;
    const char *names; /* blank in front of and behind each */
} skipped[] = {
    { SCHEMA_types, " definition " },
    { SCHEMA_functions, " signature " },
    { SCHEMA_columns, " position " },
    { SCHEMA_constraints,
        " definition columns expression target_schema target_table target_columns on_update "
        "on_delete match is_validated is_deferrable is_deferred is_no_inherit index_name " },
    { SCHEMA_indexes,
        " definition is_unique method keys has_plain_keys nulls_not_distinct predicate include "
        "table_name " },
    { SCHEMA_triggers, " copy_of " },
    { SCHEMA_others, " removal " },
};

/* Of a view's columns only these are not made by its query. */
static const char view_members[] = " default_text comment acl statistics storage options ";

static bool
is_among(const char *names, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = strstr(names, name); at; at = strstr(at + 1, name))
        if (at[-1] == ' ' && at[length] == ' ')
            return true;
    return false;
}

static bool
is_key(enum schema_class class, const char *name)
{
    const char *key = schema_classes[class].key;
    size_t length = strlen(name);

    for (const char *at = key; at; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, name, length) == 0 && (!at[length] || at[length] == ' '))
            return true;
    }
    return false;
}

static bool
is_skipped(enum schema_class class, const char *name)
{
    if (is_key(class, name))
        return true;
    for (size_t i = 0; i < COUNT_OF(skipped); i++)
        if (skipped[i].class == class && is_among(skipped[i].names, name))
            return true;
    return false;
}

static bool
is_ignored(const struct diff_options *options, const char *name)
{
    return (options->ignore_owner && text_equal(name, "owner")) ||
           (options->ignore_acl && text_equal(name, "acl")) ||
           (options->ignore_comments &&
               (text_equal(name, "comment") || text_equal(name, "column_comments")));
}

/* The fields of a class that are compared one by one. */
struct compared {
    const struct field *fields[40];
    size_t count;
};

static struct compared
compared_fields(const struct diff *diff, enum schema_class class)
{
    const struct query *query = schema_classes[class].query;
    struct compared compared = { .count = 0 };

    for (size_t i = 0; i < query->column_count; i++) {
        const char *name = query->columns[i].name;

        if (!is_skipped(class, name) && !is_ignored(diff->options, name) &&
            compared.count < COUNT_OF(compared.fields))
            compared.fields[compared.count++] = &query->columns[i];
    }
    return compared;
}

static bool
is_same(const struct field *field, const void *found, const void *wanted)
{
    const char *one = (const char *)found + field->offset;
    const char *other = (const char *)wanted + field->offset;

    if (field->type == FIELD_TEXT)
        return text_equal(*(const char *const *)one, *(const char *const *)other);
    if (field->type == FIELD_BOOL)
        return *(const bool *)one == *(const bool *)other;
    return *(const int32_t *)one == *(const int32_t *)other;
}

static const char *
value_text(struct arena *arena, const struct field *field, const void *item)
{
    if (field->type == FIELD_BOOL)
        return *(const bool *)((const char *)item + field->offset) ? "yes" : "no";
    return field_text(arena, field, item);
}

static void
add_attribute(const struct diff *diff, struct change *change, const char *name, const char *found,
    const char *wanted)
{
    VEC_PUSH(diff->arena, &change->attributes,
        ((struct attribute){ .name = name, .found = found, .wanted = wanted }));
}

/* The definition without its last " NOT VALID" and what is said of deferring. */
static const char *
core_of(struct arena *arena, const char *definition, bool with_deferring)
{
    static const char *const ends[] = { " NOT VALID", " INITIALLY DEFERRED", " DEFERRABLE" };
    char *core = arena_strdup(arena, definition);

    for (size_t i = 0; i < (with_deferring ? 1 : COUNT_OF(ends)); i++)
        if (text_ends_with(core, ends[i]))
            core[strlen(core) - strlen(ends[i])] = '\0';
    return core;
}

static void
compare_constraint(const struct diff *diff, struct change *change)
{
    const struct sql_schema_constraints *found = change->found;
    const struct sql_schema_constraints *wanted = change->wanted;

    if (text_equal(found->definition, wanted->definition))
        return;
    if (text_equal(core_of(diff->arena, found->definition, true),
            core_of(diff->arena, wanted->definition, true)))
        add_attribute(diff, change, "is_validated", found->is_validated ? "yes" : "no",
            wanted->is_validated ? "yes" : "no");
    else if (text_equal(core_of(diff->arena, found->definition, false),
                 core_of(diff->arena, wanted->definition, false)) &&
             found->is_validated == wanted->is_validated)
        add_attribute(diff, change, "is_deferrable", found->definition, wanted->definition);
    else
        add_attribute(diff, change, "definition", found->definition, wanted->definition);
}

/* The length up to the parenthesis that closes the first one. */
static size_t
closed_length(const char *text)
{
    int depth = 0;
    bool is_quoted = false;
    size_t length = 0;

    for (; text[length]; length++) {
        is_quoted = is_quoted != (text[length] == '\'');
        depth += is_quoted ? 0 : (text[length] == '(') - (text[length] == ')');
        if (text[length] == ')' && depth == 0 && !is_quoted)
            return length + 1;
    }
    return length;
}

/* The definition of an index without WITH (…), which options tell in an order of their own. */
static const char *
index_core(struct arena *arena, const struct sql_schema_indexes *index)
{
    static const char with[] = " WITH (";
    const char *last = NULL;

    for (const char *at = strstr(index->definition, with); at; at = strstr(at + 1, with))
        last = at;
    if (!last || !index->options)
        return index->definition;
    return arena_printf(arena, "%.*s%s", (int)(last - index->definition), index->definition,
        last + closed_length(last));
}

static void
compare_index(const struct diff *diff, struct change *change)
{
    const struct sql_schema_indexes *found = change->found;
    const struct sql_schema_indexes *wanted = change->wanted;

    /* What a constraint's index is, its constraint tells. */
    if (found->constraint_name && wanted->constraint_name)
        return;
    if (!text_equal(index_core(diff->arena, found), index_core(diff->arena, wanted)))
        add_attribute(diff, change, "definition", found->definition, wanted->definition);
}

static void
compare_type(const struct diff *diff, struct change *change)
{
    const struct sql_schema_types *found = change->found;
    const struct sql_schema_types *wanted = change->wanted;
    bool is_told = text_equal(found->kind, wanted->kind) &&
                   (text_equal(found->kind, "enum") || text_equal(found->kind, "domain"));

    if (!is_told && text_equal(found->kind, wanted->kind) &&
        !text_equal(found->definition, wanted->definition))
        add_attribute(diff, change, "definition", found->definition, wanted->definition);
}

static bool
is_view_column(const struct diff *diff, const struct sql_schema_columns *column)
{
    const struct sql_schema_tables *table =
        schema_find_table(diff->wanted, column->schema, column->table_name);

    return table && table->definition;
}

static struct change *
new_change(const struct diff *diff, enum schema_class class, const void *found, const void *wanted)
{
    struct change *change = ARENA_NEW(diff->arena, struct change);

    change->kind = !found ? DIFFERENCE_MISSING : !wanted ? DIFFERENCE_EXTRA : DIFFERENCE_CHANGED;
    change->class = class;
    change->found = found;
    change->wanted = wanted;
    change->is_told = true;
    return change;
}

static void
keep(struct diff *diff, struct change *change)
{
    change->identity = schema_identity(
        diff->arena, change->class, change->wanted ? change->wanted : change->found);
    VEC_PUSH(diff->arena, &diff->changes, change);
    map_set(&diff->by_identity, diff_key(diff->arena, change->class, change->identity), change);
}

struct change *
diff_add(struct diff *diff, enum schema_class class, const void *found, const void *wanted)
{
    struct change *change = new_change(diff, class, found, wanted);

    keep(diff, change);
    return change;
}

/* What is compared member by member, and what has a way of its own. */
static void
compare_members(const struct diff *diff, struct change *change, const struct compared *compared)
{
    bool is_view = change->class == SCHEMA_columns && is_view_column(diff, change->wanted);
    struct ddl ddl = diff_writer(diff, false, NULL);

    for (size_t i = 0; i < compared->count; i++) {
        const struct field *field = compared->fields[i];

        if (is_same(field, change->found, change->wanted) ||
            (is_view && !is_among(view_members, field->name)))
            continue;
        if (text_equal(field->name, "acl") &&
            ddl_same_rights(&ddl, diff->found, change->class, change->found, change->wanted))
            continue;
        add_attribute(diff, change, field->name, value_text(diff->arena, field, change->found),
            value_text(diff->arena, field, change->wanted));
    }
    if (change->class == SCHEMA_constraints)
        compare_constraint(diff, change);
    if (change->class == SCHEMA_indexes)
        compare_index(diff, change);
    if (change->class == SCHEMA_types)
        compare_type(diff, change);
}

/* Most objects are the same to the last pointer's text: no change is made for them. */
static bool
is_plainly_same(enum schema_class class, const void *found, const void *wanted)
{
    const struct query *query = schema_classes[class].query;

    for (size_t i = 0; i < query->column_count; i++)
        if (!is_same(&query->columns[i], found, wanted))
            return false;
    return true;
}

static void
compare_objects(struct diff *diff, enum schema_class class, const void *found, const void *wanted,
    const struct compared *compared)
{
    struct change *change;

    assert(found || wanted);
    if (found && wanted && is_plainly_same(class, found, wanted))
        return;
    if ((!found || !wanted) && class == SCHEMA_columns &&
        is_view_column(diff, wanted ? wanted : found))
        return;
    change = new_change(diff, class, found, wanted);
    if (found && wanted) {
        compare_members(diff, change, compared);
        if (change->attributes.count == 0)
            return;
    }
    keep(diff, change);
}

/* The objects of a class that count, by their keys. */
struct sorted {
    const void **items;
    size_t count;
    size_t offsets[4]; /* of the members of the key */
    size_t key_count;
};

static int
compare_keys(const void *one, const void *other, const struct sorted *sorted)
{
    for (size_t i = 0; i < sorted->key_count; i++) {
        int order = strcmp(*(const char *const *)((const char *)one + sorted->offsets[i]),
            *(const char *const *)((const char *)other + sorted->offsets[i]));

        if (order)
            return order;
    }
    return 0;
}

static int
compare_pointers(const void *a, const void *b, void *sorted)
{
    return compare_keys(*(const void *const *)a, *(const void *const *)b, sorted);
}

static bool
is_ignored_identity(const struct diff *diff, const char *identity)
{
    return diff->options->ignored && text_list_has(diff->options->ignored, identity);
}

/* Whether the object, or what it belongs to, is not to be compared. */
bool
diff_is_left_out(const struct diff *diff, enum schema_class class, const void *item)
{
    const char *schema_name = ddl_member(class, item, class == SCHEMA_schemas ? "name" : "schema");
    const char *table_name = ddl_member(class, item, "table_name");
    const char *owned_by = ddl_member(class, item, "owned_by");

    if (diff->options->schemas &&
        (!schema_name || !text_list_has(diff->options->schemas, schema_name)))
        return true;
    if (!diff->options->ignored)
        return false;
    if (is_ignored_identity(diff, schema_identity(diff->arena, class, item)) ||
        (table_name &&
            is_ignored_identity(diff, db_qualified(diff->arena, schema_name, table_name))))
        return true;
    if (!owned_by)
        return false;

    struct schema_place place = schema_place_of(diff->arena, owned_by);

    return is_ignored_identity(diff, db_qualified(diff->arena, place.schema, place.name));
}

static struct sorted
sort_objects(const struct diff *diff, const struct schema *schema, enum schema_class class)
{
    const struct query *query = schema_classes[class].query;
    size_t count = schema_rows(schema, class).count;
    struct sorted sorted = { .items = ARENA_ARRAY(diff->arena, const void *, count) };

    for (size_t i = 0; i < query->column_count; i++)
        if (is_key(class, query->columns[i].name) && sorted.key_count < COUNT_OF(sorted.offsets))
            sorted.offsets[sorted.key_count++] = query->columns[i].offset;
    for (size_t i = 0; i < count; i++) {
        const void *item = schema_item(schema, class, i);

        if (!(diff->options->schemas || diff->options->ignored) ||
            !diff_is_left_out(diff, class, item))
            sorted.items[sorted.count++] = item;
    }
    /* Rows come by their keys, but columns, which come by position. */
    if (sorted.count > 1)
        qsort_r(sorted.items, sorted.count, sizeof(sorted.items[0]), compare_pointers, &sorted);
    return sorted;
}

static void
compare_class(struct diff *diff, enum schema_class class)
{
    struct compared compared = compared_fields(diff, class);
    struct sorted found = sort_objects(diff, diff->found, class);
    struct sorted wanted = sort_objects(diff, diff->wanted, class);
    size_t i = 0;
    size_t j = 0;

    while (i < found.count || j < wanted.count) {
        int order = i == found.count    ? 1
                    : j == wanted.count ? -1
                                        : compare_keys(found.items[i], wanted.items[j], &found);

        compare_objects(diff, class, order <= 0 ? found.items[i] : NULL,
            order >= 0 ? wanted.items[j] : NULL, &compared);
        i += order <= 0;
        j += order >= 0;
    }
}

void
diff_collect(struct diff *diff)
{
    for (size_t i = 0; i < SCHEMA_CLASS_COUNT; i++)
        compare_class(diff, (enum schema_class)i);
}
