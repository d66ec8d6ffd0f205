#include "db/ident.h"

#include <ctype.h>

#include "base/text.h"

/*
 * Words that need quotes although they look plain: all keywords of PostgreSQL 14 to 18 but the
 * unreserved ones (pg_get_keywords()), in the order of the alphabet. A test compares this with
 * quote_ident() of every server version.
 */
static const char *const keywords[] = {
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
};

static int
compare_words(const void *key, const void *word)
{
    return strcmp(key, *(const char *const *)word);
}

static bool
is_plain(const char *name)
{
    if (!islower((unsigned char)*name) && *name != '_')
        return false;
    for (const char *at = name; *at; at++)
        if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at) && *at != '_')
            return false;
    return !bsearch(name, keywords, COUNT_OF(keywords), sizeof(keywords[0]), compare_words);
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
