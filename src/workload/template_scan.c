/*
 * Where the constants of a text are: the lexical rules of PostgreSQL (scan.l), with
 * standard_conforming_strings on. A pass over the bytes; nothing is taken from the heap but what
 * the results need.
 */
#include <ctype.h>
#include <strings.h>

#include "workload/template_part.h"

struct scanner {
    const char *sql;
    size_t length;
    size_t at;
    bool is_short;
    struct mask *mask;
    struct arena *arena;
    struct literals *literals;
    bool wants_blank;
    bool may_be_signed; /* what was before cannot be what a minus takes something from */
    /* Of the innermost parenthesis: */
    size_t
        list_start; /* where it stands in the mask; SIZE_MAX: it holds other things than constants */
    uint32_t list_items;
    bool list_is_after_item;
    size_t row_end; /* behind a row of VALUES that was made short; SIZE_MAX: none */
};

static bool
is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_name_start(char c)
{
    char small = (char)(c | 0x20);

    return (small >= 'a' && small <= 'z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_name_part(char c)
{
    return is_name_start(c) || is_digit(c) || c == '$';
}

static bool
is_operator(char c)
{
    return c && strchr("+-*/<>=~!@#%^&|`?", c);
}

/* 0 behind the end. */
static char
peek(const struct scanner *scanner, size_t ahead)
{
    size_t at = scanner->at + ahead;

    return (char)(at < scanner->length ? scanner->sql[at] : '\0');
}

static void
put(struct scanner *scanner, const char *data, size_t length)
{
    struct buffer *text = &scanner->mask->text;

    if (text->capacity - text->length <= length + 1)
        buffer_reserve(text, length + 1);
    if (scanner->wants_blank && text->length > 0)
        text->data[text->length++] = ' ';
    scanner->wants_blank = false;
    memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = '\0';
}

/* ---- where tokens end ---- */

static size_t
line_comment_end(const struct scanner *scanner, size_t at)
{
    while (at < scanner->length && scanner->sql[at] != '\n' && scanner->sql[at] != '\r')
        at++;
    return at;
}

static size_t
comment_end(struct scanner *scanner, size_t at)
{
    size_t depth = 0;

    while (at + 1 < scanner->length) {
        if (scanner->sql[at] == '/' && scanner->sql[at + 1] == '*') {
            depth++;
            at += 2;
        } else if (scanner->sql[at] == '*' && scanner->sql[at + 1] == '/') {
            at += 2;
            if (--depth == 0)
                return at;
        } else {
            at++;
        }
    }
    scanner->mask->is_open = true;
    return scanner->length;
}

/* How quotes and backslashes are read inside quotes. */
enum quoting {
    QUOTING_PLAIN,   /* a doubled quote stands for itself */
    QUOTING_ESCAPES, /* and a backslash takes the next character with it */
    QUOTING_BITS,    /* B'' and X'': the next quote ends it */
};

/* Behind the closing quote of what is opened at at. */
static size_t
quote_end(struct scanner *scanner, size_t at, enum quoting quoting)
{
    char quote = scanner->sql[at];

    for (at++; at < scanner->length; at++) {
        if (quoting == QUOTING_ESCAPES && scanner->sql[at] == '\\') {
            at++;
            continue;
        }
        if (scanner->sql[at] != quote)
            continue;
        if (quoting == QUOTING_BITS || at + 1 >= scanner->length || scanner->sql[at + 1] != quote)
            return at + 1;
        at++;
    }
    scanner->mask->is_open = true;
    return scanner->length;
}

/* Where a string goes on: after blanks with a line's end in them, and comments to the end of a line. */
static size_t
continued_at(const struct scanner *scanner, size_t at)
{
    bool has_newline = false;

    while (at < scanner->length) {
        char c = scanner->sql[at];

        if (c == '-' && at + 1 < scanner->length && scanner->sql[at + 1] == '-') {
            at = line_comment_end(scanner, at);
            continue;
        }
        if (!is_blank(c))
            return has_newline && c == '\'' ? at : SIZE_MAX;
        has_newline = has_newline || c == '\n' || c == '\r';
        at++;
    }
    return SIZE_MAX;
}

/* The same behind blanks and comments of any sort. */
static size_t
skip_blanks(struct scanner *scanner, size_t at)
{
    while (at < scanner->length) {
        const char *sql = scanner->sql;

        if (is_blank(sql[at]))
            at++;
        else if (at + 1 < scanner->length && sql[at] == '-' && sql[at + 1] == '-')
            at = line_comment_end(scanner, at);
        else if (at + 1 < scanner->length && sql[at] == '/' && sql[at + 1] == '*')
            at = comment_end(scanner, at);
        else
            return at;
    }
    return at;
}

/* quote: where the quote stands. U&'…' takes its UESCAPE with it. */
static size_t
string_end(struct scanner *scanner, size_t quote, enum quoting quoting, bool is_unicode)
{
    size_t end = quote;
    size_t next = quote;

    while (next != SIZE_MAX) {
        end = quote_end(scanner, next, quoting);
        next = continued_at(scanner, end);
    }
    if (!is_unicode)
        return end;
    next = skip_blanks(scanner, end);
    if (scanner->length - next < strlen("UESCAPE'!'") ||
        strncasecmp(scanner->sql + next, "uescape", strlen("uescape")) != 0)
        return end;
    next = skip_blanks(scanner, next + strlen("uescape"));
    return next < scanner->length && scanner->sql[next] == '\''
               ? quote_end(scanner, next, QUOTING_PLAIN)
               : end;
}

/* Behind digits and the underscores between them. */
static size_t
digits_end(const struct scanner *scanner, size_t at)
{
    while (at < scanner->length && (is_digit(scanner->sql[at]) || scanner->sql[at] == '_'))
        at++;
    return at;
}

/* Behind 0x1F, 0o17 and 0b11; at itself when it is none. */
static size_t
radix_end(const struct scanner *scanner, size_t at)
{
    const char *sql = scanner->sql;

    if (sql[at] != '0' || at + 2 >= scanner->length || !strchr("xXoObB", sql[at + 1]) ||
        !isxdigit((unsigned char)sql[at + 2]))
        return at;
    at += 2;
    while (at < scanner->length && (isxdigit((unsigned char)sql[at]) || sql[at] == '_'))
        at++;
    return at;
}

/* Behind e10 and E-3; at itself when it is none. */
static size_t
exponent_end(const struct scanner *scanner, size_t at)
{
    const char *sql = scanner->sql;
    size_t digits = at + 1;

    if (at >= scanner->length || (sql[at] != 'e' && sql[at] != 'E'))
        return at;
    if (digits < scanner->length && (sql[digits] == '+' || sql[digits] == '-'))
        digits++;
    return digits < scanner->length && is_digit(sql[digits]) ? digits_end(scanner, digits) : at;
}

/* Behind the number at at. */
static size_t
number_end(const struct scanner *scanner, size_t at)
{
    const char *sql = scanner->sql;
    size_t length = scanner->length;
    size_t end = radix_end(scanner, at);

    if (end > at)
        return end;
    end = digits_end(scanner, at);
    /* 1..2 are two numbers with two dots between. */
    if (end < length && sql[end] == '.' && !(end + 1 < length && sql[end + 1] == '.'))
        end = digits_end(scanner, end + 1);
    return exponent_end(scanner, end);
}

/* Behind $tag$ … $tag$ at at; at itself when it is none. */
static size_t
dollar_end(struct scanner *scanner, size_t at)
{
    const char *sql = scanner->sql;
    size_t tag = at + 1;
    const char *end;

    if (tag < scanner->length && is_name_start(sql[tag]))
        while (tag < scanner->length && is_name_part(sql[tag]) && sql[tag] != '$')
            tag++;
    if (tag >= scanner->length || sql[tag] != '$')
        return at;
    tag++;
    end = memmem(sql + tag, scanner->length - tag, sql + at, tag - at);
    if (end)
        return (size_t)(end - sql) + (tag - at);
    scanner->mask->is_open = true;
    return scanner->length;
}

/* ---- lists ---- */

static void
spoil_list(struct scanner *scanner)
{
    scanner->list_start = SIZE_MAX;
    scanner->row_end = SIZE_MAX;
}

/* Whether the mask ends with this word before the offset, and a blank or nothing between. */
static bool
ends_with_word(const struct buffer *text, size_t end, const char *word)
{
    size_t length = strlen(word);

    while (end > 0 && text->data[end - 1] == ' ')
        end--;
    return end >= length && strncasecmp(text->data + end - length, word, length) == 0 &&
           (end == length || !is_name_part(text->data[end - length - 1]));
}

/* A list of nothing but constants has been closed. */
static void
close_list(struct scanner *scanner)
{
    struct buffer *text = &scanner->mask->text;
    size_t start = scanner->list_start;
    bool is_row = false;

    size_t row_end = scanner->row_end;

    spoil_list(scanner);
    if (!scanner->is_short || start == SIZE_MAX || !scanner->list_is_after_item)
        return;
    if (row_end != SIZE_MAX && start >= row_end && start - row_end <= strlen(", ")) {
        /* One more row: it is the row before, if that has as many items. */
        char count[32];
        int length = snprintf(count, sizeof(count), "(%c%u)", MASK_LIST, scanner->list_items);

        if (row_end >= (size_t)length &&
            memcmp(text->data + row_end - length, count, (size_t)length) == 0) {
            text->length = row_end;
            text->data[text->length] = '\0';
            scanner->row_end = row_end;
            return;
        }
        is_row = true;
    }
    is_row = is_row || ends_with_word(text, start, "values");
    if (!is_row && !ends_with_word(text, start, "in"))
        return;
    text->length = start;
    buffer_printf(text, "(%c%u)", MASK_LIST, is_row ? scanner->list_items : 0);
    scanner->row_end = is_row ? text->length : SIZE_MAX;
}

/* ---- tokens ---- */

static void
take_literal(struct scanner *scanner, size_t end)
{
    struct literal literal = { .start = (uint32_t)scanner->at, .end = (uint32_t)end };
    char mark = MASK_LITERAL;

    if (scanner->literals)
        VEC_PUSH(scanner->arena, scanner->literals, literal);
    put(scanner, &mark, 1);
    if (scanner->list_is_after_item)
        spoil_list(scanner);
    scanner->list_items++;
    scanner->list_is_after_item = true;
    scanner->may_be_signed = false;
    scanner->at = end;
}

/* In which none of our own marks can be. */
static void
take_plain(struct scanner *scanner, size_t end)
{
    put(scanner, scanner->sql + scanner->at, end - scanner->at);
    scanner->at = end;
    scanner->may_be_signed = false;
    spoil_list(scanner);
}

static void
take_other(struct scanner *scanner, size_t end)
{
    struct buffer *text = &scanner->mask->text;
    size_t length = end - scanner->at;

    take_plain(scanner, end);
    /* What looks like our own marks in a text is none. */
    for (size_t i = text->length - length; i < text->length; i++)
        if (text->data[i] == MASK_LITERAL || text->data[i] == MASK_LIST)
            text->data[i] = '?';
}

/* After these words a minus is a sign. */
static bool
is_word_before_value(const char *word, size_t length)
{
    static const char *const words[] = { "and", "between", "by", "case", "distinct", "else",
        "having", "in", "like", "limit", "not", "offset", "on", "or", "returning", "select", "then",
        "values", "when", "where" };

    if (length < 2 || length > strlen("returning"))
        return false;
    /* They are in order, and the first letters differ for most: that is cheaper than a comparison. */
    for (size_t i = 0; i < COUNT_OF(words) && words[i][0] <= (word[0] | 0x20); i++)
        if (words[i][0] == (word[0] | 0x20) && words[i][1] == (word[1] | 0x20) &&
            strlen(words[i]) == length && strncasecmp(words[i], word, length) == 0)
            return true;
    return false;
}

static void
take_word(struct scanner *scanner)
{
    const char *start = scanner->sql + scanner->at;
    size_t end = scanner->at;
    bool is_value_next;

    while (end < scanner->length && is_name_part(scanner->sql[end]))
        end++;
    is_value_next = is_word_before_value(start, end - scanner->at);
    take_plain(scanner, end);
    scanner->may_be_signed = is_value_next;
}

/* A letter before a quote: E'', B'', X'', N'', U&'', U&"". False: it is a word. */
static bool
take_prefixed(struct scanner *scanner)
{
    char letter = (char)tolower((unsigned char)peek(scanner, 0));

    if (peek(scanner, 1) == '\'' && strchr("ebxn", letter)) {
        take_literal(scanner, string_end(scanner, scanner->at + 1,
                                  letter == 'e'                    ? QUOTING_ESCAPES
                                  : letter == 'b' || letter == 'x' ? QUOTING_BITS
                                                                   : QUOTING_PLAIN,
                                  false));
        return true;
    }
    if (letter != 'u' || peek(scanner, 1) != '&')
        return false;
    if (peek(scanner, 2) == '\'') {
        take_literal(scanner, string_end(scanner, scanner->at + 2, QUOTING_PLAIN, true));
        return true;
    }
    if (peek(scanner, 2) != '"')
        return false;
    take_other(scanner, quote_end(scanner, scanner->at + 2, QUOTING_PLAIN));
    return true;
}

static void
take_dollar(struct scanner *scanner)
{
    size_t end = scanner->at + 1;
    uint64_t number = 0;

    if (!is_digit(peek(scanner, 1))) {
        end = dollar_end(scanner, scanner->at);
        if (end > scanner->at)
            take_literal(scanner, end);
        else
            take_other(scanner, scanner->at + 1);
        return;
    }
    while (end < scanner->length && is_digit(scanner->sql[end])) {
        if (number < UINT16_MAX)
            number = number * 10 + (uint64_t)(scanner->sql[end] - '0');
        end++;
    }
    if (number <= UINT16_MAX && number > scanner->mask->params)
        scanner->mask->params = (uint32_t)number;
    take_other(scanner, end);
}

/*
 * A minus that stands right before a number, and after nothing that it could be taken from, is part
 * of the number. An operator that ends with it (@-) is told by the characters it has.
 */
static bool
is_sign(const struct scanner *scanner)
{
    size_t at = scanner->at;

    if (!scanner->may_be_signed || peek(scanner, 0) != '-')
        return false;
    if (!is_digit(peek(scanner, 1)) && !(peek(scanner, 1) == '.' && is_digit(peek(scanner, 2))))
        return false;
    while (at > 0 && is_operator(scanner->sql[at - 1])) {
        at--;
        if (strchr("~!@#%^&|`?", scanner->sql[at]))
            return false;
    }
    return true;
}

static void
take_punctuation(struct scanner *scanner)
{
    char c = peek(scanner, 0);

    if (c == MASK_LITERAL || c == MASK_LIST)
        c = '?';
    put(scanner, &c, 1);
    scanner->at++;
    scanner->may_be_signed = is_operator(c) || strchr("([,", c);
    if (c == '(') {
        scanner->list_start = scanner->mask->text.length - 1;
        scanner->list_items = 0;
        scanner->list_is_after_item = false;
    } else if (c == ',') {
        scanner->list_is_after_item = false;
    } else if (c == ')') {
        close_list(scanner);
    } else {
        spoil_list(scanner);
    }
}

static void
take_token(struct scanner *scanner)
{
    char c = peek(scanner, 0);

    if (c == '\'')
        take_literal(scanner, string_end(scanner, scanner->at, QUOTING_PLAIN, false));
    else if (is_digit(c) || (c == '.' && is_digit(peek(scanner, 1))))
        take_literal(scanner, number_end(scanner, scanner->at));
    else if (is_sign(scanner))
        take_literal(scanner, number_end(scanner, scanner->at + 1));
    else if (c == '"')
        take_other(scanner, quote_end(scanner, scanner->at, QUOTING_PLAIN));
    else if (c == '$')
        take_dollar(scanner);
    else if (!is_name_start(c))
        take_punctuation(scanner);
    else if (!take_prefixed(scanner))
        take_word(scanner);
}

void
mask_make(const char *sql, size_t length, bool is_short, struct mask *ret, struct arena *arena,
    struct literals *ret_literals)
{
    struct scanner scanner = {
        .sql = sql,
        .length = length,
        .is_short = is_short,
        .mask = ret,
        .arena = arena,
        .literals = ret_literals,
        .may_be_signed = true,
        .list_start = SIZE_MAX,
        .row_end = SIZE_MAX,
    };
    struct buffer *text = &ret->text;

    ret->params = 0;
    ret->is_open = false;
    while (scanner.at < length) {
        size_t next = skip_blanks(&scanner, scanner.at);

        if (next > scanner.at) {
            scanner.wants_blank = true;
            scanner.at = next;
            continue;
        }
        take_token(&scanner);
    }
    while (text->length > 0 && strchr("; ", text->data[text->length - 1]))
        text->length--;
    if (text->data)
        text->data[text->length] = '\0';
}
