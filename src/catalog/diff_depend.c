/*
 * What stands in the way of a change: a view on a column that gets another type, a trigger of a
 * function that is made anew. It is dropped before the first change that it disturbs and made
 * again, as it is wanted, after the last one.
 */
#include "base/vec.h"
#include "catalog/diff_part.h"

/* An object that is dropped and made again. */
struct obstacle {
    enum schema_class class;
    const char *identity;
    const void *found;
    const void *wanted;
    size_t first; /* change before which it is dropped */
    size_t last;  /* change after which it is made again */
    size_t found_place;
    size_t wanted_place;
};

/* That something rests on something. */
struct link {
    const char *on; /* "columns public.users.email" */
    const struct sql_schema_dependencies *item;
};

struct clearing {
    struct diff *diff;
    VEC(struct obstacle *) obstacles;
    struct map by_identity;
    struct link *links; /* of the found schema, by on */
    size_t link_count;
    struct map found; /* "tables public.users" to its row */
    struct map wanted;
};

static void clear_dependents(struct clearing *clearing, enum schema_class class,
    const char *identity, size_t first, size_t last);

/* ---- what there is ---- */

static void
index_objects(struct arena *arena, const struct schema *schema, struct map *ret)
{
    *ret = (struct map){ .arena = arena };
    for (size_t class = 0; class < SCHEMA_CLASS_COUNT; class ++) {
        size_t count = schema_rows(schema, (enum schema_class) class).count;

        for (size_t i = 0; i < count; i++) {
            const void *item = schema_item(schema, (enum schema_class) class, i);

            map_set(ret,
                diff_key(arena, (enum schema_class) class,
                    schema_identity(arena, (enum schema_class) class, item)),
                (void *)(uintptr_t)item);
        }
    }
}

static int
compare_links(const void *a, const void *b)
{
    const struct link *one = a;
    const struct link *other = b;
    int order = strcmp(one->on, other->on);

    if (order)
        return order;
    return (one->item > other->item) - (one->item < other->item);
}

static void
index_links(struct clearing *clearing)
{
    const struct sql_schema_dependencies_rows *rows = &clearing->diff->found->dependencies;

    clearing->links = ARENA_ARRAY(clearing->diff->arena, struct link, rows->count);
    clearing->link_count = rows->count;
    for (size_t i = 0; i < rows->count; i++)
        clearing->links[i] = (struct link){
            .on = arena_printf(clearing->diff->arena, "%s %s", rows->items[i].on_class,
                rows->items[i].on_identity),
            .item = &rows->items[i],
        };
    if (rows->count)
        qsort(clearing->links, rows->count, sizeof(struct link), compare_links);
}

static bool
class_of(const char *name, enum schema_class *ret)
{
    for (size_t i = 0; i < SCHEMA_CLASS_COUNT; i++)
        if (text_equal(schema_classes[i].name, name)) {
            *ret = (enum schema_class)i;
            return true;
        }
    return false;
}

/* ---- obstacles ---- */

/* What can be dropped and made again without a loss. */
static bool
is_soft(enum schema_class class, const void *item)
{
    if (class == SCHEMA_tables)
        return ((const struct sql_schema_tables *)item)->definition;
    if (class == SCHEMA_columns)
        return ((const struct sql_schema_columns *)item)->default_text;
    return class != SCHEMA_types && class != SCHEMA_sequences && class != SCHEMA_schemas &&
           class != SCHEMA_extensions;
}

/* When the object itself is dropped for good. */
static size_t
number_of_drop(const struct change *change)
{
    while (change->whole)
        change = change->whole;
    return change->number;
}

/* An extra object goes earlier than it would by itself. */
static void
drop_early(struct clearing *clearing, struct change *own, size_t first, size_t last)
{
    struct diff *diff = clearing->diff;

    if (number_of_drop(own) <= first || own->is_done_early)
        return;
    own->is_done_early = true;
    own->is_done = true;
    clear_dependents(clearing, own->class, own->identity, first, last);
    diff_drop(diff, own->class, own->found, &diff->changes.items[first]->before);
}

static void
extend(struct clearing *clearing, struct obstacle *obstacle, size_t first, size_t last)
{
    obstacle->first = first < obstacle->first ? first : obstacle->first;
    obstacle->last = last > obstacle->last ? last : obstacle->last;
    if (obstacle->class != SCHEMA_columns)
        clear_dependents(
            clearing, obstacle->class, obstacle->identity, obstacle->first, obstacle->last);
}

static struct obstacle *
add_obstacle(struct clearing *clearing, enum schema_class class, const char *identity,
    const void *found, size_t number)
{
    const struct diff *diff = clearing->diff;
    const char *key = diff_key(diff->arena, class, identity);
    const void *wanted = map_get(&clearing->wanted, key);
    struct obstacle *obstacle;

    if (!wanted)
        return NULL;
    obstacle = ARENA_NEW(diff->arena, struct obstacle);
    *obstacle = (struct obstacle){
        .class = class,
        .identity = arena_strdup(diff->arena, identity),
        .found = found,
        .wanted = wanted,
        .first = number,
        .last = number,
        .found_place = diff_place(diff, true, class, found),
        .wanted_place = diff_place(diff, false, class, wanted),
    };
    VEC_PUSH(diff->arena, &clearing->obstacles, obstacle);
    map_set(&clearing->by_identity, key, obstacle);
    return obstacle;
}

static void
clear(struct clearing *clearing, enum schema_class class, const char *identity, size_t first,
    size_t last)
{
    struct diff *diff = clearing->diff;
    const char *key = diff_key(diff->arena, class, identity);
    const void *found = map_get(&clearing->found, key);
    struct obstacle *obstacle = map_get(&clearing->by_identity, key);
    struct change *own = diff_find(diff, class, identity);

    if (!found || !is_soft(class, found))
        return;
    if (own && own->kind == DIFFERENCE_EXTRA) {
        if (class != SCHEMA_columns)
            drop_early(clearing, own, first, last);
        return;
    }
    if (own && class != SCHEMA_columns) {
        own->is_remade = true;
        first = own->number < first ? own->number : first;
        last = own->number > last ? own->number : last;
    }
    if (obstacle && obstacle->first <= first && obstacle->last >= last)
        return;
    if (!obstacle)
        obstacle = add_obstacle(clearing, class, identity, found, first);
    if (obstacle)
        extend(clearing, obstacle, first, last);
}

/* An object that is itself made anew, types too. */
static void
clear_self(struct clearing *clearing, struct change *change)
{
    struct obstacle *obstacle = map_get(
        &clearing->by_identity, diff_key(clearing->diff->arena, change->class, change->identity));

    change->is_remade = true;
    if (!obstacle)
        obstacle =
            add_obstacle(clearing, change->class, change->identity, change->found, change->number);
    if (obstacle)
        extend(clearing, obstacle, change->number, change->number);
}

/* ---- who rests on what ---- */

/* What is in a table or view and cannot be told by dependencies: they go without saying. */
static void
clear_members(struct clearing *clearing, const char *schema_name, const char *table_name,
    const char *column, size_t first, size_t last)
{
    static const enum schema_class classes[] = { SCHEMA_triggers, SCHEMA_rules, SCHEMA_policies,
        SCHEMA_indexes, SCHEMA_constraints };
    const struct diff *diff = clearing->diff;

    for (size_t c = 0; c < COUNT_OF(classes); c++) {
        enum schema_class class = classes[c];
        size_t count = schema_rows(diff->found, class).count;

        for (size_t i = 0; i < count; i++) {
            const void *item = schema_item(diff->found, class, i);

            if (!text_equal(ddl_member(class, item, "table_name"), table_name) ||
                !text_equal(ddl_member(class, item, "schema"), schema_name) ||
                (class == SCHEMA_indexes &&
                    ((const struct sql_schema_indexes *)item)->constraint_name))
                continue;
            if (!column || diff_mentions(class, item, column))
                clear(clearing, class, schema_identity(diff->arena, class, item), first, last);
        }
    }
}

static void
clear_dependents(struct clearing *clearing, enum schema_class class, const char *identity,
    size_t first, size_t last)
{
    const char *key = diff_key(clearing->diff->arena, class, identity);
    size_t low = 0;
    size_t high = clearing->link_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(clearing->links[middle].on, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < clearing->link_count && text_equal(clearing->links[low].on, key); low++) {
        enum schema_class of;

        if (class_of(clearing->links[low].item->class, &of))
            clear(clearing, of, clearing->links[low].item->identity, first, last);
    }
    if (class == SCHEMA_tables || class == SCHEMA_types) {
        struct schema_place place = schema_place_of(clearing->diff->arena, identity);

        clear_members(clearing, place.schema, place.name, NULL, first, last);
    }
}

/* Foreign keys of which both ends get another type cannot stay between the two changes. */
static void
clear_foreign_keys(struct clearing *clearing, const struct change *change)
{
    const struct diff *diff = clearing->diff;
    const struct sql_schema_columns *column = change->found;

    for (size_t i = 0; i < diff->found->constraints.count; i++) {
        const struct sql_schema_constraints *key = &diff->found->constraints.items[i];
        bool is_here = text_equal(key->schema, column->schema) &&
                       text_equal(key->table_name, column->table_name) &&
                       diff_names_column(key->columns, column->name);
        bool is_there = text_equal(key->target_schema, column->schema) &&
                        text_equal(key->target_table, column->table_name) &&
                        diff_names_column(key->target_columns, column->name);

        if (key->target_table && (is_here || is_there))
            clear(clearing, SCHEMA_constraints,
                schema_identity(diff->arena, SCHEMA_constraints, key), change->number,
                change->number);
    }
}

/* ---- changes that disturb ---- */

static void
clear_for_column(struct clearing *clearing, const struct change *change)
{
    const struct sql_schema_columns *column = change->found;
    bool is_dropped =
        change->kind == DIFFERENCE_EXTRA || diff_is_regenerated(clearing->diff, change);

    clear_dependents(clearing, SCHEMA_columns, change->identity, change->number, change->number);
    clear_members(
        clearing, column->schema, column->table_name, column->name, change->number, change->number);
    if (!is_dropped && change_has(change, "type"))
        clear_foreign_keys(clearing, change);
}

/* A type that gets new labels takes its columns along. */
static void
clear_for_enum(struct clearing *clearing, const struct change *change)
{
    const struct diff *diff = clearing->diff;

    clear_dependents(clearing, SCHEMA_types, change->identity, change->number, change->number);
    for (size_t i = 0; i < diff->found->columns.count; i++) {
        const struct sql_schema_columns *column = &diff->found->columns.items[i];

        if (!diff_is_of_type(diff, column->type, change->wanted))
            continue;
        clear_dependents(clearing, SCHEMA_columns,
            schema_identity(diff->arena, SCHEMA_columns, column), change->number, change->number);
        clear_members(clearing, column->schema, column->table_name, column->name, change->number,
            change->number);
    }
}

/* A type, server or such that something rests on which holds rows cannot be made anew. */
static bool
is_held(const struct clearing *clearing, const struct change *change)
{
    const char *key = diff_key(clearing->diff->arena, change->class, change->identity);

    for (size_t i = 0; i < clearing->link_count; i++) {
        const struct sql_schema_dependencies *item = clearing->links[i].item;
        enum schema_class class;
        const void *found;

        if (!text_equal(clearing->links[i].on, key) || !class_of(item->class, &class))
            continue;
        found = map_get(&clearing->found, diff_key(clearing->diff->arena, class, item->identity));
        if (found && !is_soft(class, found))
            return true;
    }
    return false;
}

static void
clear_for(struct clearing *clearing, struct change *change)
{
    bool is_changed = change->kind == DIFFERENCE_CHANGED;

    if (change->is_done || change->kind == DIFFERENCE_MISSING)
        return;
    if (change->class == SCHEMA_columns) {
        if (change->kind == DIFFERENCE_EXTRA || diff_disturbs(clearing->diff, change))
            clear_for_column(clearing, change);
    } else if (is_changed && diff_is_new_enum(change)) {
        clear_for_enum(clearing, change);
    } else if (is_changed && diff_must_remake(clearing->diff, change)) {
        change->is_held = is_held(clearing, change);
        if (!change->is_held)
            clear_self(clearing, change);
    } else if (change->kind == DIFFERENCE_EXTRA && change->stage == 0) {
        clear_dependents(clearing, change->class, change->identity, change->number, change->number);
    }
}

/* ---- statements ---- */

static bool
is_default(const struct obstacle *obstacle)
{
    return obstacle->class == SCHEMA_columns;
}

static bool
is_of_domain(enum schema_class class, const void *item)
{
    return class == SCHEMA_constraints && ((const struct sql_schema_constraints *)item)->is_domain;
}

/* What is in a view goes and comes with it. */
static const struct obstacle *
view_of(const struct clearing *clearing, const struct obstacle *obstacle)
{
    struct arena *arena = clearing->diff->arena;
    const char *table_name = ddl_member(obstacle->class, obstacle->found, "table_name");

    if (!table_name || is_default(obstacle))
        return NULL;
    return map_get(&clearing->by_identity,
        diff_key(arena,
            is_of_domain(obstacle->class, obstacle->found) ? SCHEMA_types : SCHEMA_tables,
            db_qualified(
                arena, ddl_member(obstacle->class, obstacle->found, "schema"), table_name)));
}

static int
compare_found(const void *a, const void *b)
{
    const struct obstacle *one = *(const struct obstacle *const *)a;
    const struct obstacle *other = *(const struct obstacle *const *)b;

    return (one->found_place < other->found_place) - (one->found_place > other->found_place);
}

static int
compare_wanted(const void *a, const void *b)
{
    const struct obstacle *one = *(const struct obstacle *const *)a;
    const struct obstacle *other = *(const struct obstacle *const *)b;

    return (one->wanted_place > other->wanted_place) - (one->wanted_place < other->wanted_place);
}

static void
drop(const struct clearing *clearing, const struct obstacle *obstacle)
{
    struct diff *diff = clearing->diff;
    struct text_list *out = &diff->changes.items[obstacle->first]->before;
    const struct obstacle *view = view_of(clearing, obstacle);
    struct ddl ddl = diff_writer(diff, true, out);

    if (is_default(obstacle))
        ddl_add(&ddl, "%s DROP DEFAULT", ddl_alter_column(&ddl, obstacle->found, true));
    else if (!view || view->first != obstacle->first)
        diff_drop(diff, obstacle->class, obstacle->found, out);
}

static void
make(const struct clearing *clearing, const struct obstacle *obstacle)
{
    struct diff *diff = clearing->diff;
    struct text_list *out = &diff->changes.items[obstacle->last]->after;
    const struct sql_schema_columns *column = obstacle->wanted;
    struct change *own = diff_find(diff, obstacle->class, obstacle->identity);
    struct ddl ddl = diff_writer(diff, false, out);

    if (!is_default(obstacle))
        diff_make_again(diff, obstacle->class, obstacle->found, obstacle->wanted, out);
    else if (column->default_text &&
             !(own && change_has(own, "default_text") && own->number >= obstacle->last))
        ddl_add(
            &ddl, "%s SET DEFAULT %s", ddl_alter_column(&ddl, column, true), column->default_text);
}

void
diff_clear_way(struct diff *diff)
{
    struct clearing clearing = { .diff = diff, .by_identity = { .arena = diff->arena } };

    index_links(&clearing);
    index_objects(diff->arena, diff->found, &clearing.found);
    index_objects(diff->arena, diff->wanted, &clearing.wanted);
    for (size_t i = 0; i < diff->changes.count; i++)
        clear_for(&clearing, diff->changes.items[i]);
    if (clearing.obstacles.count == 0)
        return;
    qsort(clearing.obstacles.items, clearing.obstacles.count, sizeof(clearing.obstacles.items[0]),
        compare_found);
    for (size_t i = 0; i < clearing.obstacles.count; i++)
        drop(&clearing, clearing.obstacles.items[i]);
    qsort(clearing.obstacles.items, clearing.obstacles.count, sizeof(clearing.obstacles.items[0]),
        compare_wanted);
    for (size_t i = 0; i < clearing.obstacles.count; i++)
        make(&clearing, clearing.obstacles.items[i]);
}
