/* Names, types and pieces of text of the statement that is being lowered. */
#include <ctype.h>

#include "base/text.h"
#include "migrate/sql/sql_lower.h"

enum { LONGEST_VERB = 4 };

const char *
lower_name(struct lower *lower, const char *name)
{
    if (!name)
        return NULL;
    if (strstr(name, HOLE_NAME)) {
        lower->has_hole = true;
        return NULL;
    }
    return arena_strdup(lower->ctx->arena, name);
}

struct object_name
lower_relation(struct lower *lower, const json_t *range_var)
{
    const json_t *inner = json_object_get(range_var, "RangeVar");
    const json_t *relation = inner ? inner : range_var;
    const char *schema = tree_text(relation, "schemaname");

    return (struct object_name){
        .schema = schema ? lower_name(lower, schema) : lower->schema,
        .name = lower_name(lower, tree_text(relation, "relname")),
    };
}

/* The last is the name, the one before it the schema. */
struct object_name
lower_names(struct lower *lower, const json_t *strings)
{
    size_t count = json_array_size(strings);
    struct object_name ret = { .schema = lower->schema };

    if (count > 1)
        ret.schema = lower_name(lower, tree_string(json_array_get(strings, count - 2)));
    if (count > 0)
        ret.name = lower_name(lower, tree_string(json_array_get(strings, count - 1)));
    return ret;
}

const char *
lower_dotted(struct arena *arena, struct object_name name)
{
    if (!name.name || !name.schema)
        return name.name;
    return arena_printf(arena, "%s.%s", name.schema, name.name);
}

void
lower_name_list(struct lower *lower, const json_t *strings, struct text_list *ret)
{
    size_t i;
    json_t *item;

    json_array_foreach(strings, i, item)
    {
        const char *name = lower_name(lower, tree_string(item));

        if (name)
            text_list_add(lower->ctx->arena, ret, name);
    }
}

/* What the grammar makes of INTERVAL's fields; source: INTERVAL_MASK() in the server. */
static const struct {
    int64_t mask;
    const char *text;
} interval_masks[] = { { 4, "year" }, { 2, "month" }, { 8, "day" }, { 1024, "hour" },
    { 2048, "minute" }, { 4096, "second" }, { 6, "year to month" }, { 1032, "day to hour" },
    { 3080, "day to minute" }, { 7176, "day to second" }, { 3072, "hour to minute" },
    { 7168, "hour to second" }, { 6144, "minute to second" } };

static bool
number_of(const json_t *constant, int64_t *ret)
{
    const json_t *inner = json_object_get(constant, "A_Const");
    const json_t *number = json_object_get(inner, "ival");

    if (!number) /* before the grammar of 15 */
        number = json_object_get(json_object_get(inner, "val"), "Integer");
    *ret = tree_int(number, "ival"); /* 0 is left out */
    return number != NULL;
}

static void
add_interval(struct buffer *text, const json_t *modifiers)
{
    int64_t mask = 0;
    int64_t precision;

    number_of(json_array_get(modifiers, 0), &mask);
    buffer_add(text, "interval");
    for (size_t i = 0; i < COUNT_OF(interval_masks); i++)
        if (interval_masks[i].mask == mask)
            buffer_printf(text, " %s", interval_masks[i].text);
    if (number_of(json_array_get(modifiers, 1), &precision))
        buffer_printf(text, "(%d)", (int)precision);
}

/* Modifiers that are no numbers are taken from the text: geometry(Point, 4326). */
static void
add_modifiers(struct lower *lower, struct buffer *text, const json_t *type_name)
{
    const json_t *modifiers = json_object_get(type_name, "typmods");
    struct buffer numbers = { .arena = lower->ctx->arena };
    const char *between = "";
    size_t i;
    json_t *item;

    json_array_foreach(modifiers, i, item)
    {
        int64_t number;

        if (!number_of(item, &number)) {
            const char *written =
                lower_parenthesized(lower, (size_t)tree_int(type_name, "location"));

            buffer_printf(text, "(%s)", written ? written : "");
            return;
        }
        buffer_printf(&numbers, "%s%d", between, (int)number);
        between = ",";
    }
    if (i > 0)
        buffer_printf(text, "(%s)", buffer_text(&numbers));
}

static void
add_quoted(struct buffer *text, const char *name)
{
    buffer_add(text, "\"");
    for (; *name; name++)
        buffer_append(text, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1);
    buffer_add(text, "\"");
}

static bool
is_serial(const char *name)
{
    return strcmp(name, "serial") == 0 || strcmp(name, "bigserial") == 0 ||
           strcmp(name, "smallserial") == 0 || strcmp(name, "serial2") == 0 ||
           strcmp(name, "serial4") == 0 || strcmp(name, "serial8") == 0;
}

/* The grammar's own types are in pg_catalog; what else there is was written as a name. */
static void
add_type_name(struct lower *lower, struct buffer *text, const json_t *type_name)
{
    const json_t *names = json_object_get(type_name, "names");
    struct object_name name = lower_names(lower, names);
    bool is_own = text_equal(name.schema, "pg_catalog");

    if (!name.name)
        return;
    if (is_own && strcmp(name.name, "interval") == 0) {
        add_interval(text, json_object_get(type_name, "typmods"));
        return;
    }
    if (json_array_size(names) == 1 && is_serial(name.name)) {
        buffer_add(text, name.name);
    } else {
        if (json_array_size(names) > 1 && name.schema) {
            add_quoted(text, name.schema);
            buffer_add(text, ".");
        }
        add_quoted(text, name.name);
    }
    add_modifiers(lower, text, type_name);
}

struct type
lower_type(struct lower *lower, const json_t *type_name)
{
    struct buffer text = { .arena = lower->ctx->arena };
    size_t dimensions = json_array_size(json_object_get(type_name, "arrayBounds"));
    bool had_hole = lower->has_hole;
    struct type type;

    lower->has_hole = false;
    add_type_name(lower, &text, type_name);
    for (size_t i = 0; i < dimensions; i++)
        buffer_add(&text, "[]");
    type = type_parse(lower->ctx->arena, buffer_text(&text));
    if (lower->has_hole)
        type = (struct type){ .unknown = "part of the text is not known" };
    lower->has_hole |= had_hole;
    return type;
}

const struct lexeme *
lower_lexemes(struct lower *lower)
{
    struct lexer lexer = { .text = lower->text };

    while (
        lower->lexemes.count == 0 || lower->lexemes.items[lower->lexemes.count - 1].kind != LEX_END)
        VEC_PUSH(lower->ctx->arena, &lower->lexemes, lex_next(&lexer));
    return lower->lexemes.items;
}

size_t
lower_at(struct lower *lower, size_t offset)
{
    const struct lexeme *lexemes = lower_lexemes(lower);
    size_t low = 0;
    size_t high = lower->lexemes.count - 1;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (lexemes[middle].start < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool
lower_find_word(
    struct lower *lower, size_t from, uint32_t depth, const char *word, size_t *ret_index)
{
    const struct lexeme *lexemes = lower_lexemes(lower);

    for (size_t i = from; lexemes[i].kind != LEX_END && lexemes[i].depth >= depth; i++)
        if (lexemes[i].depth == depth && lex_is_word(lower->text, &lexemes[i], word)) {
            *ret_index = i;
            return true;
        }
    return false;
}

size_t
lower_clause_end(struct lower *lower, size_t from)
{
    const struct lexeme *lexemes = lower_lexemes(lower);
    uint32_t depth = lexemes[from].depth;
    size_t i = from;

    while (lexemes[i].kind != LEX_END && lexemes[i].depth >= depth &&
           !(lexemes[i].depth == depth && (lex_is_sign(lower->text, &lexemes[i], ',') ||
                                              lex_is_sign(lower->text, &lexemes[i], ';'))))
        i++;
    return lexemes[i].start;
}

const char *
lower_slice(struct lower *lower, size_t start, size_t end)
{
    return text_shown(lower->ctx->arena, lower->text, start, end);
}

const char *
lower_parenthesized(struct lower *lower, size_t offset)
{
    const struct lexeme *lexemes = lower_lexemes(lower);
    size_t open = lower_at(lower, offset);
    size_t close;

    while (lexemes[open].kind != LEX_END && !lex_is_sign(lower->text, &lexemes[open], '('))
        open++;
    if (lexemes[open].kind == LEX_END)
        return NULL;
    for (close = open + 1;
         lexemes[close].kind != LEX_END && lexemes[close].depth > lexemes[open].depth;)
        close++;
    return lower_slice(lower, lexemes[open].end, lexemes[close].start);
}

/* Statements that one word does not name, and words that say nothing without the next. */
static const char *const two_words[] = { "alter", "create", "discard", "drop", "import", "reassign",
    "reindex", "reset", "rollback", "security", "set" };
static const char *const halves[] = { "access", "data", "default", "event", "foreign", "large",
    "materialized", "operator", "procedural", "search", "text", "trusted", "user" };
static const char *const fillers[] = { "or", "replace", "if", "not", "exists" };

static bool
is_among(const char *text, const struct lexeme *lexeme, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (lex_is_word(text, lexeme, words[i]))
            return true;
    return false;
}

static void
add_upper(struct buffer *buffer, const char *text, const struct lexeme *lexeme)
{
    for (size_t at = lexeme->start; at < lexeme->end; at++) {
        char byte = (char)toupper((unsigned char)text[at]);

        buffer_append(buffer, &byte, 1);
    }
}

const char *
lower_verb(struct lower *lower)
{
    struct buffer verb = { .arena = lower->ctx->arena };
    struct lexer lexer = { .text = lower->text };
    struct lexeme lexeme = lex_next(&lexer);
    size_t wanted = is_among(lower->text, &lexeme, two_words, COUNT_OF(two_words)) ? 2 : 1;

    for (size_t words = 0; lexeme.kind == LEX_WORD && words < wanted; lexeme = lex_next(&lexer)) {
        if (is_among(lower->text, &lexeme, fillers, COUNT_OF(fillers)))
            continue;
        wanted += wanted < LONGEST_VERB && is_among(lower->text, &lexeme, halves, COUNT_OF(halves));
        buffer_add(&verb, words++ > 0 ? " " : "");
        add_upper(&verb, lower->text, &lexeme);
    }
    return buffer_text(&verb);
}
