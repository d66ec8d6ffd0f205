/* In which order the objects of a schema can be made. */
#include "base/map.h"
#include "base/vec.h"
#include "catalog/ddl_part.h"

struct node {
    struct ddl_ref ref;
    const char *identity;
    int phase;
    bool is_seen; /* on the way or in the order */
    size_t first_edge;
    size_t edge_count;
};

/* Nodes by their numbers: from comes after to. */
struct edge {
    size_t from;
    size_t to;
};

struct ordering {
    struct arena *arena;
    const struct schema *schema;
    VEC(struct node) nodes;
    VEC(struct edge) edges;
    struct map numbers; /* "tables public.users" to its number plus one */
};

/* Nodes of one phase are told by class and key, unless they rest on each other. */
enum phase {
    PHASE_SCHEMAS,
    PHASE_EXTENSIONS,
    PHASE_EARLY, /* collations, languages, servers */
    PHASE_TYPES,
    PHASE_FUNCTIONS,
    PHASE_MIDDLE, /* operators, casts, text search */
    PHASE_DOMAIN_CHECKS,
    PHASE_SEQUENCES,
    PHASE_TABLES,
    PHASE_KEYS,
    PHASE_INDEXES,
    PHASE_FOREIGN_KEYS,
    PHASE_VIEWS,
    PHASE_VIEW_INDEXES,
    PHASE_STATISTICS,
    PHASE_RULES,
    PHASE_TRIGGERS,
    PHASE_POLICIES,
    PHASE_PUBLICATIONS,
    PHASE_PRIVILEGES, /* or they would be given to what is made after them */
    PHASE_EVENT_TRIGGERS,
};

static const struct {
    const char *kind;
    enum phase phase;
} other_phases[] = {
    { "access method", PHASE_EARLY },
    { "collation", PHASE_EARLY },
    { "foreign data wrapper", PHASE_EARLY },
    { "language", PHASE_EARLY },
    { "server", PHASE_EARLY },
    { "user mapping", PHASE_EARLY },
    { "publication", PHASE_PUBLICATIONS },
    { "default privileges", PHASE_PRIVILEGES },
    { "event trigger", PHASE_EVENT_TRIGGERS },
};

static bool
is_view(const struct schema *schema, const char *schema_name, const char *name)
{
    const struct sql_schema_tables *table = schema_find_table(schema, schema_name, name);

    return table && table->definition;
}

static enum phase
phase_of_constraint(const struct sql_schema_constraints *constraint)
{
    if (constraint->is_domain)
        return PHASE_DOMAIN_CHECKS;
    return text_equal(constraint->kind, "foreign key") ? PHASE_FOREIGN_KEYS : PHASE_KEYS;
}

static enum phase
phase_of_other(const struct sql_schema_others *other)
{
    for (size_t i = 0; i < COUNT_OF(other_phases); i++)
        if (text_equal(other->kind, other_phases[i].kind))
            return other_phases[i].phase;
    return PHASE_MIDDLE;
}

static enum phase
phase_of(const struct schema *schema, enum schema_class class, const void *item)
{
    static const enum phase phases[SCHEMA_CLASS_COUNT] = {
        [SCHEMA_schemas] = PHASE_SCHEMAS,
        [SCHEMA_extensions] = PHASE_EXTENSIONS,
        [SCHEMA_types] = PHASE_TYPES,
        [SCHEMA_functions] = PHASE_FUNCTIONS,
        [SCHEMA_tables] = PHASE_TABLES,
        [SCHEMA_indexes] = PHASE_INDEXES,
        [SCHEMA_sequences] = PHASE_SEQUENCES,
        [SCHEMA_triggers] = PHASE_TRIGGERS,
        [SCHEMA_rules] = PHASE_RULES,
        [SCHEMA_policies] = PHASE_POLICIES,
        [SCHEMA_statistics] = PHASE_STATISTICS,
    };
    const struct sql_schema_indexes *index = item;

    if (class == SCHEMA_constraints)
        return phase_of_constraint(item);
    if (class == SCHEMA_others)
        return phase_of_other(item);
    if (class == SCHEMA_tables && ((const struct sql_schema_tables *)item)->definition)
        return PHASE_VIEWS;
    if (class == SCHEMA_indexes && is_view(schema, index->schema, index->table_name))
        return PHASE_VIEW_INDEXES;
    return phases[class];
}

static const char *
key_of(struct arena *arena, const char *class, const char *identity)
{
    return arena_printf(arena, "%s %s", class, identity);
}

static void
set_number(struct ordering *ordering, const char *class, const char *identity, size_t number)
{
    /* Numbers begin with one, because NULL is none. */
    map_set(&ordering->numbers, key_of(ordering->arena, class, identity),
        (void *)(uintptr_t)(number + 1));
}

static bool
find_number(const struct ordering *ordering, const char *class, const char *identity, size_t *ret)
{
    const char *key = key_of(ordering->arena, class, identity);
    uintptr_t number = (uintptr_t)map_get(&ordering->numbers, key);

    *ret = number - 1;
    return number != 0;
}

/* Whether it is made by the statements of another object. */
static bool
is_part(enum schema_class class, const void *item)
{
    if (class == SCHEMA_columns)
        return true;
    if (class == SCHEMA_indexes)
        return ((const struct sql_schema_indexes *)item)->constraint_name;
    return class == SCHEMA_sequences && ((const struct sql_schema_sequences *)item)->is_identity;
}

static void
add_nodes(struct ordering *ordering, enum schema_class class)
{
    size_t count = schema_rows(ordering->schema, class).count;

    for (size_t i = 0; i < count; i++) {
        const void *item = schema_item(ordering->schema, class, i);

        if (is_part(class, item))
            continue;

        const char *identity = schema_identity(ordering->arena, class, item);

        set_number(ordering, schema_classes[class].name, identity, ordering->nodes.count);
        VEC_PUSH(ordering->arena, &ordering->nodes,
            ((struct node){ .ref = { class, i },
                .identity = identity,
                .phase = (int)phase_of(ordering->schema, class, item) }));
    }
}

/* The node of an object or of what it is a part of. */
static bool
find_node(const struct ordering *ordering, const char *class, const char *identity, size_t *ret)
{
    struct schema_place place;
    const struct sql_schema_sequences *sequence;

    if (find_number(ordering, class, identity, ret))
        return true;
    place = schema_place_of(ordering->arena, identity);
    if (text_equal(class, "sequences") && place.name) {
        sequence = schema_find_sequence(ordering->schema, place.schema, place.name);
        if (!sequence || !sequence->owned_by)
            return false;
        place = schema_place_of(ordering->arena, sequence->owned_by);
    } else if (!text_equal(class, "columns")) {
        return false;
    }
    return place.name && find_number(ordering, "tables",
                             db_qualified(ordering->arena, place.schema, place.name), ret);
}

static void
add_edge(struct ordering *ordering, size_t from, const char *class, const char *identity)
{
    size_t to;

    if (identity && find_node(ordering, class, identity, &to) && to != from)
        VEC_PUSH(ordering->arena, &ordering->edges, ((struct edge){ from, to }));
}

/* The state of a partition's trigger comes after the trigger. */
static void
add_edge_of_copy(
    struct ordering *ordering, size_t number, const struct sql_schema_triggers *trigger)
{
    if (trigger->copy_of)
        add_edge(ordering, number, "triggers",
            arena_printf(ordering->arena, "%s.%s", trigger->copy_of,
                db_ident(ordering->arena, trigger->name)));
}

/* What is in a table or domain comes after it. */
static void
add_edges_of_parts(struct ordering *ordering, size_t number)
{
    const struct node *node = &ordering->nodes.items[number];
    const void *item = schema_item(ordering->schema, node->ref.class, node->ref.index);
    const char *table_name = ddl_member(node->ref.class, item, "table_name");
    bool is_domain = node->ref.class == SCHEMA_constraints &&
                     ((const struct sql_schema_constraints *)item)->is_domain;

    if (table_name)
        add_edge(ordering, number, is_domain ? "types" : "tables",
            db_qualified(ordering->arena, ddl_member(node->ref.class, item, "schema"), table_name));
    if (node->ref.class == SCHEMA_triggers)
        add_edge_of_copy(ordering, number, item);
}

/* The index of a partition that has a name of its own comes before the one it belongs to. */
static void
add_edge_of_parent(struct ordering *ordering, const struct sql_schema_indexes *index)
{
    struct schema_place place = schema_place_of(ordering->arena, index->parent);
    const struct sql_schema_indexes *parent =
        place.name ? schema_find_index(ordering->schema, place.schema, place.name) : NULL;
    size_t from;

    if (!parent)
        return;
    if (find_node(ordering, parent->constraint_name ? "constraints" : "indexes",
            parent->constraint_name
                ? arena_printf(ordering->arena, "%s.%s",
                      db_qualified(ordering->arena, parent->schema, parent->table_name),
                      db_ident(ordering->arena, parent->constraint_name))
                : index->parent,
            &from))
        add_edge(ordering, from, index->constraint_name ? "constraints" : "indexes",
            index->constraint_name
                ? arena_printf(ordering->arena, "%s.%s",
                      db_qualified(ordering->arena, index->schema, index->table_name),
                      db_ident(ordering->arena, index->constraint_name))
                : schema_identity(ordering->arena, SCHEMA_indexes, index));
}

static int
compare_edges(const void *a, const void *b, void *context)
{
    const struct ordering *ordering = context;
    const struct edge *first = a;
    const struct edge *second = b;

    if (first->from != second->from)
        return first->from < second->from ? -1 : 1;

    int phase = ordering->nodes.items[first->to].phase;
    int other = ordering->nodes.items[second->to].phase;

    if (phase != other)
        return phase - other;
    return (first->to > second->to) - (first->to < second->to);
}

static void
add_edges(struct ordering *ordering)
{
    const struct schema *schema = ordering->schema;

    for (size_t i = 0; i < schema->dependencies.count; i++) {
        const struct sql_schema_dependencies *item = &schema->dependencies.items[i];
        size_t from;

        if (find_node(ordering, item->class, item->identity, &from))
            add_edge(ordering, from, item->on_class, item->on_identity);
    }
    for (size_t i = 0; i < ordering->nodes.count; i++)
        add_edges_of_parts(ordering, i);
    for (size_t i = 0; i < schema->indexes.count; i++)
        if (schema->indexes.items[i].parent)
            add_edge_of_parent(ordering, &schema->indexes.items[i]);
    if (ordering->edges.count)
        qsort_r(ordering->edges.items, ordering->edges.count, sizeof(struct edge), compare_edges,
            ordering);
    for (size_t i = 0; i < ordering->edges.count; i++) {
        struct node *node = &ordering->nodes.items[ordering->edges.items[i].from];

        if (node->edge_count++ == 0)
            node->first_edge = i;
    }
}

/* What it rests on first. A circle is cut where it is entered. */
static void
visit(struct ordering *ordering, size_t number, struct ddl_refs *ret) // NOLINT(misc-no-recursion)
{
    struct node *node = &ordering->nodes.items[number];

    if (node->is_seen)
        return;
    node->is_seen = true;
    for (size_t i = 0; i < node->edge_count; i++)
        visit(ordering, ordering->edges.items[node->first_edge + i].to, ret);
    VEC_PUSH(ordering->arena, ret, node->ref);
}

void
ddl_order(struct arena *arena, const struct schema *schema, struct ddl_refs *ret)
{
    struct ordering ordering = { .arena = arena, .schema = schema, .numbers = { .arena = arena } };

    *ret = (struct ddl_refs){ 0 };
    for (size_t i = 0; i < SCHEMA_CLASS_COUNT; i++)
        add_nodes(&ordering, (enum schema_class)i);
    add_edges(&ordering);
    for (int phase = 0; phase <= PHASE_EVENT_TRIGGERS; phase++)
        for (size_t i = 0; i < ordering.nodes.count; i++)
            if (ordering.nodes.items[i].phase == phase)
                visit(&ordering, i, ret);
}
