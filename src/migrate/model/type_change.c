/* What becomes of a column's values when its type changes: source: pg_cast and the server's own
 * answers, which test/db/test_migrate_type.c asks for again. */
#include "base/text.h"
#include "migrate/model/type.h"

#define KNOWN(X)                                     \
    X(TYPE_BOOLEAN, "boolean")                       \
    X(TYPE_SMALLINT, "smallint")                     \
    X(TYPE_INTEGER, "integer")                       \
    X(TYPE_BIGINT, "bigint")                         \
    X(TYPE_REAL, "real")                             \
    X(TYPE_DOUBLE, "double precision")               \
    X(TYPE_NUMERIC, "numeric")                       \
    X(TYPE_MONEY, "money")                           \
    X(TYPE_TEXT, "text")                             \
    X(TYPE_VARCHAR, "character varying")             \
    X(TYPE_CHARACTER, "character")                   \
    X(TYPE_BPCHAR, "bpchar")                         \
    X(TYPE_CHAR, "\"char\"")                         \
    X(TYPE_NAME, "name")                             \
    X(TYPE_BYTEA, "bytea")                           \
    X(TYPE_DATE, "date")                             \
    X(TYPE_TIME, "time without time zone")           \
    X(TYPE_TIMETZ, "time with time zone")            \
    X(TYPE_TIMESTAMP, "timestamp without time zone") \
    X(TYPE_TIMESTAMPTZ, "timestamp with time zone")  \
    X(TYPE_INTERVAL, "interval")                     \
    X(TYPE_UUID, "uuid")                             \
    X(TYPE_JSON, "json")                             \
    X(TYPE_JSONB, "jsonb")                           \
    X(TYPE_XML, "xml")                               \
    X(TYPE_INET, "inet")                             \
    X(TYPE_CIDR, "cidr")                             \
    X(TYPE_MACADDR, "macaddr")                       \
    X(TYPE_MACADDR8, "macaddr8")                     \
    X(TYPE_BIT, "bit")                               \
    X(TYPE_VARBIT, "bit varying")                    \
    X(TYPE_OID, "oid")                               \
    X(TYPE_REGCLASS, "regclass")                     \
    X(TYPE_TSVECTOR, "tsvector")                     \
    X(TYPE_TSQUERY, "tsquery")                       \
    X(TYPE_POINT, "point")                           \
    X(TYPE_LINE, "line")                             \
    X(TYPE_LSEG, "lseg")                             \
    X(TYPE_BOX, "box")                               \
    X(TYPE_PATH, "path")                             \
    X(TYPE_POLYGON, "polygon")                       \
    X(TYPE_CIRCLE, "circle")                         \
    X(TYPE_INT4RANGE, "int4range")                   \
    X(TYPE_INT8RANGE, "int8range")                   \
    X(TYPE_NUMRANGE, "numrange")                     \
    X(TYPE_TSRANGE, "tsrange")                       \
    X(TYPE_TSTZRANGE, "tstzrange")                   \
    X(TYPE_DATERANGE, "daterange")                   \
    X(TYPE_PG_LSN, "pg_lsn")

#define KNOWN_ENUM(name, text) name,
enum known { KNOWN(KNOWN_ENUM) KNOWN_COUNT };
#undef KNOWN_ENUM

#define KNOWN_NAME(name, text) [name] = (text),
static const char *const known_names[] = { KNOWN(KNOWN_NAME) };
#undef KNOWN_NAME

_Static_assert(KNOWN_COUNT <= 64, "the types have a bit each");

#define BIT(type) (UINT64_C(1) << (type))
#define NUMBERS                                                                   \
    (BIT(TYPE_SMALLINT) | BIT(TYPE_INTEGER) | BIT(TYPE_BIGINT) | BIT(TYPE_REAL) | \
        BIT(TYPE_DOUBLE) | BIT(TYPE_NUMERIC))
/* Every type is cast to these by assignment, by way of its text. */
#define STRINGS \
    (BIT(TYPE_TEXT) | BIT(TYPE_VARCHAR) | BIT(TYPE_CHARACTER) | BIT(TYPE_BPCHAR) | BIT(TYPE_NAME))
#define STAMPS (BIT(TYPE_TIMESTAMP) | BIT(TYPE_TIMESTAMPTZ))
#define IDS    (BIT(TYPE_OID) | BIT(TYPE_REGCLASS))

/* Casts that need no USING, besides those to strings; source: pg_cast, context i or a. */
static const uint64_t assigned[KNOWN_COUNT] = {
    [TYPE_SMALLINT] = NUMBERS | IDS,
    [TYPE_INTEGER] = NUMBERS | IDS | BIT(TYPE_MONEY),
    [TYPE_BIGINT] = NUMBERS | IDS | BIT(TYPE_MONEY),
    [TYPE_REAL] = NUMBERS,
    [TYPE_DOUBLE] = NUMBERS,
    [TYPE_NUMERIC] = NUMBERS | BIT(TYPE_MONEY),
    [TYPE_MONEY] = BIT(TYPE_NUMERIC),
    [TYPE_TEXT] = BIT(TYPE_CHAR) | BIT(TYPE_REGCLASS),
    [TYPE_VARCHAR] = BIT(TYPE_CHAR) | BIT(TYPE_REGCLASS),
    [TYPE_CHARACTER] = BIT(TYPE_CHAR),
    [TYPE_BPCHAR] = BIT(TYPE_CHAR),
    [TYPE_DATE] = STAMPS,
    [TYPE_TIME] = BIT(TYPE_INTERVAL) | BIT(TYPE_TIMETZ),
    [TYPE_TIMETZ] = BIT(TYPE_TIME),
    [TYPE_TIMESTAMP] = STAMPS | BIT(TYPE_DATE) | BIT(TYPE_TIME),
    [TYPE_TIMESTAMPTZ] = STAMPS | BIT(TYPE_DATE) | BIT(TYPE_TIME) | BIT(TYPE_TIMETZ),
    [TYPE_INTERVAL] = BIT(TYPE_TIME),
    [TYPE_JSON] = BIT(TYPE_JSONB),
    [TYPE_JSONB] = BIT(TYPE_JSON),
    [TYPE_INET] = BIT(TYPE_CIDR),
    [TYPE_CIDR] = BIT(TYPE_INET),
    [TYPE_MACADDR] = BIT(TYPE_MACADDR8),
    [TYPE_MACADDR8] = BIT(TYPE_MACADDR),
    [TYPE_BIT] = BIT(TYPE_VARBIT),
    [TYPE_VARBIT] = BIT(TYPE_BIT),
    [TYPE_OID] = BIT(TYPE_REGCLASS) | BIT(TYPE_INTEGER) | BIT(TYPE_BIGINT),
    [TYPE_REGCLASS] = BIT(TYPE_OID) | BIT(TYPE_INTEGER) | BIT(TYPE_BIGINT),
    [TYPE_POINT] = BIT(TYPE_BOX),
    [TYPE_BOX] = BIT(TYPE_POLYGON),
    [TYPE_PATH] = BIT(TYPE_POLYGON),
    [TYPE_POLYGON] = BIT(TYPE_PATH),
};

/* Casts that leave the bytes as they are; source: pg_cast, method b. */
static const uint64_t relabelled[KNOWN_COUNT] = {
    [TYPE_INTEGER] = IDS,
    [TYPE_TEXT] = BIT(TYPE_VARCHAR) | BIT(TYPE_CHARACTER) | BIT(TYPE_BPCHAR),
    [TYPE_VARCHAR] = BIT(TYPE_TEXT) | BIT(TYPE_CHARACTER) | BIT(TYPE_BPCHAR),
    [TYPE_CHARACTER] = BIT(TYPE_BPCHAR),
    [TYPE_BPCHAR] = BIT(TYPE_CHARACTER),
    [TYPE_XML] = BIT(TYPE_TEXT) | BIT(TYPE_VARCHAR) | BIT(TYPE_CHARACTER) | BIT(TYPE_BPCHAR),
    [TYPE_CIDR] = BIT(TYPE_INET),
    [TYPE_BIT] = BIT(TYPE_VARBIT),
    [TYPE_VARBIT] = BIT(TYPE_BIT),
    [TYPE_OID] = BIT(TYPE_INTEGER) | BIT(TYPE_REGCLASS),
    [TYPE_REGCLASS] = BIT(TYPE_INTEGER) | BIT(TYPE_OID),
};

/* Casts to another type that keep every value; strings are looked at separately. */
static const uint64_t kept[KNOWN_COUNT] = {
    [TYPE_BOOLEAN] = NUMBERS,
    [TYPE_SMALLINT] = NUMBERS,
    [TYPE_INTEGER] = BIT(TYPE_BIGINT) | BIT(TYPE_DOUBLE) | BIT(TYPE_NUMERIC),
    [TYPE_BIGINT] = BIT(TYPE_NUMERIC),
    [TYPE_REAL] = BIT(TYPE_DOUBLE),
    [TYPE_MONEY] = BIT(TYPE_NUMERIC),
    [TYPE_DATE] = STAMPS,
    [TYPE_TIME] = BIT(TYPE_INTERVAL) | BIT(TYPE_TIMETZ),
    [TYPE_TIMESTAMP] = BIT(TYPE_TIMESTAMPTZ),
    [TYPE_JSONB] = BIT(TYPE_JSON),
    [TYPE_CIDR] = BIT(TYPE_INET),
    [TYPE_MACADDR] = BIT(TYPE_MACADDR8),
    [TYPE_BIT] = BIT(TYPE_VARBIT),
    [TYPE_OID] = BIT(TYPE_BIGINT) | BIT(TYPE_REGCLASS),
    [TYPE_REGCLASS] = BIT(TYPE_OID) | BIT(TYPE_BIGINT),
};

/* Decimal digits before the point that a whole number can have. */
static const int whole_digits[KNOWN_COUNT] = {
    [TYPE_BOOLEAN] = 1,
    [TYPE_SMALLINT] = 5,
    [TYPE_INTEGER] = 10,
    [TYPE_BIGINT] = 19,
};

/* The longest text of a value. */
static const int longest_text[KNOWN_COUNT] = {
    [TYPE_BOOLEAN] = 5,
    [TYPE_SMALLINT] = 6,
    [TYPE_INTEGER] = 11,
    [TYPE_BIGINT] = 20,
    [TYPE_CHAR] = 4,
    [TYPE_NAME] = 63,
    [TYPE_UUID] = 36,
    [TYPE_OID] = 10,
    [TYPE_MACADDR] = 17,
    [TYPE_MACADDR8] = 23,
};

enum { SECONDS_PRECISION = 6, NAME_LENGTH = 63 };

static bool
has(const uint64_t *table, enum known from, enum known to)
{
    return (table[from] & BIT(to)) != 0;
}

static bool
is_string(enum known type)
{
    return (STRINGS & BIT(type)) != 0;
}

/* KNOWN_COUNT for a type that the tables do not have. */
static enum known
known_of(const struct type *type)
{
    if (type->name && !type->schema) {
        if (text_starts_with(type->name, "interval "))
            return TYPE_INTERVAL;
        for (size_t i = 0; i < KNOWN_COUNT; i++)
            if (text_equal(known_names[i], type->name))
                return (enum known)i;
    }
    return KNOWN_COUNT;
}

/* No limit is -1, which is also what a precision of seconds that is the full one amounts to. */
static int
limit_of(enum known known, const struct type *type)
{
    if (type->modifier_count == 0)
        return -1;
    if ((BIT(known) & (STAMPS | BIT(TYPE_TIME) | BIT(TYPE_TIMETZ) | BIT(TYPE_INTERVAL))) &&
        type->modifiers[0] >= SECONDS_PRECISION)
        return -1;
    return type->modifiers[0];
}

static bool
same_modifiers(const struct type *from, const struct type *to)
{
    if (from->modifier_count != to->modifier_count ||
        !text_equal(from->modifier_text, to->modifier_text))
        return false;
    for (int i = 0; i < to->modifier_count; i++)
        if (from->modifiers[i] != to->modifiers[i])
            return false;
    return true;
}

/* How small the smallest field is that an interval keeps: 0 are seconds. */
static size_t
least_field(const struct type *type)
{
    static const char *const fields[] = { " second", " minute", " hour", " day", " month",
        " year" };

    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (text_ends_with(type->name, fields[i]))
            return i;
    return 0;
}

/* Whether every value of a type within one limit is within the other. */
static bool
is_wider(enum known known, const struct type *from, const struct type *to)
{
    int old_limit = limit_of(known, from);
    int new_limit = limit_of(known, to);

    if (known == TYPE_INTERVAL && least_field(from) > 0)
        return least_field(to) <= least_field(from);
    if (known == TYPE_INTERVAL && least_field(to) > 0)
        return false;
    if (known == TYPE_NUMERIC && to->modifier_count == 2)
        return from->modifier_count == 2 && to->modifiers[1] >= from->modifiers[1] &&
               to->modifiers[0] - to->modifiers[1] >= from->modifiers[0] - from->modifiers[1];
    return new_limit < 0 || (old_limit >= 0 && old_limit <= new_limit);
}

/* Whether the server sees that a change of limits alone needs no work; source: its own support
 * functions varchar_support, numeric_support, varbit_support, time_support, interval_support. */
static bool
is_free(enum known known, const struct type *from, const struct type *to)
{
    if (known == TYPE_CHARACTER || known == TYPE_BIT)
        return same_modifiers(from, to);
    if (known == TYPE_NUMERIC && to->modifier_count == 2 && from->modifier_count == 2 &&
        to->modifiers[1] != from->modifiers[1])
        return false;
    return is_wider(known, from, to);
}

static bool
is_rewrite(enum known known, enum known known_to, const struct type *from, const struct type *to)
{
    /* Of arrays the server sees only that nothing changes at all. */
    if (to->dimensions > 0)
        return known != known_to || (to->modifier_count > 0 && !same_modifiers(from, to));
    if (known != known_to)
        return !has(relabelled, known, known_to) || to->modifier_count > 0;
    return !is_free(known, from, to);
}

enum type_change
type_change(const struct type *from, const struct type *to)
{
    enum known known = known_of(from);
    enum known known_to = known_of(to);

    if (type_equal(from, to))
        return TYPE_CHANGE_NONE;
    if (!from->name || !to->name)
        return TYPE_CHANGE_UNKNOWN;
    if (text_equal(from->name, to->name) && text_equal(from->schema, to->schema) &&
        same_modifiers(from, to) && (from->dimensions > 0) == (to->dimensions > 0))
        return TYPE_CHANGE_NO_SCAN;
    if (known == KNOWN_COUNT || known_to == KNOWN_COUNT || from->modifier_text || to->modifier_text)
        return TYPE_CHANGE_UNKNOWN;
    if ((from->dimensions > 0) != (to->dimensions > 0))
        return TYPE_CHANGE_REWRITE;
    return is_rewrite(known, known_to, from, to) ? TYPE_CHANGE_REWRITE : TYPE_CHANGE_NO_SCAN;
}

/* A value of any type as text: cut by a limit, except where it can never be so long. */
static bool
is_lossy_string(
    enum known known, enum known known_to, const struct type *from, const struct type *to)
{
    int limit = known_to == TYPE_NAME ? NAME_LENGTH : limit_of(known_to, to);
    int length = longest_text[known];

    if (is_string(known) && known != TYPE_NAME)
        length = from->modifier_count > 0 ? from->modifiers[0] : 0;
    return limit >= 0 && (length == 0 || length > limit);
}

static bool
is_lossy_number(
    enum known known, const struct type *from, enum known known_to, const struct type *to)
{
    if (known_to == TYPE_NUMERIC && whole_digits[known] > 0 && to->modifier_count == 2)
        return to->modifiers[0] - to->modifiers[1] < whole_digits[known] || to->modifiers[1] < 0;
    /* A whole number with one digit less than the type can have always fits. */
    if (known == TYPE_NUMERIC && whole_digits[known_to] > 0)
        return from->modifier_count != 2 || from->modifiers[1] != 0 ||
               from->modifiers[0] >= whole_digits[known_to];
    return !has(kept, known, known_to);
}

bool
type_change_is_lossy(const struct type *from, const struct type *to)
{
    enum known known = known_of(from);
    enum known known_to = known_of(to);

    if (known == KNOWN_COUNT || known_to == KNOWN_COUNT)
        return false;
    if ((from->dimensions > 0) != (to->dimensions > 0))
        return !(is_string(known_to) && to->dimensions == 0 && limit_of(known_to, to) < 0);
    if (known == known_to && known == TYPE_BIT)
        return !same_modifiers(from, to);
    if (known == known_to)
        return !is_wider(known, from, to);
    if (is_string(known_to))
        return is_lossy_string(known, known_to, from, to);
    if (!has(kept, known, known_to) || (NUMBERS & BIT(known_to)))
        return is_lossy_number(known, from, known_to, to);
    /* What has fractions of seconds loses those beyond the new precision. */
    return known != TYPE_DATE && limit_of(known_to, to) >= 0 && !is_wider(known_to, from, to);
}

bool
type_change_needs_using(const struct type *from, const struct type *to)
{
    enum known known = known_of(from);
    enum known known_to = known_of(to);

    if (known == KNOWN_COUNT || known_to == KNOWN_COUNT)
        return false;
    if (to->dimensions == 0 && from->dimensions > 0)
        return !is_string(known_to);
    if (to->dimensions > 0 && from->dimensions == 0)
        return true;
    return known != known_to && !is_string(known_to) && !has(assigned, known, known_to);
}
