/* What a column's DEFAULT costs when it is added: source: provolatile in pg_proc. */
#include <strings.h>

#include "base/text.h"
#include "lang/sql.h"
#include "migrate/sql/sql_lower.h"

/* Called once a row. Also those of the extensions uuid-ossp and pgcrypto. */
static const char *const volatile_functions[] = { "clock_timestamp", "current_query", "currval",
    "gen_random_bytes", "gen_random_uuid", "gen_salt", "lastval", "nextval", "random", "setval",
    "timeofday", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuidv4", "uuidv7" };

/* Called once for all rows. */
static const char *const other_functions[] = { "abs", "age", "array_agg", "array_append",
    "array_cat", "array_fill", "array_length", "array_position", "array_prepend", "array_remove",
    "array_replace", "array_to_json", "array_to_string", "ascii", "bit_length", "box", "btrim",
    "cardinality", "cbrt", "ceil", "ceiling", "char_length", "character_length", "chr", "circle",
    "concat", "concat_ws", "convert_from", "convert_to", "current_database", "current_schema",
    "current_schemas", "current_setting", "current_user", "date", "date_bin", "date_part",
    "date_trunc", "daterange", "decode", "degrees", "div", "encode", "exp", "extract", "factorial",
    "float4", "float8", "floor", "format", "gcd", "getdatabaseencoding", "host", "hashtext",
    "inet_client_addr", "inet_server_addr", "initcap", "int2", "int4", "int4range", "int8",
    "int8range", "isfinite", "json_array_length", "json_build_array", "json_build_object",
    "json_object", "jsonb_array_length", "jsonb_build_array", "jsonb_build_object", "jsonb_object",
    "jsonb_set", "jsonb_strip_nulls", "jsonb_typeof", "justify_days", "justify_hours",
    "justify_interval", "lcm", "left", "length", "like", "ln", "log", "lower", "lpad", "ltrim",
    "make_date", "make_interval", "make_time", "make_timestamp", "make_timestamptz", "md5", "mod",
    "now", "numeric", "numrange", "octet_length", "overlay", "pi", "point", "polygon", "position",
    "power", "quote_ident", "quote_literal", "quote_nullable", "radians", "regexp_match",
    "regexp_matches", "regexp_replace", "regexp_split_to_array", "repeat", "replace", "reverse",
    "right", "round", "row_to_json", "rpad", "rtrim", "scale", "session_user", "sha224", "sha256",
    "sha384", "sha512", "sign", "split_part", "sqrt", "starts_with", "statement_timestamp",
    "string_to_array", "strpos", "substr", "substring", "text", "time", "timestamp", "timestamptz",
    "timetz", "timezone", "to_char", "to_date", "to_hex", "to_json", "to_jsonb", "to_number",
    "to_timestamp", "to_tsquery", "to_tsvector", "transaction_timestamp", "translate", "trim_array",
    "trunc", "tsrange", "tstzrange", "txid_current", "upper", "varchar", "version" };

/* Words that are a value by themselves. */
static const char *const constant_words[] = { "true", "false", "null", "current_timestamp",
    "current_date", "current_time", "localtimestamp", "localtime", "current_user", "session_user",
    "current_role", "user", "current_catalog", "current_schema" };

enum { MOST_QUICK = 8 };

static bool
is_among(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

static enum default_kind
kind_of_function(const char *schema, const char *name)
{
    bool is_builtin = !schema || text_equal(schema, "pg_catalog");

    /* Nobody gives a function of his own these names; extensions are put into any schema. */
    if (is_among(volatile_functions, COUNT_OF(volatile_functions), name))
        return DEFAULT_VOLATILE;
    if (is_builtin && is_among(other_functions, COUNT_OF(other_functions), name))
        return DEFAULT_CONSTANT;
    return DEFAULT_UNKNOWN;
}

/* One volatile call makes the whole volatile; else what is unknown makes it unknown. */
static enum default_kind
worse(enum default_kind a, enum default_kind b)
{
    if (a == DEFAULT_VOLATILE || b == DEFAULT_VOLATILE)
        return DEFAULT_VOLATILE;
    return a == DEFAULT_UNKNOWN ? a : b;
}

static enum default_kind
kind_of_call(const json_t *call)
{
    const json_t *names = json_object_get(call, "funcname");
    size_t count = json_array_size(names);
    const char *name = tree_string(json_array_get(names, count - 1));
    const char *schema = count > 1 ? tree_string(json_array_get(names, count - 2)) : NULL;

    return kind_of_function(schema, name ? name : "");
}

/* Operators and casts of the server are never volatile. */
enum default_kind
default_of_tree(const json_t *expression)
{
    enum default_kind kind = DEFAULT_CONSTANT;
    const char *key;
    json_t *child;
    size_t i;

    if (json_is_string(expression)) {
        if (strstr(json_string_value(expression), HOLE_NAME))
            kind = DEFAULT_UNKNOWN;
    } else if (json_is_array(expression)) {
        json_array_foreach(expression, i, child) kind = worse(kind, default_of_tree(child));
    } else if (json_is_object(expression)) {
        json_object_foreach((json_t *)(uintptr_t)expression, key, child)
        {
            if (strcmp(key, "FuncCall") == 0)
                kind = worse(kind, kind_of_call(child));
            else if (strcmp(key, "ColumnRef") == 0 || strcmp(key, "ParamRef") == 0 ||
                     strcmp(key, "SubLink") == 0)
                kind = worse(kind, DEFAULT_UNKNOWN);
            kind = worse(kind, default_of_tree(child));
        }
    }
    return kind;
}

/* A literal, perhaps with a sign, or a word that is a value; *used lexemes. */
static bool
is_constant(const char *sql, const struct lexeme *lexemes, size_t *ret_used)
{
    bool has_sign = lexemes[0].kind == LEX_OPERATOR && lexemes[0].end == lexemes[0].start + 1 &&
                    (sql[lexemes[0].start] == '-' || sql[lexemes[0].start] == '+');

    *ret_used = has_sign ? 2 : 1;
    if (has_sign)
        return lexemes[1].kind == LEX_NUMBER;
    if (lexemes[0].kind == LEX_STRING || lexemes[0].kind == LEX_NUMBER)
        return sql[lexemes[0].start] != '$' || lexemes[0].kind == LEX_STRING;
    for (size_t i = 0; i < COUNT_OF(constant_words); i++)
        if (lex_is_word(sql, &lexemes[0], constant_words[i]))
            return true;
    return false;
}

/* The common forms, told without parsing: 'x', 0, true, 'x'::text, now(). */
static bool
classify_quickly(struct arena *arena, const char *sql, enum default_kind *ret)
{
    struct lexer lexer = { .text = sql };
    struct lexeme lexemes[MOST_QUICK + 1] = { 0 };
    size_t count = 0;
    size_t used;

    do
        lexemes[count] = lex_next(&lexer);
    while (lexemes[count].kind != LEX_END && ++count < MOST_QUICK);
    *ret = DEFAULT_CONSTANT;
    if (is_constant(sql, lexemes, &used)) {
        if (lexemes[used].kind == LEX_END)
            return true;
        if (lexemes[used].kind != LEX_OPERATOR || sql[lexemes[used].start] != ':')
            return false;
        return type_parse(arena, sql + lexemes[used].end).name != NULL;
    }
    if (count != 3 || lexemes[0].kind != LEX_WORD || !lex_is_sign(sql, &lexemes[1], '(') ||
        !lex_is_sign(sql, &lexemes[2], ')'))
        return false;
    *ret = kind_of_function(
        NULL, arena_strndup(arena, sql + lexemes[0].start, lexemes[0].end - lexemes[0].start));
    return true;
}

/* "SELECT" and the expression, parsed; NULL if it does not parse. The caller owns it. */
static json_t *
parse_expression(struct ctx *ctx, const char *expression)
{
    struct cuts cuts;
    json_t *tree = NULL;
    const char *text = text_with_names_for_holes(ctx->arena, expression);

    text_cut(ctx->arena, text, &cuts);
    if (cuts.count != 1 || cuts.items[0].is_too_complex)
        return NULL;
    text = arena_printf(ctx->arena, "SELECT (%s)", cuts.items[0].text);
    if (!sql_parse(ctx, text, &tree))
        error_clear(ctx);
    return tree;
}

enum default_kind
default_classify(struct ctx *ctx, const char *sql)
{
    enum default_kind kind = DEFAULT_UNKNOWN;

    if (!sql)
        return DEFAULT_NONE;
    if (strchr(sql, VALUE_HOLE))
        return DEFAULT_UNKNOWN;
    if (classify_quickly(ctx->arena, sql, &kind))
        return kind;

    json_t *tree CLEANUP(json_release) = parse_expression(ctx, sql);

    return tree ? default_of_tree(json_object_get(tree, "stmts")) : DEFAULT_UNKNOWN;
}

void
sql_columns(struct ctx *ctx, const char *expression, struct text_list *ret)
{
    *ret = (struct text_list){ 0 };
    if (!expression)
        return;

    json_t *tree CLEANUP(json_release) = parse_expression(ctx, expression);

    tree_columns(ctx->arena, json_object_get(tree, "stmts"), ret);
}
