#include "index/sample/guess.h"

#include "base/text.h"

const json_t *
guess_bare(const json_t *node)
{
    for (;;) {
        const json_t *around = json_object_get(node, "TypeCast");

        if (!around)
            around = json_object_get(node, "CollateClause");
        if (!around)
            return node;
        node = json_object_get(around, "arg");
    }
}

const char *
guess_constant(const json_t *node)
{
    const json_t *constant = json_object_get(node, "A_Const");

    return json_string_value(json_object_get(json_object_get(constant, "sval"), "sval"));
}

enum sample_role
guess_role(const char *op, const char *kind)
{
    static const struct {
        const char *op;
        enum sample_role role;
    } roles[] = { { "=", SAMPLE_EQUAL }, { "<>", SAMPLE_EQUAL }, { "<", SAMPLE_BELOW },
        { "<=", SAMPLE_BELOW }, { ">", SAMPLE_ABOVE }, { ">=", SAMPLE_ABOVE },
        { "~~", SAMPLE_LIKE }, { "!~~", SAMPLE_LIKE }, { "~~*", SAMPLE_ILIKE },
        { "!~~*", SAMPLE_ILIKE }, { "~", SAMPLE_REGEX }, { "~*", SAMPLE_REGEX },
        { "!~", SAMPLE_REGEX }, { "!~*", SAMPLE_REGEX }, { "@>", SAMPLE_CONTAINS },
        { "&&", SAMPLE_CONTAINS }, { "<@", SAMPLE_CONTAINED }, { "?", SAMPLE_HAS_KEY },
        { "?|", SAMPLE_HAS_KEY }, { "?&", SAMPLE_HAS_KEY }, { "@@", SAMPLE_MATCH },
        { "<->", SAMPLE_DISTANCE }, { "<=>", SAMPLE_DISTANCE }, { "<#>", SAMPLE_DISTANCE },
        { "<+>", SAMPLE_DISTANCE }, { "%", SAMPLE_DISTANCE }, { "<%", SAMPLE_DISTANCE },
        { "%>", SAMPLE_DISTANCE }, { "<<->", SAMPLE_DISTANCE }, { "<->>", SAMPLE_DISTANCE },
        { "^@", SAMPLE_PIECE } };

    if (kind && text_starts_with(kind, "AEXPR_SIMILAR"))
        return SAMPLE_LIKE;
    if (kind && (text_equal(kind, "AEXPR_DISTINCT") || text_equal(kind, "AEXPR_NOT_DISTINCT") ||
                    text_equal(kind, "AEXPR_NULLIF")))
        return SAMPLE_EQUAL;
    for (size_t i = 0; op && i < COUNT_OF(roles); i++)
        if (strcmp(roles[i].op, op) == 0)
            return roles[i].role;
    return SAMPLE_OTHER;
}

static bool
is_current_time(const json_t *node)
{
    const json_t *names = json_object_get(json_object_get(node, "FuncCall"), "funcname");
    const char *name = scope_string(json_array_get(names, json_array_size(names) - 1));

    return json_object_get(node, "SQLValueFunction") || text_equal(name, "now") ||
           text_equal(name, "clock_timestamp") || text_equal(name, "statement_timestamp") ||
           text_equal(name, "transaction_timestamp");
}

/* The last word of the type that a cast names; NULL: it is no cast. */
static const char *
cast_of(const json_t *node)
{
    const json_t *names =
        json_object_get(json_object_get(json_object_get(node, "TypeCast"), "typeName"), "names");

    return scope_string(json_array_get(names, json_array_size(names) - 1));
}

const char *
guess_operand(const char *op, const struct scope *scope, const json_t *other)
{
    const char *cast = cast_of(other);
    struct scope_column column;

    if (strcmp(op, "||") == 0)
        return "text";
    if (strlen(op) != 1 || !strchr("+-*/%", *op))
        return NULL;
    if (text_equal(cast, "date"))
        return "integer";
    if (is_current_time(guess_bare(other)) || (cast && text_starts_with(cast, "timestamp")))
        return "interval";
    if (text_equal(cast, "interval"))
        return *op == '*' || *op == '/' ? "double precision" : "timestamp with time zone";
    if (!json_object_get(guess_bare(other), "ColumnRef"))
        return "integer";
    if (!scope_resolve(scope, json_object_get(guess_bare(other), "ColumnRef"), &column))
        return NULL;
    if (text_equal(column.column->base_type, "date"))
        return "integer";
    return column.column->category == 'D' ? "interval" : column.column->type;
}

const char *
guess_argument(const char *function, size_t argument)
{
    static const struct {
        const char *function;
        size_t argument;
        const char *type;
    } types[] = { { "count", 0, "integer" }, { "sum", 0, "integer" }, { "avg", 0, "integer" },
        { "generate_series", 0, "integer" }, { "generate_series", 1, "integer" },
        { "unnest", 0, "text[]" }, { "array_length", 0, "text[]" }, { "cardinality", 0, "text[]" },
        { "abs", 0, "numeric" }, { "round", 0, "numeric" }, { "ceil", 0, "numeric" },
        { "floor", 0, "numeric" }, { "mod", 0, "integer" }, { "mod", 1, "integer" },
        { "date_trunc", 1, "timestamp with time zone" }, { "date_part", 1, "timestamp" },
        { "extract", 1, "timestamp" }, { "to_char", 0, "timestamp with time zone" },
        { "age", 0, "timestamp with time zone" }, { "substring", 1, "integer" },
        { "substring", 2, "integer" } };

    for (size_t i = 0; function && i < COUNT_OF(types); i++)
        if (argument == types[i].argument && strcmp(types[i].function, function) == 0)
            return types[i].type;
    return "text";
}

bool
guess_keeps_value(const char *function, size_t count, size_t *ret_argument)
{
    static const char *const firsts[] = { "lower", "upper", "btrim", "ltrim", "rtrim", "date",
        "unaccent" };
    static const char *const lasts[] = { "date_trunc", "timezone", "to_tsvector", "to_tsquery",
        "plainto_tsquery", "phraseto_tsquery", "websearch_to_tsquery" };

    for (size_t i = 0; function && i < COUNT_OF(firsts); i++) {
        *ret_argument = 0;
        if (strcmp(firsts[i], function) == 0)
            return count > 0;
    }
    for (size_t i = 0; function && i < COUNT_OF(lasts); i++) {
        *ret_argument = count - 1;
        if (strcmp(lasts[i], function) == 0)
            return count > 0;
    }
    return false;
}

bool
guess_is_similarity(const char *function)
{
    static const char *const names[] = { "similarity", "word_similarity",
        "strict_word_similarity" };

    for (size_t i = 0; function && i < COUNT_OF(names); i++)
        if (strcmp(names[i], function) == 0)
            return true;
    return false;
}
