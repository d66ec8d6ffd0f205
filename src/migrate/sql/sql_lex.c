/* Cuts SQL into words, strings and signs; source: the lexical rules of PostgreSQL's manual. Any
 * bytes go in: what is not closed goes to the end of the text. */
#include <strings.h>

#include "migrate/sql/sql_lower.h"

#define OPERATOR_BYTES "+-*/<>=~!@#%^&|`?"

bool
lex_is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           (byte >= '0' && byte <= '9') || byte == '$' || (byte & 0x80) || byte == VALUE_HOLE;
}

static bool
is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Where a comment that begins here ends; the offset itself if it is not closed. */
static size_t
block_comment_end(const char *text, size_t at)
{
    size_t start = at;
    size_t depth = 0;

    do {
        if (text[at] == '/' && text[at + 1] == '*') {
            depth++;
            at += 2;
        } else if (text[at] == '*' && text[at + 1] == '/') {
            depth--;
            at += 2;
        } else if (text[at]) {
            at++;
        }
    } while (depth > 0 && text[at]);
    return depth == 0 ? at : start;
}

static bool
is_comment(const char *text, size_t at)
{
    return text[at] == '/' && text[at + 1] == '*';
}

static size_t
skip_blanks(const char *text, size_t at)
{
    for (;;) {
        size_t start = at;

        at += strspn(text + at, " \t\r\n\f\v");
        if (text[at] == '-' && text[at + 1] == '-')
            at += strcspn(text + at, "\n");
        else if (is_comment(text, at))
            at = block_comment_end(text, at);
        if (at == start)
            return at;
    }
}

/* The byte behind the closing quote; at is on the opening one. */
static size_t
quoted_end(const char *text, size_t at, bool has_backslashes)
{
    char quote = text[at++];

    while (text[at]) {
        bool is_escape = has_backslashes && text[at] == '\\' && text[at + 1];

        if (text[at] == quote && text[at + 1] != quote)
            return at + 1;
        at += is_escape || text[at] == quote ? 2 : 1;
    }
    return at;
}

/* $tag$ … $tag$; the offset itself if it is no such string. */
static size_t
dollar_end(const char *text, size_t at)
{
    size_t length = 1;

    if (is_digit(text[at + 1]))
        return at;
    while (lex_is_name_byte(text[at + length]) && text[at + length] != '$')
        length++;
    if (text[at + length] != '$')
        return at;
    length++;
    for (const char *next = text + at + length; (next = strchr(next, '$')) != NULL; next++)
        if (strncmp(next, text + at, length) == 0)
            return (size_t)(next - text) + length;
    return at + strlen(text + at);
}

static size_t
number_end(const char *text, size_t at)
{
    while (lex_is_name_byte(text[at]) || (text[at] == '.' && text[at + 1] != '.') ||
           ((text[at] == '+' || text[at] == '-') && (text[at - 1] | 0x20) == 'e' &&
               is_digit(text[at + 1])))
        at++;
    return at;
}

static size_t
operator_end(const char *text, size_t at)
{
    size_t end = at;

    while (text[end] && strchr(OPERATOR_BYTES, text[end]) &&
           !(end > at && ((text[end] == '-' && text[end + 1] == '-') ||
                             (text[end] == '/' && text[end + 1] == '*'))))
        end++;
    return end;
}

/* E'…', B'…', X'…', N'…', U&'…', U&"…": the length of the prefix, else 0. */
static size_t
prefix_length(const char *text)
{
    if (strchr("eEbBxXnN", text[0]) && text[1] == '\'')
        return 1;
    return (text[0] | 0x20) == 'u' && text[1] == '&' && (text[2] == '\'' || text[2] == '"') ? 2 : 0;
}

static size_t
name_end(const char *text, size_t at)
{
    while (lex_is_name_byte(text[at]))
        at++;
    return at;
}

static void
scan(const char *text, struct lexeme *lexeme)
{
    size_t at = lexeme->start;
    size_t prefix = text[at] ? prefix_length(text + at) : 0;
    char byte = text[at + prefix];

    if (byte == '\'' || byte == '"') {
        lexeme->kind = byte == '"' ? LEX_QUOTED : LEX_STRING;
        lexeme->end = quoted_end(text, at + prefix, prefix == 1 && (text[at] | 0x20) == 'e');
    } else if (byte == '$' && dollar_end(text, at) > at) {
        lexeme->kind = LEX_STRING;
        lexeme->end = dollar_end(text, at);
    } else if (is_digit(byte) || byte == '$' || (byte == '.' && is_digit(text[at + 1]))) {
        lexeme->kind = LEX_NUMBER;
        lexeme->end = number_end(text, at + 1);
    } else if (lex_is_name_byte(byte)) {
        lexeme->kind = LEX_WORD;
        lexeme->end = name_end(text, at);
    } else if (byte == ':' && (text[at + 1] == ':' || text[at + 1] == '=')) {
        lexeme->kind = LEX_OPERATOR;
        lexeme->end = at + 2;
    } else if (is_comment(text, at)) { /* not closed */
        lexeme->end = at + strlen(text + at);
        lexeme->kind = LEX_SIGN;
    } else if (strchr(OPERATOR_BYTES, byte)) {
        lexeme->kind = LEX_OPERATOR;
        lexeme->end = operator_end(text, at);
    } else {
        lexeme->kind = LEX_SIGN;
        lexeme->end = at + 1;
    }
}

struct lexeme
lex_next(struct lexer *lexer)
{
    struct lexeme lexeme = { .start = skip_blanks(lexer->text, lexer->at) };
    char byte = lexer->text[lexeme.start];

    lexeme.end = lexeme.start;
    if (byte)
        scan(lexer->text, &lexeme);
    if (lexeme.kind == LEX_SIGN && (byte == ')' || byte == ']') && lexer->depth > 0)
        lexer->depth--;
    lexeme.depth = lexer->depth;
    if (lexeme.kind == LEX_SIGN && (byte == '(' || byte == '['))
        lexer->depth++;
    lexer->at = lexeme.end;
    return lexeme;
}

bool
lex_is_word(const char *text, const struct lexeme *lexeme, const char *word)
{
    size_t length = lexeme->end - lexeme->start;

    return lexeme->kind == LEX_WORD && strlen(word) == length &&
           strncasecmp(text + lexeme->start, word, length) == 0;
}

bool
lex_is_sign(const char *text, const struct lexeme *lexeme, char sign)
{
    return lexeme->kind == LEX_SIGN && text[lexeme->start] == sign;
}
