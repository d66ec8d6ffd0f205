/*
 * Which share of its rows a predicate leaves, by the statistics: as the planner does it, but from common
 * values and bounds alone and as if conditions had nothing to do with each other.
 */
#include <math.h>

#include "base/json.h"
#include "base/text.h"
#include "index/facts/facts_part.h"
#include "index/facts/size_part.h"
#include "lang/sql.h"

/* What the planner takes where it knows nothing. */
static const double unknown_equal = 0.005;
static const double unknown_range = 1.0 / 3;
static const double unknown_match = 0.1;
static const double unknown = 0.5;

struct share_walk {
    const struct fact_table *table;
    struct arena *arena;
    int depth;
};

static double node_share(struct share_walk *walk, const json_t *node);

static double
within(double share)
{
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

static const json_t *
without_casts(const json_t *node)
{
    const json_t *inner;

    while ((inner = json_object_get(json_object_get(node, "TypeCast"), "arg")))
        node = inner;
    return node;
}

static const struct fact_column *
column_of(const struct share_walk *walk, const json_t *node)
{
    const json_t *reference = json_object_get(without_casts(node), "ColumnRef");
    const json_t *fields = json_object_get(reference, "fields");
    const json_t *last = json_array_get(fields, json_array_size(fields) - 1);
    const char *name = json_string_value(json_object_get(json_object_get(last, "String"), "sval"));

    return name ? facts_column(walk->table, name) : NULL;
}

/* The constant as text, or NULL. */
static const char *
constant_of(const struct share_walk *walk, const json_t *node)
{
    const json_t *constant = json_object_get(without_casts(node), "A_Const");
    const json_t *value;

    if ((value = json_object_get(constant, "sval")))
        return json_string_value(json_object_get(value, "sval"));
    if ((value = json_object_get(constant, "fval")))
        return json_string_value(json_object_get(value, "fval"));
    if ((value = json_object_get(constant, "boolval")))
        return json_is_true(json_object_get(value, "boolval")) ? "t" : "f";
    if ((value = json_object_get(constant, "ival")))
        return arena_printf(
            walk->arena, "%lld", (long long)json_integer_value(json_object_get(value, "ival")));
    return NULL;
}

/* Blanks at the end of char(n) do not count; a constant has them or not, as it was written. */
static size_t
length_without_blanks(const char *text)
{
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == ' ')
        length--;
    return length;
}

static int
compare_padded(const char *a, const char *b)
{
    size_t left = length_without_blanks(a);
    size_t right = length_without_blanks(b);
    int order = memcmp(a, b, left < right ? left : right);

    return order != 0 ? order : (left > right) - (left < right);
}

/* As the type orders them, as far as its text shows: numbers by value, all else byte by byte. */
static int
compare_values(const struct fact_column *column, const char *a, const char *b)
{
    double left;
    double right;

    if (column->category == 'N' && text_to_double(a, &left) && text_to_double(b, &right))
        return left < right ? -1 : left > right;
    if (strcmp(column->base_type, "bpchar") == 0)
        return compare_padded(a, b);
    return strcmp(a, b);
}

static double
equal_share(const struct fact_column *column, const char *value)
{
    double common = 0;

    if (!column || !value || !column->has_statistics)
        return unknown_equal;
    for (size_t i = 0; i < column->common_count; i++) {
        if (column->common[i] && compare_values(column, column->common[i], value) == 0)
            return column->common_shares[i];
        common += column->common_shares[i];
    }

    double others = column->distinct - (double)column->common_count;

    if (others < 1)
        return column->common_count > 0 ? 0 : 1 - column->null_share;
    return within(1 - column->null_share - common) / others;
}

/* The share of the rows below the value. */
static double
below_share(const struct fact_column *column, const char *value)
{
    double below = 0;
    double common = 0;
    size_t passed = 0;

    for (size_t i = 0; i < column->common_count; i++) {
        common += column->common_shares[i];
        if (column->common[i] && compare_values(column, column->common[i], value) < 0)
            below += column->common_shares[i];
    }
    for (size_t i = 0; i < column->bound_count; i++)
        passed += column->bounds[i] && compare_values(column, column->bounds[i], value) < 0;
    if (column->bound_count > 1) {
        double position = ((double)passed - 0.5) / (double)(column->bound_count - 1);

        below += within(1 - column->null_share - common) * within(position);
    }
    return below;
}

static double
operator_share(const struct fact_column *column, const char *name, const char *value)
{
    if (strcmp(name, "=") == 0)
        return equal_share(column, value);
    if (strcmp(name, "<>") == 0 && column && value)
        return within(1 - column->null_share - equal_share(column, value));
    if (strchr("<>", name[0]) && strlen(name) <= 2 && strcmp(name, "<<") != 0 &&
        strcmp(name, ">>") != 0) {
        if (!column || !value || (column->common_count == 0 && column->bound_count < 2))
            return unknown_range;

        double below = below_share(column, value);

        return within(name[0] == '<' ? below : 1 - column->null_share - below);
    }
    if (name[0] == '~' || name[0] == '@')
        return unknown_match;
    return name[0] == '!' ? 1 - unknown_match : unknown;
}

static const char *
mirrored(const char *name)
{
    static const char *const pairs[][2] = { { "<", ">" }, { "<=", ">=" }, { ">", "<" },
        { ">=", "<=" } };

    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if (strcmp(pairs[i][0], name) == 0)
            return pairs[i][1];
    return name;
}

/* col = ANY (ARRAY[…]), or of an array literal. */
static double
list_share(struct share_walk *walk, const struct fact_column *column, const json_t *right)
{
    const json_t *node = without_casts(right);
    const json_t *elements = json_object_get(json_object_get(node, "A_ArrayExpr"), "elements");
    const json_t *element;
    const char *literal = constant_of(walk, node);
    const char **values = NULL;
    size_t count = 0;
    double share = 0;
    size_t i;

    if (!elements)
        elements = json_object_get(json_object_get(node, "List"), "items");
    json_array_foreach(elements, i, element) share +=
        equal_share(column, constant_of(walk, element));
    if (literal && literal[0] == '{')
        facts_array(walk->arena, arena_strdup(walk->arena, literal), &values, &count);
    for (i = 0; i < count; i++)
        share += equal_share(column, values[i]);
    return within(share);
}

static double
expression_share(struct share_walk *walk, const json_t *node)
{
    const json_t *left = json_object_get(node, "lexpr");
    const json_t *right = json_object_get(node, "rexpr");
    const char *kind = json_get_text(walk->arena, node, "kind", "");
    const json_t *names = json_object_get(node, "name");
    const json_t *last = json_array_get(names, json_array_size(names) - 1);
    const char *name = json_string_value(json_object_get(json_object_get(last, "String"), "sval"));
    const struct fact_column *column = column_of(walk, left);

    if (!name)
        return unknown;
    if (strcmp(kind, "AEXPR_OP_ANY") == 0 || strcmp(kind, "AEXPR_IN") == 0)
        return strcmp(name, "=") == 0 ? list_share(walk, column, right) : unknown;
    if (strcmp(kind, "AEXPR_OP_ALL") == 0)
        return strcmp(name, "<>") == 0 ? within(1 - list_share(walk, column, right)) : unknown;
    if (!column && constant_of(walk, left))
        return operator_share(column_of(walk, right), mirrored(name), constant_of(walk, left));
    return operator_share(column, name, constant_of(walk, right));
}

static double
true_share(const struct fact_column *column)
{
    return column && column->common_count > 0 ? equal_share(column, "t") : unknown;
}

static double
boolean_share(struct share_walk *walk, const json_t *node)
{
    const char *kind = json_get_text(walk->arena, node, "boolop", "");
    const json_t *args = json_object_get(node, "args");
    const json_t *arg;
    double all = 1;
    size_t i;

    if (strcmp(kind, "NOT_EXPR") == 0) {
        const struct fact_column *column = column_of(walk, json_array_get(args, 0));
        double nulls = column ? column->null_share : 0;

        return within(1 - nulls - node_share(walk, json_array_get(args, 0)));
    }
    json_array_foreach(args, i, arg)
    {
        double one = node_share(walk, arg);

        all *= strcmp(kind, "OR_EXPR") == 0 ? 1 - one : one;
    }
    return strcmp(kind, "OR_EXPR") == 0 ? 1 - all : all;
}

static double
boolean_test_share(const struct fact_column *column, const char *test)
{
    double nulls = column ? column->null_share : 0;
    double is_true = true_share(column);
    bool is_not = strstr(test, "_NOT_") != NULL;
    double share = within(1 - nulls - is_true);

    if (strstr(test, "UNKNOWN"))
        share = nulls;
    else if (strstr(test, "TRUE"))
        share = is_true;
    return is_not ? 1 - share : share;
}

static double
node_share(struct share_walk *walk, const json_t *node)
{
    const json_t *inner;
    double share = unknown;

    if (++walk->depth > 100)
        return unknown;
    node = without_casts(node);
    inner = json_object_get(node, "BoolExpr");
    if (inner) {
        share = boolean_share(walk, inner);
    } else if ((inner = json_object_get(node, "A_Expr"))) {
        share = expression_share(walk, inner);
    } else if (json_object_get(node, "ColumnRef")) {
        share = true_share(column_of(walk, node));
    } else if ((inner = json_object_get(node, "NullTest"))) {
        const struct fact_column *column = column_of(walk, json_object_get(inner, "arg"));
        double nulls = column && column->has_statistics ? column->null_share : unknown_equal;

        share = strcmp(json_get_text(walk->arena, inner, "nulltesttype", ""), "IS_NULL") == 0
                    ? nulls
                    : 1 - nulls;
    } else if ((inner = json_object_get(node, "BooleanTest"))) {
        share = boolean_test_share(column_of(walk, json_object_get(inner, "arg")),
            json_get_text(walk->arena, inner, "booltesttype", ""));
    }
    walk->depth--;
    return share;
}

double
size_share(const struct fact_table *table, const char *predicate)
{
    struct arena *arena CLEANUP(arena_cleanup) = NULL;
    json_t *tree CLEANUP(json_release) = NULL;

    if (!predicate)
        return 1;
    arena = arena_new();

    struct ctx scratch = { .arena = arena };
    struct share_walk walk = { .table = table, .arena = arena };

    if (!sql_parse(&scratch, arena_printf(arena, "SELECT WHERE %s", predicate), &tree))
        return unknown;

    const json_t *statement =
        json_object_get(json_array_get(json_object_get(tree, "stmts"), 0), "stmt");

    return node_share(
        &walk, json_object_get(json_object_get(statement, "SelectStmt"), "whereClause"));
}
