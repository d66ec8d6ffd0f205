#include "queries/rewrite/hint.h"

#include <ctype.h>
#include <string.h>

#include "queries/rewrite/hint_part.h"

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

/* "doc_id" → "doc"; NULL: it is not named so. */
static const char *
stem_of(struct arena *arena, const char *column)
{
    size_t length = strlen(column);

    return length > 3 && text_ends_with(column, "_id") ? arena_strndup(arena, column, length - 3)
                                                       : NULL;
}

/* ---- joins and conditions ---- */

static const char *
class_at(const struct hint_facts *facts, size_t table)
{
    return class_of(facts->arena, facts->tables.items[table].name);
}

/* "Dialog.assistant_id": what is compared with the key. */
static const char *
key_of(const struct hint_facts *facts)
{
    return arena_printf(facts->arena, "%s.%s", class_at(facts, facts->key_table), facts->column);
}

/* ".join(Dialog, Dialog.id == DialogMessage.dialog_id)" for each table but the first. */
static const char *
joins_in_sqlalchemy(const struct hint_facts *facts)
{
    struct buffer buffer = { .arena = facts->arena };

    for (size_t i = 1; i < facts->tables.count; i++) {
        const struct hint_table *table = &facts->tables.items[i];

        buffer_printf(
            &buffer, ".%s(%s, ", table->is_outer ? "outerjoin" : "join", class_at(facts, i));
        if (table->column)
            buffer_printf(&buffer, "%s.%s == %s.%s)", class_at(facts, i), table->column,
                class_at(facts, table->other), table->other_column);
        else
            buffer_add(&buffer, "…)");
    }
    return buffer_text(&buffer);
}

/* How the first table calls another one: "dialog" when it refers to it; NULL: not known. */
static const char *
relation_to(const struct hint_facts *facts, size_t index, bool *ret_is_one)
{
    const struct hint_table *table = &facts->tables.items[index];
    const char *stem = table->column && table->other == 0 && strcmp(table->column, "id") == 0
                           ? stem_of(facts->arena, table->other_column)
                           : NULL;

    *ret_is_one = stem != NULL;
    return stem ? stem : table->column && table->other == 0 ? table->name : NULL;
}

/* "dialog__assistant_id", as Django goes from the first table to the column. */
static const char *
key_in_django(const struct hint_facts *facts)
{
    const char *relation;
    bool is_one;

    if (facts->key_table == 0)
        return facts->column;
    relation = relation_to(facts, facts->key_table, &is_one);
    if (relation && !is_one)
        relation = singular(facts->arena, relation);
    return arena_printf(facts->arena, "%s__%s", relation ? relation : "…", facts->column);
}

/* "DialogMessage.joins(:dialog).where(dialogs: { assistant_id: keys })" */
static const char *
where_in_rails(const struct hint_facts *facts)
{
    struct buffer buffer = { .arena = facts->arena };

    buffer_add(&buffer, class_at(facts, 0));
    for (size_t i = 1; i < facts->tables.count; i++) {
        bool ignored;
        const char *relation = relation_to(facts, i, &ignored);
        const char *verb = facts->tables.items[i].is_outer ? "left_joins" : "joins";

        if (relation)
            buffer_printf(&buffer, ".%s(:%s)", verb, relation);
        else
            buffer_printf(&buffer, ".%s(\"…\")", verb);
    }
    if (facts->key_table == 0)
        buffer_printf(&buffer, ".where(%s: keys)", facts->column);
    else
        buffer_printf(&buffer, ".where(%s: { %s: keys })",
            facts->tables.items[facts->key_table].name, facts->column);
    return buffer_text(&buffer);
}

/* ---- writing ---- */

struct names {
    const char *parent; /* class */
    const char *child;  /* of the first table */
    const char *key;    /* "Parent.id" */
    const char *outer;  /* "pk": the key, as Django has it */
};

static void
write_to_one(struct hint_facts *facts, const struct names *names, struct hint *ret)
{
    struct arena *arena = facts->arena;
    const char *stem = stem_of(arena, facts->parent_key);
    const char *table = facts->tables.items[0].name;
    const char *relation = stem ? stem : singular(arena, table);

    ret->sqlalchemy = arena_printf(
        arena, "select(%s).options(joinedload(%s.%s))", names->parent, names->parent, relation);
    ret->django = arena_printf(arena, "%s.objects.select_related(\"%s\")", names->parent, relation);
    ret->rails = arena_printf(arena, "%s.includes(:%s)", names->parent, relation);
    ret->plain = arena_printf(arena,
        "Ask %s once with %s = ANY(keys), or join it to the first statement; keep the rows by key.",
        table, facts->column);
}

static void
write_to_many(struct hint_facts *facts, const struct names *names, struct hint *ret)
{
    struct arena *arena = facts->arena;
    const char *table = facts->tables.items[0].name;
    bool has_others = facts->has_others;

    ret->sqlalchemy = arena_printf(arena, "select(%s).options(selectinload(%s.%s%s))",
        names->parent, names->parent, table, has_others ? ".and_(…)" : "");
    ret->django = has_others ? arena_printf(arena,
                                   "%s.objects.prefetch_related(Prefetch(\"%s\", "
                                   "queryset=%s.objects.filter(…)))",
                                   names->parent, table, names->child)
                             : arena_printf(arena, "%s.objects.prefetch_related(\"%s\")",
                                   names->parent, table);
    ret->rails =
        has_others ? arena_printf(arena, "%s.where(…).group_by(&:%s)  # … are the other conditions",
                         where_in_rails(facts), facts->column)
                   : arena_printf(arena, "%s.preload(:%s)", names->parent, table);
    ret->plain = arena_printf(arena,
        "Ask %s once with %s = ANY(keys) and sort its rows out by %s; keys without rows have none.",
        table, facts->column, facts->column);
}

/* Rows of several tables are no relation of the parent's: they are asked by all keys at once. */
static void
write_joined(struct hint_facts *facts, const struct names *names, struct hint *ret)
{
    struct arena *arena = facts->arena;
    const char *more = facts->has_others ? "  # and the other conditions" : "";

    ret->sqlalchemy = arena_printf(arena, "select(%s, %s)%s\n       .where(%s.in_(keys))%s",
        names->child, key_of(facts), joins_in_sqlalchemy(facts), key_of(facts), more);
    ret->django = arena_printf(
        arena, "%s.objects.filter(%s__in=keys)%s", names->child, key_in_django(facts), more);
    ret->rails = arena_printf(arena, "%s%s", where_in_rails(facts), more);
    ret->plain = arena_printf(arena,
        "Ask once with %s = ANY(keys), with %s among the outputs, and sort the rows out by it; keys "
        "without rows have none.",
        facts->column, facts->column);
}

static const char *
calculation_in_rails(const char *aggregate)
{
    static const char *const calls[][2] = {
        { "count", "count" },
        { "sum", "sum(:…)" },
        { "max", "maximum(:…)" },
        { "min", "minimum(:…)" },
        { "avg", "average(:…)" },
    };

    for (size_t i = 0; i < COUNT_OF(calls); i++)
        if (strcmp(aggregate, calls[i][0]) == 0)
            return calls[i][1];
    return "pluck(…)";
}

static void
write_aggregate_in_django(
    struct hint_facts *facts, const struct names *names, bool is_count, struct hint *ret)
{
    struct arena *arena = facts->arena;
    const char *key = key_in_django(facts);
    const char *function =
        is_count ? "Count(\"*\")"
                 : arena_printf(arena, "%c%s(\"…\")", toupper((unsigned char)facts->aggregate[0]),
                       facts->aggregate + 1);

    ret->django = arena_printf(arena,
        "sub = (%s.objects.filter(%s=OuterRef(\"%s\"))%s\n"
        "       .order_by().values(\"%s\").annotate(value=%s).values(\"value\"))\n"
        "%s.objects.annotate(value=%s)",
        names->child, key, names->outer, facts->has_others ? "  # and the other conditions" : "",
        key, function, names->parent, is_count ? "Coalesce(Subquery(sub), 0)" : "Subquery(sub)");
}

static void
write_aggregate(struct hint_facts *facts, const struct names *names, struct hint *ret)
{
    struct arena *arena = facts->arena;
    bool is_count = strcmp(facts->aggregate, "count") == 0;
    const char *key = key_of(facts);
    const char *from = facts->tables.count > 1 ? arena_printf(arena, "       .select_from(%s)%s\n",
                                                     names->child, joins_in_sqlalchemy(facts))
                                               : "";
    const char *group = facts->key_table == 0
                            ? arena_printf(arena, ":%s", facts->column)
                            : arena_printf(arena, "\"%s.%s\"",
                                  facts->tables.items[facts->key_table].name, facts->column);

    ret->sqlalchemy = arena_printf(arena,
        "sub = (select(%s.label(\"key\"), func.%s(%s).label(\"value\"))\n"
        "%s%s"
        "       .group_by(%s).subquery())\n"
        "select(%s, %s).outerjoin(sub, sub.c.key == %s)",
        key, facts->aggregate, is_count ? "" : "…", from,
        facts->has_others
            ? "       .where(…)  # the other conditions of the statement, word for word\n"
            : "",
        key, names->parent, is_count ? "func.coalesce(sub.c.value, 0)" : "sub.c.value", names->key);
    write_aggregate_in_django(facts, names, is_count, ret);
    ret->rails = arena_printf(arena, "values = %s.group(%s).%s%s%s", where_in_rails(facts), group,
        calculation_in_rails(facts->aggregate),
        is_count ? "  # values[key] || 0" : "  # by the column; keys without rows are missing",
        facts->has_others
            ? "\n# and before .group: .where(…) with the other conditions, word for word"
            : "");
    ret->plain = arena_printf(arena,
        "Group %s by %s in one statement, and keep keys without rows: an outer join whose conditions "
        "stand in ON or in the subquery, never in the outer WHERE.",
        facts->tables.items[0].name, facts->column);
}

/* The whole ORDER BY: without its last column rows that tie would come by chance. */
struct orders {
    struct buffer sqlalchemy;
    struct buffer django;
    struct buffer rails;
};

static void
add_order(const struct hint_facts *facts, const struct hint_order *order, struct orders *ret)
{
    const char *nulls = order->nulls;
    const char *column = order->column ? order->column : "…";
    const char *comma = ret->rails.length ? ", " : "";

    buffer_printf(&ret->sqlalchemy, "%s%s.%s%s", comma, class_at(facts, order->table), column,
        order->is_descending ? ".desc()" : "");
    if (nulls)
        buffer_printf(&ret->sqlalchemy, ".nulls_%s()", nulls);
    if (nulls)
        buffer_printf(&ret->django, "%sF(\"%s\").%s(nulls_%s=True)", comma, column,
            order->is_descending ? "desc" : "asc", nulls);
    else
        buffer_printf(&ret->django, "%s\"%s%s\"", comma, order->is_descending ? "-" : "", column);
    buffer_printf(&ret->rails, "%s%s%s%s%s", comma, column, order->is_descending ? " DESC" : "",
        nulls ? " NULLS " : "",
        !nulls                       ? ""
        : strcmp(nulls, "last") == 0 ? "LAST"
                                     : "FIRST");
}

static void
write_top(struct hint_facts *facts, const struct names *names, struct hint *ret)
{
    struct arena *arena = facts->arena;
    struct orders orders = { { .arena = arena }, { .arena = arena }, { .arena = arena } };
    const char *more = facts->has_others ? "  # and the other conditions" : "";

    for (size_t i = 0; i < facts->orders.count; i++)
        add_order(facts, &facts->orders.items[i], &orders);
    if (facts->orders.count == 0)
        add_order(facts, &(struct hint_order){ .column = "id" }, &orders);
    ret->sqlalchemy = arena_printf(arena,
        "top = (select(%s)%s.where(%s == %s)%s\n"
        "       .order_by(%s).limit(…).lateral())\n"
        "select(%s, top).outerjoin(top, true())",
        names->child, joins_in_sqlalchemy(facts), key_of(facts), names->key, more,
        buffer_text(&orders.sqlalchemy), names->parent);
    ret->plain =
        "Run the statement above once with all keys: LATERAL takes the first rows of each. "
        "Without LATERAL: row_number() OVER (PARTITION BY key ORDER BY …).";
    if (facts->tables.count > 1)
        return;
    ret->django = arena_printf(arena,
        "%s.objects.prefetch_related(Prefetch(\"%s\",\n"
        "    queryset=%s.objects%s.order_by(%s)[:…]))  # Django 4.2 and later",
        names->parent, facts->tables.items[0].name, names->child,
        facts->has_others ? ".filter(…)" : "", buffer_text(&orders.django));
    ret->rails = arena_printf(arena,
        "%s.joins(\"LEFT JOIN LATERAL (SELECT … FROM %s WHERE %s = %s.%s%s \"\n"
        "         \"ORDER BY %s LIMIT …) AS top ON true\").select(\"…\")",
        names->parent, facts->tables.items[0].name, facts->column,
        facts->parent ? facts->parent : "…", facts->parent_key, facts->has_others ? " AND …" : "",
        buffer_text(&orders.rails));
}

static void
write_other(struct hint *ret)
{
    ret->sqlalchemy = "session.execute(text(…), {…})  # with the statement above";
    ret->django = "with connection.cursor() as cursor: cursor.execute(…)  # the statement above";
    ret->rails = "ActiveRecord::Base.connection.exec_query(…)  # the statement above";
    ret->plain = "Run the statement above once with all keys and sort its rows out by key.";
}

static void
write_shape(struct hint_facts *facts, struct hint *ret)
{
    struct arena *arena = facts->arena;
    const char *parent = facts->parent ? class_of(arena, facts->parent) : "Parent";
    const struct names names = {
        .parent = parent,
        .child = facts->tables.count > 0 ? class_at(facts, 0) : "",
        .key = arena_printf(arena, "%s.%s", parent, facts->parent_key),
        .outer = strcmp(facts->parent_key, "id") == 0 ? "pk" : facts->parent_key,
    };

    switch (facts->shape) {
    case HINT_TO_ONE:
        write_to_one(facts, &names, ret);
        break;
    case HINT_TO_MANY:
        if (facts->tables.count > 1)
            write_joined(facts, &names, ret);
        else
            write_to_many(facts, &names, ret);
        break;
    case HINT_AGGREGATE:
        write_aggregate(facts, &names, ret);
        break;
    case HINT_TOP:
        write_top(facts, &names, ret);
        break;
    case HINT_OTHER:
        break;
    }
}

void
hint_write(struct arena *arena, const char *parent_sql, int32_t parent_key, const char *child_sql,
    int32_t key, struct hint *ret)
{
    struct hint_facts facts = { .arena = arena, .shape = HINT_OTHER, .parent_key = "id" };

    hint_read_child(child_sql, key, &facts);
    if (parent_sql)
        hint_read_parent(parent_sql, parent_key, &facts);
    *ret = (struct hint){
        .shape = facts.shape,
        .table = facts.tables.count > 0 ? facts.tables.items[0].name : NULL,
    };
    write_other(ret);
    write_shape(&facts, ret);
}
