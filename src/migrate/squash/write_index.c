#include "db/ident.h"
#include "migrate/squash/write_private.h"

/* The parts of "CREATE UNIQUE INDEX name ON table USING method (keys)". */
struct parts {
    struct text_list keys; /* "lower(name) DESC" */
    const char *behind;    /* what stands after the keys */
};

/* Behind the bracket that closes the one that begins here. */
static const char *
skip_brackets(const char *text)
{
    size_t depth = 0;

    while (*text) {
        depth += *text == '(';
        depth -= *text == ')';
        text = py_skip_sql(text);
        if (depth == 0)
            return text;
    }
    return text;
}

/* Cuts "(a, b DESC)" at its own commas. */
static void
cut_keys(struct arena *arena, const char *open, const char *close, struct text_list *ret)
{
    const char *start = open + 1;

    for (const char *at = start; at < close;) {
        if (*at == '(') {
            at = skip_brackets(at);
            continue;
        }
        if (*at == ',') {
            text_list_add(arena, ret, arena_strndup(arena, start, (size_t)(at - start)));
            start = at + 1 + strspn(at + 1, " ");
        }
        at = py_skip_sql(at);
    }
    text_list_add(arena, ret, arena_strndup(arena, start, (size_t)(close - start)));
}

/* False when the definition does not begin as we think. */
static bool
split_definition(struct arena *arena, const struct sql_schema_indexes *index, struct parts *ret)
{
    const char *head = arena_printf(arena, "CREATE %sINDEX %s ON %s USING %s (",
        index->is_unique ? "UNIQUE " : "", db_ident(arena, index->name),
        db_qualified(arena, index->schema, index->table_name), db_ident(arena, index->method));
    const char *open, *end;

    *ret = (struct parts){ 0 };
    if (!text_starts_with(index->definition, head))
        return false;
    open = index->definition + strlen(head) - 1;
    end = skip_brackets(open);
    cut_keys(arena, open, end - 1, &ret->keys);
    ret->behind = end;
    return true;
}

/* The tail that a definition has when it says no more than the members do. */
static const char *
plain_tail(struct arena *arena, const struct sql_schema_indexes *index,
    const struct text_list *include, const char *options)
{
    struct buffer text = { .arena = arena };

    for (size_t i = 0; i < include->count; i++)
        buffer_printf(
            &text, "%s%s", i > 0 ? ", " : " INCLUDE (", db_ident(arena, include->items[i]));
    buffer_add(&text, include->count > 0 ? ")" : "");
    buffer_add(&text, options);
    if (index->predicate)
        buffer_printf(&text, " WHERE %s", index->predicate);
    return buffer_text(&text);
}

/* {"fillfactor": "70"} of the server's " WITH (fillfactor='70')"; NULL when it is another text. */
static struct py *
options_of(struct arena *arena, const char *behind, const char **ret_text)
{
    const char *with = strstr(behind, " WITH (");
    struct buffer dict = { .arena = arena };
    const char *end, *at;

    *ret_text = "";
    if (!with)
        return NULL;
    end = skip_brackets(with + strlen(" WITH "));
    *ret_text = arena_strndup(arena, with, (size_t)(end - with));
    buffer_add(&dict, "{");
    for (at = with + strlen(" WITH ("); at < end - 1;) {
        size_t name = strspn(at, "abcdefghijklmnopqrstuvwxyz_"), value;

        if (name == 0 || at[name] != '=' || at[name + 1] != '\'')
            return NULL;
        value = strspn(at + name + 2, "abcdefghijklmnopqrstuvwxyz0123456789.");
        if (value == 0 || at[name + 2 + value] != '\'')
            return NULL;
        buffer_printf(&dict, "%s\"%.*s\": \"%.*s\"", dict.length > 1 ? ", " : "", (int)name, at,
            (int)value, at + name + 2);
        at += name + value + 3;
        at += strspn(at, ", ");
    }
    buffer_add(&dict, "}");
    return py_leaf(arena, buffer_text(&dict));
}

static struct py *
key_list(struct writing *writing, const struct sql_schema_indexes *index, const struct parts *parts)
{
    struct arena *arena = writing->arena;
    struct py *sequence = py_sequence(arena);
    struct text_list names = { 0 };
    bool has_names = write_names(arena, index->keys, &names);

    for (size_t i = 0; i < parts->keys.count; i++) {
        const char *key = parts->keys.items[i];
        const char *name = has_names && i < names.count ? names.items[i] : NULL;
        struct py *text;

        if (name && write_is_plain_name(name) && text_equal(db_ident(arena, name), key)) {
            py_add_string(arena, sequence, NULL, name);
            continue;
        }
        text = write_text(writing, key);
        if (!text)
            return NULL;
        py_add(arena, sequence, NULL, text);
    }
    return sequence;
}

static struct py *
string_list(struct arena *arena, const struct text_list *names)
{
    struct py *sequence = py_sequence(arena);

    for (size_t i = 0; i < names->count; i++)
        py_add_string(arena, sequence, NULL, names->items[i]);
    return sequence;
}

static struct py *
name_of(struct arena *arena, const char *name)
{
    struct py *call = py_call(arena, "op.f");

    py_add_string(arena, call, NULL, name);
    return call;
}

static bool
can_be_said(const struct sql_schema_indexes *index)
{
    return !index->constraint_name && !index->parent && index->is_valid && !index->tablespace &&
           !index->statistics && !index->nulls_not_distinct &&
           write_is_plain_name(index->table_name) && write_is_plain_name(index->name) &&
           (!index->schema || write_is_plain_name(index->schema));
}

static void
write_drop(struct writing *writing, const struct sql_schema_indexes *index)
{
    struct arena *arena = writing->arena;
    struct py *call = py_call(arena, "op.drop_index");

    py_add(arena, call, NULL, name_of(arena, index->name));
    py_add_string(arena, call, "table_name", index->table_name);
    if (write_schema_name(writing, index->schema))
        py_add_string(arena, call, "schema", index->schema);
    write_down_call(writing, call);
}

bool
write_index(struct writing *writing, const struct sql_schema_indexes *index)
{
    struct arena *arena = writing->arena;
    struct py *call = py_call(arena, "op.create_index"), *keys, *options, *where = NULL;
    struct text_list include = { 0 };
    const char *options_text;
    struct parts parts;

    if (!can_be_said(index) || !split_definition(arena, index, &parts))
        return false;
    if (index->include && !write_names(arena, index->include, &include))
        return false;
    options = options_of(arena, parts.behind, &options_text);
    if (!text_equal(parts.behind, plain_tail(arena, index, &include, options_text)) ||
        (*options_text && !options))
        return false;
    keys = key_list(writing, index, &parts);
    if (index->predicate)
        where = write_text(writing, index->predicate);
    if (!keys || (index->predicate && !where))
        return false;
    py_add(arena, call, NULL, name_of(arena, index->name));
    py_add_string(arena, call, NULL, index->table_name);
    py_add(arena, call, NULL, keys);
    if (write_schema_name(writing, index->schema))
        py_add_string(arena, call, "schema", index->schema);
    if (index->is_unique)
        py_add(arena, call, "unique", py_leaf(arena, "True"));
    if (!text_equal(index->method, "btree"))
        py_add_string(arena, call, "postgresql_using", index->method);
    if (include.count > 0)
        py_add(arena, call, "postgresql_include", string_list(arena, &include));
    if (options)
        py_add(arena, call, "postgresql_with", options);
    if (where)
        py_add(arena, call, "postgresql_where", where);
    write_up_call(writing, call);
    write_drop(writing, index);
    return true;
}
