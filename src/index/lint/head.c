/* The head of a CREATE INDEX by its tokens, so that what libpg_query cannot parse can be tried too. */
#include <strings.h>

#include "index/lint/statement.h"
#include "lang/sql.h"

struct reader {
    const char *text;
    const struct sql_tokens *tokens;
    size_t at;
};

/* The next token that is no comment; NULL at the end. */
static const struct sql_token *
peek(struct reader *reader)
{
    while (
        reader->at < reader->tokens->count && reader->tokens->items[reader->at].kind == SQL_COMMENT)
        reader->at++;
    return reader->at < reader->tokens->count ? &reader->tokens->items[reader->at] : NULL;
}

static bool
take_word(struct reader *reader, const char *word, struct lint_span *ret)
{
    const struct sql_token *token = peek(reader);

    if (!token || token->kind != SQL_KEYWORD || token->end - token->start != strlen(word) ||
        strncasecmp(reader->text + token->start, word, strlen(word)) != 0)
        return false;
    if (ret && ret->end == 0)
        ret->start = token->start;
    if (ret)
        ret->end = token->end;
    reader->at++;
    return true;
}

/* A name as the server reads it: folded, or without its quotes. */
static const char *
name_of(struct arena *arena, const char *text, size_t start, size_t end)
{
    char *name = arena_strndup(arena, text + start, end - start);
    size_t length = 0;

    if (*name != '"') {
        for (char *at = name; *at; at++)
            if (*at >= 'A' && *at <= 'Z')
                *at = (char)(*at - 'A' + 'a');
        return name;
    }
    for (size_t i = 1; name[i] && !(name[i] == '"' && name[i + 1] != '"'); i++) {
        if (name[i] == '"')
            i++;
        name[length++] = name[i];
    }
    name[length] = '\0';
    return name;
}

/* "s.t" as written into its parts. */
static bool
read_table(struct ctx *ctx, struct reader *reader, struct lint_statement *statement)
{
    const struct sql_token *first = peek(reader);
    const struct sql_token *last = NULL;
    size_t end = first ? sql_name_end(statement->text, first->start) : 0;
    const struct sql_token *token;

    if (!first || end == first->start)
        return false;
    statement->table =
        arena_strndup(ctx->arena, statement->text + first->start, end - first->start);
    statement->rest = statement->text + end;
    for (token = peek(reader); token && token->end <= end; token = peek(reader)) {
        if (token->kind != SQL_PUNCTUATION) {
            if (last)
                statement->schema = name_of(ctx->arena, statement->text, last->start, last->end);
            last = token;
        }
        reader->at++;
    }
    if (last)
        statement->relation = name_of(ctx->arena, statement->text, last->start, last->end);
    return last != NULL;
}

static void
read_method(struct ctx *ctx, struct reader *reader, struct lint_statement *statement)
{
    const struct sql_token *token;

    statement->method = "btree";
    if (take_word(reader, "using", NULL) && (token = peek(reader)) != NULL)
        statement->method = name_of(ctx->arena, statement->text, token->start, token->end);
}

bool
lint_read_head(struct ctx *ctx, struct lint_statement *statement)
{
    struct sql_tokens tokens;
    struct reader reader = { .text = statement->text, .tokens = &tokens };
    const struct sql_token *token;

    if (!sql_tokens(ctx, statement->text, &tokens)) {
        error_clear(ctx);
        return false;
    }
    if (!take_word(&reader, "create", NULL))
        return false;
    statement->is_unique = take_word(&reader, "unique", NULL);
    if (!take_word(&reader, "index", &statement->index))
        return false;
    (void)take_word(&reader, "concurrently", &statement->concurrently);
    if (take_word(&reader, "if", &statement->if_not_exists))
        (void)(take_word(&reader, "not", &statement->if_not_exists) &&
               take_word(&reader, "exists", &statement->if_not_exists));
    if (!take_word(&reader, "on", NULL)) {
        token = peek(&reader);
        if (!token)
            return false;
        statement->written_name = (struct lint_span){ token->start, token->end };
        statement->name = name_of(ctx->arena, statement->text, token->start, token->end);
        /* "s.name": the server refuses a schema here; the last part is the name. */
        reader.at++;
        while (peek(&reader) && !take_word(&reader, "on", NULL))
            reader.at++;
    }
    statement->is_only = take_word(&reader, "only", NULL);
    if (!read_table(ctx, &reader, statement))
        return false;
    read_method(ctx, &reader, statement);
    return true;
}

static bool
is_name(struct arena *arena, const char *text, const struct sql_token *token, const char *name)
{
    return (token->kind == SQL_NAME || token->kind == SQL_KEYWORD) &&
           text_equal(name_of(arena, text, token->start, token->end), name);
}

static struct place
place_at(const struct lint_statement *statement, size_t offset)
{
    struct place place = statement->place;

    for (size_t i = 0; i < offset && statement->text[i]; i++) {
        if (statement->text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if ((statement->text[i + 1] & 0xC0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

struct place
lint_place_of(struct ctx *ctx, const struct lint_statement *statement, const char *name)
{
    struct sql_tokens tokens;
    size_t start = statement->rest ? (size_t)(statement->rest - statement->text) : 0;

    if (!sql_tokens(ctx, statement->text, &tokens)) {
        error_clear(ctx);
        return statement->place;
    }
    for (size_t i = 0; i < tokens.count; i++)
        if (tokens.items[i].start >= start &&
            is_name(ctx->arena, statement->text, &tokens.items[i], name))
            return place_at(statement, tokens.items[i].start);
    return statement->place;
}
