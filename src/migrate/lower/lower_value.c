/* Values as names, tables and SQL expressions. */
#include <stdio.h>
#include <string.h>

#include "migrate/lower/lower.h"

const char *
path_verb(const char *path)
{
    const char *dot = path ? strrchr(path, '.') : NULL;

    return dot ? dot + 1 : path ? path : "";
}

bool
path_is_sqlalchemy(const char *path)
{
    static const char *const roots[] = { "sqlalchemy.", "sqlmodel.", "alembic.op.", "db." };

    for (size_t i = 0; path && i < COUNT_OF(roots); i++)
        if (text_starts_with(path, roots[i]))
            return true;
    return path && strstr(path, ".db.");
}

const struct call *
value_call_of(const struct value *value, const char *verb)
{
    if (!value || value->kind != VALUE_CALL || !value->call ||
        !text_equal(path_verb(value->call->path), verb) || !path_is_sqlalchemy(value->call->path))
        return NULL;
    return value->call;
}

const struct value *
subject_argument(const struct subject *subject, const char *name)
{
    size_t at = 0;
    size_t length = strlen(name);

    for (const char *word = subject->parameters; *word; at++) {
        size_t size = strcspn(word, " ");

        if (size == length && memcmp(word, name, size) == 0)
            return call_argument(subject->call, at, name);
        word += size;
        word += strspn(word, " ");
    }
    return call_argument(subject->call, SIZE_MAX, name);
}

bool
value_is_given(const struct value *value)
{
    return value && value->kind != VALUE_NONE;
}

bool
call_flag(const struct call *call, const char *keyword)
{
    const struct value *value = call_argument(call, SIZE_MAX, keyword);

    return value && value_is_true(value);
}

/* ---- names ---- */

/* op.f(…) and conv(…) give names that no convention touches. */
bool
value_is_final(const struct value *value)
{
    const char *verb;

    if (!value || value->kind != VALUE_CALL || !value->call || !value->call->path)
        return false;
    verb = path_verb(value->call->path);
    return text_equal(verb, "conv") ||
           (text_equal(verb, "f") && text_starts_with(value->call->path, "alembic.op."));
}

/* A member of `class Status(str, enum.Enum)` is a text. */
static const char *
member_text(const struct value *value)
{
    const struct class_def *class_def = value->class_def;
    bool is_text = false;

    for (size_t i = 0; i < class_def->bases.count; i++)
        is_text |= text_equal(class_def->bases.items[i], "str") ||
                   text_equal(path_verb(class_def->bases.items[i]), "StrEnum");
    for (size_t i = 0; is_text && i < class_def->members.count; i++)
        if (text_equal(class_def->members.items[i].name, path_verb(value->path)))
            return value_known_text(&class_def->members.items[i].value);
    return NULL;
}

const char *
value_name(struct arena *arena, const struct value *value)
{
    const char *text;

    if (!value)
        return NULL;
    if (value->kind == VALUE_NAME && value->class_def)
        return member_text(value);
    if (value->kind == VALUE_CALL && value->call &&
        (value_is_final(value) || text_equal(path_verb(value->call->path), "quoted_name"))) {
        const struct value *inner = call_argument(value->call, 0, "name");

        text = inner ? value_known_text(inner) : NULL;
        return text && value_is_final(value) ? naming_truncate(arena, text) : text;
    }
    return value_known_text(value);
}

const char *
value_reason(struct arena *arena, const struct value *value)
{
    if (!value)
        return "it is not given";
    switch (value->kind) {
    case VALUE_UNKNOWN:
        return value->text ? value->text : value->path ? value->path : "only running would tell";
    case VALUE_TEMPLATE:
        return "a part of the text is only known when it runs";
    case VALUE_NAME:
        return arena_printf(arena, "%s is not in this file", value->path);
    case VALUE_CALL:
        if (value_is_final(value))
            return value_reason(arena, call_argument(value->call, 0, "name"));
        return arena_printf(arena, "%s() would have to be called",
            value->call && value->call->path ? value->call->path : "it");
    case VALUE_FUNCTION:
    case VALUE_CLASS:
    case VALUE_NONE:
    case VALUE_BOOL:
    case VALUE_INTEGER:
    case VALUE_FLOAT:
    case VALUE_TEXT:
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_DICT:
        break;
    }
    return "it is not a text";
}

const char *
op_name(struct host *host, struct step *step, const struct value *value, const char *what)
{
    const char *name = value_name(host->arena, value);

    if (!name)
        op_unknown(
            host, step, REACH_ALL, "%s is not known: %s", what, value_reason(host->arena, value));
    return name;
}

/* The column in "….c.name" or "….columns.name" behind the last call of a path. */
static const char *
path_column(const char *path, const struct call *self)
{
    const char *rest;

    if (!path || !self || !self->path || strlen(path) < strlen(self->path) + 2)
        return NULL;
    rest = path + strlen(self->path) + 2;
    for (size_t i = 0; i < 2; i++) {
        const char *start = i == 0 ? ".c." : ".columns.";

        if (text_starts_with(rest, start))
            return rest + strlen(start);
    }
    return NULL;
}

/* column("x"), Column("x"), table.c.x, "x". */
static const char *
value_column(struct arena *arena, const struct value *value)
{
    const struct call *call = value_call_of(value, "column");

    if (!call)
        call = value_call_of(value, "Column");
    if (call) {
        const struct value *name = call_argument(call, 0, "name");

        return name ? value_name(arena, name) : NULL;
    }
    if (value->kind == VALUE_NAME || value->kind == VALUE_UNKNOWN) {
        const char *column = path_column(value->path, value->call);

        return column && !strchr(column, '.') ? column : NULL;
    }
    if (value->kind == VALUE_CALL && !value_is_final(value) &&
        !text_equal(path_verb(value->call->path), "quoted_name"))
        return NULL;
    return value_name(arena, value);
}

bool
op_names(struct host *host, const struct value *value, struct text_list *ret)
{
    bool is_known = true;

    if (!value)
        return false;
    if (value->kind != VALUE_LIST && value->kind != VALUE_TUPLE) {
        const char *name = value_column(host->arena, value);

        if (name)
            text_list_add(host->arena, ret, name);
        return name != NULL;
    }
    for (size_t i = 0; i < value->items.count && op_afford(host, 1); i++) {
        const char *name = value_column(host->arena, &value->items.items[i]);

        if (name)
            text_list_add(host->arena, ret, name);
        else
            is_known = false;
    }
    return is_known;
}

/* ---- tables ---- */

struct object_name
call_table(struct arena *arena, const struct call *call)
{
    const struct value *name = call_argument(call, 0, "name");
    const struct value *schema = call_argument(call, SIZE_MAX, "schema");

    if (!name)
        name = call_argument(call, 0, "table_name");
    if (!schema && text_equal(path_verb(call->path), "batch_alter_table"))
        schema = call_argument(call, 1, "schema");
    return (struct object_name){
        .schema = value_name(arena, schema),
        .name = value_name(arena, name),
    };
}

static struct object_name
class_table(struct arena *arena, const struct class_def *class_def)
{
    struct object_name ret = { 0 };

    for (size_t i = 0; i < class_def->members.count; i++) {
        const struct class_member *member = &class_def->members.items[i];

        if (text_equal(member->name, "__tablename__"))
            ret.name = value_name(arena, &member->value);
        if (text_equal(member->name, "__table__"))
            ret = value_table(arena, &member->value);
    }
    return ret;
}

struct object_name
value_table(struct arena *arena, const struct value *value)
{
    static const char *const makers[] = { "table", "Table", "create_table", "TableClause" };

    if (!value)
        return (struct object_name){ 0 };
    if (value->kind == VALUE_CLASS && value->class_def)
        return class_table(arena, value->class_def);
    for (size_t i = 0; i < COUNT_OF(makers); i++) {
        const struct call *call = value_call_of(value, makers[i]);

        if (call)
            return call_table(arena, call);
    }
    return (struct object_name){ 0 };
}

/* ---- SQL ---- */

void
op_sql_columns(struct host *host, const char *sql, struct text_list *ret)
{
    struct text_list found = { 0 };

    sql_columns(host->ctx, sql, &found);
    for (size_t i = 0; i < found.count; i++)
        if (!text_list_has(ret, found.items[i]))
            text_list_add(host->arena, ret, found.items[i]);
}

const char *
sql_quoted(struct arena *arena, const char *text)
{
    struct buffer buffer = { .arena = arena };

    buffer_add(&buffer, strchr(text, '\\') ? "E'" : "'");
    for (const char *c = text; *c; c++) {
        if (*c == '\'' || *c == '\\')
            buffer_append(&buffer, c, 1);
        buffer_append(&buffer, c, 1);
    }
    buffer_add(&buffer, "'");
    return buffer_text(&buffer);
}

/* Words that are no names unless quoted; source: PostgreSQL 15, appendix C, "reserved". */
static const char RESERVED[] =
    " all analyse analyze and any array as asc asymmetric both case cast check collate column "
    "constraint create current_catalog current_date current_role current_time current_timestamp "
    "current_user default deferrable desc distinct do else end except false fetch for foreign "
    "from grant group having in initially intersect into lateral leading limit localtime "
    "localtimestamp not null offset on only or order placing primary references returning select "
    "session_user some symmetric table then to trailing true union unique user using variadic "
    "when where window with authorization binary collation concurrently cross current_schema "
    "freeze full ilike inner is isnull join left like natural notnull outer overlaps right "
    "similar tablesample verbose ";

static bool
sql_is_reserved(const char *name)
{
    size_t length = strlen(name);

    for (const char *at = RESERVED; (at = strstr(at, name)); at++)
        if (at > RESERVED && at[-1] == ' ' && at[length] == ' ')
            return true;
    return false;
}

const char *
sql_ident(struct arena *arena, const char *name)
{
    struct buffer buffer = { .arena = arena };
    size_t plain = strspn(name, "abcdefghijklmnopqrstuvwxyz_");

    plain += strspn(name + plain, "abcdefghijklmnopqrstuvwxyz_0123456789");
    if (plain > 0 && !name[plain] && !strchr("0123456789", name[0]) && !sql_is_reserved(name))
        return name;
    buffer_add(&buffer, "\"");
    for (const char *c = name; *c; c++) {
        if (*c == '"')
            buffer_append(&buffer, c, 1);
        buffer_append(&buffer, c, 1);
    }
    buffer_add(&buffer, "\"");
    return buffer_text(&buffer);
}

const char *
sql_object(struct arena *arena, struct object_name name)
{
    const char *own = sql_ident(arena, name.name);

    if (!name.schema)
        return own;
    return arena_printf(arena, "%s.%s", sql_ident(arena, name.schema), own);
}
