#include "lang/sql.h"

#include <assert.h>
#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

/* The part of a CREATE FUNCTION before which BEGIN means a body: psql looks no further either. */
enum { LEAD_WORDS = 4 };

/* A place in a text; from { .line = 1, .column = 1 } it only goes on, so a text is read once. */
struct position {
    size_t offset;
    size_t line;
    size_t column;
};

struct splitter {
    const char *text;
    struct position position; /* of the last statement that ended */
    size_t start;             /* of the statement's first token, or SIZE_MAX */
    size_t end;               /* of its last token */
    size_t depth;             /* of parentheses */
    size_t body_depth;        /* of BEGIN ATOMIC … END and CASE … END within */
    size_t words;
    bool is_routine;
    bool is_create;
};

/* The scanner's own memory, freed whatever happens. */
struct scan {
    PgQueryScanResult result;
    PgQuery__ScanResult *tokens;
};

static void
scan_end(struct scan *scan)
{
    if (scan->tokens)
        pg_query__scan_result__free_unpacked(scan->tokens, NULL);
    pg_query_free_scan_result(scan->result);
}

static void
scan_begin(struct scan *ret, const char *text)
{
    ret->result = pg_query_scan(text);
    ret->tokens = NULL;
    if (!ret->result.error)
        ret->tokens = pg_query__scan_result__unpack(
            NULL, ret->result.pbuf.len, (const uint8_t *)ret->result.pbuf.data);
    /* What libpg_query has written itself cannot be read only for want of memory. */
    if (!ret->result.error && !ret->tokens)
        memory_exhausted(ret->result.pbuf.len);
}

/* The byte offset of a character; errors count characters from 1, 0 when they have no place. */
static size_t
byte_offset(const char *text, int position)
{
    size_t offset = 0;

    for (int left = position - 1; left > 0 && text[offset]; left--) {
        offset++;
        while ((text[offset] & 0xC0) == 0x80)
            offset++;
    }
    return offset;
}

static void
go_on_to(struct position *position, const char *text, size_t offset)
{
    for (; position->offset < offset && text[position->offset]; position->offset++) {
        if (text[position->offset] == '\n') {
            position->line++;
            position->column = 1;
        } else if ((text[position->offset + 1] & 0xC0) != 0x80) {
            position->column++;
        }
    }
}

static bool
refuse(struct ctx *ctx, const char *name, const char *text, const PgQueryError *error)
{
    struct position at = { .line = 1, .column = 1 };

    /* A statement that there is no memory for must not be reported as one that is wrong. */
    if (!error->message || strcmp(error->message, "out of memory") == 0)
        memory_exhausted(0);
    go_on_to(&at, text, byte_offset(text, error->cursorpos));
    if (name)
        return error_set(
            ctx, ERR_INPUT, "%s:%zu:%zu: %s", name, at.line, at.column, error->message);
    return error_set(ctx, ERR_INPUT, "%zu:%zu: %s", at.line, at.column, error->message);
}

const char *
sql_grammar_version(void)
{
    return PG_MAJORVERSION;
}

/*
 * The scanner says that U&"…" and U&'…' end with their prefix, so the end is looked for here; the
 * text has been scanned, so the quote is closed.
 */
static size_t
token_end(const char *text, const PgQuery__ScanToken *token)
{
    size_t at = (size_t)token->start + strlen("U&");
    char quote = '"';

    if (token->token == PG_QUERY__TOKEN__USCONST)
        quote = '\'';
    else if (token->token != PG_QUERY__TOKEN__UIDENT)
        return (size_t)token->end;
    assert(text[at] == quote);
    for (at++; text[at] && (text[at] != quote || text[at + 1] == quote); at++)
        at += text[at] == quote;
    return at + 1;
}

static bool
is_word(const char *text, const PgQuery__ScanToken *token, const char *word)
{
    size_t length = (size_t)(token->end - token->start);

    return strlen(word) == length && strncasecmp(text + token->start, word, length) == 0;
}

/* BEGIN opens a body only in CREATE FUNCTION or PROCEDURE; as psql decides it. */
static void
count_bodies(struct splitter *splitter, const PgQuery__ScanToken *token)
{
    const char *text = splitter->text;

    splitter->words++;
    if (splitter->words == 1)
        splitter->is_create = is_word(text, token, "create");
    if (splitter->words <= LEAD_WORDS && splitter->is_create &&
        (is_word(text, token, "function") || is_word(text, token, "procedure")))
        splitter->is_routine = true;
    if (!splitter->is_routine || splitter->depth > 0)
        return;
    if (is_word(text, token, "begin") || (splitter->body_depth > 0 && is_word(text, token, "case")))
        splitter->body_depth++;
    else if (splitter->body_depth > 0 && is_word(text, token, "end"))
        splitter->body_depth--;
}

static void
end_statement(struct ctx *ctx, struct splitter *splitter, struct sql_statements *ret)
{
    struct sql_statement statement = { .offset = splitter->start };

    if (splitter->start != SIZE_MAX) {
        statement.text = arena_strndup(
            ctx->arena, splitter->text + splitter->start, splitter->end - splitter->start);
        go_on_to(&splitter->position, splitter->text, splitter->start);
        statement.line = splitter->position.line;
        statement.column = splitter->position.column;
        VEC_PUSH(ctx->arena, ret, statement);
    }
    *splitter = (struct splitter){
        .text = splitter->text, .position = splitter->position, .start = SIZE_MAX
    };
}

bool
sql_split(struct ctx *ctx, const char *name, const char *text, struct sql_statements *ret)
{
    struct splitter splitter = {
        .text = text, .position = { .line = 1, .column = 1 }, .start = SIZE_MAX
    };
    struct scan scan CLEANUP(scan_end);

    *ret = (struct sql_statements){ 0 };
    scan_begin(&scan, text);
    if (scan.result.error)
        return refuse(ctx, name, text, scan.result.error);
    for (size_t i = 0; i < scan.tokens->n_tokens; i++) {
        const PgQuery__ScanToken *token = scan.tokens->tokens[i];
        char first = text[token->start];

        if (token->token == PG_QUERY__TOKEN__SQL_COMMENT ||
            token->token == PG_QUERY__TOKEN__C_COMMENT)
            continue;
        if (first == ';' && splitter.depth == 0 && splitter.body_depth == 0) {
            end_statement(ctx, &splitter, ret);
            continue;
        }
        if (splitter.start == SIZE_MAX)
            splitter.start = (size_t)token->start;
        splitter.end = token_end(text, token);
        if (first == '(')
            splitter.depth++;
        else if (first == ')' && splitter.depth > 0)
            splitter.depth--;
        else if (token->token == PG_QUERY__TOKEN__IDENT || token->keyword_kind != 0)
            count_bodies(&splitter, token);
    }
    end_statement(ctx, &splitter, ret);
    return true;
}

static void
parse_end(PgQueryParseResult *result)
{
    pg_query_free_parse_result(*result);
}

bool
sql_parse(struct ctx *ctx, const char *text, json_t **ret)
{
    PgQueryParseResult result CLEANUP(parse_end) = pg_query_parse(text);

    *ret = NULL;
    if (result.error)
        return refuse(ctx, NULL, text, result.error);
    if (!result.parse_tree)
        memory_exhausted(0);
    return json_parse(ctx, "the parse tree", result.parse_tree, ret);
}

static void
fingerprint_end(PgQueryFingerprintResult *result)
{
    pg_query_free_fingerprint_result(*result);
}

/*
 * pg_stat_statements makes "interval $1" of "interval '30 days'", which is no SQL. A constant has
 * the same fingerprint as a parameter, and may stand there.
 */
static const char *
with_constants(struct ctx *ctx, const char *text)
{
    struct scan scan CLEANUP(scan_end);
    struct buffer buffer = { .arena = ctx->arena };
    size_t done = 0;

    scan_begin(&scan, text);
    for (size_t i = 0; scan.tokens && i < scan.tokens->n_tokens; i++) {
        const PgQuery__ScanToken *token = scan.tokens->tokens[i];

        if (token->token != PG_QUERY__TOKEN__PARAM)
            continue;
        buffer_append(&buffer, text + done, (size_t)token->start - done);
        buffer_add(&buffer, "''");
        done = (size_t)token->end;
    }
    buffer_add(&buffer, text + done);
    return buffer_text(&buffer);
}

bool
sql_fingerprint(struct ctx *ctx, const char *text, const char **ret_hex)
{
    PgQueryFingerprintResult result CLEANUP(fingerprint_end) = pg_query_fingerprint(text);

    *ret_hex = NULL;
    if (!result.error && !result.fingerprint_str)
        memory_exhausted(0);
    if (!result.error) {
        *ret_hex = arena_strdup(ctx->arena, result.fingerprint_str);
        return true;
    }

    PgQueryFingerprintResult second CLEANUP(fingerprint_end) =
        pg_query_fingerprint(with_constants(ctx, text));

    if (second.error)
        return refuse(ctx, NULL, text, result.error);
    if (!second.fingerprint_str)
        memory_exhausted(0);
    *ret_hex = arena_strdup(ctx->arena, second.fingerprint_str);
    return true;
}

static void
normalize_end(PgQueryNormalizeResult *result)
{
    pg_query_free_normalize_result(*result);
}

bool
sql_normalize(struct ctx *ctx, const char *text, const char **ret)
{
    PgQueryNormalizeResult result CLEANUP(normalize_end) = pg_query_normalize(text);

    *ret = NULL;
    if (result.error)
        return refuse(ctx, NULL, text, result.error);
    if (!result.normalized_query)
        memory_exhausted(0);
    *ret = arena_strdup(ctx->arena, result.normalized_query);
    return true;
}

static enum sql_token_kind
kind_of(const char *text, const PgQuery__ScanToken *token)
{
    if (token->keyword_kind != PG_QUERY__KEYWORD_KIND__NO_KEYWORD)
        return SQL_KEYWORD;
    if (token->token < 128)
        return strchr("()[],;:.", text[token->start]) ? SQL_PUNCTUATION : SQL_OPERATOR;
    /* The scanner has tokens for every keyword; a default stands for all operators here. */
    switch ((int)token->token) {
    case PG_QUERY__TOKEN__IDENT:
    case PG_QUERY__TOKEN__UIDENT:
        return SQL_NAME;
    case PG_QUERY__TOKEN__FCONST:
    case PG_QUERY__TOKEN__SCONST:
    case PG_QUERY__TOKEN__USCONST:
    case PG_QUERY__TOKEN__BCONST:
    case PG_QUERY__TOKEN__XCONST:
    case PG_QUERY__TOKEN__ICONST:
        return SQL_CONSTANT;
    case PG_QUERY__TOKEN__PARAM:
        return SQL_PARAM;
    case PG_QUERY__TOKEN__SQL_COMMENT:
    case PG_QUERY__TOKEN__C_COMMENT:
        return SQL_COMMENT;
    default:
        return SQL_OPERATOR;
    }
}

bool
sql_tokens(struct ctx *ctx, const char *text, struct sql_tokens *ret)
{
    struct scan scan CLEANUP(scan_end);

    *ret = (struct sql_tokens){ 0 };
    scan_begin(&scan, text);
    if (scan.result.error)
        return refuse(ctx, NULL, text, scan.result.error);
    for (size_t i = 0; i < scan.tokens->n_tokens; i++) {
        const PgQuery__ScanToken *token = scan.tokens->tokens[i];
        struct sql_token item = {
            .kind = kind_of(text, token),
            .is_reserved = token->keyword_kind == PG_QUERY__KEYWORD_KIND__RESERVED_KEYWORD,
            .start = (size_t)token->start,
            .end = token_end(text, token),
        };

        VEC_PUSH(ctx->arena, ret, item);
    }
    return true;
}

size_t
sql_name_end(const char *text, size_t start)
{
    struct scan scan CLEANUP(scan_end);
    size_t end = start;
    bool wants_part = true;

    scan_begin(&scan, text + start);
    for (size_t i = 0; scan.tokens && i < scan.tokens->n_tokens; i++) {
        const PgQuery__ScanToken *token = scan.tokens->tokens[i];
        enum sql_token_kind kind = kind_of(text + start, token);

        if (kind == SQL_COMMENT)
            continue;
        if (!wants_part && text[start + (size_t)token->start] == '.') {
            wants_part = true;
            continue;
        }
        if (!wants_part && token->token == PG_QUERY__TOKEN__UESCAPE) {
            /* U&"…" UESCAPE '!': both words belong to the name. */
            if (++i < scan.tokens->n_tokens)
                end = start + token_end(text + start, scan.tokens->tokens[i]);
            continue;
        }
        if (!wants_part || (kind != SQL_NAME && kind != SQL_KEYWORD))
            break;
        end = start + token_end(text + start, token);
        wants_part = false;
    }
    return end;
}
