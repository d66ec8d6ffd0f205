/* Values for $n that no column stands beside, by their types and what is done with them. */
#include "base/text.h"
#include "index/sample/sample_part.h"

struct named_value {
    const char *name;
    const char *value;
};

/* Functions that refuse most texts, by their arguments. */
static const struct {
    const char *function;
    size_t argument;
    const char *value;
} arguments[] = {
    { "date_trunc", 0, "day" },
    { "date_part", 0, "epoch" },
    { "extract", 0, "epoch" },
    { "timezone", 0, "UTC" },
    { "to_char", 1, "YYYY-MM-DD" },
    { "to_date", 0, "2024-01-01" },
    { "to_date", 1, "YYYY-MM-DD" },
    { "to_timestamp", 0, "2024-01-01" },
    { "to_timestamp", 1, "YYYY-MM-DD" },
    { "to_number", 0, "1" },
    { "to_number", 1, "9" },
    { "to_tsquery", 0, "simple" },
    { "to_tsquery", 1, "a" },
    { "encode", 1, "hex" },
    { "decode", 1, "hex" },
    { "digest", 1, "sha256" },
};

static const struct named_value defaults[] = {
    { "\"char\"", "a" },
    { "bigint", "1" },
    { "bit", "0" },
    { "bit varying", "0" },
    { "boolean", "true" },
    { "box", "((0,0),(1,1))" },
    { "bytea", "\\x" },
    { "character", "a" },
    { "character varying", "" },
    { "cidr", "10.0.0.0/8" },
    { "circle", "<(0,0),1>" },
    { "citext", "" },
    { "cube", "(0)" },
    { "date", "now" },
    { "daterange", "[today,tomorrow)" },
    { "double precision", "1" },
    { "geography", "POINT(0 0)" },
    { "geometry", "POINT(0 0)" },
    { "halfvec", "[1]" },
    { "hstore", "a=>1" },
    { "inet", "127.0.0.1" },
    { "int4range", "[1,2)" },
    { "int8range", "[1,2)" },
    { "integer", "1" },
    { "interval", "1 day" },
    { "json", "{\"key\": \"value\"}" },
    { "jsonb", "{\"key\": \"value\"}" },
    { "jsonpath", "$" },
    { "line", "{1,1,1}" },
    { "lquery", "a" },
    { "lseg", "[(0,0),(1,1)]" },
    { "ltree", "a" },
    { "ltxtquery", "a" },
    { "macaddr", "00:00:00:00:00:00" },
    { "macaddr8", "00:00:00:00:00:00:00:00" },
    { "money", "1" },
    { "name", "a" },
    { "numeric", "1" },
    { "numrange", "[1,2)" },
    { "oid", "1" },
    { "path", "[(0,0),(1,1)]" },
    { "pg_lsn", "0/0" },
    { "point", "(0,0)" },
    { "polygon", "((0,0),(1,1),(1,0))" },
    { "real", "1" },
    { "regclass", "pg_catalog.pg_class" },
    { "regconfig", "simple" },
    { "regnamespace", "pg_catalog" },
    { "regrole", NULL },
    { "regtype", "text" },
    { "smallint", "1" },
    { "sparsevec", "{1:1}/1" },
    { "text", "" },
    { "time with time zone", "12:00:00+00" },
    { "time without time zone", "12:00:00" },
    { "timestamp with time zone", "now" },
    { "timestamp without time zone", "now" },
    { "tsquery", "a" },
    { "tsrange", "[now,tomorrow)" },
    { "tstzrange", "[now,tomorrow)" },
    { "tsvector", "a" },
    { "unknown", "" },
    { "uuid", "00000000-0000-0000-0000-000000000000" },
    { "vector", "[1]" },
    { "xml", "<a/>" },
};

/* "public.vector(3)" → "vector" */
static const char *
bare_type(struct arena *arena, const char *type)
{
    const char *dot = *type == '"' ? NULL : strchr(type, '.');
    const char *name = dot ? dot + 1 : type;
    const char *open = strchr(name, '(');

    return open ? arena_strndup(arena, name, (size_t)(open - name)) : name;
}

/* What a function wants as this argument; NULL: not one that is known. */
static const char *
of_function(const struct sample_place *place)
{
    for (size_t i = 0; place->function && i < COUNT_OF(arguments); i++)
        if (place->argument == arguments[i].argument &&
            strcmp(place->function, arguments[i].function) == 0)
            return arguments[i].value;
    return NULL;
}

const char *
sample_default(struct arena *arena, const struct sample_place *place, const char *type)
{
    const char *name = bare_type(arena, type);
    bool is_bound = place->role == SAMPLE_ABOVE;
    struct sample_place element = *place;

    const char *known = of_function(place);

    if (known)
        return known;
    if (text_ends_with(name, "[]")) {
        struct text_list values = { 0 };
        const char *value = sample_default(
            arena, &element, arena_strndup(arena, name, strlen(name) - strlen("[]")));

        if (value)
            text_list_add(arena, &values, value);
        return sample_array_of(arena, &values);
    }
    if (place->role == SAMPLE_LIKE || place->role == SAMPLE_ILIKE)
        return place->role == SAMPLE_LIKE ? "abc%" : "%abc%";
    if (place->role == SAMPLE_PIECE || place->role == SAMPLE_REGEX)
        return "abc";
    if (is_bound && (text_equal(name, "date") || text_starts_with(name, "timestamp")))
        return "yesterday";
    if (text_ends_with(name, "multirange"))
        return "{}";
    for (size_t i = 0; i < COUNT_OF(defaults); i++)
        if (strcmp(defaults[i].name, name) == 0)
            return defaults[i].value;
    return text_ends_with(name, "range") ? "empty" : NULL;
}
