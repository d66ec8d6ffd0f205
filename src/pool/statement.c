#include "pool/statement.h"

#include <ctype.h>
#include <strings.h>

#include "base/vec.h"
#include "lang/sql.h"

/* Words of a statement in lower case; anything else stands as it is. */
struct words {
    const char **items;
    size_t count;
    size_t capacity;
};

static bool
read_words(struct ctx *ctx, const char *text, struct words *ret)
{
    struct sql_tokens tokens = { 0 };

    if (!sql_tokens(ctx, text, &tokens)) {
        error_clear(ctx);
        return false;
    }
    for (size_t i = 0; i < tokens.count; i++) {
        const struct sql_token *token = &tokens.items[i];
        char *word;

        if (token->kind == SQL_COMMENT)
            continue;
        word = arena_strndup(ctx->arena, text + token->start, token->end - token->start);
        if (token->kind == SQL_NAME || token->kind == SQL_KEYWORD)
            for (char *c = word; *c; c++)
                *c = (char)tolower((unsigned char)*c);
        VEC_PUSH(ctx->arena, ret, word);
    }
    return ret->count > 0;
}

static const char *
word_at(const struct words *words, size_t at)
{
    return at < words->count ? words->items[at] : "";
}

static bool
is_at(const struct words *words, size_t at, const char *word)
{
    return text_equal(word_at(words, at), word);
}

/* Whether these words stand somewhere, one after the other. */
static bool
has(const struct words *words, const char *first, const char *second)
{
    for (size_t i = 0; i < words->count; i++)
        if (is_at(words, i, first) && is_at(words, i + 1, second))
            return true;
    return false;
}

/* A call of a function that is not qualified by pg_catalog; where its arguments begin, or 0. */
static size_t
find_call(const struct words *words, const char *name)
{
    for (size_t i = 0; i + 1 < words->count; i++)
        if (is_at(words, i, name) && is_at(words, i + 1, "(") &&
            !(i > 1 && is_at(words, i - 1, ".") && is_at(words, i - 2, "pg_catalog")))
            return i + 2;
    return 0;
}

/* Those that PgBouncer itself carries from session to session, so that they do no harm. */
static bool
is_carried(const char *name)
{
    static const char *const names[] = { "client_encoding", "names", "datestyle", "timezone",
        "time", "standard_conforming_strings", "application_name" };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (text_equal(name, names[i]))
            return true;
    return false;
}

static enum statement_habit
habit_of_set(const struct words *words)
{
    size_t at = is_at(words, 1, "session") && !is_at(words, 2, "authorization") ? 2 : 1;
    const char *name = word_at(words, at);

    if (text_equal(name, "local") || text_equal(name, "transaction") ||
        text_equal(name, "constraints") || is_carried(name))
        return HABIT_NONE;
    if (text_equal(name, "search_path") || text_equal(name, "schema"))
        return HABIT_SEARCH_PATH;
    if (text_equal(name, "role") || (at == 1 && text_equal(name, "session")))
        return HABIT_ROLE;
    return HABIT_SET;
}

/* set_config(name, value, is_local): only "true" as written is certain to be harmless. */
static enum statement_habit
habit_of_set_config(const struct words *words, size_t at)
{
    size_t depth = 0;
    size_t argument = 1;
    bool is_path = strcasestr(word_at(words, at), "search_path") != NULL;

    for (; at < words->count; at++) {
        if (is_at(words, at, "("))
            depth++;
        else if (is_at(words, at, ")") && depth-- == 0)
            break;
        else if (is_at(words, at, ",") && depth == 0)
            argument++;
        else if (argument == 3 && (is_at(words, at, "true") || is_at(words, at, "'true'")))
            return HABIT_NONE;
        else if (argument == 3 && is_at(words, at, "false"))
            return is_path ? HABIT_SEARCH_PATH : HABIT_SET;
    }
    return HABIT_SET_CONFIG;
}

static enum statement_habit
habit_of_temporary(const struct words *words)
{
    static const char *const kinds[] = { "temp", "temporary" };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        bool is_made = is_at(words, 0, "create") &&
                       (is_at(words, 1, kinds[i]) ||
                           (is_at(words, 2, kinds[i]) &&
                               (is_at(words, 1, "local") || is_at(words, 1, "global"))));

        if ((is_made && !(has(words, "on", "commit") && has(words, "commit", "drop"))) ||
            has(words, "into", kinds[i]))
            return HABIT_TEMPORARY;
    }
    return HABIT_NONE;
}

static enum statement_habit
habit_of_call(const struct words *words)
{
    static const char *const locks[] = { "pg_advisory_lock", "pg_advisory_lock_shared",
        "pg_try_advisory_lock", "pg_try_advisory_lock_shared" };
    size_t at = find_call(words, "set_config");

    for (size_t i = 0; i < COUNT_OF(locks); i++)
        if (find_call(words, locks[i]))
            return HABIT_ADVISORY;
    if (find_call(words, "currval") || find_call(words, "lastval"))
        return HABIT_SEQUENCE;
    return at ? habit_of_set_config(words, at) : HABIT_NONE;
}

static enum statement_habit
habit_by_first_word(const struct words *words)
{
    const char *first = word_at(words, 0);

    if ((text_equal(first, "prepare") && !is_at(words, 1, "transaction")) ||
        text_equal(first, "execute") || text_equal(first, "deallocate"))
        return HABIT_SQL_PREPARE;
    if (text_equal(first, "set"))
        return habit_of_set(words);
    if (text_equal(first, "listen"))
        return HABIT_LISTEN;
    if (text_equal(first, "load"))
        return HABIT_LOAD;
    if (text_equal(first, "declare") && has(words, "with", "hold"))
        return HABIT_HOLD;
    return HABIT_NONE;
}

/* asyncpg, which prepares everything, gives sessions back and asks for types with statements of its own. */
static bool
is_of_asyncpg(const char *text)
{
    return strstr(text, "typeinfo_tree") || strstr(text, "pg_advisory_unlock_all()");
}

enum statement_habit
statement_habit(struct ctx *ctx, const char *text)
{
    struct words words = { 0 };
    enum statement_habit habit;

    if (is_of_asyncpg(text))
        return HABIT_PROTOCOL_PREPARE;
    if (!read_words(ctx, text, &words))
        return HABIT_NONE;
    habit = habit_by_first_word(&words);
    if (habit == HABIT_NONE && !text_equal(words.items[0], "set"))
        habit = habit_of_temporary(&words);
    if (habit == HABIT_NONE && !text_equal(words.items[0], "set"))
        habit = habit_of_call(&words);
    return habit;
}
