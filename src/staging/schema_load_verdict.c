#include "staging/schema_load_verdict.h"

#include "base/text.h"
#include "lang/sql.h"

enum { WORDS_MOST = 8 };

/* A statement as words in lower case without comments; quoted names as they are. */
struct words {
    struct arena *arena;
    const char *sql;
    struct sql_tokens tokens;
    const char **items;
    size_t count;
};

static const char *
word(const struct words *words, size_t i)
{
    return i < words->count ? words->items[i] : "";
}

static bool
read_words(struct ctx *ctx, const char *sql, struct words *ret)
{
    *ret = (struct words){ .arena = ctx->arena, .sql = sql };
    if (!sql_tokens(ctx, sql, &ret->tokens))
        return false;
    ret->items = ARENA_ARRAY(ctx->arena, const char *, ret->tokens.count + 1);
    for (size_t i = 0; i < ret->tokens.count; i++) {
        const struct sql_token *token = &ret->tokens.items[i];
        char *text = arena_strndup(ctx->arena, sql + token->start, token->end - token->start);

        if (token->kind == SQL_COMMENT)
            continue;
        for (char *c = text;
             (token->kind == SQL_KEYWORD || token->kind == SQL_NAME) && *text != '"' && *c; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c - 'A' + 'a');
        ret->tokens.items[ret->count] = *token;
        ret->items[ret->count++] = text;
    }
    return true;
}

/* Whether the words from a position on are these, with one blank between. */
static bool
says(const struct words *words, size_t at, const char *wanted)
{
    while (*wanted) {
        size_t length = strcspn(wanted, " ");
        const char *here = word(words, at++);

        if (strlen(here) != length || strncmp(here, wanted, length) != 0)
            return false;
        wanted += length + (wanted[length] == ' ');
    }
    return true;
}

/* "create table public.x": the words up to the end of the first name with a dot, or six of them. */
static const char *
label_of(const struct words *words)
{
    size_t last = 0;

    while (last + 1 < words->count && last + 1 < WORDS_MOST) {
        const char *next = word(words, last + 1);

        if (strchr("(=,;", *next) || says(words, last + 1, "as") || says(words, last + 1, "using"))
            break;
        last++;
    }
    return arena_strndup(words->arena, words->sql + words->tokens.items[0].start,
        words->tokens.items[last].end - words->tokens.items[0].start);
}

static const char *
unquoted(struct arena *arena, const char *text)
{
    struct buffer out = { .arena = arena };
    size_t length = strlen(text);

    if (length < 2 || (*text != '"' && *text != '\''))
        return text;
    for (size_t i = 1; i + 1 < length; i++) {
        buffer_append(&out, text + i, 1);
        if (text[i] == *text && text[i + 1] == *text)
            i++;
    }
    return buffer_text(&out);
}

struct rule {
    const char *words;
    enum load_verdict verdict;
    const char *why;
};

/* The first that fits decides; what fits none is refused. */
static const struct rule rules[] = {
    { "create schema", LOAD_SCHEMA, NULL },
    { "create extension", LOAD_EXTENSION, NULL },
    { "create event trigger", LOAD_REFUSE, "an event trigger runs code at every definition" },
    { "create user mapping", LOAD_REFUSE, "it is about another server" },
    { "create server", LOAD_REFUSE, "it is about another server" },
    { "create foreign data wrapper", LOAD_REFUSE, "it is about other servers" },
    { "create foreign table", LOAD_REFUSE, "foreign tables have no server here" },
    { "create subscription", LOAD_REFUSE, "it would connect to another server" },
    { "create publication", LOAD_SKIP, NULL },
    { "create policy", LOAD_SKIP, NULL },
    { "create role", LOAD_SKIP, NULL },
    { "create user", LOAD_SKIP, NULL },
    { "create group", LOAD_SKIP, NULL },
    { "create database", LOAD_SKIP, NULL },
    { "create tablespace", LOAD_REFUSE, "it would make files elsewhere" },
    { "create trigger", LOAD_SKIP, NULL },
    { "create constraint trigger", LOAD_SKIP, NULL },
    { "create or replace trigger", LOAD_SKIP, NULL },
    { "create", LOAD_RUN, NULL },
    { "alter event trigger", LOAD_SKIP, NULL },
    { "alter system", LOAD_REFUSE, "it would change the server's settings" },
    { "alter database", LOAD_REFUSE, "settings of a database are not carried by its definition" },
    { "alter default privileges", LOAD_SKIP, NULL },
    { "alter role", LOAD_SKIP, NULL },
    { "alter user", LOAD_SKIP, NULL },
    { "alter group", LOAD_SKIP, NULL },
    { "alter publication", LOAD_SKIP, NULL },
    { "alter policy", LOAD_SKIP, NULL },
    { "alter extension", LOAD_SKIP, NULL },
    { "alter server", LOAD_SKIP, NULL },
    { "alter subscription", LOAD_SKIP, NULL },
    { "alter trigger", LOAD_SKIP, NULL },
    { "alter", LOAD_RUN, NULL },
    { "drop", LOAD_RUN, NULL },
    { "grant", LOAD_SKIP, NULL },
    { "revoke", LOAD_SKIP, NULL },
    { "comment", LOAD_SKIP, NULL },
    { "security label", LOAD_SKIP, NULL },
    { "insert", LOAD_SKIP, NULL },
    { "update", LOAD_SKIP, NULL },
    { "delete", LOAD_SKIP, NULL },
    { "truncate", LOAD_SKIP, NULL },
    { "lock", LOAD_SKIP, NULL },
    { "analyze", LOAD_SKIP, NULL },
    { "vacuum", LOAD_SKIP, NULL },
    { "cluster", LOAD_SKIP, NULL },
    { "refresh", LOAD_SKIP, NULL },
    { "reset", LOAD_SKIP, NULL },
    { "set", LOAD_SKIP, NULL },
    { "begin", LOAD_SKIP, NULL },
    { "start transaction", LOAD_SKIP, NULL },
    { "commit", LOAD_SKIP, NULL },
    { "end", LOAD_SKIP, NULL },
    { "savepoint", LOAD_SKIP, NULL },
    { "release", LOAD_SKIP, NULL },
    { "rollback", LOAD_SKIP, NULL },
    { "select pg_catalog . setval (", LOAD_SKIP, NULL },
    { "select setval (", LOAD_SKIP, NULL },
    { "select pg_catalog . set_config (", LOAD_SKIP, NULL },
    { "select set_config (", LOAD_SKIP, NULL },
    { "select pg_catalog . lo_create (", LOAD_SKIP, NULL },
    { "select", LOAD_REFUSE, "a query is not run, whatever it calls" },
    { "do", LOAD_REFUSE, "it runs code" },
    { "call", LOAD_REFUSE, "it runs code" },
    { "execute", LOAD_REFUSE, "it runs code" },
    { "load", LOAD_REFUSE, "it would load a library into the server" },
};

/* COPY with rows in the dump is data; one with a program or a file reaches outside. */
static void
judge_copy(const struct words *words, struct load_statement *ret)
{
    ret->verdict = LOAD_REFUSE;
    ret->why = "it would read or write outside of the database";
    for (size_t i = 1; i < words->count; i++)
        if (says(words, i, "from stdin") || says(words, i, "to stdout"))
            ret->verdict = LOAD_SKIP;
}

/* SET search_path TO …, SELECT pg_catalog.set_config('search_path', '…', false). */
static void
judge_path(const struct words *words, struct load_statement *ret)
{
    size_t at = says(words, 1, "session") ? 2 : 1;

    if (says(words, 0, "set") && says(words, at, "search_path") && at + 2 < words->count) {
        ret->verdict = LOAD_PATH;
        ret->sql = words->sql + words->tokens.items[at + 2].start;
        return;
    }
    for (size_t i = 1; says(words, 0, "select") && i + 4 < words->count && i < WORDS_MOST; i++) {
        if (!says(words, i, "set_config ( 'search_path' ,") || *word(words, i + 4) != '\'')
            continue;
        ret->verdict = LOAD_PATH;
        ret->sql = unquoted(words->arena, word(words, i + 4));
    }
}

static void
judge_extension(const struct words *words, struct load_statement *ret)
{
    size_t at = says(words, 2, "if not exists") ? 5 : 2;

    ret->extension = unquoted(words->arena, word(words, at));
    for (size_t i = at + 1; i + 1 < words->count; i++)
        if (says(words, i, "schema"))
            ret->schema = unquoted(words->arena, word(words, i + 1));
}

/* The name alone: its owner is not here, and public is there already. */
static void
judge_schema(const struct words *words, struct load_statement *ret)
{
    size_t at = says(words, 2, "if not exists") ? 5 : 2;

    at += says(words, at, "authorization");
    if (at < words->count)
        ret->sql = arena_printf(words->arena, "CREATE SCHEMA IF NOT EXISTS %s", word(words, at));
}

/* A query in a definition would be run to fill it: CREATE TABLE … AS, a materialized view with data. */
static void
judge_filled(const struct words *words, struct load_statement *ret)
{
    bool is_table = false;
    bool is_view = says(words, 1, "materialized view");
    size_t count = words->count;
    int depth = 0;

    for (size_t i = 1; i < 4 && !is_table; i++)
        is_table = says(words, i, "table") && !says(words, 1, "or");
    for (size_t i = 2; is_table && i < count; i++) {
        depth += *word(words, i) == '(';
        depth -= *word(words, i) == ')';
        if (depth == 0 && says(words, i, "as")) {
            ret->verdict = LOAD_REFUSE;
            ret->why = "it would run a query to fill a table";
        }
    }
    if (!is_view || (count > 3 && says(words, count - 3, "with no data")))
        return;
    if (count > 2 && says(words, count - 2, "with data"))
        count -= 2;
    ret->sql = arena_printf(
        words->arena, "%.*s WITH NO DATA", (int)words->tokens.items[count - 1].end, words->sql);
}

/* Ends of ALTER that say nothing about plans. */
static bool
is_idle_alter(const struct words *words)
{
    size_t count = words->count;

    if (!says(words, 0, "alter"))
        return false;
    for (size_t i = 2; i + 1 < count; i++) {
        if (says(words, i, "owner to") && i + 3 == count)
            return true;
        if (says(words, i, "replica identity") || says(words, i, "row level security") ||
            says(words, i, "disable trigger") || says(words, i, "enable trigger") ||
            says(words, i, "cluster on"))
            return true;
    }
    return false;
}

bool
schema_load_judge(struct ctx *ctx, const char *sql, struct load_statement *ret)
{
    struct words words;

    *ret = (struct load_statement){ .verdict = LOAD_SKIP, .sql = sql, .label = "" };
    if (!read_words(ctx, sql, &words))
        return false;
    if (words.count == 0)
        return true;
    ret->label = label_of(&words);
    ret->verdict = LOAD_REFUSE;
    ret->why = "only definitions are made";
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (!says(&words, 0, rules[i].words))
            continue;
        ret->verdict = rules[i].verdict;
        ret->why = rules[i].why;
        break;
    }
    if (says(&words, 0, "copy"))
        judge_copy(&words, ret);
    else if (says(&words, 0, "set") || says(&words, 0, "select"))
        judge_path(&words, ret);
    else if (ret->verdict == LOAD_EXTENSION)
        judge_extension(&words, ret);
    else if (ret->verdict == LOAD_SCHEMA)
        judge_schema(&words, ret);
    else if (says(&words, 0, "create"))
        judge_filled(&words, ret);
    else if (is_idle_alter(&words))
        ret->verdict = LOAD_SKIP;
    return true;
}
