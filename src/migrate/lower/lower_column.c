/* Column(…): its definition and what hangs on it. */
#include <string.h>

#include "migrate/lower/lower.h"

/* Whether a positional argument is no type. */
static bool
is_item(const struct value *value)
{
    static const char *const items[] = { "ForeignKey", "CheckConstraint", "Identity", "Computed",
        "Sequence", "ColumnDefault", "DefaultClause", "FetchedValue", "UniqueConstraint",
        "PrimaryKeyConstraint" };
    const char *path = value->kind == VALUE_CALL && value->call ? value->call->path : value->path;

    for (size_t i = 0; i < COUNT_OF(items); i++)
        if (text_equal(path_verb(path), items[i]))
            return true;
    return false;
}

static void
take_default(struct host *host, const struct value *value, struct column_parts *ret)
{
    struct default_parts parts = op_default(host, value);
    struct column *column = &ret->column;

    column->default_kind = parts.kind;
    column->default_text = parts.text;
    column->is_identity = parts.is_identity;
    column->is_generated = parts.is_generated;
    if (parts.unknown)
        op_note(host, NOTE_CANNOT_KNOW,
            arena_printf(host->arena, "the default of column %s is not known: %s",
                column->name ? column->name : "?", parts.unknown));
}

static void
take_item(struct host *host, const struct value *value, struct column_parts *ret)
{
    const char *verb =
        path_verb(value->kind == VALUE_CALL && value->call ? value->call->path : value->path);

    if (text_equal(verb, "Sequence"))
        ret->has_sequence = !value->call || !call_flag(value->call, "optional");
    else if (text_equal(verb, "ForeignKey") && value->call)
        VEC_PUSH(host->scratch, &ret->foreign_keys, value->call);
    else if (text_equal(verb, "CheckConstraint") && value->call)
        VEC_PUSH(host->scratch, &ret->checks, value->call);
    else if (text_equal(verb, "ColumnDefault"))
        ret->column.has_client_default = true;
    else
        take_default(host, value, ret);
}

static const char *
autoincrement(const struct call *call)
{
    const struct value *value = call_argument(call, SIZE_MAX, "autoincrement");
    const char *text = value ? value_known_text(value) : NULL;

    if (!value || text)
        return text ? text : "auto";
    return value_is_true(value) ? "true" : "false";
}

static void
take_keywords(struct host *host, const struct call *call, struct column_parts *ret)
{
    const struct value *nullable = call_argument(call, SIZE_MAX, "nullable");
    const struct value *server_default = call_argument(call, SIZE_MAX, "server_default");
    const struct value *comment = call_argument(call, SIZE_MAX, "comment");

    ret->is_primary_key = call_flag(call, "primary_key");
    ret->is_nullable_given = nullable != NULL;
    ret->column.is_not_null =
        nullable ? value_is_false(nullable) : ret->is_primary_key || ret->column.is_identity;
    ret->column.has_client_default |= value_is_given(call_argument(call, SIZE_MAX, "default"));
    ret->has_index = call_flag(call, "index");
    ret->is_unique = call_flag(call, "unique");
    ret->autoincrement = autoincrement(call);
    ret->comment = value_is_given(comment) ? comment : NULL;
    if (value_is_given(server_default)) {
        take_default(host, server_default, ret);
        ret->column.is_not_null |= ret->column.is_identity && !nullable;
    }
    if (nullable && !value_is_true(nullable) && !value_is_false(nullable))
        op_note(host, NOTE_CANNOT_KNOW,
            arena_printf(host->arena, "whether column %s is nullable is not known: %s",
                ret->column.name ? ret->column.name : "?", value_reason(host->arena, nullable)));
}

bool
op_column(struct host *host, const struct call *call, const char *schema, struct column_parts *ret)
{
    const struct value *name = call_argument(call, SIZE_MAX, "name");
    const struct value *type = call_argument(call, SIZE_MAX, "type_");
    size_t at = 0;

    *ret = (struct column_parts){ .call = call };
    if (!name && at < call->arguments.count && !is_item(&call->arguments.items[at]))
        name = &call->arguments.items[at++];
    ret->column.name = name ? value_name(host->arena, name) : NULL;
    if (!type && at < call->arguments.count && !is_item(&call->arguments.items[at]))
        type = &call->arguments.items[at++];
    for (; at < call->arguments.count; at++)
        take_item(host, &call->arguments.items[at], ret);
    take_keywords(host, call, ret);
    ret->type = sa_type_read(host, type, schema);
    ret->column.type = ret->type.type;
    if (!ret->column.type.name)
        op_note(host, NOTE_CANNOT_KNOW,
            arena_printf(host->arena, "the type of column %s is not known: %s",
                ret->column.name ? ret->column.name : "?", ret->column.type.unknown));
    return ret->column.name && !call->has_unknown_arguments;
}

bool
op_column_may_count(const struct column_parts *parts)
{
    const struct column *column = &parts->column;

    return parts->type.serial && !column->has_client_default && !parts->has_sequence &&
           !column->default_text && column->default_kind == DEFAULT_NONE && !column->is_identity &&
           !column->is_generated;
}

void
op_column_make_serial(struct host *host, struct column_parts *parts)
{
    struct column *column = &parts->column;
    const char *serial = parts->type.serial;

    column->is_serial = true;
    column->type = type_parse(host->arena, text_equal(serial, "bigserial")     ? "bigint"
                                           : text_equal(serial, "smallserial") ? "smallint"
                                                                               : "integer");
    column->is_not_null = true;
}
