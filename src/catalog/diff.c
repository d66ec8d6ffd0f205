#include "base/vec.h"
#include "catalog/diff_part.h"
#include "catalog/reparse.h"

const char *
diff_key(struct arena *arena, enum schema_class class, const char *identity)
{
    return arena_printf(arena, "%s %s", schema_classes[class].name, identity);
}

struct change *
diff_find(const struct diff *diff, enum schema_class class, const char *identity)
{
    return map_get(&diff->by_identity, diff_key(diff->arena, class, identity));
}

bool
change_has(const struct change *change, const char *attribute)
{
    return diff_attribute(change, attribute) != NULL;
}

struct ddl
diff_writer(const struct diff *diff, bool is_found, struct text_list *out)
{
    return (struct ddl){ .arena = diff->arena,
        .schema = is_found ? diff->found : diff->wanted,
        .standing = diff->found,
        .with_owner = !diff->options->ignore_owner,
        .with_rights = !diff->options->ignore_acl,
        .out = out };
}

void
diff_make(const struct diff *diff, enum schema_class class, const void *item, struct text_list *out)
{
    struct ddl ddl = diff_writer(diff, false, out);

    ddl_make(&ddl, class, item);
}

void
diff_drop(const struct diff *diff, enum schema_class class, const void *item, struct text_list *out)
{
    struct ddl ddl = diff_writer(diff, true, out);

    ddl_add_drop(&ddl, class, item);
}

/* Sets a text of an object by the name of its member. */
static void
set_member(enum schema_class class, void *item, const char *name, const char *text)
{
    const struct query *query = schema_classes[class].query;

    for (size_t i = 0; i < query->column_count; i++)
        if (text_equal(query->columns[i].name, name))
            *(const char **)((char *)item + query->columns[i].offset) = text;
}

void
diff_make_again(const struct diff *diff, enum schema_class class, const void *found,
    const void *wanted, struct text_list *out)
{
    struct ddl ddl = diff_writer(diff, false, out);
    void *item = arena_memdup(diff->arena, wanted, schema_classes[class].query->row_size);

    /* What is not compared stays as it was. */
    if (diff->options->ignore_owner)
        set_member(class, item, "owner", ddl_member(class, found, "owner"));
    if (diff->options->ignore_acl)
        set_member(class, item, "acl", ddl_member(class, found, "acl"));
    if (diff->options->ignore_comments)
        set_member(class, item, "comment", ddl_member(class, found, "comment"));
    ddl.with_owner = true;
    ddl.with_rights = true;
    ddl_make(&ddl, class, item);
}

/* ---- order ---- */

/* Where the objects of a schema stand in the order in which they are made. */
static size_t *
places_of(struct arena *arena, const struct schema *schema, size_t *ret_starts)
{
    size_t total = 0;
    struct ddl_refs refs;
    size_t *places;

    for (size_t i = 0; i < SCHEMA_CLASS_COUNT; i++) {
        ret_starts[i] = total;
        total += schema_rows(schema, (enum schema_class)i).count;
    }
    places = ARENA_ARRAY(arena, size_t, total);
    ddl_order(arena, schema, &refs);
    for (size_t i = 0; i < refs.count; i++)
        places[ret_starts[refs.items[i].class] + refs.items[i].index] = i;
    return places;
}

size_t
diff_place(const struct diff *diff, bool is_found, enum schema_class class, const void *item)
{
    const struct schema *schema = is_found ? diff->found : diff->wanted;
    const struct diff_places *places = is_found ? &diff->found_places : &diff->wanted_places;
    const char *first;

    if (class == SCHEMA_columns) {
        const struct sql_schema_columns *column = item;

        item = schema_find_table(schema, column->schema, column->table_name);
        class = SCHEMA_tables;
        if (!item)
            return 0;
    }
    first = schema_rows(schema, class).items;
    return places->places[places->starts[class] + (size_t)((const char *)item - first) /
                                                      schema_classes[class].query->row_size];
}

/* Functions, types and such are dropped when nothing rests on them any more. */
static bool
goes_late(const struct change *change)
{
    static const char *const early[] = { "publication", "event trigger", "default privileges" };

    switch ((int)change->class) {
    case SCHEMA_schemas:
    case SCHEMA_extensions:
    case SCHEMA_types:
    case SCHEMA_functions:
        return true;
    case SCHEMA_others:
        for (size_t i = 0; i < COUNT_OF(early); i++)
            if (text_equal(((const struct sql_schema_others *)change->found)->kind, early[i]))
                return false;
        return true;
    default:
        return false;
    }
}

enum { STAGE_DROP, STAGE_MEND, STAGE_CLEAN };

static void
place(struct diff *diff, struct change *change)
{
    const void *item = change->wanted ? change->wanted : change->found;
    bool is_extra = change->kind == DIFFERENCE_EXTRA;

    change->stage = !is_extra ? STAGE_MEND : goes_late(change) ? STAGE_CLEAN : STAGE_DROP;
    change->place = diff_place(diff, is_extra, change->class, item);
    change->position =
        change->class == SCHEMA_columns ? ((const struct sql_schema_columns *)item)->position : 0;
    if (change->class == SCHEMA_columns && change->kind == DIFFERENCE_CHANGED)
        change->position += INT16_MAX; /* after those that are missing */
}

static int
compare_changes(const void *a, const void *b)
{
    const struct change *one = *(const struct change *const *)a;
    const struct change *other = *(const struct change *const *)b;
    int direction = one->kind == DIFFERENCE_EXTRA ? -1 : 1;

    if (one->stage != other->stage)
        return one->stage - other->stage;
    if (one->place != other->place)
        return one->place < other->place ? -direction : direction;
    if (one->position != other->position)
        return one->position < other->position ? -1 : 1;
    return (int)one->class - (int)other->class;
}

static void
sort_changes(struct diff *diff)
{
    diff->found_places.places = places_of(diff->arena, diff->found, diff->found_places.starts);
    diff->wanted_places.places = places_of(diff->arena, diff->wanted, diff->wanted_places.starts);
    for (size_t i = 0; i < diff->changes.count; i++)
        place(diff, diff->changes.items[i]);
    qsort(
        diff->changes.items, diff->changes.count, sizeof(diff->changes.items[0]), compare_changes);
    for (size_t i = 0; i < diff->changes.count; i++)
        diff->changes.items[i]->number = i;
}

/* ---- statements ---- */

static struct change *
root_of(struct change *change)
{
    while (change->whole)
        change = change->whole;
    return change;
}

static void
take_later(const struct diff *diff, const char *class, const char *identity, struct change **host)
{
    struct change *other =
        map_get(&diff->by_identity, arena_printf(diff->arena, "%s %s", class, identity));

    other = other ? root_of(other) : NULL;
    if (other && other->kind != DIFFERENCE_EXTRA && other->number > (*host)->number)
        *host = other;
}

/* Columns that get another type before, and missing children, which come without what they inherit. */
static void
take_later_of_table(const struct diff *diff, const struct change *part, struct change **host)
{
    const char *schema_name = ddl_member(part->class, part->wanted, "schema");
    const char *table_name = ddl_member(part->class, part->wanted, "table_name");
    const char *table = table_name ? db_qualified(diff->arena, schema_name, table_name) : NULL;

    for (size_t i = 0; table && i < diff->changes.count; i++) {
        struct change *other = diff->changes.items[i];
        const struct sql_schema_columns *column = other->wanted;
        const struct sql_schema_tables *child = other->wanted;

        if (other->number <= (*host)->number || other->kind == DIFFERENCE_EXTRA)
            continue;
        if ((other->class == SCHEMA_columns && text_equal(column->schema, schema_name) &&
                text_equal(column->table_name, table_name) && !other->whole) ||
            (other->class == SCHEMA_tables && other->kind == DIFFERENCE_MISSING &&
                diff_descends(diff, child, table)))
            *host = other;
    }
}

/* The state of a partition's trigger comes after the trigger, which comes after all partitions. */
static void
take_later_of_copy(const struct diff *diff, const struct change *part, struct change **host)
{
    const struct sql_schema_triggers *trigger = part->wanted;
    struct change *original = trigger->copy_of
                                  ? diff_find(diff, SCHEMA_triggers,
                                        arena_printf(diff->arena, "%s.%s", trigger->copy_of,
                                            db_ident(diff->arena, trigger->name)))
                                  : NULL;

    if (!original || original->kind != DIFFERENCE_MISSING || !original->whole)
        return;
    if (root_of(original)->number > (*host)->number)
        *host = root_of(original);
    take_later_of_table(diff, original, host);
}

/* The change after which a part of a missing table can be made: that of the last it rests on. */
static struct change *
host_of(const struct diff *diff, struct change *part)
{
    struct schema_span span =
        schema_dependencies_of(diff->wanted, schema_classes[part->class].name, part->identity);
    struct change *host = root_of(part->whole);

    for (size_t i = span.first; i < span.first + span.count; i++) {
        const struct sql_schema_dependencies *item = &diff->wanted->dependencies.items[i];

        take_later(diff, item->on_class, item->on_identity, &host);
    }
    take_later_of_table(diff, part, &host);
    if (part->class == SCHEMA_triggers)
        take_later_of_copy(diff, part, &host);
    return host;
}

/* Sequences are there before their columns, indexes of partitions before those of their parent. */
static bool
comes_first(const struct change *part)
{
    bool is_index = part->class == SCHEMA_indexes || part->class == SCHEMA_constraints;

    return part->class == SCHEMA_sequences ||
           (is_index &&
               (part->whole->class == SCHEMA_indexes || part->whole->class == SCHEMA_constraints));
}

/* Parts of missing tables: their constraints, indexes, triggers, sequences. */
static void
make_parts(const struct diff *diff)
{
    for (size_t i = 0; i < diff->changes.count; i++) {
        struct change *part = diff->changes.items[i];

        if (!part->whole || part->is_done || part->kind != DIFFERENCE_MISSING)
            continue;

        struct change *host = host_of(diff, part);
        struct change *whole = root_of(part);

        diff_make(
            diff, part->class, part->wanted, comes_first(part) ? &whole->before : &host->after);
        part->is_done = true;
    }
}

static bool
is_last_column(const struct diff *diff, const struct sql_schema_columns *column)
{
    struct schema_span span = schema_columns_of(diff->wanted, column->schema, column->table_name);

    for (size_t i = span.first; i < span.first + span.count; i++) {
        const struct sql_schema_columns *other = &diff->wanted->columns.items[i];

        if (other->position > column->position &&
            schema_find_column(diff->found, other->schema, other->table_name, other->name))
            return false;
    }
    return true;
}

static void
note_column(const struct diff *diff, struct change *change)
{
    const struct sql_schema_columns *column = change->wanted;

    if (column->is_not_null && !column->default_text && !column->identity && !column->generated)
        change->note = "It has no default but NOT NULL: the table must be empty.";
    else if (!diff->options->ignore_positions && !is_last_column(diff, column))
        change->note = "A new column stands behind all others; the order of columns will differ.";
}

/* A sequence for a column that is there already; the table must have its new owner before. */
static void
own_sequence(const struct diff *diff, struct change *change)
{
    const struct sql_schema_sequences *sequence = change->wanted;
    struct schema_place place = schema_place_of(diff->arena, sequence->owned_by);
    struct change *table = place.name ? diff_find(diff, SCHEMA_tables,
                                            db_qualified(diff->arena, place.schema, place.name))
                                      : NULL;
    bool is_later = table && change_has(table, "owner");
    struct ddl ddl = diff_writer(diff, false, is_later ? &table->after : &change->statements);

    if (place.name && !sequence->is_identity)
        ddl_add(&ddl, "ALTER SEQUENCE %s OWNED BY %s", change->identity, sequence->owned_by);
}

static void
write_statements(const struct diff *diff, struct change *change)
{
    if (change->is_done)
        return;
    if (change->is_held) {
        change->note = "Other objects rest on it that cannot be made anew without losing rows, so "
                       "it stays as it is.";
        return;
    }
    if (change->kind == DIFFERENCE_MISSING) {
        diff_make(diff, change->class, change->wanted, &change->statements);
        if (change->class == SCHEMA_columns)
            note_column(diff, change);
        if (change->class == SCHEMA_sequences)
            own_sequence(diff, change);
    } else if (change->kind == DIFFERENCE_EXTRA) {
        diff_drop(diff, change->class, change->found, &change->statements);
        change->loses_rows = change->class == SCHEMA_columns ||
                             (change->class == SCHEMA_tables &&
                                 !((const struct sql_schema_tables *)change->found)->definition);
    } else if (!change->is_remade) {
        diff_alter(diff, change);
    }
}

static void
add_all(struct arena *arena, struct text_list *list, const struct text_list *more)
{
    for (size_t i = 0; i < more->count; i++)
        text_list_add(arena, list, more->items[i]);
}

/* A difference for each attribute; the first has the statements of all. */
static void
tell(const struct diff *diff, const struct change *change, struct differences *ret)
{
    struct difference difference = {
        .kind = change->kind,
        .class = change->class,
        .identity = change->identity,
        .note = change->note,
        .loses_rows = change->loses_rows,
    };

    add_all(diff->arena, &difference.statements, &change->before);
    add_all(diff->arena, &difference.statements, &change->statements);
    add_all(diff->arena, &difference.statements, &change->after);
    if (change->kind != DIFFERENCE_CHANGED) {
        VEC_PUSH(diff->arena, ret, difference);
        return;
    }
    for (size_t i = 0; i < change->attributes.count; i++) {
        difference.attribute = change->attributes.items[i].name;
        difference.found = change->attributes.items[i].found;
        difference.wanted = change->attributes.items[i].wanted;
        VEC_PUSH(diff->arena, ret, difference);
        difference.statements = (struct text_list){ 0 };
        difference.note = NULL;
        difference.loses_rows = false;
    }
}

void
schema_diff(struct arena *arena, const struct schema *found, const struct schema *wanted,
    const struct diff_options *options, struct differences *ret)
{
    struct diff diff = {
        .arena = arena,
        .found = found,
        .wanted = wanted,
        .options = options,
        .by_identity = { .arena = arena },
    };

    *ret = (struct differences){ 0 };
    diff_collect(&diff);
    if (!options->ignore_positions)
        diff_compare_order(&diff);
    if (diff.changes.count == 0)
        return;
    diff_drop_inherited(&diff);
    diff_join_parts(&diff);
    sort_changes(&diff);
    diff_clear_way(&diff);
    make_parts(&diff);
    for (size_t i = 0; i < diff.changes.count; i++)
        write_statements(&diff, diff.changes.items[i]);
    for (size_t i = 0; i < diff.changes.count; i++)
        if (diff.changes.items[i]->is_told)
            tell(&diff, diff.changes.items[i], ret);
    for (size_t i = 0; i < ret->count; i++)
        for (size_t j = 0; j < ret->items[i].statements.count; j++)
            ret->items[i].statements.items[j] =
                sql_reparsable(arena, ret->items[i].statements.items[j]);
}

/* ---- words ---- */

enum { LONGEST_VALUE = 200 };

static const char *
value_text(struct arena *arena, const char *value)
{
    char *text;

    if (!value)
        return "nothing";
    text = arena_strdup(arena, value);
    for (char *at = text; *at; at++)
        if (*at == '\n')
            *at = ' ';
    return text;
}

/* "default_text" to "default", "is_not_null" to "not null". */
static const char *
attribute_text(struct arena *arena, const char *attribute)
{
    char *text =
        arena_strdup(arena, text_starts_with(attribute, "is_") ? attribute + 3 : attribute);

    if (text_ends_with(text, "_text"))
        text[strlen(text) - strlen("_text")] = '\0';
    for (char *at = text; *at; at++)
        if (*at == '_')
            *at = ' ';
    return text_equal(text, "acl") ? "rights" : text;
}

const char *
difference_text(struct arena *arena, const struct difference *difference)
{
    const char *word = schema_classes[difference->class].word;
    const char *name = difference->class == SCHEMA_others
                           ? difference->identity
                           : arena_printf(arena, "%s %s", word, difference->identity);
    const char *attribute;

    if (difference->kind == DIFFERENCE_MISSING)
        return arena_printf(arena, "%s is missing", name);
    if (difference->kind == DIFFERENCE_EXTRA)
        return arena_printf(arena, "%s is not wanted", name);
    attribute = attribute_text(arena, difference->attribute);

    const char *found = value_text(arena, difference->found);
    const char *wanted = value_text(arena, difference->wanted);

    if (strlen(found) > LONGEST_VALUE || strlen(wanted) > LONGEST_VALUE)
        return arena_printf(arena, "%s: %s differs", name, attribute);
    return arena_printf(arena, "%s: %s is %s instead of %s", name, attribute, found, wanted);
}
