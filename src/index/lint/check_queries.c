/* What queries ask of an index: the operator of its class, and the order of its keys. */
#include "index/lint/check.h"

/* Whether the name before the dot (or none) means the table in this query. */
static bool
is_of_table(const struct lint_query *query, const char *qualifier, const char *table)
{
    for (size_t i = 0; i + 1 < query->relations.count; i += 2) {
        if (!text_equal(query->relations.items[i], table))
            continue;
        if (qualifier ? text_equal(query->relations.items[i + 1], qualifier)
                      : query->relations.count == 2)
            return true;
    }
    return false;
}

/* The operator class in a key's text: "embedding vector_cosine_ops"; NULL: the default one. */
static const char *
class_of(const struct lint_check *check, const struct lint_key *key)
{
    const struct lint *lint = check->lint;

    for (size_t i = 0; i < lint->classes.count; i++) {
        const char *name = lint->classes.items[i].name;

        if (text_equal(lint->classes.items[i].method, check->index->form.method) &&
            text_ends_with(key->text, name) && strlen(key->text) > strlen(name) &&
            strchr(" .", key->text[strlen(key->text) - strlen(name) - 1]))
            return name;
    }
    return NULL;
}

static bool
orders_by(const struct lint_check *check, const char *class, const char *operator)
{
    const struct lint *lint = check->lint;
    const char *wanted = arena_printf(check->ctx->arena, " %s ", operator);

    for (size_t i = 0; i < lint->classes.count; i++)
        if (text_equal(lint->classes.items[i].method, check->index->form.method) &&
            text_equal(lint->classes.items[i].name, class))
            return strstr(lint->classes.items[i].distances, wanted) != NULL;
    return true;
}

/* The class of the same method and type that orders by this operator. */
static const char *
class_for(const struct lint_check *check, const char *class, const char *operator)
{
    const struct lint *lint = check->lint;
    const char *wanted = arena_printf(check->ctx->arena, " %s ", operator);
    const char *type = NULL;

    for (size_t i = 0; i < lint->classes.count; i++)
        if (text_equal(lint->classes.items[i].method, check->index->form.method) &&
            text_equal(lint->classes.items[i].name, class))
            type = lint->classes.items[i].type;
    for (size_t i = 0; type && i < lint->classes.count; i++)
        if (text_equal(lint->classes.items[i].method, check->index->form.method) &&
            text_equal(lint->classes.items[i].type, type) &&
            strstr(lint->classes.items[i].distances, wanted))
            return lint->classes.items[i].name;
    return NULL;
}

static void
tell_unfit(const struct lint_check *check, const struct lint_query *query, const char *class,
    const struct lint_order *order)
{
    const char *fit = class_for(check, class, order->operator);
    struct finding *finding = lint_tell(check, LINT_UNFIT_CLASS, NULL,
        "%s orders by %s, which %s of %s cannot: all rows are sorted%s%s", query->source,
        order->operator, class, check->statement->name ? check->statement->name : "the index",
        fit ? "; it needs " : "", fit ? fit : "");

    check->index->fit_class = fit;
    if (!finding || query->place.line == 0)
        return;
    /* The query is what will be slow: it is the place, and the index the other one. */
    finding->place = query->place;
    finding_related(&check->lint->findings, finding, check->statement->place, "the index is here");
}

/* Queries that order by a distance: none of them can use the class, or some can. */
static void
check_distance(const struct lint_check *check, const struct lint_queries *queries)
{
    const struct lint_key *key = &check->index->form.keys[0];
    const char *class = class_of(check, key);
    const struct lint_query *unfit = NULL;
    const struct lint_order *unfit_order = NULL;

    if (!class || !key->column)
        return;
    for (size_t i = 0; i < queries->count; i++) {
        const struct lint_query *query = queries->items[i];
        const struct lint_order *order = query->orders.count > 0 ? &query->orders.items[0] : NULL;

        if (!order || !order->operator|| !text_equal(order->column, key->column) ||
            !is_of_table(query, order->relation, check->index->relation.name))
            continue;
        if (orders_by(check, class, order->operator))
            return;
        if (!unfit || query->place.line > 0) {
            unfit = query;
            unfit_order = order;
        }
    }
    if (unfit)
        tell_unfit(check, unfit, class, unfit_order);
}

/* Where in the keys the query's order begins, behind keys that it holds fixed; SIZE_MAX: nowhere. */
static size_t
order_start(const struct lint_form *form, const struct lint_query *query)
{
    size_t start = 0;

    while (start < form->key_count && form->keys[start].column &&
           !text_equal(form->keys[start].column, query->orders.items[0].column) &&
           text_list_has(&query->equals, form->keys[start].column))
        start++;
    if (start + query->orders.count > form->key_count)
        return SIZE_MAX;
    for (size_t i = 0; i < query->orders.count; i++)
        if (query->orders.items[i].operator|| !form->keys[start + i].column || !text_equal(
                form->keys[start + i].column, query->orders.items[i].column))
            return SIZE_MAX;
    return start;
}

/* Whether reading the keys from here on forwards or backwards gives the query's order. */
static bool
fits_order(const struct lint_check *check, const struct lint_query *query, size_t start)
{
    bool is_forward = true;
    bool is_backward = true;

    for (size_t i = 0; i < query->orders.count; i++) {
        const struct lint_order *order = &query->orders.items[i];
        const struct lint_key *key = &check->index->form.keys[start + i];
        const struct fact_column *column =
            check->index->table ? facts_column(check->index->table, key->column) : NULL;
        bool is_same = key->is_descending == order->is_descending;
        bool has_nulls = !column || !column->is_not_null;

        is_forward &= is_same && (!has_nulls || key->is_nulls_first == order->is_nulls_first);
        is_backward &= !is_same && (!has_nulls || key->is_nulls_first != order->is_nulls_first);
    }
    return is_forward || is_backward;
}

static const char *
order_text(struct arena *arena, const struct lint_query *query)
{
    struct buffer text = { .arena = arena };

    for (size_t i = 0; i < query->orders.count; i++) {
        const struct lint_order *order = &query->orders.items[i];

        buffer_printf(
            &text, "%s%s%s", i > 0 ? ", " : "", order->column, order->is_descending ? " DESC" : "");
        if (order->is_nulls_first != order->is_descending)
            buffer_add(&text, order->is_nulls_first ? " NULLS FIRST" : " NULLS LAST");
    }
    return buffer_text(&text);
}

/*
 * Told of keys that some query would read in order but for the direction, when no query has the direction
 * that they have.
 */
static void
check_direction(const struct lint_check *check, const struct lint_queries *queries)
{
    const struct lint_query *wrong = NULL;
    struct finding *finding;

    for (size_t i = 0; i < queries->count; i++) {
        const struct lint_query *query = queries->items[i];
        size_t start;

        if (query->orders.count == 0 || !query->orders.items[0].column ||
            !is_of_table(query, query->orders.items[0].relation, check->index->relation.name))
            continue;
        start = order_start(&check->index->form, query);
        if (start == SIZE_MAX)
            continue;
        if (fits_order(check, query, start))
            return;
        wrong = query;
    }
    if (!wrong)
        return;
    finding = lint_tell(check, LINT_DIRECTION, NULL,
        "%s orders by %s, which the index gives neither forwards nor backwards", wrong->source,
        order_text(check->ctx->arena, wrong));
    if (finding)
        finding->instead = arena_printf(
            check->ctx->arena, "Let the keys end in: %s.", order_text(check->ctx->arena, wrong));
    if (finding && wrong->place.line > 0)
        finding_related(&check->lint->findings, finding, wrong->place, "the query is here");
}

/* LIKE 'x%' of the script finds nothing by a B-tree in another collation than C. */
static void
check_like(const struct lint_check *check, const struct lint_queries *queries)
{
    const struct lint_key *key = &check->index->form.keys[0];
    const struct fact_column *column =
        check->index->table && key->column ? facts_column(check->index->table, key->column) : NULL;
    const struct lint_query *like = NULL;

    if (!column || column->category != 'S' || column->has_c_collation ||
        !text_equal(key->text, key->column))
        return;
    for (size_t i = 0; i < queries->count; i++) {
        const struct lint_query *query = queries->items[i];

        if (!is_of_table(query, NULL, check->index->relation.name))
            continue;
        if (text_list_has(&query->equals, key->column))
            return;
        if (text_list_has(&query->likes, key->column))
            like = query;
    }
    if (!like)
        return;
    check->index->fit_class =
        text_equal(column->base_type, "varchar") ? "varchar_pattern_ops" : "text_pattern_ops";
    lint_tell(check, LINT_UNFIT_CLASS, NULL,
        "%s compares %s by LIKE 'x%%', which the index cannot in this collation; it needs %s",
        like->source, key->column, check->index->fit_class);
}

bool
lint_check_queries(struct lint_check *check, const struct lint_queries *queries)
{
    const struct lint_form *form = &check->index->form;

    if (!form->is_read || form->key_count == 0)
        return true;
    if (text_equal(form->method, "btree")) {
        check_direction(check, queries);
        check_like(check, queries);
    } else {
        check_distance(check, queries);
    }
    return true;
}
