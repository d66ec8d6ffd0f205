#include "db/ident.h"

#include <ctype.h>

#include "base/text.h"

/*
 * Always quoted unless the name is plain lower case and cannot be a keyword: no keyword of
 * PostgreSQL holds a digit or, apart from a few listed in its documentation, an underscore.
 */
static bool
is_plain(const char *name)
{
    static const char *const with_underscore[] = { "current_catalog", "current_date",
        "current_role", "current_schema", "current_time", "current_timestamp", "current_user",
        "session_user", "system_user" };
    bool has_underscore = false;

    if (!islower((unsigned char)*name))
        return false;
    for (const char *at = name; *at; at++) {
        has_underscore |= *at == '_';
        if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at) && *at != '_')
            return false;
    }
    for (size_t i = 0; i < COUNT_OF(with_underscore); i++)
        if (strcmp(name, with_underscore[i]) == 0)
            return false;
    return has_underscore;
}

const char *
db_ident(struct arena *arena, const char *name)
{
    struct buffer buffer = { .arena = arena };

    if (is_plain(name))
        return arena_strdup(arena, name);
    buffer_add(&buffer, "\"");
    for (const char *at = name; *at; at++)
        buffer_append(&buffer, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
    buffer_add(&buffer, "\"");
    return buffer_text(&buffer);
}

const char *
db_qualified(struct arena *arena, const char *schema, const char *name)
{
    return arena_printf(arena, "%s.%s", db_ident(arena, schema), db_ident(arena, name));
}

const char *
db_literal(struct arena *arena, const char *text)
{
    struct buffer buffer = { .arena = arena };

    buffer_add(&buffer, strchr(text, '\\') ? " E'" : "'");
    for (const char *at = text; *at; at++) {
        if (*at == '\'' || *at == '\\')
            buffer_append(&buffer, at, 1);
        buffer_append(&buffer, at, 1);
    }
    buffer_add(&buffer, "'");
    return buffer_text(&buffer);
}
