/* The script written again: what is right stays byte by byte, what is wrong is mended or becomes a comment. */
#include <inttypes.h>
#include <strings.h>

#include "index/lint/lint.h"
#include "lang/sql.h"

/* One replacement within a statement's text. */
struct edit {
    struct lint_span span;
    const char *text;
};

struct edits {
    struct edit *items;
    size_t count;
    size_t capacity;
};

struct writer {
    struct ctx *ctx;
    const struct lint *lint;
    struct buffer out;
    size_t done; /* bytes of the script that are written */
};

static bool
has_mend(const struct lint_index *index, enum lint_mend mend, const struct lint_told **ret)
{
    for (size_t i = 0; i < index->told.count; i++) {
        const struct lint_told *told = &index->told.items[i];

        if (lint_rule_mend(lint_rule(told->rule)) == mend) {
            *ret = told;
            return true;
        }
    }
    return false;
}

static void
replace(struct writer *writer, struct edits *edits, struct lint_span span, const char *text)
{
    const struct edit edit = { .span = span, .text = text };

    VEC_PUSH(writer->ctx->arena, edits, edit);
}

/* Blanks behind a word go with it. */
static struct lint_span
with_blanks(const char *text, struct lint_span span)
{
    while (text[span.end] == ' ' || text[span.end] == '\n' || text[span.end] == '\t')
        span.end++;
    return span;
}

/* The INCLUDE list without the column; the whole clause when nothing is left. */
static void
leave_out_included(struct writer *writer, const struct lint_statement *statement,
    const char *column, struct edits *edits)
{
    struct sql_tokens tokens;
    size_t start = 0;
    size_t kept = 0;
    struct buffer text = { .arena = writer->ctx->arena };

    if (!sql_tokens(writer->ctx, statement->text, &tokens)) {
        error_clear(writer->ctx);
        return;
    }
    for (size_t i = 0; i < tokens.count; i++) {
        const struct sql_token *token = &tokens.items[i];
        size_t length = token->end - token->start;
        const char *word = statement->text + token->start;

        if (start == 0 && length == strlen("INCLUDE") && strncasecmp(word, "include", length) == 0)
            start = token->start;
        if (start == 0)
            continue;
        if (*word == ')') {
            replace(writer, edits, (struct lint_span){ start, token->end },
                kept > 0 ? arena_printf(writer->ctx->arena, "INCLUDE (%s)", buffer_text(&text))
                         : "");
            return;
        }
        if (*word == '(' || *word == ',' || token->start == start ||
            (length == strlen(column) && strncasecmp(word, column, length) == 0))
            continue;
        buffer_printf(&text, "%s%.*s", kept++ > 0 ? ", " : "", (int)length, word);
    }
}

/* The first constant number behind the word lists. */
static void
set_lists(struct writer *writer, const struct lint_statement *statement, int64_t lists,
    struct edits *edits)
{
    struct sql_tokens tokens;
    bool is_behind = false;

    if (!sql_tokens(writer->ctx, statement->text, &tokens)) {
        error_clear(writer->ctx);
        return;
    }
    for (size_t i = 0; i < tokens.count; i++) {
        const struct sql_token *token = &tokens.items[i];
        const char *word = statement->text + token->start;

        if (token->end - token->start == strlen("lists") && strncasecmp(word, "lists", 5) == 0)
            is_behind = true;
        if (is_behind && token->kind == SQL_CONSTANT) {
            replace(writer, edits, (struct lint_span){ token->start, token->end },
                arena_printf(writer->ctx->arena, "%" PRId64, lists));
            return;
        }
    }
    replace(writer, edits, (struct lint_span){ strlen(statement->text), strlen(statement->text) },
        arena_printf(writer->ctx->arena, " WITH (lists = %" PRId64 ")", lists));
}

/* The class that is written, or one behind the first key. */
static void
set_class(struct writer *writer, const struct lint_statement *statement,
    const struct lint_index *index, struct edits *edits)
{
    struct sql_tokens tokens;
    const char *column = index->form.keys[0].column;
    const char *written = statement->opclasses.count > 0 ? statement->opclasses.items[0] : column;
    size_t start = (size_t)(statement->rest - statement->text);

    if (!sql_tokens(writer->ctx, statement->text, &tokens)) {
        error_clear(writer->ctx);
        return;
    }
    for (size_t i = 0; i < tokens.count; i++) {
        const struct sql_token *token = &tokens.items[i];
        size_t length = token->end - token->start;

        if (token->start < start || length != strlen(written) ||
            strncasecmp(statement->text + token->start, written, length) != 0)
            continue;
        if (statement->opclasses.count > 0)
            replace(
                writer, edits, (struct lint_span){ token->start, token->end }, index->fit_class);
        else
            replace(writer, edits, (struct lint_span){ token->end, token->end },
                arena_printf(writer->ctx->arena, " %s", index->fit_class));
        return;
    }
}

/* The last token before this one that is no direction: ASC, DESC, NULLS FIRST or LAST. */
static size_t
last_of_expression(const char *text, const struct sql_tokens *tokens, size_t end)
{
    static const char *const words[] = { "asc", "desc", "nulls", "first", "last" };
    bool is_direction = true;

    while (is_direction && end > 1) {
        const struct sql_token *token = &tokens->items[--end];

        is_direction = false;
        for (size_t i = 0; i < COUNT_OF(words); i++)
            is_direction |= token->end - token->start == strlen(words[i]) &&
                            strncasecmp(text + token->start, words[i], strlen(words[i])) == 0;
    }
    return end;
}

/* "(a::date)" → "((a::date))": parentheses around every element of the first list that holds a cast or operator. */
static void
add_parentheses(struct writer *writer, const struct lint_statement *statement, struct edits *edits)
{
    struct sql_tokens tokens;
    size_t depth = 0;
    size_t from = 0;
    bool has_cast = false;

    if (!sql_tokens(writer->ctx, statement->rest, &tokens)) {
        error_clear(writer->ctx);
        return;
    }
    for (size_t i = 0; i < tokens.count; i++) {
        const struct sql_token *token = &tokens.items[i];
        const char *word = statement->rest + token->start;
        size_t base = (size_t)(statement->rest - statement->text);

        depth += *word == '(';
        depth -= *word == ')' && depth > 0;
        if (*word == '(' && depth == 1)
            from = i + 1;
        has_cast |= depth == 1 && token->kind == SQL_OPERATOR;
        if (!((*word == ')' && depth == 0) || (*word == ',' && depth == 1)))
            continue;
        if (has_cast && from < i) {
            size_t start = base + tokens.items[from].start;
            size_t end = base + tokens.items[last_of_expression(statement->rest, &tokens, i)].end;

            replace(writer, edits, (struct lint_span){ start, start }, "(");
            replace(writer, edits, (struct lint_span){ end, end }, ")");
        }
        has_cast = false;
        from = i + 1;
        if (depth == 0)
            return;
    }
}

/* The statement's text with its edits, which do not overlap. */
static const char *
edited(struct writer *writer, const char *text, const struct edits *edits)
{
    struct buffer out = { .arena = writer->ctx->arena };
    size_t done = 0;

    for (;;) {
        const struct edit *next = NULL;

        for (size_t i = 0; i < edits->count; i++)
            if (edits->items[i].span.start >= done && edits->items[i].text &&
                (!next || edits->items[i].span.start < next->span.start))
                next = &edits->items[i];
        if (!next)
            break;
        buffer_append(&out, text + done, next->span.start - done);
        buffer_add(&out, next->text);
        done = next->span.end;
        for (size_t i = 0; i < edits->count; i++)
            if (&edits->items[i] == next)
                edits->items[i].text = NULL;
    }
    buffer_add(&out, text + done);
    return buffer_text(&out);
}

/* Words that every statement that stays is mended by. */
static const char *
mended(
    struct writer *writer, const struct lint_statement *statement, const struct lint_index *index)
{
    struct edits edits = { 0 };
    const struct lint_told *told;

    if (has_mend(index, MEND_WORDS, &told))
        replace(writer, &edits, with_blanks(statement->text, statement->if_not_exists), "");
    if (has_mend(index, MEND_CONCURRENTLY, &told))
        replace(writer, &edits, (struct lint_span){ statement->index.end, statement->index.end },
            " CONCURRENTLY");
    if (has_mend(index, MEND_PARENTHESES, &told))
        add_parentheses(writer, statement, &edits);
    if (has_mend(index, MEND_LISTS, &told) && index->fit_lists > 0)
        set_lists(writer, statement, index->fit_lists, &edits);
    if (has_mend(index, MEND_CLASS, &told) && index->fit_class && index->form.key_count > 0)
        set_class(writer, statement, index, &edits);
    if (has_mend(index, MEND_INCLUDE, &told) && index->wide_column)
        leave_out_included(writer, statement, index->wide_column, &edits);
    return edited(writer, statement->text, &edits);
}

/* Each line a comment. */
static void
comment(struct writer *writer, const char *prefix, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        buffer_printf(&writer->out, "-- %s%.*s\n", prefix, (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void
explain(struct writer *writer, const struct lint_told *told)
{
    const struct rule *rule = lint_rule(told->rule);

    if (told->message)
        comment(writer,
            "pgmend: ", arena_printf(writer->ctx->arena, "%s (%s)", told->message, rule->id));
    if (told->instead && !strchr(told->instead, '\n'))
        comment(writer, "        ", told->instead);
}

/* A comment of lines begins in a line of its own. */
static void
begin_line(struct writer *writer)
{
    if (writer->out.length > 0 && writer->out.data[writer->out.length - 1] != '\n')
        buffer_add(&writer->out, "\n");
}

/* The blanks and the semicolon behind a statement, and the end of its line when nothing else is in it. */
static size_t
end_of(const struct writer *writer, const struct lint_statement *statement)
{
    const char *text = writer->lint->script.text;
    size_t end = statement->offset + strlen(statement->text);
    size_t at = end + strspn(text + end, " \t\r\n");

    if (text[at] == ';')
        end = at + 1;
    at = end + strspn(text + end, " \t\r");
    return text[at] == '\n' ? at + 1 : end;
}

static void
write_out(struct writer *writer, const struct lint_statement *statement,
    const struct lint_told *told, const char *reason)
{
    begin_line(writer);
    if (told)
        explain(writer, told);
    else
        comment(writer, "pgmend: ", reason);
    comment(writer, "", arena_printf(writer->ctx->arena, "%s;", statement->text));
    writer->done = end_of(writer, statement);
}

static void
write_block(
    struct writer *writer, const struct lint_statement *statement, const struct lint_told *told)
{
    write_out(writer, statement, told, NULL);
    for (size_t i = 0; i < statement->inner.count; i++)
        buffer_printf(&writer->out, "%s;\n", statement->inner.items[i]);
}

static void
write_mended(
    struct writer *writer, const struct lint_statement *statement, const struct lint_index *index)
{
    static const enum lint_mend told_mends[] = { MEND_LIFT, MEND_PARENTHESES, MEND_CONCURRENTLY,
        MEND_CLASS, MEND_LISTS, MEND_INCLUDE };
    const struct lint_told *told;

    for (size_t i = 0; i < COUNT_OF(told_mends); i++)
        if (has_mend(index, told_mends[i], &told)) {
            begin_line(writer);
            explain(writer, told);
        }
    buffer_add(&writer->out, mended(writer, statement, index));
    writer->done = statement->offset + strlen(statement->text);
}

/* Whether told of another index that does the same and more. */
static bool
is_cover(enum lint_rule rule)
{
    return rule == LINT_COVERED || rule == LINT_DUPLICATE || rule == LINT_CONSTRAINT;
}

/* A wide index goes when a narrower one of the script is kept in its place. */
static bool
is_replaced(const struct writer *writer, size_t position)
{
    const struct lint *lint = writer->lint;

    for (size_t i = 0; i < lint->script.count; i++)
        if (lint->indexes[i].kept_for && lint->indexes[i].cover == position + 1)
            return true;
    return false;
}

/* The fault that the statement goes for, whatever others there are; NULL: none. */
static const struct lint_told *
fault_of(struct writer *writer, size_t position)
{
    const struct lint_statement *statement = &writer->lint->script.items[position];
    const struct lint_index *index = &writer->lint->indexes[position];
    const struct lint_told *told = NULL;

    if (has_mend(index, MEND_INCLUDE, &told) &&
        (!index->wide_column || is_replaced(writer, position)))
        return told;
    for (size_t i = 0; i < index->told.count; i++)
        if (lint_rule_mend(lint_rule(index->told.items[i].rule)) == MEND_OUT &&
            !is_cover(index->told.items[i].rule))
            return &index->told.items[i];
    if (has_mend(index, MEND_PARENTHESES, &told) &&
        text_equal(mended(writer, statement, index), statement->text))
        return told;
    return NULL;
}

/*
 * That another index does its work is a reason to go only while that one stays, or goes for a third that does
 * the work of both. Each covers less than the next, so there is an end.
 */
static const struct lint_told *
reason_to_go(struct writer *writer, size_t position)
{
    const struct lint_index *index = &writer->lint->indexes[position];
    const struct lint_told *told = fault_of(writer, position);

    for (size_t i = 0; !told && i < index->told.count; i++)
        if (is_cover(index->told.items[i].rule))
            told = &index->told.items[i];
    if (!told || !is_cover(told->rule))
        return told;
    if (index->kept_for || index->is_partial_twin)
        return NULL;
    for (size_t cover = index->cover; cover > 0; cover = writer->lint->indexes[cover - 1].cover)
        if (fault_of(writer, cover - 1))
            return NULL;
    return told;
}

static void
write_index(struct writer *writer, size_t position)
{
    const struct lint_statement *statement = &writer->lint->script.items[position];
    const struct lint_told *told = reason_to_go(writer, position);

    if (told)
        write_out(writer, statement, told, NULL);
    else
        write_mended(writer, statement, &writer->lint->indexes[position]);
}

static void
write_statement(struct writer *writer, size_t position)
{
    const struct lint_statement *statement = &writer->lint->script.items[position];
    const struct lint_index *index = &writer->lint->indexes[position];
    const struct lint_told *told = NULL;

    if (index->is_needed || statement->kind == LINT_ATTACH) {
        buffer_add(&writer->out, statement->text);
        writer->done = statement->offset + strlen(statement->text);
        return;
    }
    switch (statement->kind) {
    case LINT_INDEX:
        write_index(writer, position);
        return;
    case LINT_BLOCK:
        if ((has_mend(index, MEND_UNROLL, &told) || has_mend(index, MEND_CONCURRENTLY, &told)) &&
            statement->is_plain_block)
            write_block(writer, statement, told);
        else
            write_out(writer, statement, index->told.count > 0 ? &index->told.items[0] : NULL,
                "a block, not an index");
        return;
    case LINT_BEGIN:
    case LINT_COMMIT:
        write_out(writer, statement, NULL, "each index is built by itself, outside a transaction");
        return;
    case LINT_QUERY:
        write_out(writer, statement, NULL, "a query, not an index");
        return;
    case LINT_ROUTINE:
    case LINT_RELATION:
    case LINT_EXTENSION:
    case LINT_COLUMN_ADD:
    case LINT_DROP:
    case LINT_OTHER:
    case LINT_BROKEN:
        write_out(writer, statement, index->told.count > 0 ? &index->told.items[0] : NULL,
            "not an index");
        return;
    case LINT_ATTACH:
    case LINT_KIND_COUNT:
        return;
    }
}

const char *
lint_corrected(struct ctx *ctx, const struct lint *lint)
{
    struct writer writer = { .ctx = ctx, .lint = lint, .out = { .arena = ctx->arena } };
    const struct lint_script *script = &lint->script;

    for (size_t i = 0; i < script->count; i++) {
        size_t start = script->items[i].offset;

        if (start > writer.done)
            buffer_append(&writer.out, script->text + writer.done, start - writer.done);
        write_statement(&writer, i);
    }
    if (writer.done < script->length)
        buffer_add(&writer.out, script->text + writer.done);
    return buffer_text(&writer.out);
}
