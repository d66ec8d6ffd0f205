#include "index/candidate/term.h"

#include <string.h>

static const char *
commuted(const char *operator)
{
    static const char *const pairs[][2] = { { "<", ">" }, { "<=", ">=" }, { ">", "<" },
        { ">=", "<=" }, { "@>", "<@" }, { "<@", "@>" }, { "<<", ">>" }, { ">>", "<<" },
        { "<<=", ">>=" }, { ">>=", "<<=" }, { "<%", "%>" }, { "%>", "<%" }, { "<<%", "%>>" },
        { "%>>", "<<%" } };

    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if (strcmp(operator, pairs[i][0]) == 0)
            return pairs[i][1];
    return operator;
}

static bool
is_range(const char *operator)
{
    return text_equal(operator, "<") || text_equal(operator, "<=") || text_equal(operator, ">") ||
           text_equal(operator, ">=");
}

static void
add(const struct candidate_reading *reading, struct candidate_terms *terms,
    struct candidate_term term, struct candidate_key key)
{
    if (term.method && !term.keys) {
        key.role = term.role;
        term.keys = arena_memdup(reading->ctx->arena, &key, sizeof(key));
        term.key_count = 1;
    }
    for (size_t i = 0; i < terms->count; i++) {
        const struct candidate_term *other = &terms->items[i];

        if (text_equal(other->method, term.method) && other->role == term.role &&
            text_equal(other->predicate, term.predicate) && other->key_count == term.key_count &&
            (term.key_count == 0 || (text_equal(other->keys[0].text, term.keys[0].text) &&
                                        text_equal(other->keys[0].opclass, term.keys[0].opclass))))
            return;
    }
    VEC_PUSH(reading->ctx->arena, terms, term);
}

/* A test of one column against NULL, or of a boolean: a key, and a predicate. */
static void
read_test(const struct candidate_reading *reading, const struct explained_expr *condition,
    struct candidate_terms *terms)
{
    const struct explained_expr *tested =
        condition->kind == EXPLAINED_COLUMN ? condition : condition->items[0];
    bool is_null = condition->kind == EXPLAINED_NULL_TEST;
    struct candidate_term term = { .role = ROLE_EQUAL, .share = -1 };
    const struct fact_column *column;
    struct candidate_key key;

    if (!candidate_key_read(reading, tested, &key, &column) || !column)
        return;
    if (!is_null && !text_equal(column->base_type, "bool"))
        return;
    term.predicate = explained_expr_bare(reading->ctx->arena, condition);
    term.is_nullness = is_null;
    term.distinct = is_null ? 2 : column->distinct;
    if (is_null && column->has_statistics)
        term.share = condition->is_negated ? 1 - column->null_share : column->null_share;
    if (!is_null) {
        bool is_true = condition->kind == EXPLAINED_TRUTH_TEST
                           ? condition->is_true != condition->is_negated
                           : condition->kind == EXPLAINED_COLUMN;

        term.share = candidate_share(reading->ctx->arena, column, "=", is_true ? "t" : "f");
    }
    if (candidate_key_has_btree(column) && !(is_null && condition->is_negated))
        term.method = "btree";
    add(reading, terms, term, key);
}

static double
distinct_of(const struct candidate_reading *reading, const struct explained_expr *key,
    const struct fact_column *column)
{
    const struct explained_text *source = key->source;

    for (size_t i = 0; !column && i < source->columns.count; i++)
        if (source->columns.items[i].first >= key->first &&
            source->columns.items[i].end <= key->end && source->columns.items[i].name)
            column = facts_column(reading->relation->table, source->columns.items[i].name);
    return column ? column->distinct : 0;
}

/* Where a pattern may begin with plain letters; a placeholder may. */
static bool
may_have_prefix(const char *operator, const char * pattern)
{
    if (!pattern)
        return text_equal(operator, "~~") || text_equal(operator, "^@");
    if (text_equal(operator, "~"))
        return pattern[0] == '^' && pattern[1] != '\0' && !strchr(".[(*+?\\^$|", pattern[1]);
    return (text_equal(operator, "~~") || text_equal(operator, "^@")) && !strchr("%_", pattern[0]);
}

static void
read_prefix(const struct candidate_reading *reading, struct candidate_term term,
    struct candidate_key key, const struct fact_column *column, struct candidate_terms *terms)
{
    const char *type = column ? column->base_type : "text";

    term.method = "btree";
    term.role = ROLE_RANGE;
    if (text_equal(type, "citext") || !candidate_key_has_btree(column))
        return;
    if (column && column->has_c_collation)
        key.opclass = NULL;
    else if (text_equal(type, "varchar"))
        key.opclass = "varchar_pattern_ops";
    else if (text_equal(type, "bpchar"))
        key.opclass = "bpchar_pattern_ops";
    else if (text_equal(type, "text"))
        key.opclass = "text_pattern_ops";
    else
        return;
    add(reading, terms, term, key);
}

/* What a B-tree finds; false: nothing of it. */
static bool
read_comparison(const char *operator, bool is_any, struct candidate_term *term)
{
    if (text_equal(operator, "=")) {
        term->role = is_any ? ROLE_IN : ROLE_EQUAL;
        return true;
    }
    term->role = ROLE_RANGE;
    return is_range(operator) && !is_any;
}

/* Values of a column that stands for a state: "open", "done". */
enum { MOST_STATES = 12 };

/* The condition as a predicate, where nothing in it differs from call to call. */
static void
set_predicate(const struct candidate_reading *reading, const struct explained_expr *condition,
    const struct explained_expr *value, const struct fact_column *column,
    struct candidate_term *term)
{
    struct arena *arena = reading->ctx->arena;

    term->share = -1;
    if (reading->is_instance || !explained_expr_is_literal(value))
        return;
    if (condition->is_all || (condition->is_any && !text_equal(condition->name, "=")))
        return;
    /* One of many values in one text is a key like others, which that text happens to ask for. */
    if (text_equal(condition->name, "=") && (!column || column->distinct > MOST_STATES))
        return;
    term->predicate = explained_expr_bare(arena, condition);
    term->share = candidate_share(arena, column, condition->is_any ? "= ANY" : condition->name,
        explained_expr_value(arena, value));
}

static void
read_side(const struct candidate_reading *reading, const struct explained_expr *condition,
    size_t side, struct candidate_terms *terms)
{
    const struct explained_expr *expr = condition->items[side];
    const struct explained_expr *value = condition->items[1 - side];
    const char *operator= side == 0 ? condition->name : commuted(condition->name);
    struct candidate_term term = { 0 };
    struct candidate_operator found;
    const struct fact_column *column;
    struct candidate_key key;

    if (!candidate_key_read(reading, expr, &key, &column))
        return;
    for (size_t i = 0; i < value->source->columns.count; i++) {
        const struct explained_column *at = &value->source->columns.items[i];

        if (at->first < value->first || at->end > value->end)
            continue;
        if (map_get(&reading->plan->by_alias, at->alias) == reading->relation)
            return;
        term.is_join = true;
    }
    term.distinct = distinct_of(reading, expr, column);
    set_predicate(reading, condition, value, column, &term);
    if (!condition->is_all && read_comparison(operator, condition->is_any, &term) &&
        candidate_key_has_btree(column))
        term.method = "btree";
    if (term.method || term.predicate)
        add(reading, terms, term, key);
    if (condition->is_all || text_equal(operator, "="))
        return;
    term.predicate = NULL;
    if (side == 0 && !condition->is_any &&
        may_have_prefix(operator, explained_expr_value(reading->ctx->arena, value)))
        read_prefix(reading, term, key, column, terms);
    if (!candidate_operator_find(
            reading->ctx->arena, reading->facts, operator, expr, column, &found))
        return;
    term.method = found.method;
    term.role = found.role;
    term.extension = found.extension;
    key.opclass = found.opclass;
    add(reading, terms, term, key);
}

/* ROW(a, b) < ROW(x, y): pages by key. */
static void
read_row(const struct candidate_reading *reading, const struct explained_expr *condition,
    size_t side, struct candidate_terms *terms)
{
    const struct explained_expr *row = condition->items[side];
    struct candidate_term term = { .role = ROLE_RANGE, .method = "btree", .share = -1 };

    if (row->kind != EXPLAINED_ROW || !is_range(condition->name) || row->count == 0)
        return;
    term.keys = ARENA_ARRAY(reading->ctx->arena, struct candidate_key, row->count);
    for (size_t i = 0; i < row->count; i++) {
        const struct fact_column *column;

        if (!candidate_key_read(reading, row->items[i], &term.keys[i], &column) ||
            !candidate_key_has_btree(column))
            break;
        term.keys[i].role = ROLE_RANGE;
        if (i == 0)
            term.distinct = distinct_of(reading, row->items[i], column);
        term.key_count++;
    }
    if (term.key_count > 0)
        add(reading, terms, term, (struct candidate_key){ 0 });
}

void
candidate_terms_read(const struct candidate_reading *reading,
    const struct explained_expr *condition, struct candidate_terms *terms)
{
    switch (condition->kind) {
    case EXPLAINED_COLUMN:
    case EXPLAINED_NULL_TEST:
    case EXPLAINED_TRUTH_TEST:
        read_test(reading, condition, terms);
        return;
    case EXPLAINED_NOT:
        if (condition->items[0]->kind == EXPLAINED_COLUMN)
            read_test(reading, condition, terms);
        return;
    case EXPLAINED_OPERATOR:
        for (size_t side = 0; side < 2; side++)
            if (condition->items[side]->kind == EXPLAINED_ROW)
                read_row(reading, condition, side, terms);
            else if (side == 0 || (!condition->is_any && !condition->is_all))
                read_side(reading, condition, side, terms);
        return;
    case EXPLAINED_AND:
    case EXPLAINED_OR:
    case EXPLAINED_ROW:
    case EXPLAINED_FUNCTION:
    case EXPLAINED_CAST:
    case EXPLAINED_OTHER:
        return;
    }
}

bool
candidate_term_distance(const struct candidate_reading *reading, const struct explained_expr *expr,
    struct candidate_term *ret)
{
    for (size_t side = 0; expr->kind == EXPLAINED_OPERATOR && side < 2; side++) {
        const struct fact_column *column;
        struct candidate_operator found;
        struct candidate_key key;

        if (!candidate_key_read(reading, expr->items[side], &key, &column) || !column)
            continue;
        if (!candidate_operator_distance(
                reading->ctx->arena, reading->facts, expr->name, column, &found))
            return false;
        key.opclass = found.opclass;
        key.role = ROLE_DISTANCE;
        *ret = (struct candidate_term){ .role = ROLE_DISTANCE,
            .method = found.method,
            .keys = arena_memdup(reading->ctx->arena, &key, sizeof(key)),
            .key_count = 1,
            .share = -1,
            .extension = found.extension,
            .is_approximate = found.is_approximate };
        return true;
    }
    return false;
}
