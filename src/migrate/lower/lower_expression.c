/* SQL of SQLAlchemy's expressions, as its PostgreSQL compiler writes them. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "migrate/lower/lower.h"

enum { DEPTH_MOST = 40, PARAMETERS_MOST = 500 };

static const char *render(
    struct host *host, const struct value *value, enum text_meaning meaning, int depth);

/* The arguments, with something between; NULL if one is not known. */
static const char *
render_arguments(struct host *host, const struct call *call, const char *between, int depth)
{
    struct buffer buffer = { .arena = host->arena };

    if (call->has_unknown_arguments)
        return NULL;
    for (size_t i = 0; i < call->arguments.count; i++) {
        const char *sql = render(host, &call->arguments.items[i], TEXT_IS_CONSTANT, depth);

        if (!sql)
            return NULL;
        if (i > 0)
            buffer_add(&buffer, between);
        buffer_add(&buffer, sql);
    }
    return buffer_text(&buffer);
}

/* What a method is called on: the call before it, or a column of that. */
static const char *
render_self(struct host *host, const struct call *call, int depth)
{
    const char *rest;
    const char *column;
    const char *end;

    if (!call->self || !call->path || !call->self->path)
        return NULL;
    rest = call->path + strlen(call->self->path) + 2;
    if (rest == strrchr(call->path, '.')) {
        struct value self = { .kind = VALUE_CALL, .call = call->self };

        return render(host, &self, TEXT_IS_SQL, depth);
    }
    end = strrchr(call->path, '.');
    column = text_starts_with(rest, ".c.")         ? rest + 3
             : text_starts_with(rest, ".columns.") ? rest + 9
                                                   : NULL;
    if (!column || column >= end)
        return NULL;
    return sql_ident(host->arena, arena_strndup(host->arena, column, (size_t)(end - column)));
}

/* x.desc(), x.is_(None): the format has %s for x and, where it takes an argument, one for it. */
struct method {
    const char *name;
    const char *before;
    const char *between; /* NULL: no argument */
    const char *after;
    bool takes_list;
};

static const struct method methods[] = {
    { "desc", "", NULL, " DESC", false },
    { "asc", "", NULL, " ASC", false },
    { "nullslast", "", NULL, " NULLS LAST", false },
    { "nulls_last", "", NULL, " NULLS LAST", false },
    { "nullsfirst", "", NULL, " NULLS FIRST", false },
    { "nulls_first", "", NULL, " NULLS FIRST", false },
    { "is_", "", " IS ", "", false },
    { "isnot", "", " IS NOT ", "", false },
    { "is_not", "", " IS NOT ", "", false },
    { "in_", "", " IN (", ")", true },
    { "notin_", "", " NOT IN (", ")", true },
    { "not_in", "", " NOT IN (", ")", true },
    { "like", "", " LIKE ", "", false },
    { "ilike", "", " ILIKE ", "", false },
};

static const struct method *
method_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (text_equal(methods[i].name, name))
            return &methods[i];
    return NULL;
}

static const char *
render_list(struct host *host, const struct value *value, int depth)
{
    struct buffer buffer = { .arena = host->arena };

    if (value->kind != VALUE_LIST && value->kind != VALUE_TUPLE)
        return NULL;
    for (size_t i = 0; i < value->items.count; i++) {
        const char *sql = render(host, &value->items.items[i], TEXT_IS_CONSTANT, depth);

        if (!sql)
            return NULL;
        buffer_printf(&buffer, "%s%s", i > 0 ? ", " : "", sql);
    }
    return buffer_text(&buffer);
}

static const char *
render_method(struct host *host, const struct call *call, const struct method *method, int depth)
{
    /* desc(x) is x.desc(). */
    bool is_function =
        !call->self || !call->path || !text_starts_with(call->path, call->self->path);
    const struct value *first = call_argument(call, 0, NULL);
    const char *subject = is_function ? first ? render(host, first, TEXT_IS_SQL, depth) : NULL
                                      : render_self(host, call, depth);
    const char *argument = NULL;

    if (!subject)
        return NULL;
    if (!method->between)
        return arena_printf(host->arena, "%s%s", subject, method->after);
    if (!is_function && first)
        argument = method->takes_list ? render_list(host, first, depth)
                                      : render(host, first, TEXT_IS_CONSTANT, depth);
    if (!argument)
        return NULL;
    return arena_printf(host->arena, "%s%s%s%s", subject, method->between, argument, method->after);
}

/* func.name(…); the SQL standard writes some without parentheses. */
static const char *
render_function(struct host *host, const struct call *call, const char *name, int depth)
{
    static const char *const bare[] = { "current_timestamp", "current_date", "current_time",
        "localtime", "localtimestamp", "current_user", "session_user", "user" };
    const char *arguments;

    for (size_t i = 0; i < COUNT_OF(bare); i++) {
        if (text_equal(bare[i], name)) {
            char *upper = arena_strdup(host->arena, name);

            for (char *c = upper; *c; c++)
                *c = (char)toupper((unsigned char)*c);
            return upper;
        }
    }
    arguments = render_arguments(host, call, ", ", depth);
    return arguments ? arena_printf(host->arena, "%s(%s)", name, arguments) : NULL;
}

static const char *
render_cast(struct host *host, const struct call *call, int depth)
{
    const struct value *what = call_argument(call, 0, "expression");
    const struct value *type = call_argument(call, 1, "type_");
    const char *sql = what ? render(host, what, TEXT_IS_CONSTANT, depth) : NULL;
    struct type read;

    if (!sql || !type)
        return NULL;
    read = sa_type_read(host, type, NULL).type;
    if (!read.name)
        return NULL;
    return arena_printf(host->arena, "CAST(%s AS %s)", sql, type_text(host->arena, &read));
}

static const char *
render_first(struct host *host, const struct call *call, enum text_meaning meaning, int depth)
{
    const struct value *first = call_argument(call, 0, NULL);

    return first ? render(host, first, meaning, depth) : NULL;
}

static const char *
render_next_value(struct host *host, const struct call *call, int depth)
{
    struct object_name name = { 0 };

    (void)depth;
    if (call->self && text_equal(path_verb(call->self->path), "Sequence"))
        name = call_table(host->arena, call->self);
    if (!name.name)
        return NULL;
    return arena_printf(
        host->arena, "nextval(%s)", sql_quoted(host->arena, sql_object(host->arena, name)));
}

static const char *
render_column(struct host *host, const struct call *call, int depth)
{
    const struct value *name = call_argument(call, 0, "name");
    const char *text = name ? value_name(host->arena, name) : NULL;

    (void)depth;
    return text ? sql_ident(host->arena, text) : NULL;
}

static const char *
render_text(struct host *host, const struct call *call, int depth)
{
    (void)depth;
    return text_clause_sql(host, call);
}

static const char *
render_sql(struct host *host, const struct call *call, int depth)
{
    return render_first(host, call, TEXT_IS_SQL, depth);
}

static const char *
render_constant(struct host *host, const struct call *call, int depth)
{
    return render_first(host, call, TEXT_IS_CONSTANT, depth);
}

static const char *
render_not(struct host *host, const struct call *call, int depth)
{
    const char *sql = render_arguments(host, call, "", depth);

    return sql ? arena_printf(host->arena, "NOT %s", sql) : NULL;
}

static const char *
render_and(struct host *host, const struct call *call, int depth)
{
    return render_arguments(host, call, " AND ", depth);
}

static const char *
render_or(struct host *host, const struct call *call, int depth)
{
    const char *sql = render_arguments(host, call, " OR ", depth);

    return sql && call->arguments.count > 1 ? arena_printf(host->arena, "(%s)", sql) : sql;
}

/* What SQLAlchemy's functions become: a word, or what a function makes of the call. */
static const struct {
    const char *name;
    const char *word;
    const char *(*render)(struct host *host, const struct call *call, int depth);
} functions[] = {
    { "true", "true", NULL },
    { "True_", "true", NULL },
    { "false", "false", NULL },
    { "False_", "false", NULL },
    { "null", "NULL", NULL },
    { "Null", "NULL", NULL },
    { "text", NULL, render_text },
    { "bindparams", NULL, render_text },
    { "column", NULL, render_column },
    { "Column", NULL, render_column },
    { "literal_column", NULL, render_sql },
    { "literal", NULL, render_constant },
    { "inline_literal", NULL, render_constant },
    { "DefaultClause", NULL, render_constant },
    { "cast", NULL, render_cast },
    { "next_value", NULL, render_next_value },
    { "and_", NULL, render_and },
    { "or_", NULL, render_or },
    { "not_", NULL, render_not },
};

static const char *
render_call(struct host *host, const struct call *call, int depth)
{
    const char *verb = path_verb(call->path);
    const char *function = strstr(call->path, ".func.");
    const struct method *method = method_find(verb);

    if (method)
        return render_method(host, call, method, depth);
    if (function)
        return render_function(host, call, function + strlen(".func."), depth);
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        if (!text_equal(functions[i].name, verb))
            continue;
        return functions[i].render ? functions[i].render(host, call, depth) : functions[i].word;
    }
    return NULL;
}

/* t.c.x as a value, without a call behind it. */
static const char *
render_path(struct host *host, const struct value *value)
{
    struct value list = { .kind = VALUE_TUPLE };
    struct text_list names = { 0 };

    VEC_PUSH(host->arena, &list.items, *value);
    return op_names(host, &list, &names) ? sql_ident(host->arena, names.items[0]) : NULL;
}

static const char *
render(struct host *host, const struct value *value, enum text_meaning meaning, int depth)
{
    if (depth > DEPTH_MOST)
        return NULL;
    switch (value->kind) {
    case VALUE_TEXT:
        return meaning == TEXT_IS_SQL ? value->text : sql_quoted(host->arena, value->text);
    case VALUE_NONE:
        return "NULL";
    case VALUE_BOOL:
        return value->integer ? "true" : "false";
    case VALUE_INTEGER:
        return arena_printf(host->arena, "%" PRId64, value->integer);
    case VALUE_FLOAT:
        return value->text;
    case VALUE_CALL:
        if (!value->call || !path_is_sqlalchemy(value->call->path))
            return NULL;
        return render_call(host, value->call, depth + 1);
    case VALUE_NAME:
        if (value->class_def) {
            const char *text = value_name(host->arena, value);

            return text ? sql_quoted(host->arena, text) : NULL;
        }
        return render_path(host, value);
    case VALUE_UNKNOWN:
        return render_path(host, value);
    case VALUE_TEMPLATE:
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_DICT:
    case VALUE_FUNCTION:
    case VALUE_CLASS:
        break;
    }
    return NULL;
}

const char *
op_expression(struct host *host, const struct value *value, enum text_meaning meaning)
{
    return value ? render(host, value, meaning, 0) : NULL;
}

/* ---- text(…) ---- */

static bool
is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The length of a bind parameter's name at a colon, 0 if there is none. */
static size_t
parameter_length(const char *text, const char *colon)
{
    size_t length = 0;

    if (colon > text && (colon[-1] == ':' || is_word(colon[-1]) || colon[-1] == '\\'))
        return 0;
    while (is_word(colon[1 + length]))
        length++;
    return colon[1 + length] == ':' ? 0 : length;
}

struct bound {
    const struct call *call; /* the last of text().bindparams().bindparams() */
    struct text_list names;  /* of those without a value: $1, $2, … */
};

/* The SQL of a parameter's value, else its number. */
static const char *
bound_sql(struct host *host, struct bound *bound, const char *name)
{
    size_t at = 0;

    for (const struct call *call = bound->call; call; call = call->self) {
        const struct value *given = text_equal(path_verb(call->path), "bindparams")
                                        ? call_argument(call, SIZE_MAX, name)
                                        : NULL;
        const char *sql = given ? op_expression(host, given, TEXT_IS_CONSTANT) : NULL;

        if (sql)
            return sql;
    }
    while (at < bound->names.count && !text_equal(bound->names.items[at], name))
        at++;
    if (at == bound->names.count && at < PARAMETERS_MOST)
        text_list_add(host->arena, &bound->names, name);
    return arena_printf(host->arena, "$%zu", at + 1);
}

static const char *
clause_sql(struct host *host, const char *text, struct bound *bound)
{
    struct buffer buffer = { .arena = host->arena };
    const char *from = text;

    if (!strchr(text, ':'))
        return text;
    for (const char *c = text; *c; c++) {
        size_t length;

        if (*c == '\\' && c[1] == ':') {
            buffer_append(&buffer, from, (size_t)(c - from));
            from = ++c;
            continue;
        }
        length = *c == ':' ? parameter_length(text, c) : 0;
        if (length == 0)
            continue;
        buffer_append(&buffer, from, (size_t)(c - from));
        buffer_add(&buffer, bound_sql(host, bound, arena_strndup(host->arena, c + 1, length)));
        c += length;
        from = c + 1;
    }
    buffer_add(&buffer, from);
    return buffer_text(&buffer);
}

const char *
sql_from_clause(struct host *host, const char *text)
{
    struct bound bound = { 0 };

    return clause_sql(host, text, &bound);
}

const struct value *
text_clause_value(const struct call *call)
{
    while (call && !text_equal(path_verb(call->path), "text"))
        call = call->self;
    return call ? call_argument(call, 0, "text") : NULL;
}

const char *
text_clause_sql(struct host *host, const struct call *call)
{
    const struct value *value = text_clause_value(call);
    struct bound bound = { .call = call };

    if (!value || (value->kind != VALUE_TEXT && value->kind != VALUE_TEMPLATE))
        return NULL;
    return clause_sql(host, value->text, &bound);
}
