/* Text before it is parsed: what is unknown in it gets a name, statements are cut apart. */
#include "base/text.h"
#include "migrate/sql/sql_lower.h"

enum {
    DEEPEST = 1000,      /* parentheses */
    LONGEST_CHAIN = 5000 /* lexemes that can make a tree that deep: 1+1+1+… */
};

/* Behind these words a list in parentheses must follow. */
static bool
wants_list(const char *text, const struct lexeme *before)
{
    return lex_is_word(text, before, "in") || lex_is_word(text, before, "values");
}

static const char *
without_escaped_colons(struct arena *arena, const char *text)
{
    struct buffer buffer = { .arena = arena };

    if (!strstr(text, "\\:"))
        return text;
    for (const char *next; (next = strstr(text, "\\:")) != NULL; text = next + 1)
        buffer_append(&buffer, text, (size_t)(next - text));
    buffer_add(&buffer, text);
    return buffer_text(&buffer);
}

static void
add_with_names(struct buffer *buffer, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] == VALUE_HOLE)
            buffer_add(buffer, HOLE_NAME);
        else
            buffer_append(buffer, text + i, 1);
}

const char *
text_with_names_for_holes(struct arena *arena, const char *text)
{
    struct buffer buffer = { .arena = arena };
    struct lexeme before = { 0 };
    size_t done = 0;

    text = without_escaped_colons(arena, text);
    if (!strchr(text, VALUE_HOLE))
        return text;

    struct lexer lexer = { .text = text };

    for (;;) {
        struct lexeme lexeme = lex_next(&lexer);
        bool is_list = text[lexeme.start] == VALUE_HOLE && lexeme.end == lexeme.start + 1 &&
                       wants_list(text, &before);

        add_with_names(&buffer, text + done, lexeme.start - done);
        buffer_add(&buffer, is_list ? "(" : "");
        add_with_names(&buffer, text + lexeme.start, lexeme.end - lexeme.start);
        buffer_add(&buffer, is_list ? ")" : "");
        done = lexeme.end;
        before = lexeme;
        if (lexeme.kind == LEX_END)
            return buffer_text(&buffer);
    }
}

/* Where ":name" ends; as SQLAlchemy's text() has it, but ":name::type" is taken as it is meant. */
static size_t
colon_parameter_end(const char *text, size_t at)
{
    size_t end = at + 1;

    if (at > 0 && (text[at - 1] == ':' || lex_is_name_byte(text[at - 1])))
        return at;
    while (lex_is_name_byte(text[end]) && text[end] != '$')
        end++;
    return end > at + 1 ? end : at;
}

/* Where "%(name)s" or "%s" ends; at is on the percent sign. */
static size_t
percent_parameter_end(const char *text, size_t at)
{
    size_t end = at + 1;

    if (text[end] == '(') {
        end++;
        while (lex_is_name_byte(text[end]))
            end++;
        if (text[end++] != ')')
            return at;
    }
    return text[end] == 's' && !lex_is_name_byte(text[end + 1]) ? end + 1 : at;
}

/* The parameter that begins in a lexeme: *ret_start and the end, which is 0 if there is none. */
static size_t
parameter_end(const char *text, const struct lexeme *lexeme, size_t *ret_start)
{
    size_t end = 0;

    *ret_start = lexeme->start;
    if (lex_is_sign(text, lexeme, ':')) {
        end = colon_parameter_end(text, *ret_start);
    } else if (lexeme->kind == LEX_OPERATOR && text[lexeme->end - 1] == '%') {
        *ret_start = lexeme->end - 1;
        end = percent_parameter_end(text, *ret_start);
    }
    return end > *ret_start ? end : 0;
}

const char *
text_with_parameters(struct arena *arena, const char *text)
{
    struct buffer buffer = { .arena = arena };
    struct lexer lexer = { .text = text };
    struct lexeme before = { 0 };
    size_t done = 0;

    for (;;) {
        struct lexeme lexeme = lex_next(&lexer);
        size_t start;
        size_t end;

        if (lexeme.kind == LEX_END)
            break;
        end = parameter_end(text, &lexeme, &start);
        if (end > 0) {
            buffer_append(&buffer, text + done, start - done);
            buffer_add(&buffer, wants_list(text, &before) ? "($1)" : "$1");
            done = end;
            lexer.at = end;
        }
        before = lexeme;
    }
    if (done == 0)
        return NULL;
    buffer_add(&buffer, text + done);
    return buffer_text(&buffer);
}

const char *
text_shown(struct arena *arena, const char *text, size_t start, size_t end)
{
    struct buffer buffer = { .arena = arena };

    while (start < end && strchr(" \t\r\n\f\v", text[start]))
        start++;
    while (end > start && strchr(" \t\r\n\f\v", text[end - 1]))
        end--;

    const char *part = arena_strndup(arena, text + start, end - start);

    for (const char *next; (next = strstr(part, HOLE_NAME)) != NULL;
         part = next + strlen(HOLE_NAME)) {
        buffer_append(&buffer, part, (size_t)(next - part));
        buffer_add(&buffer, HOLE_SHOWN);
    }
    if (buffer.length == 0)
        return part;
    buffer_add(&buffer, part);
    return buffer_text(&buffer);
}

struct cutter {
    const char *text;
    size_t start; /* of the first lexeme, or SIZE_MAX */
    size_t end;
    size_t words;
    size_t body_depth; /* of BEGIN ATOMIC … END and CASE … END within */
    bool is_create;
    bool is_routine;
    bool is_too_complex;
    size_t chain;             /* sum of chains */
    uint32_t chains[DEEPEST]; /* lexemes since the last comma, at each depth */
};

/* BEGIN opens a body only in CREATE FUNCTION or PROCEDURE; as psql decides it. */
static void
count_bodies(struct cutter *cutter, const struct lexeme *lexeme)
{
    const char *text = cutter->text;

    cutter->words++;
    if (cutter->words == 1)
        cutter->is_create = lex_is_word(text, lexeme, "create");
    if (cutter->words <= 4 && cutter->is_create &&
        (lex_is_word(text, lexeme, "function") || lex_is_word(text, lexeme, "procedure")))
        cutter->is_routine = true;
    if (!cutter->is_routine || lexeme->depth > 0)
        return;
    if (lex_is_word(text, lexeme, "begin") ||
        (cutter->body_depth > 0 && lex_is_word(text, lexeme, "case")))
        cutter->body_depth++;
    else if (cutter->body_depth > 0 && lex_is_word(text, lexeme, "end"))
        cutter->body_depth--;
}

/* How deep the tree can become: what no comma parts can hang one below the other. */
static void
count_chain(struct cutter *cutter, const struct lexeme *lexeme)
{
    char byte = cutter->text[lexeme->start];
    uint32_t *chain;

    if (lexeme->depth + 1 >= DEEPEST) {
        cutter->is_too_complex = true;
        return;
    }
    chain = &cutter->chains[lexeme->depth];
    if (lexeme->kind == LEX_SIGN && (byte == ')' || byte == ']')) {
        cutter->chain -= chain[1];
        chain[1] = 0;
    } else if (lexeme->kind == LEX_SIGN && byte == ',') {
        cutter->chain -= *chain;
        *chain = 0;
    }
    ++*chain;
    cutter->is_too_complex |= ++cutter->chain > LONGEST_CHAIN;
}

size_t
text_lines(const char *text, size_t start, size_t end)
{
    size_t lines = 0;

    for (size_t i = start; i < end; i++)
        lines += text[i] == '\n';
    return lines;
}

/* Ends the statement; counted is where the lines have been counted to. */
static void
cut_here(struct arena *arena, struct cutter *cutter, size_t *counted, struct cuts *ret)
{
    size_t line = ret->count > 0 ? ret->items[ret->count - 1].line : 0;

    if (cutter->start != SIZE_MAX) {
        struct cut cut = {
            .text = arena_strndup(arena, cutter->text + cutter->start, cutter->end - cutter->start),
            .line = line + text_lines(cutter->text, *counted, cutter->start),
            .lines = text_lines(cutter->text, cutter->start, cutter->end),
            .is_too_complex = cutter->is_too_complex,
        };

        VEC_PUSH(arena, ret, cut);
        *counted = cutter->start;
    }
    *cutter = (struct cutter){ .text = cutter->text, .start = SIZE_MAX };
}

void
text_cut(struct arena *arena, const char *text, struct cuts *ret)
{
    struct lexer lexer = { .text = text };
    struct cutter cutter = { .text = text, .start = SIZE_MAX };
    size_t counted = 0;

    *ret = (struct cuts){ 0 };
    for (;;) {
        struct lexeme lexeme = lex_next(&lexer);
        bool is_end = lex_is_sign(text, &lexeme, ';') && lexeme.depth == 0;

        if (lexeme.kind == LEX_END || (is_end && cutter.body_depth == 0)) {
            cut_here(arena, &cutter, &counted, ret);
            if (lexeme.kind == LEX_END)
                return;
            continue;
        }
        if (cutter.start == SIZE_MAX)
            cutter.start = lexeme.start;
        cutter.end = lexeme.end;
        count_chain(&cutter, &lexeme);
        if (lexeme.kind == LEX_WORD)
            count_bodies(&cutter, &lexeme);
    }
}
