/* What each $n of a statement is compared with, from its parse tree. */
#include "base/text.h"
#include "db/ident.h"
#include "index/sample/guess.h"
#include "index/sample/scope.h"

enum { MOST_DEPTH = 400 };

struct walker {
    struct ctx *ctx;
    const struct query_maker *maker;
    struct sample_places *places;
    const struct scope *scope;
    int depth;
};

/* One side of a comparison. */
struct side {
    struct scope_column column;
    const json_t *column_ref;
    size_t param; /* number, 0: none */
    struct text_list keys;
    bool is_lowered;
    bool is_number; /* cast to one */
};

struct pieces {
    const json_t *items[8];
    size_t count;
};

static void walk(struct walker *walker, const json_t *node);
static void walk_query(struct walker *walker, const json_t *body);

static struct sample_place *
place_of(const struct walker *walker, size_t number)
{
    return number > 0 && number <= walker->places->count ? &walker->places->items[number - 1]
                                                         : NULL;
}

static size_t
param_of(const json_t *node)
{
    return (size_t)json_integer_value(json_object_get(json_object_get(node, "ParamRef"), "number"));
}

/* The more telling role stays. */
static void
set_place(
    const struct walker *walker, size_t number, enum sample_role role, const struct side *side)
{
    struct sample_place *place = place_of(walker, number);

    if (!place || place->role > role || (place->role == role && place->column))
        return;
    place->role = role;
    if (!side)
        return;
    place->table = side->column.table;
    place->column = side->column.column;
    place->keys = side->keys;
    place->is_lowered = side->is_lowered;
    place->is_number = place->is_number || side->is_number;
    if (side->column.column && side->keys.count == 0 && !place->must_guess)
        place->guess = side->column.column->type;
}

static void
set_guess(const struct walker *walker, size_t number, const char *type)
{
    struct sample_place *place = place_of(walker, number);

    if (!place || !type || place->must_guess)
        return;
    place->guess = type;
    place->must_guess = true;
}

static const char *
last_name(const json_t *names)
{
    return scope_string(json_array_get(names, json_array_size(names) - 1));
}

/* The $n or constant that a document is asked for. */
static const char *
key_of(const struct walker *walker, const json_t *node)
{
    size_t number = param_of(guess_bare(node));
    const char *text = guess_constant(guess_bare(node));

    if (number > 0)
        return arena_printf(walker->ctx->arena, "$%zu", number);
    return text ? arena_strdup(walker->ctx->arena, text) : NULL;
}

static bool
is_number_type(const json_t *node)
{
    static const char *const names[] = { "int2", "int4", "int8", "numeric", "float4", "float8" };
    const char *name = last_name(
        json_object_get(json_object_get(json_object_get(node, "TypeCast"), "typeName"), "names"));

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (text_equal(names[i], name))
            return true;
    return false;
}

/* time + interval is compared with times like those of the column. */
static void
read_shifted(const struct walker *walker, const json_t *expression, struct side *ret)
{
    const json_t *column =
        json_object_get(guess_bare(json_object_get(expression, "lexpr")), "ColumnRef");
    struct scope_column found;

    if (column && scope_resolve(walker->scope, column, &found) && found.column->category == 'D')
        ret->column = found;
}

/* Recursion: each turn takes a node off. */
static void
read_side(const struct walker *walker, const json_t *node, struct side *ret)
{
    const json_t *bare = guess_bare(node);
    const json_t *call = json_object_get(bare, "FuncCall");
    const json_t *expression = json_object_get(bare, "A_Expr");
    const char *op = last_name(json_object_get(expression, "name"));

    ret->is_number = ret->is_number || is_number_type(node);
    if (json_object_get(bare, "ColumnRef")) {
        ret->column_ref = json_object_get(bare, "ColumnRef");
        (void)scope_resolve(walker->scope, ret->column_ref, &ret->column);
    } else if (call) {
        const char *name = last_name(json_object_get(call, "funcname"));
        const json_t *arguments = json_object_get(call, "args");
        size_t argument;

        ret->is_lowered = ret->is_lowered || text_equal(name, "lower");
        if (guess_keeps_value(name, json_array_size(arguments), &argument))
            read_side(walker, json_array_get(arguments, argument), ret);
    } else if (json_object_get(bare, "CoalesceExpr")) {
        read_side(walker,
            json_array_get(json_object_get(json_object_get(bare, "CoalesceExpr"), "args"), 0), ret);
    } else if (op && op[0] == '-' && op[1] == '>' && ret->keys.count < SAMPLE_MOST_KEYS) {
        const char *key = key_of(walker, json_object_get(expression, "rexpr"));

        read_side(walker, json_object_get(expression, "lexpr"), ret);
        if (key)
            text_list_add(walker->ctx->arena, &ret->keys, key);
    } else if (text_equal(op, "+") || text_equal(op, "-")) {
        read_shifted(walker, expression, ret);
    }
    if (param_of(bare) > 0)
        ret->param = param_of(bare);
}

/* The parts of a || b || c, in order. Recursion: each turn takes a node off. */
static void
list_pieces(const json_t *node, struct pieces *pieces)
{
    const json_t *expression = json_object_get(guess_bare(node), "A_Expr");

    if (expression && text_equal(last_name(json_object_get(expression, "name")), "||")) {
        list_pieces(json_object_get(expression, "lexpr"), pieces);
        list_pieces(json_object_get(expression, "rexpr"), pieces);
    } else if (pieces->count < COUNT_OF(pieces->items)) {
        pieces->items[pieces->count++] = node;
    }
}

static void
set_piece(const struct walker *walker, size_t number, const struct side *column, bool is_prefix)
{
    struct sample_place *place = place_of(walker, number);

    set_place(walker, number, SAMPLE_PIECE, column);
    if (place)
        place->is_prefix = is_prefix;
}

/*
 * column LIKE '%' || $1 || '%' is $1 || $2 || $3 in pg_stat_statements. Where all are $n, the first of three and
 * the last of two are taken for the %.
 */
static void
set_pieces(const struct walker *walker, const json_t *node, const struct side *column)
{
    struct pieces pieces = { 0 };
    size_t params = 0;

    list_pieces(node, &pieces);
    for (size_t i = 0; i < pieces.count; i++)
        params += param_of(guess_bare(pieces.items[i])) > 0;
    for (size_t i = 0; i < pieces.count; i++) {
        struct side side = { 0 };
        bool is_wildcard = params > 1 && params == pieces.count &&
                           (i + 1 == pieces.count || (i == 0 && pieces.count > 2));

        read_side(walker, pieces.items[i], &side);
        if (is_wildcard)
            set_place(walker, side.param, SAMPLE_WILDCARD, NULL);
        else
            set_piece(walker, side.param, column, i == 0);
    }
}

/* column > now() - $n */
static void
set_age(const struct walker *walker, const json_t *node, const struct side *column, bool is_below)
{
    const json_t *expression = json_object_get(guess_bare(node), "A_Expr");
    const char *op = last_name(json_object_get(expression, "name"));
    size_t number = param_of(guess_bare(json_object_get(expression, "rexpr")));
    size_t start = param_of(guess_bare(json_object_get(expression, "lexpr")));
    struct sample_place *place = place_of(walker, number);

    if (!text_equal(op, "-") && !text_equal(op, "+"))
        return;
    set_place(walker, start, SAMPLE_NOW, column);
    if (!place || !text_equal(op, "-") || !column->column.column ||
        column->column.column->category != 'D')
        return;
    set_place(walker, number, SAMPLE_AGE, column);
    place->is_below = is_below;
    place->guess = "interval";
    place->must_guess = true;
}

static void
set_compared(const struct walker *walker, const json_t *node, enum sample_role role,
    const struct side *column, size_t ordinal)
{
    size_t number = param_of(guess_bare(node));
    struct sample_place *place = place_of(walker, number);

    if (!place)
        return;
    place->ordinal = ordinal;
    set_place(walker, number, role, column);
    /* What is selected, or a row of VALUES, is text to the server unless it is told otherwise. */
    place->must_guess = place->guess != NULL;
}

/*
 * VALUES ($1, $2), … joined to a table, v.id = t.id, or stored, SET x = v.x; and the same of a subquery
 * that selects $n.
 */
static void
set_given(const struct walker *walker, const json_t *column_ref, enum sample_role role,
    const struct side *column)
{
    size_t position = 0;
    const json_t *rows = scope_values(walker->scope, column_ref, &position);
    const json_t *row;
    size_t i;

    if (!rows) {
        set_compared(walker, scope_output(walker->scope, column_ref), role, column, 0);
        return;
    }
    json_array_foreach(rows, i, row)
    {
        const json_t *items = json_object_get(json_object_get(row, "List"), "items");

        set_compared(walker, json_array_get(items, position), role, column, i);
    }
}

/* A key whose value is cast to a number. */
static void
set_number(const struct walker *walker, size_t number)
{
    struct sample_place *place = place_of(walker, number);

    if (place)
        place->is_number = true;
}

/* column @> ARRAY[$1, $2], column ?| ARRAY[$1, $2] */
static void
set_elements(const struct walker *walker, enum sample_role role, const struct side *column,
    const json_t *other)
{
    const json_t *elements =
        json_object_get(json_object_get(guess_bare(other), "A_ArrayExpr"), "elements");
    const json_t *item;
    size_t i;

    json_array_foreach(elements, i, item)
    {
        struct sample_place *place = place_of(walker, param_of(guess_bare(item)));

        if (place)
            place->ordinal = i;
        set_place(walker, param_of(guess_bare(item)),
            role == SAMPLE_HAS_KEY ? SAMPLE_HAS_KEY : SAMPLE_ELEMENT, column);
    }
}

static void
compare(const struct walker *walker, enum sample_role role, const struct side *column,
    const json_t *other, size_t ordinal)
{
    struct side side = { 0 };
    struct sample_place *place;

    read_side(walker, other, &side);
    if (column->keys.count > 0 && role > SAMPLE_ELEMENT)
        role = SAMPLE_EQUAL; /* there is no more to know of what a document holds */
    for (size_t i = 0; column->is_number && i < column->keys.count; i++)
        if (column->keys.items[i][0] == '$')
            set_number(walker, strtoul(column->keys.items[i] + 1, NULL, 10));
    place = place_of(walker, side.param);
    if (place && (place->role < role || !place->column))
        place->ordinal = ordinal;
    set_place(walker, side.param, role, column);
    if (side.param > 0)
        return;
    if (role == SAMPLE_CONTAINS || role == SAMPLE_CONTAINED || role == SAMPLE_HAS_KEY)
        set_elements(walker, role, column, other);
    if (role == SAMPLE_LIKE || role == SAMPLE_ILIKE)
        set_pieces(walker, other, column);
    if (role == SAMPLE_ABOVE || role == SAMPLE_BELOW)
        set_age(walker, other, column, role == SAMPLE_BELOW);
    if (role == SAMPLE_EQUAL && side.column_ref && !side.column.column)
        set_given(walker, side.column_ref, role, column);
}

static enum sample_role
turned(enum sample_role role)
{
    if (role == SAMPLE_ABOVE)
        return SAMPLE_BELOW;
    if (role == SAMPLE_BELOW)
        return SAMPLE_ABOVE;
    if (role == SAMPLE_CONTAINS)
        return SAMPLE_CONTAINED;
    return role == SAMPLE_CONTAINED ? SAMPLE_CONTAINS : role;
}

/* Both directions of left op right, and of (a, b) op ($1, $2) part by part. Recursion: rows within rows. */
static void
pair(const struct walker *walker, enum sample_role role, const json_t *left, const json_t *right,
    size_t ordinal)
{
    const json_t *ones = json_object_get(json_object_get(left, "RowExpr"), "args");
    const json_t *others = json_object_get(json_object_get(right, "RowExpr"), "args");
    struct side one = { 0 };
    struct side other = { 0 };

    for (size_t i = 0; i < json_array_size(ones) && i < json_array_size(others); i++)
        pair(walker, role, json_array_get(ones, i), json_array_get(others, i), ordinal);
    read_side(walker, left, &one);
    read_side(walker, right, &other);
    if (one.column.column)
        compare(walker, role, &one, right, ordinal);
    if (other.column.column)
        compare(walker, turned(role), &other, left, ordinal);
}

static void
pair_list(const struct walker *walker, const json_t *left, const json_t *list)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item) pair(walker, SAMPLE_EQUAL, left, item, i);
}

static void
walk_any(const struct walker *walker, const json_t *left, const json_t *right, const char *op)
{
    struct side array = { 0 };
    struct side element = { 0 };

    pair_list(walker, left,
        json_object_get(json_object_get(guess_bare(right), "A_ArrayExpr"), "elements"));
    read_side(walker, left, &element);
    read_side(walker, right, &array);
    if (array.column.column && element.param > 0)
        set_place(walker, element.param, SAMPLE_ELEMENT, &array);
    if (element.column.column && array.param > 0) {
        struct sample_place *place = place_of(walker, array.param);

        set_place(walker, array.param, guess_role(op, "AEXPR_OP"), &element);
        if (place && element.column.column)
            place->guess = arena_printf(walker->ctx->arena, "%s[]", element.column.column->type);
    } else if (array.param > 0) {
        set_guess(walker, array.param, "text[]");
    }
}

static const char *
call_name(const json_t *node)
{
    return last_name(json_object_get(json_object_get(guess_bare(node), "FuncCall"), "funcname"));
}

static void
walk_expression(struct walker *walker, const json_t *expression)
{
    const char *kind = json_string_value(json_object_get(expression, "kind"));
    const char *op = last_name(json_object_get(expression, "name"));
    const json_t *left = json_object_get(expression, "lexpr");
    const json_t *right = json_object_get(expression, "rexpr");
    const json_t *list = json_object_get(json_object_get(right, "List"), "items");
    struct side side = { 0 };

    if (text_equal(kind, "AEXPR_IN")) {
        pair_list(walker, left, list);
    } else if (text_equal(kind, "AEXPR_OP_ANY") || text_equal(kind, "AEXPR_OP_ALL")) {
        walk_any(walker, left, right, op);
    } else if (kind && text_starts_with(kind, "AEXPR_BETWEEN")) {
        pair(walker, SAMPLE_ABOVE, left, json_array_get(list, 0), 0);
        pair(walker, SAMPLE_BELOW, left, json_array_get(list, 1), 0);
    } else if (op && op[0] == '-' && op[1] == '>') {
        read_side(walker, left, &side);
        set_place(walker, param_of(guess_bare(right)), SAMPLE_JSON_KEY, &side);
    } else if (op) {
        pair(walker, guess_role(op, kind), left, right, 0);
        if (guess_is_similarity(call_name(left)))
            set_place(walker, param_of(guess_bare(right)), SAMPLE_THRESHOLD, NULL);
        set_guess(walker, param_of(left), guess_operand(op, walker->scope, right));
        set_guess(walker, param_of(right), guess_operand(op, walker->scope, left));
    }
}

static void
walk_call(struct walker *walker, const json_t *call)
{
    const char *name = last_name(json_object_get(call, "funcname"));
    const json_t *arguments = json_object_get(call, "args");
    struct side column = { 0 };
    const json_t *argument;
    size_t i;

    json_array_foreach(arguments, i, argument)
    {
        size_t number = param_of(guess_bare(argument));
        struct sample_place *place = place_of(walker, number);

        if (!place)
            continue;
        set_place(walker, number, SAMPLE_ARGUMENT, NULL);
        if (place->role == SAMPLE_ARGUMENT && !place->function) {
            place->function = arena_strdup(walker->ctx->arena, name);
            place->argument = i;
        }
        if (param_of(argument) > 0)
            set_guess(walker, number, guess_argument(name, i));
        /* FROM a FOR b counts characters; unknown constants would be taken for patterns. */
        if (param_of(argument) > 0 && i > 0 && json_array_size(arguments) == 3 &&
            text_equal(name, "substring"))
            place->is_certain = true;
    }
    /* similarity(column, $n) asks for a word of the column. */
    if (!guess_is_similarity(name))
        return;
    for (i = 0; i < json_array_size(arguments) && !column.column.column; i++)
        read_side(walker, json_array_get(arguments, i), &column);
    json_array_foreach(arguments, i, argument) if (column.column.column)
        set_place(walker, param_of(guess_bare(argument)), SAMPLE_DISTANCE, &column);
}

/* col = $n of SET, and the rows of INSERT. */
static void
set_stored(struct walker *walker, const json_t *body)
{
    const json_t *targets =
        json_object_get(body, json_object_get(body, "cols") ? "cols" : "targetList");
    const json_t *rows = json_object_get(
        json_object_get(json_object_get(body, "selectStmt"), "SelectStmt"), "valuesLists");
    const struct fact_table *table =
        walker->scope->count > 0 ? walker->scope->items[0].table : NULL;
    const json_t *item;
    size_t i;

    json_array_foreach(targets, i, item)
    {
        const json_t *target = json_object_get(item, "ResTarget");
        const char *name = json_string_value(json_object_get(target, "name"));
        struct side side = { .column = { .table = table } };
        size_t row;

        side.column.column = table && name ? facts_column(table, name) : NULL;
        set_place(
            walker, param_of(guess_bare(json_object_get(target, "val"))), SAMPLE_STORED, &side);
        if (side.column.column && json_object_get(json_object_get(target, "val"), "ColumnRef"))
            set_given(walker, json_object_get(json_object_get(target, "val"), "ColumnRef"),
                SAMPLE_STORED, &side);
        for (row = 0; row < json_array_size(rows); row++)
            set_place(walker,
                param_of(guess_bare(json_array_get(
                    json_object_get(json_object_get(json_array_get(rows, row), "List"), "items"),
                    i))),
                SAMPLE_STORED, &side);
    }
}

/* ORDER BY column DESC LIMIT: who reads so asks for the newest. */
static void
set_newest(const struct walker *walker, const json_t *body)
{
    const json_t *first =
        json_object_get(json_array_get(json_object_get(body, "sortClause"), 0), "SortBy");
    struct side side = { 0 };

    if (!json_object_get(body, "limitCount") ||
        !text_equal(json_string_value(json_object_get(first, "sortby_dir")), "SORTBY_DESC"))
        return;
    read_side(walker, json_object_get(first, "node"), &side);
    for (size_t i = 0; i < walker->places->count; i++)
        if (side.column.column && walker->places->items[i].column == side.column.column)
            walker->places->items[i].is_newest_first = true;
}

/* Recursion: bounded by MOST_DEPTH. */
static void
walk_members(struct walker *walker, const json_t *object)
{
    const char *key;
    json_t *child;

    json_object_foreach((json_t *)(uintptr_t)object, key, child)
    {
        /* The sides of a UNION stand there without the name of their kind. */
        if ((text_equal(key, "larg") || text_equal(key, "rarg")) &&
            json_object_get(child, "limitOption"))
            walk_query(walker, child);
        else
            walk(walker, child);
    }
}

/* Recursion: bounded by MOST_DEPTH. */
static void
walk_query(struct walker *walker, const json_t *body)
{
    const struct scope *outer = walker->scope;
    struct scope scope;

    scope_begin(&scope, walker->ctx->arena, walker->maker, outer, body);
    walker->scope = &scope;
    set_place(
        walker, param_of(guess_bare(json_object_get(body, "limitCount"))), SAMPLE_LIMIT, NULL);
    set_place(
        walker, param_of(guess_bare(json_object_get(body, "limitOffset"))), SAMPLE_OFFSET, NULL);
    if (json_object_get(body, "relation"))
        set_stored(walker, body);
    walk_members(walker, body);
    set_newest(walker, body);
    walker->scope = outer;
}

/* Recursion: bounded by MOST_DEPTH. */
static void
walk_object(struct walker *walker, const json_t *node)
{
    static const char *const queries[] = { "SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt",
        "MergeStmt" };
    const json_t *expression = json_object_get(node, "A_Expr");
    const json_t *call = json_object_get(node, "FuncCall");

    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        if (json_object_get(node, queries[i])) {
            walk_query(walker, json_object_get(node, queries[i]));
            return;
        }
    }
    if (expression)
        walk_expression(walker, expression);
    if (call)
        walk_call(walker, call);
    walk_members(walker, node);
}

/* Recursion: bounded by MOST_DEPTH. */
static void
walk(struct walker *walker, const json_t *node)
{
    const json_t *child;
    size_t i;

    if (walker->depth >= MOST_DEPTH)
        return;
    walker->depth++;
    if (json_is_array(node))
        json_array_foreach(node, i, child) walk(walker, child);
    else if (json_is_object(node))
        walk_object(walker, node);
    walker->depth--;
}

/* Columns that are bounded from both sides, so that the slice between can be narrow. */
static void
find_pairs(struct sample_places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        struct sample_place *place = &places->items[i];

        /* Only few are bounds; of the others there may be tens of thousands. */
        if (place->role != SAMPLE_ABOVE && place->role != SAMPLE_BELOW && place->role != SAMPLE_AGE)
            continue;
        for (size_t n = 0; place->column && n < places->count; n++) {
            const struct sample_place *other = &places->items[n];

            if (other->column != place->column)
                continue;
            place->has_low = place->has_low || other->role == SAMPLE_ABOVE;
            place->has_high = place->has_high || other->role == SAMPLE_BELOW;
        }
    }
}

/* IN ($1, … ) with the comment that PostgreSQL 18 writes instead of the other values. */
static void
find_squashed(struct ctx *ctx, const char *sql, struct sample_places *places)
{
    struct sql_tokens tokens;

    if (!sql_tokens(ctx, sql, &tokens)) {
        error_clear(ctx);
        return;
    }
    for (size_t i = 0; i + 1 < tokens.count; i++) {
        const struct sql_token *token = &tokens.items[i];
        const struct sql_token *next = &tokens.items[i + 1];
        size_t number = token->kind == SQL_PARAM ? strtoul(sql + token->start + 1, NULL, 10) : 0;

        if (number > 0 && number <= places->count && next->kind == SQL_COMMENT &&
            text_starts_with(sql + next->start, "/*, ... */"))
            places->items[number - 1].is_squashed = true;
    }
}

void
sample_find_places(struct ctx *ctx, const struct query_maker *maker, const char *sql, size_t count,
    struct sample_places *ret)
{
    json_t *tree CLEANUP(json_release) = NULL;
    struct walker walker = { .ctx = ctx, .maker = maker, .places = ret };

    *ret = (struct sample_places){ .items = ARENA_ARRAY(ctx->arena, struct sample_place, count + 1),
        .count = count };
    find_squashed(ctx, sql, ret);
    if (!sql_parse(ctx, sql, &tree)) {
        error_clear(ctx); /* newer than the grammar; the server is asked all the same */
        return;
    }
    ret->is_read = true;
    walk(&walker, json_object_get(tree, "stmts"));
    find_pairs(ret);
}
