/*
 * SQL text, read with libpg_query: the grammar of PostgreSQL 15 here, 17 on Debian 13. What that
 * grammar does not know is an ERR_INPUT, which callers report as "cannot be checked".
 */
#pragma once

#include "base/ctx.h"
#include "base/json.h"
#include "base/vec.h"

struct sql_statement {
    const char *text; /* without leading and trailing comments, blanks and the semicolon */
    size_t offset;    /* of its first byte in the script */
    size_t line;      /* from 1 */
    size_t column;    /* from 1, in characters */
};

struct sql_statements {
    struct sql_statement *items;
    size_t count;
    size_t capacity;
};

enum sql_token_kind {
    SQL_NAME,        /* also in double quotes and U&"" */
    SQL_KEYWORD,     /* of any kind; most of them may also be names: see is_reserved */
    SQL_CONSTANT,    /* number or string */
    SQL_PARAM,       /* $1 */
    SQL_OPERATOR,    /* also :: and := */
    SQL_PUNCTUATION, /* one of ( ) [ ] , ; : . */
    SQL_COMMENT,
};

struct sql_token {
    enum sql_token_kind kind;
    bool is_reserved; /* a keyword that can never be a plain name */
    size_t start;     /* byte offsets; end is behind the last byte */
    size_t end;
};

struct sql_tokens {
    struct sql_token *items;
    size_t count;
    size_t capacity;
};

/* The major version of the grammar ("15"): stored beside fingerprints. */
const char *sql_grammar_version(void);

/*
 * Splits a script at the semicolons that end statements: not at those in strings, comments,
 * parentheses or BEGIN ATOMIC … END. Statements need not be valid; empty ones are left out.
 * ERR_INPUT "name:line:column: …" when the text has no tokens (an open quote or comment).
 */
bool sql_split(struct ctx *ctx, const char *name, const char *text, struct sql_statements *ret)
    MUST_CHECK;

/*
 * libpg_query's parse tree, { "version": …, "stmts": [ … ] }; the caller owns it. ERR_INPUT
 * "line:column: …" when the text does not parse.
 */
bool sql_parse(struct ctx *ctx, const char *text, json_t **ret) MUST_CHECK;

/*
 * Sixteen hexadecimal digits that are the same for statements that differ only in constants,
 * parameters, list lengths, blanks, case and comments. Also takes the text that
 * pg_stat_statements shows, which is not always SQL ("interval $1").
 */
bool sql_fingerprint(struct ctx *ctx, const char *text, const char **ret_hex) MUST_CHECK;

/* The text with $n in the place of constants. */
bool sql_normalize(struct ctx *ctx, const char *text, const char **ret) MUST_CHECK;

bool sql_tokens(struct ctx *ctx, const char *text, struct sql_tokens *ret) MUST_CHECK;

/*
 * Where the name that begins at a byte offset ends: parts in any quoting with dots between, and
 * blanks and comments around the dots. The offset itself if no name begins there.
 */
size_t sql_name_end(const char *text, size_t start);
