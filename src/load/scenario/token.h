/* Words and signs of an expression. */
#pragma once

#include "base/ctx.h"

enum token_kind {
    TOKEN_END,
    TOKEN_INTEGER,
    TOKEN_REAL,
    TOKEN_TEXT, /* 'in quotes', without them */
    TOKEN_WORD, /* a name, a function, a word of the language */
    TOKEN_NAME, /* :name */
    TOKEN_SIGN,
};

struct token {
    enum token_kind kind;
    const char *text;
    const char *at;   /* where it begins in the expression */
    uint64_t integer; /* up to 2^63 */
    double real;
};

/* The token at *cursor, which goes on behind it. False: *ret_problem says what cannot be read. */
bool load_token_next(
    struct arena *arena, const char **cursor, struct token *ret, const char **ret_problem);
