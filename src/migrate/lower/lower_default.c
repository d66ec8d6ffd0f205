/* server_default=…: the SQL that it becomes. */
#include <string.h>
#include <strings.h>

#include "migrate/lower/lower.h"

/* Plain constants and the usual functions, so that the parser need not be asked. */
static enum default_kind
classify(struct host *host, const char *sql)
{
    static const struct {
        const char *sql;
        enum default_kind kind;
    } usual[] = {
        { "now()", DEFAULT_CONSTANT },
        { "CURRENT_TIMESTAMP", DEFAULT_CONSTANT },
        { "true", DEFAULT_CONSTANT },
        { "false", DEFAULT_CONSTANT },
        { "NULL", DEFAULT_CONSTANT },
        { "gen_random_uuid()", DEFAULT_VOLATILE },
        { "uuid_generate_v4()", DEFAULT_VOLATILE },
        { "clock_timestamp()", DEFAULT_VOLATILE },
    };
    size_t length = strlen(sql);

    for (size_t i = 0; i < COUNT_OF(usual); i++)
        if (strcasecmp(usual[i].sql, sql) == 0)
            return usual[i].kind;
    if (length > 0 && strspn(sql, "0123456789") == length)
        return DEFAULT_CONSTANT;
    if (length > 1 && sql[0] == '\'' && strcspn(sql + 1, "'\\") == length - 2)
        return DEFAULT_CONSTANT;
    return default_classify(host->ctx, sql);
}

struct default_parts
op_default(struct host *host, const struct value *value)
{
    struct default_parts ret = { .kind = DEFAULT_UNKNOWN };

    if (!value_is_given(value))
        return (struct default_parts){ .kind = DEFAULT_NONE };
    if (value_call_of(value, "Identity"))
        return (struct default_parts){ .kind = DEFAULT_NONE, .is_identity = true };
    if (value_call_of(value, "Computed"))
        return (struct default_parts){ .kind = DEFAULT_NONE,
            .is_generated = true,
            .text = op_expression(host, call_argument(value->call, 0, "sqltext"), TEXT_IS_SQL) };
    /* FetchedValue says that the server has a default, and makes none. */
    if (value_call_of(value, "FetchedValue") ||
        (value->kind == VALUE_NAME && text_equal(path_verb(value->path), "FetchedValue")))
        return (struct default_parts){ .kind = DEFAULT_NONE };
    ret.text = op_expression(host, value, TEXT_IS_CONSTANT);
    if (!ret.text || strchr(ret.text, VALUE_HOLE)) {
        ret.text = NULL;
        ret.unknown = value_reason(host->arena, value);
        return ret;
    }
    ret.kind = classify(host, ret.text);
    return ret;
}
