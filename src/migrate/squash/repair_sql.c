/* SQL text made to do nothing where there is nothing to do, with a few words put in. */
#include <string.h>
#include <strings.h>

#include "db/ident.h"
#include "migrate/squash/repair.h"

/* The words of SQL text; what stands in quotes is one word, every other sign is one too. */
struct word {
    const char *text;
    size_t length;
};

enum { WORDS_MAX = 4000 };

struct words {
    const char *text;
    const char *end;
    struct word items[WORDS_MAX];
    size_t count;
};

static bool
is_word_sign(char sign)
{
    return (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z') ||
           (sign >= '0' && sign <= '9') || sign == '_' || sign == '$' ||
           (unsigned char)sign >= 0x80;
}

static const char *
skip_comment(const char *at, const char *end)
{
    if (end - at >= 2 && at[0] == '-' && at[1] == '-')
        while (at < end && *at != '\n')
            at++;
    else if (end - at >= 2 && at[0] == '/' && at[1] == '*') {
        for (at += 2; at < end && !(at[-1] == '*' && at[0] == '/'); at++)
            ;
        at += at < end;
    }
    return at;
}

static const char *
word_end(const char *at, const char *end)
{
    const char *start = at;

    if (*at == '"' || *at == '\'') {
        for (at++; at < end && *at != *start; at++)
            ;
        return at < end ? at + 1 : end;
    }
    while (at < end && is_word_sign(*at))
        at++;
    return at > start ? at : at + 1;
}

static void
split(const char *text, size_t length, struct words *ret)
{
    const char *at = text, *end = text + length;

    *ret = (struct words){ .text = text, .end = end };
    while (at < end && ret->count < WORDS_MAX) {
        const char *next = skip_comment(at, end);

        if (next > at || strchr(" \t\r\n", *at)) {
            at = next > at ? next : at + 1;
            continue;
        }
        next = word_end(at, end);
        ret->items[ret->count++] = (struct word){ .text = at, .length = (size_t)(next - at) };
        at = next;
    }
}

static bool
word_is(const struct words *words, size_t at, const char *text)
{
    return at < words->count && words->items[at].length == strlen(text) &&
           strncasecmp(words->items[at].text, text, words->items[at].length) == 0;
}

static bool
word_is_one_of(const struct words *words, size_t at, const char *const *texts)
{
    for (; *texts; texts++)
        if (word_is(words, at, *texts))
            return true;
    return false;
}

/* Whether the word is this name, quoted or not. */
static bool
word_is_name(const struct words *words, size_t at, const char *name)
{
    const struct word *word = &words->items[at];
    size_t quotes = word->length >= 2 && (word->text[0] == '"' || word->text[0] == '\'');
    size_t length = word->length - 2 * quotes;

    return length == strlen(name) && strncasecmp(word->text + quotes, name, length) == 0;
}

/* The name may stand behind others: DROP TABLE a, b; or behind its schema. */
static bool
is_named(const struct words *words, size_t at, const char *name)
{
    if (!name)
        return true;
    for (; at < words->count && !word_is(words, at, ";") && !word_is(words, at, "("); at++)
        if (word_is_name(words, at, name))
            return true;
    return false;
}

static const char *
end_of(const struct words *words, size_t at)
{
    return words->items[at].text + words->items[at].length;
}

/* A place in the text, and what to put there. */
struct insert {
    const char *at;
    const char *text;
};

/* CREATE …, from the word behind CREATE on. */
static struct insert
insert_of_create(const struct words *words, size_t create, const char *name)
{
    static const char *const adjectives[] = { "global", "local", "temp", "temporary", "unlogged",
        "unique", "recursive", "materialized", "trusted", "foreign", NULL };
    static const char *const takes_if[] = { "table", "index", "sequence", "schema", "extension",
        "server", NULL };
    static const char *const takes_replace[] = { "function", "procedure", "trigger", "view",
        "aggregate", "rule", NULL };
    size_t at = create + 1;
    bool is_materialized = false;

    for (; word_is_one_of(words, at, adjectives); at++)
        is_materialized |= word_is(words, at, "materialized");
    if (word_is(words, at, "index") && word_is(words, at + 1, "concurrently"))
        at++;
    if (at + 1 >= words->count || word_is(words, at + 1, "if") || !is_named(words, at + 1, name))
        return (struct insert){ 0 };
    if (word_is_one_of(words, at, takes_if) || word_is(words, at, "concurrently") ||
        (is_materialized && word_is(words, at, "view")))
        return (struct insert){ end_of(words, at), " IF NOT EXISTS" };
    if (word_is_one_of(words, at, takes_replace))
        return (struct insert){ end_of(words, create), " OR REPLACE" };
    return (struct insert){ 0 };
}

static struct insert
insert_if_there(const struct words *words, size_t at, const char *name)
{
    if (word_is(words, at, "create"))
        return insert_of_create(words, at, name);
    if (word_is(words, at, "add") &&
        (word_is(words, at + 1, "column") || word_is(words, at + 1, "value")) &&
        !word_is(words, at + 2, "if") && is_named(words, at + 2, name))
        return (struct insert){ end_of(words, at + 1), " IF NOT EXISTS" };
    return (struct insert){ 0 };
}

static struct insert
insert_if_missing(const struct words *words, size_t at, const char *name)
{
    static const char *const things[] = { "table", "index", "view", "sequence", "type", "domain",
        "function", "procedure", "trigger", "policy", "schema", "extension", "column", "constraint",
        "rule", "role", "aggregate", "statistics", "collation", NULL };

    if (!word_is(words, at, "drop"))
        return (struct insert){ 0 };
    at += 1 + word_is(words, at + 1, "materialized");
    if (!word_is_one_of(words, at, things))
        return (struct insert){ 0 };
    at += word_is(words, at, "index") && word_is(words, at + 1, "concurrently");
    if (word_is(words, at + 1, "if") || !is_named(words, at + 1, name))
        return (struct insert){ 0 };
    return (struct insert){ end_of(words, at), " IF EXISTS" };
}

/* ALTER TABLE t DROP …, where t itself is missing. */
static struct insert
insert_if_table_missing(const struct words *words, size_t at, const char *name)
{
    size_t table = at + 1 + (word_is(words, at + 1, "only") ? 1 : 0);
    size_t end = at;
    bool has_drop = false;

    if (!word_is(words, at, "alter") || !word_is(words, at + 1, "table") ||
        word_is(words, at + 2, "if") || !name)
        return (struct insert){ 0 };
    for (end = table; end < words->count && !word_is(words, end, ";"); end++)
        has_drop |= word_is(words, end, "drop");
    for (size_t i = table + 1; has_drop && i < end && i < table + 5; i++)
        if (word_is_name(words, i, name))
            return (struct insert){ end_of(words, at + 1), " IF EXISTS" };
    return (struct insert){ 0 };
}

bool
repair_sql(const char *text, size_t length, bool is_there, const char *name, size_t *ret_at,
    const char **ret_insert)
{
    struct words words;

    split(text, length, &words);
    for (size_t i = 0; i < words.count; i++) {
        struct insert insert =
            is_there ? insert_if_there(&words, i, name) : insert_if_missing(&words, i, name);

        if (!insert.at && !is_there)
            insert = insert_if_table_missing(&words, i, name);
        if (!insert.at)
            continue;
        *ret_at = (size_t)(insert.at - text);
        *ret_insert = insert.text;
        return true;
    }
    return false;
}

/* The name at a word, without quotes and schema. */
static const char *
name_at(struct arena *arena, const struct words *words, size_t at)
{
    if (at + 2 < words->count && word_is(words, at + 1, "."))
        at += 2;
    if (at >= words->count)
        return "";

    const struct word *word = &words->items[at];
    size_t quotes = word->length >= 2 && word->text[0] == '"';
    char *name = arena_strndup(arena, word->text + quotes, word->length - 2 * quotes);

    for (char *sign = name; !quotes && *sign; sign++)
        if (*sign >= 'A' && *sign <= 'Z')
            *sign = (char)(*sign - 'A' + 'a');
    return name;
}

const char *
repair_sql_query(struct arena *arena, const char *text, size_t length, const char *name)
{
    struct words words;
    size_t statements = 1;

    split(text, length, &words);
    for (size_t i = 0; i + 1 < words.count; i++)
        statements += word_is(&words, i, ";");
    if (statements != 1 || words.count < 3)
        return NULL;
    if (word_is(&words, 0, "create") &&
        (word_is(&words, 1, "type") || word_is(&words, 1, "domain")))
        return arena_printf(arena, "SELECT 1 FROM pg_type WHERE typname = %s",
            db_literal(arena, name_at(arena, &words, 2)));
    if (word_is(&words, 0, "create") && word_is(&words, 1, "policy"))
        return arena_printf(arena, "SELECT 1 FROM pg_policies WHERE policyname = %s",
            db_literal(arena, name_at(arena, &words, 2)));
    if (word_is(&words, 0, "create") && (word_is(&words, 1, "role") || word_is(&words, 1, "user")))
        return arena_printf(arena, "SELECT 1 FROM pg_roles WHERE rolname = %s",
            db_literal(arena, name_at(arena, &words, 2)));
    for (size_t i = 2; name && i + 2 < words.count; i++)
        if (word_is(&words, i, "add") && word_is(&words, i + 1, "constraint") &&
            word_is_name(&words, i + 2, name))
            return arena_printf(
                arena, "SELECT 1 FROM pg_constraint WHERE conname = %s", db_literal(arena, name));
    return NULL;
}
