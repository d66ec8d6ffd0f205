/* SQLAlchemy's types, and those of libraries that are known, as PostgreSQL's. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "migrate/lower/lower.h"

enum { TYPE_DEPTH_MOST = 10, NAME_SIZE_MOST = 64 };

/* What the arguments say. */
enum shape {
    SHAPE_PLAIN,   /* nothing */
    SHAPE_LENGTH,  /* (length) */
    SHAPE_NUMERIC, /* (precision, scale) */
    SHAPE_TIME,    /* (timezone, precision): sql has %s for the precision, and a zone follows */
    SHAPE_BIT,     /* (length, varying) */
    SHAPE_INTERVAL,
    SHAPE_SIZE, /* (n), no default */
};

enum affinity { AFFINITY_OTHER, AFFINITY_NUMBER, AFFINITY_SMALL, AFFINITY_BIG };

struct known {
    const char *name;
    const char *sql;
    enum shape shape;
    enum affinity affinity;
};

/* Sorted by name. Source: SQLAlchemy's PGTypeCompiler, asked for each. */
static const struct known sqlalchemy_types[] = {
    { "ARRAY", NULL },
    { "AutoString", "varchar", SHAPE_LENGTH },
    { "BIGINT", "bigint", SHAPE_PLAIN, AFFINITY_BIG },
    { "BINARY", "binary", SHAPE_LENGTH },
    { "BIT", "bit", SHAPE_BIT },
    { "BLOB", "blob" },
    { "BOOLEAN", "boolean" },
    { "BYTEA", "bytea" },
    { "BigInteger", "bigint", SHAPE_PLAIN, AFFINITY_BIG },
    { "Boolean", "boolean" },
    { "CHAR", "char", SHAPE_LENGTH },
    { "CIDR", "cidr" },
    { "CITEXT", "citext" },
    { "CLOB", "clob" },
    { "DATE", "date" },
    { "DATEMULTIRANGE", "datemultirange" },
    { "DATERANGE", "daterange" },
    { "DATETIME", "datetime" },
    { "DECIMAL", "numeric", SHAPE_NUMERIC, AFFINITY_NUMBER },
    { "DOUBLE", "double precision", SHAPE_PLAIN, AFFINITY_NUMBER },
    { "DOUBLE_PRECISION", "double precision", SHAPE_PLAIN, AFFINITY_NUMBER },
    { "Date", "date" },
    { "DateTime", "timestamp", SHAPE_TIME },
    { "Double", "double precision", SHAPE_PLAIN, AFFINITY_NUMBER },
    { "ENUM", NULL },
    { "Enum", NULL },
    { "FLOAT", "float", SHAPE_LENGTH, AFFINITY_NUMBER },
    { "Float", "float", SHAPE_LENGTH, AFFINITY_NUMBER },
    { "HSTORE", "hstore" },
    { "INET", "inet" },
    { "INT", "integer", SHAPE_PLAIN, AFFINITY_NUMBER },
    { "INT4MULTIRANGE", "int4multirange" },
    { "INT4RANGE", "int4range" },
    { "INT8MULTIRANGE", "int8multirange" },
    { "INT8RANGE", "int8range" },
    { "INTEGER", "integer", SHAPE_PLAIN, AFFINITY_NUMBER },
    { "INTERVAL", "interval", SHAPE_INTERVAL },
    { "Integer", "integer", SHAPE_PLAIN, AFFINITY_NUMBER },
    { "Interval", "interval", SHAPE_INTERVAL },
    { "JSON", "json" },
    { "JSONB", "jsonb" },
    { "JSONPATH", "jsonpath" },
    { "LargeBinary", "bytea" },
    { "MACADDR", "macaddr" },
    { "MACADDR8", "macaddr8" },
    { "MONEY", "money" },
    { "NCHAR", "nchar", SHAPE_LENGTH },
    { "NUMERIC", "numeric", SHAPE_NUMERIC, AFFINITY_NUMBER },
    { "NUMMULTIRANGE", "nummultirange" },
    { "NUMRANGE", "numrange" },
    { "NVARCHAR", "nvarchar", SHAPE_LENGTH },
    { "Numeric", "numeric", SHAPE_NUMERIC, AFFINITY_NUMBER },
    { "OID", "oid" },
    { "PickleType", "bytea" },
    { "REAL", "real", SHAPE_PLAIN, AFFINITY_NUMBER },
    { "REGCLASS", "regclass" },
    { "REGCONFIG", "regconfig" },
    { "SMALLINT", "smallint", SHAPE_PLAIN, AFFINITY_SMALL },
    { "SmallInteger", "smallint", SHAPE_PLAIN, AFFINITY_SMALL },
    { "String", "varchar", SHAPE_LENGTH },
    { "TEXT", "text", SHAPE_LENGTH },
    { "TIME", "time", SHAPE_TIME },
    { "TIMESTAMP", "timestamp", SHAPE_TIME },
    { "TSMULTIRANGE", "tsmultirange" },
    { "TSQUERY", "tsquery" },
    { "TSRANGE", "tsrange" },
    { "TSTZMULTIRANGE", "tstzmultirange" },
    { "TSTZRANGE", "tstzrange" },
    { "TSVECTOR", "tsvector" },
    { "Text", "text", SHAPE_LENGTH },
    { "Time", "time", SHAPE_TIME },
    { "UUID", "uuid" },
    { "Unicode", "varchar", SHAPE_LENGTH },
    { "UnicodeText", "text", SHAPE_LENGTH },
    { "Uuid", "uuid" },
    { "VARBINARY", "varbinary", SHAPE_LENGTH },
    { "VARCHAR", "varchar", SHAPE_LENGTH },
};

/* Libraries: the first part of the path, and what their types become. */
static const struct {
    const char *library;
    struct known type;
} library_types[] = {
    { "advanced_alchemy.", { "BigIntIdentity", "bigint", SHAPE_PLAIN, AFFINITY_BIG } },
    { "advanced_alchemy.", { "DateTimeUTC", "timestamp with time zone" } },
    { "advanced_alchemy.", { "EncryptedString", "varchar" } },
    { "advanced_alchemy.", { "EncryptedText", "text" } },
    { "advanced_alchemy.", { "GUID", "uuid" } },
    { "advanced_alchemy.", { "JsonB", "jsonb" } },
    { "citext", { "CIText", "citext" } },
    { "fastapi_users", { "GUID", "uuid" } },
    { "fastapi_users", { "TIMESTAMPAware", "timestamp with time zone" } },
    { "geoalchemy2.", { "Geography", "geography" } },
    { "geoalchemy2.", { "Geometry", "geometry" } },
    { "geoalchemy2.", { "Raster", "raster" } },
    { "pgvector.", { "BIT", "bit", SHAPE_SIZE } },
    { "pgvector.", { "HALFVEC", "halfvec", SHAPE_SIZE } },
    { "pgvector.", { "HalfVector", "halfvec", SHAPE_SIZE } },
    { "pgvector.", { "SPARSEVEC", "sparsevec", SHAPE_SIZE } },
    { "pgvector.", { "VECTOR", "vector", SHAPE_SIZE } },
    { "pgvector.", { "Vector", "vector", SHAPE_SIZE } },
    { "sqlalchemy_citext", { "CIText", "citext" } },
    { "sqlalchemy_utc", { "UtcDateTime", "timestamp with time zone" } },
    { "sqlalchemy_utils.", { "ArrowType", "timestamp" } },
    { "sqlalchemy_utils.", { "ColorType", "varchar(20)" } },
    { "sqlalchemy_utils.", { "CountryType", "varchar(2)" } },
    { "sqlalchemy_utils.", { "CurrencyType", "varchar(3)" } },
    { "sqlalchemy_utils.", { "DateRangeType", "daterange" } },
    { "sqlalchemy_utils.", { "DateTimeRangeType", "tsrange" } },
    { "sqlalchemy_utils.", { "EmailType", "varchar(255)" } },
    { "sqlalchemy_utils.", { "EncryptedType", "bytea" } },
    { "sqlalchemy_utils.", { "IPAddressType", "varchar(50)" } },
    { "sqlalchemy_utils.", { "Int8RangeType", "int8range" } },
    { "sqlalchemy_utils.", { "IntRangeType", "int4range" } },
    { "sqlalchemy_utils.", { "JSONType", "json" } },
    { "sqlalchemy_utils.", { "LocaleType", "varchar(10)" } },
    { "sqlalchemy_utils.", { "LtreeType", "ltree" } },
    { "sqlalchemy_utils.", { "NumericRangeType", "numrange" } },
    { "sqlalchemy_utils.", { "PhoneNumberType", "varchar(20)" } },
    { "sqlalchemy_utils.", { "ScalarListType", "text" } },
    { "sqlalchemy_utils.", { "StringEncryptedType", "varchar" } },
    { "sqlalchemy_utils.", { "TSVectorType", "tsvector" } },
    { "sqlalchemy_utils.", { "TimezoneType", "varchar(50)" } },
    { "sqlalchemy_utils.", { "URLType", "text" } },
    { "sqlalchemy_utils.", { "UUIDType", "uuid" } },
};

static const struct known *
library_find(const char *path)
{
    const char *verb = path_verb(path);

    for (size_t i = 0; i < COUNT_OF(library_types); i++)
        if (text_equal(library_types[i].type.name, verb) &&
            text_starts_with(path, library_types[i].library))
            return &library_types[i].type;
    return NULL;
}

static const struct known *
known_find(const char *path)
{
    const char *verb = path_verb(path);
    size_t from = 0;
    size_t to = COUNT_OF(sqlalchemy_types);

    if (!path_is_sqlalchemy(path))
        return library_find(path);
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(verb, sqlalchemy_types[middle].name);

        if (order == 0)
            return &sqlalchemy_types[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* ---- arguments ---- */

/* A number: -1 not given, -2 not known. */
enum { NUMBER_MISSING = -1, NUMBER_UNKNOWN = -2 };

static int64_t
number(const struct call *call, size_t at, const char *keyword)
{
    const struct value *value = call ? call_argument(call, at, keyword) : NULL;

    if (!value || value->kind == VALUE_NONE)
        return call && call->has_unknown_arguments ? NUMBER_UNKNOWN : NUMBER_MISSING;
    return value->kind == VALUE_INTEGER && value->integer >= 0 ? value->integer : NUMBER_UNKNOWN;
}

static bool
flag(const struct call *call, size_t at, const char *keyword)
{
    const struct value *value = call ? call_argument(call, at, keyword) : NULL;

    return value && value_is_true(value);
}

/* "(n)" when n is given; NULL when it is not known. */
static const char *
in_parentheses(struct host *host, int64_t given)
{
    if (given == NUMBER_UNKNOWN)
        return NULL;
    return given == NUMBER_MISSING ? "" : arena_printf(host->arena, "(%" PRId64 ")", given);
}

static const char *
numeric_sql(struct host *host, const struct call *call)
{
    int64_t precision = number(call, 0, "precision");
    int64_t scale = number(call, 1, "scale");

    if (precision == NUMBER_UNKNOWN || scale == NUMBER_UNKNOWN)
        return NULL;
    if (precision == NUMBER_MISSING)
        return "numeric";
    if (scale == NUMBER_MISSING)
        return arena_printf(host->arena, "numeric(%" PRId64 ")", precision);
    return arena_printf(host->arena, "numeric(%" PRId64 ", %" PRId64 ")", precision, scale);
}

static const char *
interval_sql(struct host *host, const struct call *call)
{
    const struct value *native = call ? call_argument(call, 0, "native") : NULL;
    const struct value *fields = call ? call_argument(call, SIZE_MAX, "fields") : NULL;
    const char *text = fields ? value_known_text(fields) : NULL;
    bool is_camel = call && text_equal(path_verb(call->path), "Interval");
    int64_t precision =
        is_camel ? number(call, 1, "second_precision") : number(call, 0, "precision");

    if (is_camel && native && value_is_false(native))
        return "timestamp";
    if (precision == NUMBER_UNKNOWN || (value_is_given(fields) && !text))
        return NULL;
    return arena_printf(host->arena, "interval%s%s%s", text ? " " : "", text ? text : "",
        in_parentheses(host, precision));
}

/* NULL: an argument is not known. */
static const char *
known_sql(struct host *host, const struct known *known, const struct call *call)
{
    const char *size;

    switch (known->shape) {
    case SHAPE_PLAIN:
        return known->sql;
    case SHAPE_NUMERIC:
        return numeric_sql(host, call);
    case SHAPE_INTERVAL:
        return interval_sql(host, call);
    case SHAPE_SIZE:
        size = in_parentheses(host, number(call, 0, "dim"));
        break;
    case SHAPE_LENGTH:
        size = in_parentheses(
            host, number(call, 0, known->affinity == AFFINITY_NUMBER ? "precision" : "length"));
        break;
    case SHAPE_TIME:
        size = in_parentheses(host, number(call, SIZE_MAX, "precision"));
        return size ? arena_printf(host->arena, "%s%s %s time zone", known->sql, size,
                          flag(call, 0, "timezone") ? "with" : "without")
                    : NULL;
    case SHAPE_BIT:
        size = in_parentheses(host, number(call, 0, "length"));
        if (size && flag(call, 1, "varying"))
            return arena_printf(host->arena, "bit varying%s", size);
        break;
    default:
        return NULL;
    }
    return size ? arena_printf(host->arena, "%s%s", known->sql, size) : NULL;
}

/* ---- enums ---- */

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '(' || c == ')';
}

/* Whether a lambda is `lambda x: [e.value for e in x]`, in any names: the labels are the values. */
static bool
takes_values(struct host *host, const struct value *lambda)
{
    const char *source = host->given->revision->source;
    char text[NAME_SIZE_MOST * 4];
    char outer[NAME_SIZE_MOST];
    char item[NAME_SIZE_MOST];
    char loop[NAME_SIZE_MOST];
    char whole[NAME_SIZE_MOST];
    size_t length = 0;
    int end = 0;

    if (!lambda->node || lambda->node->kind != PY_LAMBDA || !source)
        return false;
    for (uint32_t at = lambda->node->start; at < lambda->node->end; at++) {
        if (length + 1 >= sizeof(text))
            return false;
        text[length] = source[at];
        if (is_blank(text[length]))
            text[length] = ' ';
        length++;
    }
    text[length] = '\0';
    /* Blanks in the format stand for any number of them. */
    if (sscanf(text,
            "lambda %63[A-Za-z0-9_] : [ %63[A-Za-z0-9_].value for %63[A-Za-z0-9_] in "
            "%63[A-Za-z0-9_] ] %n",
            outer, item, loop, whole, &end) != 4 ||
        (size_t)end != length)
        return false;
    return text_equal(outer, whole) && text_equal(item, loop);
}

static void
class_labels(struct host *host, const struct class_def *class_def, const struct value *callable,
    struct enum_type *ret)
{
    bool by_value = value_is_given(callable);

    if (by_value && !takes_values(host, callable)) {
        ret->unknown = "values_callable would have to be called";
        return;
    }
    for (size_t i = 0; i < class_def->members.count; i++) {
        const struct class_member *member = &class_def->members.items[i];
        const char *text = by_value ? value_known_text(&member->value) : member->name;

        if (member->name[0] == '_' || member->value.kind == VALUE_FUNCTION)
            continue;
        if (text)
            text_list_add(host->arena, &ret->labels, text);
        else
            ret->unknown = arena_printf(
                host->arena, "the value of %s.%s is not known", class_def->name, member->name);
    }
}

static const char *
lower_case(struct arena *arena, const char *name)
{
    char *ret = arena_strdup(arena, name);

    for (char *c = ret; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return ret;
}

static struct enum_type *
enum_read(struct host *host, const struct call *call, const char *schema)
{
    struct enum_type *ret = ARENA_NEW(host->arena, struct enum_type);
    const struct value *name = call_argument(call, SIZE_MAX, "name");
    const struct value *own_schema = call_argument(call, SIZE_MAX, "schema");
    const struct value *create_type = call_argument(call, SIZE_MAX, "create_type");
    bool is_dialect = text_equal(path_verb(call->path), "ENUM");

    ret->name.name = value_name(host->arena, name);
    ret->inherits_schema = call_flag(call, "inherit_schema");
    ret->name.schema = ret->inherits_schema ? schema : value_name(host->arena, own_schema);
    ret->checks_first = is_dialect;
    ret->is_created_with_table = !value_is_given(call_argument(call, SIZE_MAX, "metadata")) &&
                                 !(is_dialect && create_type && value_is_false(create_type));
    if (call->has_unknown_arguments)
        ret->unknown = "its labels come from a list that is not known";
    for (size_t i = 0; i < call->arguments.count && op_afford(host, 1); i++) {
        const struct value *value = &call->arguments.items[i];
        const char *text = value_known_text(value);

        if (text) {
            text_list_add(host->arena, &ret->labels, text);
        } else if (value->kind == VALUE_CLASS && value->class_def) {
            class_labels(
                host, value->class_def, call_argument(call, SIZE_MAX, "values_callable"), ret);
            if (!value_is_given(name))
                ret->name.name = lower_case(host->arena, value->class_def->name);
        } else if (value->kind != VALUE_NONE) {
            ret->unknown = value_reason(host->arena, value);
        }
    }
    return ret;
}

/* In code points. */
static int64_t
length_of(const char *text)
{
    int64_t length = 0;

    for (; *text; text++)
        length += (*text & 0xC0) != 0x80;
    return length;
}

/* native_enum=False: a varchar as long as the longest label. */
static void
enum_as_text(
    struct host *host, const struct call *call, const struct enum_type *labels, struct sa_type *ret)
{
    int64_t longest = number(call, SIZE_MAX, "length");
    struct buffer check = { .arena = host->arena };

    ret->labels = NULL;
    if (labels->unknown && longest < 0) {
        ret->type = (struct type){ .unknown = labels->unknown };
        return;
    }
    for (size_t i = 0; i < labels->labels.count; i++) {
        int64_t length = length_of(labels->labels.items[i]);

        longest = length > longest ? length : longest;
        buffer_printf(
            &check, "%s%s", i > 0 ? ", " : "", sql_quoted(host->arena, labels->labels.items[i]));
    }
    ret->type = type_parse(host->arena, arena_printf(host->arena, "varchar(%" PRId64 ")", longest));
    if (call_flag(call, "create_constraint") && !labels->unknown) {
        ret->check = arena_printf(host->arena, "IN (%s)", buffer_text(&check));
        ret->check_name = labels->name.name;
    }
}

static struct sa_type
enum_type_read(struct host *host, const struct call *call, const char *schema)
{
    const struct value *native = call_argument(call, SIZE_MAX, "native_enum");
    struct enum_type *labels = enum_read(host, call, schema);
    struct sa_type ret = { .labels = labels };

    if (native && value_is_false(native)) {
        enum_as_text(host, call, labels, &ret);
        return ret;
    }
    ret.type = (struct type){ .schema = labels->name.schema, .name = labels->name.name };
    if (!ret.type.name)
        ret.type.unknown = labels->unknown ? labels->unknown : "the enum's name is not known";
    return ret;
}

/* ---- the whole ---- */

static struct sa_type read_type(
    struct host *host, const struct value *value, const char *schema, int depth);

static struct sa_type
unknown_type(const char *why)
{
    return (struct sa_type){ .type = { .unknown = why } };
}

static struct sa_type
array_read(struct host *host, const struct call *call, const char *schema, int depth)
{
    const struct value *item = call_argument(call, 0, "item_type");
    int64_t dimensions = number(call, SIZE_MAX, "dimensions");
    struct sa_type ret = read_type(host, item, schema, depth);

    if (dimensions == NUMBER_UNKNOWN)
        return unknown_type("the array's dimensions are not known");
    ret.type.dimensions += dimensions > 0 ? (int)dimensions : 1;
    ret.serial = NULL;
    return ret;
}

/* x.with_variant(y, "postgresql"): the last one for PostgreSQL wins, else x. */
static struct sa_type
variant_read(struct host *host, const struct call *call, const char *schema, int depth)
{
    struct value self = { .kind = VALUE_CALL, .call = call->self };

    for (size_t i = 1; i < call->arguments.count; i++)
        if (text_equal(value_known_text(&call->arguments.items[i]), "postgresql"))
            return read_type(host, &call->arguments.items[0], schema, depth);
    return read_type(host, &self, schema, depth);
}

/* class X(TypeDecorator): impl = … */
static struct sa_type
decorator_read(struct host *host, const struct value *value, const char *schema, int depth)
{
    const struct class_def *class_def = value->class_def;

    for (size_t i = 0; i < class_def->members.count; i++)
        if (text_equal(class_def->members.items[i].name, "impl"))
            return read_type(host, &class_def->members.items[i].value, schema, depth);
    return unknown_type(
        arena_printf(host->arena, "class %s does not say its type", class_def->name));
}

/* The argument that is no number, or NULL. */
static const struct value *
unknown_argument(const struct call *call)
{
    for (size_t i = 0; i < call->arguments.count; i++)
        if (call->arguments.items[i].kind != VALUE_INTEGER)
            return &call->arguments.items[i];
    for (size_t i = 0; i < call->keywords.count; i++)
        if (call->keywords.items[i].value.kind != VALUE_INTEGER)
            return &call->keywords.items[i].value;
    return NULL;
}

static struct sa_type
known_read(struct host *host, const struct known *known, const struct call *call)
{
    static const char *const serials[] = { NULL, "serial", "smallserial", "bigserial" };
    const struct value *collation = call ? call_argument(call, SIZE_MAX, "collation") : NULL;
    const char *sql = known_sql(host, known, call);
    struct sa_type ret;

    if (!sql)
        return unknown_type(arena_printf(host->arena, "the size of %s is not known: %s",
            known->name, value_reason(host->arena, call ? unknown_argument(call) : NULL)));
    ret = (struct sa_type){
        .type = type_parse(host->arena, sql),
        .serial = serials[known->affinity],
    };
    if (collation)
        ret.type.collation = value_known_text(collation);
    return ret;
}

static struct sa_type
read_type(struct host *host, const struct value *value, const char *schema, int depth)
{
    const struct call *call = value ? value->call : NULL;
    const struct known *known;
    const char *path;

    if (!value)
        return unknown_type("no type is given");
    if (depth > TYPE_DEPTH_MOST)
        return unknown_type("types are nested too deep");
    if (value->class_def)
        return decorator_read(host, value, schema, depth + 1);
    if (value->kind != VALUE_CALL && value->kind != VALUE_NAME)
        return unknown_type(value_reason(host->arena, value));
    if (value->kind == VALUE_NAME)
        call = NULL;
    path = call ? call->path : value->path;
    if (call && text_equal(path_verb(path), "with_variant") && call->self)
        return variant_read(host, call, schema, depth + 1);
    known = path ? known_find(path) : NULL;
    if (!known)
        return unknown_type(
            arena_printf(host->arena, "%s is not a type that is known here", path ? path : "it"));
    if (known->sql)
        return known_read(host, known, call);
    if (!call)
        return unknown_type(arena_printf(host->arena, "%s has no arguments", path));
    if (text_equal(known->name, "ARRAY"))
        return array_read(host, call, schema, depth + 1);
    return enum_type_read(host, call, schema);
}

struct sa_type
sa_type_read(struct host *host, const struct value *value, const char *schema)
{
    return read_type(host, value, schema, 0);
}
