#include "index/candidate/explained_plan.h"

#include <string.h>

/* Plans of statements that people write are far from it. */
enum { MOST_DEPTH = 500, MOST_CONDITIONS = 500 };

struct reading {
    struct ctx *ctx;
    const struct facts *facts;
    struct explained_plan *plan;
    struct map seen; /* text of a condition */
    struct explained_alone alone;
    const struct explained_alone *single; /* &alone when the plan has one relation only */
    int depth;
};

static const char *
member(const json_t *node, const char *key)
{
    return json_string_value(json_object_get(node, key));
}

static bool
is_type(const json_t *node, const char *type)
{
    const char *is = member(node, "Node Type");

    return is && strcmp(is, type) == 0;
}

static const struct fact_table *
root_of(const struct facts *facts, const struct fact_table *table)
{
    for (int i = 0; i < 32 && table && table->is_partition && table->parent; i++)
        table = map_get(&facts->by_name, table->parent);
    return table;
}

/* EXPLAIN calls the children of alias e: e_1, e_2 …, and names e itself in keys above them. */
static const char *
stem(struct arena *arena, const char *alias)
{
    size_t length = strlen(alias);

    while (length > 0 && alias[length - 1] >= '0' && alias[length - 1] <= '9')
        length--;
    if (length < 2 || alias[length - 1] != '_' || alias[length] == '\0')
        return alias;
    return arena_strndup(arena, alias, length - 1);
}

static void
add_relation(struct reading *reading, const json_t *node)
{
    struct arena *arena = reading->ctx->arena;
    struct explained_plan *plan = reading->plan;
    const char *schema = member(node, "Schema"), *name = member(node, "Relation Name");
    const char *given = member(node, "Alias");
    struct explained_relation *relation;
    const struct fact_table *table;
    const char *alias;

    if (!schema || !name || !given || map_get(&plan->by_alias, given))
        return;
    table = facts_table(reading->facts, schema, name);
    if (!table)
        return;
    alias = arena_strdup(arena, given);
    if (table->is_partition && root_of(reading->facts, table)) {
        const char *above = stem(arena, alias);

        table = root_of(reading->facts, table);
        relation = map_get(&plan->by_alias, above);
        if (relation && relation->table == table) {
            map_set(&plan->by_alias, alias, relation);
            return;
        }
        map_set(&plan->by_alias, above, NULL);
        relation = ARENA_NEW(arena, struct explained_relation);
        map_set(&plan->by_alias, above, relation);
    } else {
        relation = ARENA_NEW(arena, struct explained_relation);
    }
    *relation = (struct explained_relation){ .alias = alias, .table = table };
    map_set(&plan->by_alias, alias, relation);
    VEC_PUSH(arena, &plan->relations, relation);
}

static void
find_relations(struct reading *reading, const json_t *node)
{
    const json_t *child;
    size_t i;

    if (reading->depth >= MOST_DEPTH)
        return;
    reading->depth++;
    add_relation(reading, node);
    json_array_foreach(json_object_get(node, "Plans"), i, child) find_relations(reading, child);
    reading->depth--;
}

static struct explained_relation *
relation_of(const struct reading *reading, const char *alias)
{
    return alias ? map_get(&reading->plan->by_alias, alias) : NULL;
}

static void
note_needed(struct reading *reading, const struct explained_text *source)
{
    for (size_t i = 0; i < source->columns.count; i++) {
        const struct explained_column *column = &source->columns.items[i];
        struct explained_relation *relation = relation_of(reading, column->alias);

        if (!relation)
            continue;
        if (!column->name || !facts_column(relation->table, column->name))
            relation->needs_all = true;
        else if (!text_list_has(&relation->needed, column->name))
            text_list_add(reading->ctx->arena, &relation->needed, column->name);
    }
}

static void
add_condition(struct reading *reading, const struct explained_expr *expr)
{
    struct explained_plan *plan = reading->plan;
    struct arena *arena = reading->ctx->arena;

    if (expr->kind == EXPLAINED_AND) {
        for (size_t i = 0; i < expr->count; i++)
            add_condition(reading, expr->items[i]);
        return;
    }
    if (plan->conditions.count >= MOST_CONDITIONS)
        return;
    VEC_PUSH(arena, &plan->conditions, expr);
    if (expr->kind == EXPLAINED_OPERATOR && !expr->is_any && !expr->is_all &&
        text_equal(expr->name, "=") && expr->items[0]->kind == EXPLAINED_COLUMN &&
        expr->items[1]->kind == EXPLAINED_COLUMN)
        VEC_PUSH(arena, &plan->equalities,
            (struct explained_equality){ .left = expr->items[0], .right = expr->items[1] });
}

static void
read_conditions(struct reading *reading, const json_t *node)
{
    static const char *const keys[] = { "Filter", "Index Cond", "Recheck Cond", "Join Filter",
        "Hash Cond", "Merge Cond" };
    bool is_having =
        is_type(node, "Aggregate") || is_type(node, "Group") || is_type(node, "WindowAgg");
    const char *alias = member(node, "Alias");
    const struct explained_relation *relation = relation_of(reading, alias);

    /* Of many partitions the first says what there is to say. */
    if (relation && strcmp(relation->alias, alias) != 0)
        return;

    for (size_t i = is_having ? 1 : 0; i < COUNT_OF(keys); i++) {
        const char *given = member(node, keys[i]);
        struct explained_text *source;
        const char *text;

        if (!given || map_get(&reading->seen, given))
            continue;
        text = arena_strdup(reading->ctx->arena, given);
        map_set(&reading->seen, text, reading);
        source = explained_text_read(reading->ctx, text, NULL);
        if (!source)
            continue;
        note_needed(reading, source);
        add_condition(reading, explained_expr_read(reading->ctx->arena, source, 0, source->count));
    }
}

static void
read_sort_key(struct reading *reading, const char *text, struct explained_order *order)
{
    struct arena *arena = reading->ctx->arena;
    struct explained_text *source =
        explained_text_read(reading->ctx, arena_strdup(arena, text), NULL);
    struct explained_sort_key key = { 0 };
    size_t end;

    if (!source)
        return;
    note_needed(reading, source);
    end = source->count;
    if (end > 2 && explained_token_is(source, end - 2, "NULLS"))
        end -= 2;
    if (end > 1 && explained_token_is(source, end - 1, "DESC")) {
        end--;
        key.is_descending = true;
    }
    key.is_nulls_first =
        end + 2 <= source->count && explained_token_is(source, source->count - 2, "NULLS")
            ? explained_token_is(source, source->count - 1, "FIRST")
            : key.is_descending;
    for (size_t i = end; i > 1 && i + 4 > end; i--)
        if (explained_token_is(source, i - 1, "COLLATE") && source->partner[i - 1] == i - 1) {
            key.collation = arena_strndup(arena, text + source->tokens[i].start,
                source->tokens[end - 1].end - source->tokens[i].start);
            end = i - 1;
            break;
        }
    key.expr = explained_expr_read(arena, source, 0, end);
    if (key.expr)
        VEC_PUSH(arena, &order->keys, key);
}

static void
read_order(struct reading *reading, const json_t *keys, bool is_grouping, bool is_limited)
{
    struct arena *arena = reading->ctx->arena;
    struct explained_order *order;
    const json_t *key;
    size_t i;

    if (!json_is_array(keys) || json_array_size(keys) == 0)
        return;
    order = ARENA_NEW(arena, struct explained_order);
    order->is_grouping = is_grouping;
    order->is_limited = is_limited;
    json_array_foreach(keys, i, key)
    {
        size_t before = order->keys.count;

        if (json_is_string(key))
            read_sort_key(reading, json_string_value(key), order);
        if (order->keys.count == before)
            break;
    }
    if (order->keys.count > 0)
        VEC_PUSH(arena, &reading->plan->orders, order);
}

/* Rows that come in an index's order are sorted by no node: the index's keys say what was wanted. */
static void
read_index_order(struct reading *reading, const json_t *node, bool is_limited)
{
    struct arena *arena = reading->ctx->arena;
    const char *name = member(node, "Index Name"), *way = member(node, "Scan Direction");
    const struct explained_relation *relation = relation_of(reading, member(node, "Alias"));
    const struct fact_table *table = relation ? facts_table(reading->facts, member(node, "Schema"),
                                                    member(node, "Relation Name"))
                                              : NULL;
    struct explained_order *order = ARENA_NEW(arena, struct explained_order);
    bool is_backward = way && strcmp(way, "Backward") == 0;

    for (size_t i = 0; table && name && i < table->index_count; i++) {
        const struct fact_index *index = &table->indexes[i];

        if (!text_equal(index->name, name) || !text_equal(index->method, "btree"))
            continue;
        for (size_t j = 0; j < index->key_count && index->keys[j].column; j++) {
            struct explained_text *source = explained_text_read(reading->ctx,
                arena_printf(arena, "\"%s\".%s", relation->alias, index->keys[j].text), NULL);

            if (!source || strchr(relation->alias, '"'))
                break;
            VEC_PUSH(arena, &order->keys,
                (struct explained_sort_key){
                    .expr = explained_expr_read(arena, source, 0, source->count),
                    .is_descending = index->keys[j].is_descending != is_backward,
                    .is_nulls_first = index->keys[j].is_nulls_first != is_backward });
        }
    }
    order->is_limited = is_limited;
    if (order->keys.count > 0)
        VEC_PUSH(arena, &reading->plan->orders, order);
}

/* min(x) and max(x) are the ends of an order. */
static void
read_extremes(struct reading *reading, const struct explained_expr *output)
{
    struct arena *arena = reading->ctx->arena;
    const struct explained_text *source = output->source;
    struct explained_order *order;

    if (output->kind != EXPLAINED_FUNCTION || output->end < output->first + 4 ||
        !(text_equal(output->name, "min") || text_equal(output->name, "max")))
        return;
    order = ARENA_NEW(arena, struct explained_order);
    order->is_limited = true;
    VEC_PUSH(arena, &order->keys,
        (struct explained_sort_key){
            .expr = explained_expr_read(arena, source, output->first + 2, output->end - 1) });
    VEC_PUSH(arena, &reading->plan->orders, order);
}

static void
read_output(struct reading *reading, const json_t *node, bool is_root)
{
    struct arena *arena = reading->ctx->arena;
    const json_t *output = json_object_get(node, "Output");
    struct buffer all = { .arena = arena };
    struct explained_text *source;
    const json_t *item;
    size_t i, first = 0;

    /* A scan below others may give all columns because that costs nothing: it says nothing. */
    if (!is_root && member(node, "Relation Name"))
        return;
    json_array_foreach(output, i, item) if (json_is_string(item))
        buffer_printf(&all, "%s%s", all.length ? ", " : "", json_string_value(item));
    if (all.length == 0)
        return;
    source = explained_text_read(reading->ctx, buffer_text(&all), reading->single);
    if (!source)
        return;
    note_needed(reading, source);
    if (!is_type(node, "Aggregate") || json_object_get(node, "Group Key"))
        return;
    for (i = 0; i <= source->count; i++) {
        bool is_end = i == source->count || explained_token_is(source, i, ",");

        if (i < source->count && source->partner[i] > i)
            i = source->partner[i];
        if (is_end && first < i)
            read_extremes(reading, explained_expr_read(arena, source, first, i));
        if (is_end)
            first = i + 1;
    }
}

/* What a node hands down to the ones below: whether they may stop early, and whether their order matters. */
struct below {
    bool is_root;
    bool is_limited;
    bool is_ordered; /* a node above wants order and does not sort itself */
};

static struct below
below_of(const json_t *node, struct below above)
{
    struct below below = { .is_limited = above.is_limited, .is_ordered = above.is_ordered };

    if (is_type(node, "Limit")) {
        below.is_limited = true;
        below.is_ordered = true;
    } else if (is_type(node, "Sort") || is_type(node, "Incremental Sort") ||
               is_type(node, "Hash") || is_type(node, "Aggregate") ||
               is_type(node, "Materialize")) {
        below.is_limited = false;
        below.is_ordered = is_type(node, "Aggregate") && json_object_get(node, "Group Key");
    } else if (is_type(node, "Unique") || is_type(node, "WindowAgg") || is_type(node, "Group") ||
               is_type(node, "Merge Append") || is_type(node, "Gather Merge")) {
        below.is_ordered = true;
    }
    return below;
}

static void
note_written(struct reading *reading, const json_t *node)
{
    struct explained_relation *relation = relation_of(reading, member(node, "Alias"));

    if (relation)
        relation->needs_all = true;
    if (is_type(node, "LockRows"))
        for (size_t i = 0; i < reading->plan->relations.count; i++)
            reading->plan->relations.items[i]->needs_all = true;
}

static void
read_node(struct reading *reading, const json_t *node, struct below above)
{
    const json_t *child;
    const char *distance = member(node, "Order By");
    size_t i;

    if (reading->depth >= MOST_DEPTH)
        return;
    reading->depth++;
    read_conditions(reading, node);
    read_order(reading, json_object_get(node, "Sort Key"), false, above.is_limited);
    read_order(reading, json_object_get(node, "Group Key"), true, above.is_limited);
    if (distance) {
        json_t *keys = json_pack("[s]", distance);

        read_order(reading, keys, false, true);
        json_decref(keys);
    } else if (above.is_ordered && member(node, "Scan Direction")) {
        read_index_order(reading, node, above.is_limited);
    }
    read_output(reading, node, above.is_root);
    if (is_type(node, "ModifyTable") || is_type(node, "LockRows"))
        note_written(reading, node);
    json_array_foreach(json_object_get(node, "Plans"), i, child)
        read_node(reading, child, below_of(node, above));
    reading->depth--;
}

void
explained_plan_read(
    struct ctx *ctx, const struct facts *facts, const json_t *plan, struct explained_plan *ret)
{
    struct reading reading = {
        .ctx = ctx, .facts = facts, .plan = ret, .seen = { .arena = ctx->arena }
    };

    *ret = (struct explained_plan){ .by_alias = { .arena = ctx->arena } };
    if (json_is_array(plan))
        plan = json_array_get(plan, 0);
    plan = json_object_get(plan, "Plan");
    if (!json_is_object(plan))
        return;
    find_relations(&reading, plan);
    if (ret->relations.count == 1) {
        reading.alone = (struct explained_alone){ .alias = ret->relations.items[0]->alias,
            .table = ret->relations.items[0]->table };
        reading.single = &reading.alone;
    }
    read_node(&reading, plan, (struct below){ .is_root = true });
}

static bool
is_of(const struct explained_plan *plan, const struct explained_relation *relation,
    const struct explained_expr *expr)
{
    bool is_mixed;
    const char *alias = explained_expr_alias(expr, &is_mixed);

    return alias && map_get(&plan->by_alias, alias) == relation;
}

static bool
is_same_column(const struct explained_expr *a, const struct explained_expr *b)
{
    return a->kind == EXPLAINED_COLUMN && b->kind == EXPLAINED_COLUMN &&
           text_equal(a->alias, b->alias) && text_equal(a->name, b->name);
}

const struct explained_expr *
explained_key_of(const struct explained_plan *plan, const struct explained_relation *relation,
    const struct explained_expr *key)
{
    if (is_of(plan, relation, key))
        return key;
    for (size_t i = 0; i < plan->equalities.count; i++) {
        const struct explained_equality *equality = &plan->equalities.items[i];

        if (is_same_column(equality->left, key) && is_of(plan, relation, equality->right))
            return equality->right;
        if (is_same_column(equality->right, key) && is_of(plan, relation, equality->left))
            return equality->left;
    }
    return NULL;
}
