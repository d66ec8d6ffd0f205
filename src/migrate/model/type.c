#include "migrate/model/type.h"

#include "base/text.h"
#include "db/ident.h"

/* What an alias may be written as. Internal names also work in double quotes and in pg_catalog. */
enum spelling { SPELL_KEYWORD, SPELL_INTERNAL };

struct alias {
    const char *text;
    const char *name;
    enum spelling spelling;
};

/* Several words are one blank apart; the parser joins them. */
static const struct alias aliases[] = {
    { "bigint", "bigint", SPELL_KEYWORD },
    { "bigserial", "bigserial", SPELL_KEYWORD },
    { "bit", "bit", SPELL_INTERNAL },
    { "bit varying", "bit varying", SPELL_KEYWORD },
    { "bool", "boolean", SPELL_INTERNAL },
    { "boolean", "boolean", SPELL_KEYWORD },
    { "bpchar", "bpchar", SPELL_INTERNAL },
    { "char", "character", SPELL_KEYWORD },
    { "char varying", "character varying", SPELL_KEYWORD },
    { "character", "character", SPELL_KEYWORD },
    { "character varying", "character varying", SPELL_KEYWORD },
    { "dec", "numeric", SPELL_KEYWORD },
    { "decimal", "numeric", SPELL_KEYWORD },
    { "double precision", "double precision", SPELL_KEYWORD },
    { "float", "float", SPELL_KEYWORD },
    { "float4", "real", SPELL_INTERNAL },
    { "float8", "double precision", SPELL_INTERNAL },
    { "int", "integer", SPELL_KEYWORD },
    { "int2", "smallint", SPELL_INTERNAL },
    { "int4", "integer", SPELL_INTERNAL },
    { "int8", "bigint", SPELL_INTERNAL },
    { "integer", "integer", SPELL_KEYWORD },
    { "national char", "character", SPELL_KEYWORD },
    { "national char varying", "character varying", SPELL_KEYWORD },
    { "national character", "character", SPELL_KEYWORD },
    { "national character varying", "character varying", SPELL_KEYWORD },
    { "nchar", "character", SPELL_KEYWORD },
    { "nchar varying", "character varying", SPELL_KEYWORD },
    { "real", "real", SPELL_KEYWORD },
    { "serial", "serial", SPELL_KEYWORD },
    { "serial2", "smallserial", SPELL_KEYWORD },
    { "serial4", "serial", SPELL_KEYWORD },
    { "serial8", "bigserial", SPELL_KEYWORD },
    { "smallint", "smallint", SPELL_KEYWORD },
    { "smallserial", "smallserial", SPELL_KEYWORD },
    { "time", "time without time zone", SPELL_INTERNAL },
    { "timestamp", "timestamp without time zone", SPELL_INTERNAL },
    { "timestamptz", "timestamp with time zone", SPELL_INTERNAL },
    { "timetz", "time with time zone", SPELL_INTERNAL },
    { "varbit", "bit varying", SPELL_INTERNAL },
    { "varchar", "character varying", SPELL_INTERNAL },
};

/* Words that go on with a name, after the words that may stand before them. */
struct follower {
    const char *before;
    const char *word;
};

static const struct follower followers[] = {
    { "bit", "varying" },
    { "char", "varying" },
    { "character", "varying" },
    { "double", "precision" },
    { "national", "char" },
    { "national", "character" },
    { "national char", "varying" },
    { "national character", "varying" },
    { "nchar", "varying" },
};

static const char *const interval_fields[] = { "year to month", "day to hour", "day to minute",
    "day to second", "hour to minute", "hour to second", "minute to second", "year", "month", "day",
    "hour", "minute", "second" };

enum { SECONDS_PRECISION = 6, FLOAT4_BITS = 24, LONGEST_TYPE = 1000 };

/* Text being read; at is on the next character that is no blank. */
struct reader {
    struct arena *arena;
    const char *at;
};

static void
skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t\r\n\f\v");
}

static bool
is_name_byte(char byte, bool is_first)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
        (byte & 0x80))
        return true;
    return !is_first && ((byte >= '0' && byte <= '9') || byte == '$');
}

static size_t
word_length(const char *text)
{
    size_t length = 0;

    while (is_name_byte(text[length], length == 0))
        length++;
    return length;
}

static bool
take_char(struct reader *reader, char wanted)
{
    if (*reader->at != wanted)
        return false;
    reader->at++;
    skip_blanks(reader);
    return true;
}

/* The next word if it is this one, in any case. */
static bool
take_word(struct reader *reader, const char *word)
{
    size_t length = word_length(reader->at);

    if (length != strlen(word))
        return false;
    for (size_t i = 0; i < length; i++) {
        char byte = reader->at[i];

        if (((byte >= 'A' && byte <= 'Z') ? byte - 'A' + 'a' : byte) != word[i])
            return false;
    }
    reader->at += length;
    skip_blanks(reader);
    return true;
}

/* All words of a phrase or none. */
static bool
take_phrase(struct reader *reader, const char *phrase)
{
    struct reader start = *reader;
    const char *rest = phrase;

    while (*rest) {
        size_t length = strcspn(rest, " ");
        const char *word = arena_strndup(reader->arena, rest, length);

        if (!take_word(reader, word)) {
            *reader = start;
            return false;
        }
        rest += length + strspn(rest + length, " ");
    }
    return true;
}

static const char *
take_quoted(struct reader *reader)
{
    struct buffer name = { .arena = reader->arena };
    const char *at = reader->at + 1;

    for (; *at && (*at != '"' || at[1] == '"'); at++) {
        at += *at == '"';
        buffer_append(&name, at, 1);
    }
    if (!*at)
        return NULL;
    reader->at = at + 1;
    skip_blanks(reader);
    return name.length > 0 ? buffer_text(&name) : NULL;
}

/* One part of a name; NULL if there is none. */
static const char *
take_name(struct reader *reader, bool *ret_is_quoted)
{
    size_t length = word_length(reader->at);

    *ret_is_quoted = *reader->at == '"';
    if (*ret_is_quoted)
        return take_quoted(reader);
    if (length == 0)
        return NULL;

    char *name = arena_strndup(reader->arena, reader->at, length);

    for (char *byte = name; *byte; byte++)
        *byte = (char)(*byte >= 'A' && *byte <= 'Z' ? *byte - 'A' + 'a' : *byte);
    reader->at += length;
    skip_blanks(reader);
    return name;
}

static const char *
take_followers(struct reader *reader, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(followers); i++)
        if (text_equal(name, followers[i].before) && take_word(reader, followers[i].word))
            name = arena_printf(reader->arena, "%s %s", name, followers[i].word);
    return name;
}

/* Numbers in parentheses; what is no number stays text. */
static bool
take_modifiers(struct reader *reader, struct type *type)
{
    const char *start = reader->at;
    size_t depth = 0;

    if (*start != '(')
        return true;
    do {
        depth += *reader->at == '(';
        depth -= *reader->at == ')';
        if (*reader->at)
            reader->at++;
    } while (depth > 0 && *reader->at);
    if (depth > 0)
        return false;

    const char *text = arena_strndup(reader->arena, start + 1, (size_t)(reader->at - start - 2));
    char *end = NULL;

    skip_blanks(reader);
    for (const char *at = text;; at = end + 1) {
        long number = strtol(at, &end, 10);

        end += strspn(end, " \t\r\n");
        if (end == at || (*end && *end != ',') || type->modifier_count == 2 || number > INT32_MAX ||
            number < INT32_MIN) {
            type->modifier_count = 0;
            type->modifier_text = text;
            return true;
        }
        type->modifiers[type->modifier_count++] = (int32_t)number;
        if (!*end)
            return true;
    }
}

static bool
is_seconds(const char *name)
{
    return text_starts_with(name, "time ") || text_starts_with(name, "timestamp ") ||
           text_starts_with(name, "interval");
}

/* "with time zone" and "without time zone" stand behind the precision. */
static void
take_zone(struct reader *reader, struct type *type)
{
    bool is_stamp = text_equal(type->name, "timestamp without time zone");

    if (!is_stamp && !text_equal(type->name, "time without time zone"))
        return;
    if (take_phrase(reader, "with time zone"))
        type->name = is_stamp ? "timestamp with time zone" : "time with time zone";
    else
        take_phrase(reader, "without time zone");
}

static void
take_interval_fields(struct reader *reader, struct type *type)
{
    for (size_t i = 0; i < COUNT_OF(interval_fields); i++)
        if (take_phrase(reader, interval_fields[i])) {
            type->name = arena_printf(reader->arena, "interval %s", interval_fields[i]);
            return;
        }
}

/* What the grammar adds to a modifier that is not there, and what it takes for too large. */
static void
complete_modifiers(struct type *type)
{
    if (text_equal(type->name, "float")) {
        bool is_real = type->modifier_count == 1 && type->modifiers[0] <= FLOAT4_BITS;

        type->name = is_real ? "real" : "double precision";
        type->modifier_count = 0;
    } else if (text_equal(type->name, "numeric") && type->modifier_count == 1) {
        type->modifiers[type->modifier_count++] = 0;
    } else if ((text_equal(type->name, "character") || text_equal(type->name, "bit")) &&
               type->modifier_count == 0) {
        type->modifiers[type->modifier_count++] = 1;
    } else if (text_equal(type->name, "bpchar") && type->modifier_count == 1) {
        type->name = "character";
    }
    if (is_seconds(type->name) && type->modifier_count == 1 &&
        type->modifiers[0] > SECONDS_PRECISION)
        type->modifiers[0] = SECONDS_PRECISION;
}

static bool
take_dimensions(struct reader *reader, struct type *type)
{
    if (take_word(reader, "array")) {
        type->dimensions = 1;
        if (*reader->at != '[')
            return true;
        type->dimensions = 0;
    }
    while (take_char(reader, '[')) {
        reader->at += strspn(reader->at, "0123456789");
        skip_blanks(reader);
        if (!take_char(reader, ']'))
            return false;
        type->dimensions++;
    }
    return true;
}

static bool
take_collation(struct reader *reader, struct type *type)
{
    bool is_quoted;

    if (!take_word(reader, "collate"))
        return true;
    do
        type->collation = take_name(reader, &is_quoted);
    while (type->collation && take_char(reader, '.'));
    return type->collation != NULL;
}

/* The name that format_type() has for the one that was written, and whether it is the grammar's. */
static bool
resolve(struct type *type, const char *name, bool is_quoted)
{
    type->name = name;
    for (size_t i = 0; i < COUNT_OF(aliases); i++) {
        if (!text_equal(aliases[i].text, name))
            continue;
        if (aliases[i].spelling == SPELL_KEYWORD && (is_quoted || type->schema))
            return false;
        if (type->schema && !text_equal(type->schema, "pg_catalog"))
            return false;
        type->name = aliases[i].name;
        return true;
    }
    return false;
}

/* "char" and "integer" in quotes are other types, which format_type() writes with their quotes. */
static bool
is_like_keyword(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        if (aliases[i].spelling == SPELL_KEYWORD && text_equal(aliases[i].text, name))
            return true;
    return false;
}

static bool
take_type(struct reader *reader, struct type *type)
{
    bool is_quoted = false;
    const char *name = take_name(reader, &is_quoted);

    while (name && take_char(reader, '.')) {
        type->schema = name;
        name = take_name(reader, &is_quoted);
    }
    if (!name)
        return false;
    if (!is_quoted && !type->schema)
        name = take_followers(reader, name);

    bool is_grammar = resolve(type, name, is_quoted);

    if (text_equal(type->schema, "pg_catalog"))
        type->schema = NULL;
    if (!is_grammar && is_quoted && is_like_keyword(name))
        type->name = arena_printf(reader->arena, "\"%s\"", name);
    if (!is_quoted && text_equal(type->name, "interval"))
        take_interval_fields(reader, type);
    if (!take_modifiers(reader, type))
        return false;
    if (is_grammar && !is_quoted)
        take_zone(reader, type);
    complete_modifiers(type);
    return take_dimensions(reader, type) && take_collation(reader, type) && !*reader->at;
}

struct type
type_parse(struct arena *arena, const char *sql)
{
    struct reader reader = { .arena = arena, .at = sql ? sql : "" };
    struct type type = { 0 };

    skip_blanks(&reader);
    if (strnlen(reader.at, LONGEST_TYPE) < LONGEST_TYPE && take_type(&reader, &type))
        return type;
    return (struct type){ .unknown = "the text is not a type name" };
}

/* Where the modifiers go: "timestamp(3) with time zone". */
static size_t
modifier_place(const char *name)
{
    bool has_zone = text_starts_with(name, "time ") || text_starts_with(name, "timestamp ");

    return has_zone ? strcspn(name, " ") : strlen(name);
}

static const char *
name_text(struct arena *arena, const struct type *type)
{
    bool is_plain = type->name[0] == '"' || text_equal(type->name, "json") ||
                    text_equal(type->name, "interval") || text_starts_with(type->name, "interval ");
    const char *name;

    for (size_t i = 0; !is_plain && i < COUNT_OF(aliases); i++)
        is_plain = text_equal(aliases[i].name, type->name);
    name = is_plain ? type->name : db_ident(arena, type->name);
    if (!type->schema)
        return name;
    return arena_printf(arena, "%s.%s", db_ident(arena, type->schema), name);
}

const char *
type_text(struct arena *arena, const struct type *type)
{
    struct buffer buffer = { .arena = arena };

    if (!type->name)
        return "unknown type";

    const char *name = name_text(arena, type);
    size_t place = modifier_place(name);

    buffer_append(&buffer, name, place);
    if (type->modifier_text)
        buffer_printf(&buffer, "(%s)", type->modifier_text);
    else if (type->modifier_count == 1)
        buffer_printf(&buffer, "(%d)", (int)type->modifiers[0]);
    else if (type->modifier_count == 2)
        buffer_printf(&buffer, "(%d,%d)", (int)type->modifiers[0], (int)type->modifiers[1]);
    buffer_add(&buffer, name + place);
    if (type->dimensions > 0)
        buffer_add(&buffer, "[]");
    return buffer_text(&buffer);
}

bool
type_equal(const struct type *a, const struct type *b)
{
    if (!a->name || !text_equal(a->name, b->name) || !text_equal(a->schema, b->schema) ||
        !text_equal(a->modifier_text, b->modifier_text) ||
        !text_equal(a->collation, b->collation) || (a->dimensions > 0) != (b->dimensions > 0) ||
        a->modifier_count != b->modifier_count)
        return false;
    for (int i = 0; i < a->modifier_count; i++)
        if (a->modifiers[i] != b->modifiers[i])
            return false;
    return true;
}
