/*
 * DO blocks. Of PL/pgSQL only what guards DDL is understood: IF … THEN … END IF, BEGIN …
 * EXCEPTION WHEN … THEN … END, EXECUTE 'literal'. Any other block is one unknown step.
 */
#include <strings.h>

#include "base/text.h"
#include "migrate/sql/sql_lower.h"

enum { DEEPEST_BLOCK = 16, MOST_HANDLERS = 4 };

struct block {
    struct lower *lower;
    const char *text;
    struct lexer lexer;
    struct lexeme token; /* the one that is looked at */
    size_t line;         /* lines of the DO statement before the body */
    unsigned depth;
};

static bool read_statements(struct block *block);

/* The guard says nothing but IF NOT EXISTS. */
static void
guard_step(struct step *step, const struct conditions *conditions)
{
    step->if_not_exists = true;
    step->create_if_missing = true;
    step->conditions = *conditions;
}

static void
advance(struct block *block)
{
    block->token = lex_next(&block->lexer);
}

static bool
is_word(const struct block *block, const char *word)
{
    return lex_is_word(block->text, &block->token, word);
}

static bool
take(struct block *block, const char *word)
{
    if (!is_word(block, word))
        return false;
    advance(block);
    return true;
}

static bool
take_semicolon(struct block *block)
{
    if (!lex_is_sign(block->text, &block->token, ';'))
        return false;
    advance(block);
    return true;
}

/* Skips to the semicolon that ends the statement; its end without the semicolon. */
static size_t
skip_statement(struct block *block)
{
    size_t end = block->token.start;

    while (block->token.kind != LEX_END &&
           !(lex_is_sign(block->text, &block->token, ';') && block->token.depth == 0)) {
        end = block->token.end;
        advance(block);
    }
    take_semicolon(block);
    return end;
}

/* Statements within a block, in their own order and under its conditions. */
static void
lower_inner(struct block *block, const char *text, size_t offset)
{
    struct lower inner = *block->lower;
    struct cuts cuts;

    inner.depth++;
    if (inner.source->lines_follow && inner.place.line > 0) {
        inner.place.line += (uint32_t)(block->line + text_lines(block->text, 0, offset));
        inner.place.end_line = inner.place.line + (uint32_t)text_lines(text, 0, strlen(text));
        inner.place.column = 0;
    }
    text_cut(inner.ctx->arena, text, &cuts);
    for (size_t i = 0; i < cuts.count; i++)
        lower_text(&inner, &cuts.items[i]);
}

/* The text of a string constant: doubled quotes are one, dollars are taken off. */
static const char *
string_text(struct arena *arena, const char *text, const struct lexeme *lexeme)
{
    struct buffer buffer = { .arena = arena };
    size_t start = lexeme->start;

    if (text[start] == '$') {
        size_t length = strcspn(text + start + 1, "$") + 2;

        if (lexeme->end < start + 2 * length)
            return NULL;
        return arena_strndup(arena, text + start + length, lexeme->end - start - 2 * length);
    }
    if (text[start] != '\'' || lexeme->end < start + 2)
        return NULL;
    for (size_t i = start + 1; i < lexeme->end - 1; i++) {
        i += text[i] == '\'';
        buffer_append(&buffer, text + i, 1);
    }
    return buffer_text(&buffer);
}

/* EXECUTE 'literal'; anything put together at run time is unknown. */
static bool
read_execute(struct block *block)
{
    size_t start = block->token.start;
    const char *text;

    if (block->token.kind != LEX_STRING)
        return false;
    text = string_text(block->lower->ctx->arena, block->text, &block->token);
    advance(block);
    if (!text || !take_semicolon(block))
        return false;
    lower_inner(block, text, start);
    return true;
}

/* The condition up to THEN. */
static const char *
read_condition(struct block *block)
{
    size_t start = block->token.start;
    size_t end = start;

    while (block->token.kind != LEX_END && !(block->token.depth == 0 && is_word(block, "then"))) {
        end = block->token.end;
        advance(block);
    }
    return take(block, "then") ? text_shown(block->lower->ctx->arena, block->text, start, end)
                               : NULL;
}

/* One branch, under its condition in addition to those around. */
static bool
read_branch(struct block *block, const char *text, const struct guard *guard)
{
    struct conditions before = block->lower->conditions;
    struct steps *steps = block->lower->steps;
    size_t first = steps->count;
    bool is_read;

    lower_condition_add(block->lower, text, &guard->test);
    is_read = read_statements(block);
    block->lower->conditions = before;
    if (is_read && steps->count == first + 1 && guard_is_if_not_exists(guard, &steps->items[first]))
        guard_step(&steps->items[first], &before);
    return is_read;
}

static bool
read_if(struct block *block)
{
    struct arena *arena = block->lower->ctx->arena;
    const char *first = read_condition(block);
    struct guard guard;

    if (!first)
        return false;
    guard = guard_read(arena, first);
    if (!read_branch(block, arena_printf(arena, "IF %s", first), &guard))
        return false;
    while (is_word(block, "elsif") || is_word(block, "elseif")) {
        advance(block);

        const char *next = read_condition(block);

        guard = (struct guard){ 0 };
        if (!next || !read_branch(block, arena_printf(arena, "ELSIF %s", next), &guard))
            return false;
        first = next;
    }
    guard.test.is_negated = !guard.test.is_negated;
    guard.type = NULL;
    if (take(block, "else") &&
        !read_branch(block, arena_printf(arena, "ELSE of IF %s", first), &guard))
        return false;
    return take(block, "end") && take(block, "if") && take_semicolon(block);
}

/* Names of errors that say "it is there already". */
static bool
is_duplicate(const char *condition)
{
    static const char *const names[] = { "duplicate_object", "duplicate_table", "duplicate_column",
        "duplicate_schema", "duplicate_function", "duplicate_alias" };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcasecmp(condition, names[i]) == 0)
            return true;
    return false;
}

/* Steps that IF NOT EXISTS, or a handler for duplicates, makes certain. */
static bool
is_create(enum step_kind kind)
{
    static const enum step_kind kinds[] = { STEP_CREATE_TABLE, STEP_CREATE_ENUM, STEP_CREATE_TYPE,
        STEP_CREATE_DOMAIN, STEP_CREATE_SCHEMA, STEP_CREATE_INDEX, STEP_CREATE_SEQUENCE,
        STEP_ADD_COLUMN, STEP_ADD_VALUE };

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (kinds[i] == kind)
            return true;
    return false;
}

/* A handler that takes an error for success: what failed then was as if it had not been there. */
static void
guard_steps(struct block *block, size_t first, const char *condition)
{
    static const struct test none;
    struct steps *steps = block->lower->steps;
    bool is_single = steps->count - first == 1;

    for (size_t i = first; i < steps->count; i++) {
        struct step *step = &steps->items[i];
        struct conditions before = block->lower->conditions;

        if (is_single && is_duplicate(condition) && is_create(step->kind)) {
            guard_step(step, &step->conditions);
            continue;
        }
        block->lower->conditions = step->conditions;
        lower_condition_add(block->lower,
            arena_printf(block->lower->ctx->arena, "EXCEPTION WHEN %s", condition), &none);
        step->conditions = block->lower->conditions;
        block->lower->conditions = before;
    }
}

/* WHEN … THEN statements: only handlers that do nothing but talk. */
static bool
read_handlers(struct block *block, size_t first)
{
    size_t count = block->lower->steps->count;

    for (size_t i = 0; take(block, "when"); i++) {
        const char *condition = read_condition(block);

        if (i == MOST_HANDLERS || !condition || !read_statements(block) ||
            block->lower->steps->count != count)
            return false;
        guard_steps(block, first, condition);
    }
    return true;
}

static bool
read_block(struct block *block)
{
    size_t first = block->lower->steps->count;

    if (!read_statements(block))
        return false;
    if (take(block, "exception") && !read_handlers(block, first))
        return false;
    return take(block, "end") && (take_semicolon(block) || block->token.kind == LEX_END);
}

static bool
is_sql(const struct block *block)
{
    static const char *const words[] = { "alter", "analyze", "cluster", "comment", "create",
        "delete", "drop", "grant", "insert", "lock", "refresh", "reindex", "revoke", "set",
        "truncate", "update" };

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (is_word(block, words[i]))
            return true;
    return false;
}

static bool
is_end(const struct block *block)
{
    return is_word(block, "end") || is_word(block, "else") || is_word(block, "elsif") ||
           is_word(block, "elseif") || is_word(block, "exception") || is_word(block, "when") ||
           block->token.kind == LEX_END;
}

static bool
read_statement(struct block *block)
{
    size_t start = block->token.start;

    if (take(block, "if"))
        return read_if(block);
    if (take(block, "begin"))
        return read_block(block);
    if (take(block, "execute"))
        return read_execute(block);
    if (is_word(block, "null") || is_word(block, "raise")) {
        skip_statement(block);
        return true;
    }
    if (!is_sql(block))
        return false;

    size_t end = skip_statement(block);

    lower_inner(
        block, arena_strndup(block->lower->ctx->arena, block->text + start, end - start), start);
    return true;
}

static bool
read_statements(struct block *block)
{
    bool is_read = ++block->depth <= DEEPEST_BLOCK;

    while (is_read && !is_end(block))
        is_read = read_statement(block);
    block->depth--;
    return is_read;
}

/* Whether the body can change the schema: words, also in strings that it may execute. */
static bool
has_ddl_words(const char *body)
{
    static const char *const words[] = { "execute", "create", "alter", "drop", "truncate", "call",
        "rename" };

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcasestr(body, words[i]))
            return true;
    return false;
}

static bool
read_body(struct lower *lower, const char *body)
{
    struct block block = { .lower = lower, .text = body, .lexer = { .text = body } };
    const char *start = strstr(lower->text, body);

    if (start)
        block.line = text_lines(lower->text, 0, (size_t)(start - lower->text));
    advance(&block);
    return take(&block, "begin") && read_block(&block) && block.token.kind == LEX_END;
}

static const char *
body_of(const json_t *node, bool *ret_is_plpgsql)
{
    const json_t *options = json_object_get(node, "args");
    bool is_there;
    const char *language = tree_string(tree_option(options, "language", &is_there));

    *ret_is_plpgsql = !language || strcmp(language, "plpgsql") == 0;
    return tree_string(tree_option(options, "as", &is_there));
}

void
lower_do(struct lower *lower, const json_t *node)
{
    bool is_plpgsql;
    const char *body = body_of(node, &is_plpgsql);
    size_t count = lower->steps->count;
    struct lower inner = *lower;
    struct step step;

    if (body && is_plpgsql && lower->depth == 0 &&
        read_body(&inner, arena_strdup(lower->ctx->arena, body))) {
        if (lower->steps->count > count)
            return;
        step = lower_begin(lower, STEP_DO); /* it does nothing */
        lower_end(lower, &step);
        return;
    }
    lower->steps->count = count;
    step = lower_begin(lower, STEP_DO);
    step.unknown = "the block is not followed";
    step.reach = !body || !is_plpgsql || has_ddl_words(body) ? REACH_ALL : REACH_DATA;
    lower_end(lower, &step);
}
