#include "queries/rewrite/hint.h"

#include <ctype.h>
#include <string.h>

#include "lang/sql.h"
#include "queries/rewrite/keys_part.h"

/* What the hints are made of. */
struct facts {
    struct arena *arena;
    enum hint_shape shape;
    const char *parent;    /* table */
    const char *child;     /* table */
    const char *column;    /* of the child, compared with the key */
    const char *aggregate; /* "count" */
    const char *order;     /* column of ORDER BY, or NULL */
    bool is_descending;
};

static const char *const shape_names[] = {
    [HINT_TO_ONE] = "one row for each",
    [HINT_TO_MANY] = "rows that belong to each",
    [HINT_AGGREGATE] = "aggregate for each",
    [HINT_TOP] = "first rows of each",
    [HINT_OTHER] = "statement for each",
};

const char *
hint_shape_name(enum hint_shape shape)
{
    return shape_names[shape];
}

/* ---- names ---- */

/* "dialog_messages" → "dialog_message", "categories" → "category". */
static const char *
singular(struct arena *arena, const char *name)
{
    size_t length = strlen(name);

    if (length > 3 && text_ends_with(name, "ies"))
        return arena_printf(arena, "%.*sy", (int)(length - 3), name);
    if (length > 3 && (text_ends_with(name, "sses") || text_ends_with(name, "xes")))
        return arena_strndup(arena, name, length - 2);
    if (length > 1 && text_ends_with(name, "s") && !text_ends_with(name, "ss"))
        return arena_strndup(arena, name, length - 1);
    return name;
}

/* "dialog_messages" → "DialogMessage". */
static const char *
class_of(struct arena *arena, const char *table)
{
    char *name = arena_strdup(arena, singular(arena, table));
    size_t to = 0;
    bool is_start = true;

    for (size_t i = 0; name[i]; i++) {
        if (name[i] == '_' || name[i] == ' ') {
            is_start = true;
            continue;
        }
        name[to++] = (char)(is_start ? toupper((unsigned char)name[i]) : name[i]);
        is_start = false;
    }
    name[to] = '\0';
    return name;
}

/* ---- reading ---- */

static const json_t *
select_of(const json_t *tree)
{
    const json_t *first = json_array_get(json_object_get(tree, "stmts"), 0);

    return json_object_get(json_object_get(first, "stmt"), "SelectStmt");
}

static const char *
last_name(const json_t *names)
{
    const json_t *last = json_array_get(names, json_array_size(names) - 1);
    const json_t *text = json_object_get(last, "String");
    const char *name = json_string_value(json_object_get(text, "sval"));

    return name ? name : json_string_value(json_object_get(text, "str"));
}

/* The aggregate that an output is, below COALESCE and casts; NULL: it is none. */
static const char *
aggregate_of(const json_t *node)
{
    static const char *const known[] = { "count", "sum", "max", "min", "avg", "bool_or", "bool_and",
        "array_agg", "string_agg", "json_agg", "jsonb_agg" };
    const json_t *call = json_object_get(node, "FuncCall");
    const json_t *cast = json_object_get(node, "TypeCast");
    const json_t *args = json_object_get(json_object_get(node, "CoalesceExpr"), "args");
    const char *name = call ? last_name(json_object_get(call, "funcname")) : NULL;

    if (cast)
        return aggregate_of(json_object_get(cast, "arg"));
    if (args)
        return aggregate_of(json_array_get(args, 0));
    for (size_t i = 0; name && i < COUNT_OF(known); i++)
        if (strcmp(name, known[i]) == 0)
            return known[i];
    return NULL;
}

static void
read_order(const json_t *select, struct facts *facts)
{
    const json_t *item =
        json_object_get(json_array_get(json_object_get(select, "sortClause"), 0), "SortBy");
    const json_t *column = json_object_get(json_object_get(item, "node"), "ColumnRef");
    const char *direction = json_string_value(json_object_get(item, "sortby_dir"));
    const char *name = last_name(json_object_get(column, "fields"));

    facts->order = name ? arena_strdup(facts->arena, name) : NULL;
    facts->is_descending = direction && strcmp(direction, "SORTBY_DESC") == 0;
}

static void
read_shape(const json_t *select, struct facts *facts)
{
    const json_t *outputs = json_object_get(select, "targetList");
    const char *aggregate = aggregate_of(
        json_object_get(json_object_get(json_array_get(outputs, 0), "ResTarget"), "val"));
    bool is_grouped = json_object_get(select, "groupClause") != NULL;

    facts->aggregate = aggregate;
    read_order(select, facts);
    if (!facts->child || !facts->column || is_grouped || json_object_get(select, "larg"))
        facts->shape = HINT_OTHER;
    else if (aggregate)
        facts->shape = HINT_AGGREGATE;
    else if (strcmp(facts->column, "id") == 0)
        facts->shape = HINT_TO_ONE;
    else if (json_object_get(select, "limitCount"))
        facts->shape = HINT_TOP;
    else
        facts->shape = HINT_TO_MANY;
}

/* The table whose column is compared with the key, and without one the first. */
static const char *
table_of(const struct keys_places *places)
{
    const struct keys_place *place = places->places.count > 0 ? &places->places.items[0] : NULL;

    for (size_t i = 0; place && i < places->tables.count; i++)
        if (text_equal(places->tables.items[i].alias, place->qualifier))
            return places->tables.items[i].plain;
    return places->tables.count > 0 ? places->tables.items[0].plain : NULL;
}

static void
read_facts(struct arena *arena, const char *parent_sql, const char *child_sql, int32_t key,
    struct facts *facts)
{
    struct ctx scratch = { .arena = arena };
    json_t *tree CLEANUP(json_release) = NULL;
    struct keys_places places;

    *facts = (struct facts){ .arena = arena, .shape = HINT_OTHER };
    keys_places_read(arena, child_sql, key, &places);
    facts->child = table_of(&places);
    facts->column = places.places.count > 0 ? places.places.items[0].column : NULL;
    if (parent_sql) {
        struct keys_places parent;

        keys_places_read(arena, parent_sql, 0, &parent);
        facts->parent = table_of(&parent);
    }
    if (sql_parse(&scratch, child_sql, &tree))
        read_shape(select_of(tree), facts);
}

/* ---- writing ---- */

struct names {
    const char *parent; /* class */
    const char *child;
};

static void
write_to_one(struct facts *facts, const struct names *names, struct hint *ret)
{
    struct arena *arena = facts->arena;
    const char *relation = singular(arena, facts->child);

    ret->sqlalchemy = arena_printf(
        arena, "select(%s).options(joinedload(%s.%s))", names->parent, names->parent, relation);
    ret->django = arena_printf(arena, "%s.objects.select_related(\"%s\")", names->parent, relation);
    ret->rails = arena_printf(arena, "%s.includes(:%s)", names->parent, relation);
    ret->plain = arena_printf(arena,
        "Ask %s once with %s = ANY(keys), or join it to the first statement; keep the rows by key.",
        facts->child, facts->column);
}

static void
write_to_many(struct facts *facts, const struct names *names, struct hint *ret)
{
    struct arena *arena = facts->arena;

    ret->sqlalchemy = arena_printf(arena, "select(%s).options(selectinload(%s.%s))", names->parent,
        names->parent, facts->child);
    ret->django =
        arena_printf(arena, "%s.objects.prefetch_related(\"%s\")", names->parent, facts->child);
    ret->rails = arena_printf(arena, "%s.preload(:%s)", names->parent, facts->child);
    ret->plain = arena_printf(arena,
        "Ask %s once with %s = ANY(keys) and sort its rows out by %s; keys without rows have none.",
        facts->child, facts->column, facts->column);
}

static void
write_aggregate(struct facts *facts, const struct names *names, struct hint *ret)
{
    struct arena *arena = facts->arena;
    const char *call = strcmp(facts->aggregate, "count") == 0 ? "count()" : facts->aggregate;
    bool is_count = strcmp(facts->aggregate, "count") == 0;
    const char *value = is_count ? "func.coalesce(sub.c.value, 0)" : "sub.c.value";
    const char *function =
        is_count ? "Count(\"*\")"
                 : arena_printf(arena, "%c%s(\"…\")", toupper((unsigned char)facts->aggregate[0]),
                       facts->aggregate + 1);

    ret->sqlalchemy = arena_printf(arena,
        "sub = (select(%s.%s.label(\"key\"), func.%s.label(\"value\"))\n"
        "       .where(…)  # the other conditions of the statement, word for word\n"
        "       .group_by(%s.%s).subquery())\n"
        "select(%s, %s).outerjoin(sub, sub.c.key == %s.id)",
        names->child, facts->column, is_count ? call : arena_printf(arena, "%s(…)", call),
        names->child, facts->column, names->parent, value, names->parent);
    ret->django = arena_printf(arena,
        "sub = (%s.objects.filter(%s=OuterRef(\"pk\"))  # and the other conditions\n"
        "       .order_by().values(\"%s\").annotate(value=%s).values(\"value\"))\n"
        "%s.objects.annotate(value=%s)",
        names->child, facts->column, facts->column, function, names->parent,
        is_count ? "Coalesce(Subquery(sub), 0)" : "Subquery(sub)");
    ret->rails = arena_printf(arena, "values = %s.where(%s: keys).group(:%s).%s", names->child,
        facts->column, facts->column,
        is_count ? "count  # values[key] || 0"
                 : arena_printf(arena, "%s  # by the column; keys without rows are missing",
                       strcmp(facts->aggregate, "sum") == 0   ? "sum(:…)"
                       : strcmp(facts->aggregate, "max") == 0 ? "maximum(:…)"
                       : strcmp(facts->aggregate, "min") == 0 ? "minimum(:…)"
                       : strcmp(facts->aggregate, "avg") == 0 ? "average(:…)"
                                                              : "pluck(…)"));
    ret->plain = arena_printf(arena,
        "Group %s by %s in one statement, and keep keys without rows: an outer join whose conditions "
        "stand in ON or in the subquery, never in the outer WHERE.",
        facts->child, facts->column);
}

static void
write_top(struct facts *facts, const struct names *names, struct hint *ret)
{
    struct arena *arena = facts->arena;
    const char *order = facts->order ? facts->order : "id";

    ret->sqlalchemy = arena_printf(arena,
        "top = (select(%s).where(%s.%s == %s.id)\n"
        "       .order_by(%s.%s%s).limit(…).lateral())\n"
        "select(%s, top).outerjoin(top, true())",
        names->child, names->child, facts->column, names->parent, names->child, order,
        facts->is_descending ? ".desc()" : "", names->parent);
    ret->django = arena_printf(arena,
        "%s.objects.prefetch_related(Prefetch(\"%s\",\n"
        "    queryset=%s.objects.order_by(\"%s%s\")[:…]))  # Django 4.2 and later",
        names->parent, facts->child, names->child, facts->is_descending ? "-" : "", order);
    ret->rails = arena_printf(arena,
        "%s.joins(\"LEFT JOIN LATERAL (SELECT … FROM %s WHERE %s = %s.id \"\n"
        "         \"ORDER BY %s%s LIMIT …) AS top ON true\").select(\"…\")",
        names->parent, facts->child, facts->column, facts->parent ? facts->parent : "…", order,
        facts->is_descending ? " DESC" : "");
    ret->plain =
        "Run the statement above once with all keys: LATERAL takes the first rows of each. "
        "Without LATERAL: row_number() OVER (PARTITION BY key ORDER BY …).";
}

static void
write_other(struct hint *ret)
{
    ret->sqlalchemy = "session.execute(text(…), {…})  # with the statement above";
    ret->django = "with connection.cursor() as cursor: cursor.execute(…)  # the statement above";
    ret->rails = "ActiveRecord::Base.connection.exec_query(…)  # the statement above";
    ret->plain = "Run the statement above once with all keys and sort its rows out by key.";
}

void
hint_write(struct arena *arena, const char *parent_sql, const char *child_sql, int32_t key,
    struct hint *ret)
{
    struct facts facts;
    struct names names;

    read_facts(arena, parent_sql, child_sql, key, &facts);
    *ret = (struct hint){ .shape = facts.shape, .table = facts.child };
    names = (struct names){
        .parent = facts.parent ? class_of(arena, facts.parent) : "Parent",
        .child = facts.child ? class_of(arena, facts.child) : "",
    };
    switch (facts.shape) {
    case HINT_TO_ONE:
        write_to_one(&facts, &names, ret);
        break;
    case HINT_TO_MANY:
        write_to_many(&facts, &names, ret);
        break;
    case HINT_AGGREGATE:
        write_aggregate(&facts, &names, ret);
        break;
    case HINT_TOP:
        write_top(&facts, &names, ret);
        break;
    case HINT_OTHER:
        write_other(ret);
        break;
    }
}
