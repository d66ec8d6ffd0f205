/* Constants of a text: which stand in lists, and others in their place. */
#include <ctype.h>
#include <strings.h>

#include "db/ident.h"
#include "index/intake/intake_part.h"
#include "lang/sql.h"

static size_t
back_over_blanks(const char *sql, size_t at)
{
    while (at > 0 && isspace((unsigned char)sql[at - 1]))
        at--;
    return at;
}

/* Whether the word that ends here is this one. */
static bool
ends_with_word(const char *sql, size_t end, const char *word)
{
    size_t length = strlen(word);

    return end >= length && strncasecmp(sql + end - length, word, length) == 0 &&
           (end == length ||
               (!isalnum((unsigned char)sql[end - length - 1]) && sql[end - length - 1] != '_'));
}

/* A minus that is the constant's own: pg_stat_statements takes it for a part, too. */
static size_t
start_with_sign(const char *sql, const struct literal *literal)
{
    static const char *const words[] = { "and", "or", "between", "then", "else", "when", "in",
        "limit", "offset", "select", "returning", "not", "like" };
    size_t minus = back_over_blanks(sql, literal->start);
    size_t before;

    if (minus == 0 || sql[minus - 1] != '-' || !strchr("0123456789.", sql[literal->start]))
        return literal->start;
    before = back_over_blanks(sql, minus - 1);
    if (before > 0 && strchr("=<>(,[", sql[before - 1]))
        return minus - 1;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (ends_with_word(sql, before, words[i]))
            return minus - 1;
    return literal->start;
}

void
intake_lists(const char *sql, const struct literals *literals, bool *ret)
{
    for (size_t i = 0; i < literals->count; i++) {
        size_t at = back_over_blanks(sql, start_with_sign(sql, &literals->items[i]));

        ret[i] = false;
        if (at == 0)
            continue;
        if (sql[at - 1] == '(') {
            size_t word = back_over_blanks(sql, at - 1);

            ret[i] = ends_with_word(sql, word, "in") || ends_with_word(sql, word, "values");
        } else if (sql[at - 1] == ',' && i > 0) {
            /* After another constant of a list, or the row after one. */
            ret[i] = ret[i - 1] && back_over_blanks(sql, at - 1) == literals->items[i - 1].end;
        }
    }
}

const char *
intake_blank(struct arena *arena, const char *sql, const struct literals *literals,
    const bool *varies, size_t first)
{
    struct buffer text = { .arena = arena };
    size_t at = 0;

    for (size_t i = 0; i < literals->count; i++) {
        size_t start = start_with_sign(sql, &literals->items[i]);

        if (!varies[i])
            continue;
        buffer_append(&text, sql + at, start - at);
        buffer_printf(&text, "$%zu", first++);
        at = literals->items[i].end;
    }
    buffer_add(&text, sql + at);
    return buffer_text(&text);
}

const char *
intake_fill(struct arena *arena, const char *sql, const char *const *params, size_t count)
{
    struct ctx scratch = { .arena = arena };
    struct buffer text = { .arena = arena };
    struct sql_tokens tokens;
    size_t at = 0;

    if (!sql_tokens(&scratch, sql, &tokens))
        return NULL;
    for (size_t i = 0; i < tokens.count; i++) {
        const struct sql_token *token = &tokens.items[i];
        unsigned long number;

        if (token->kind != SQL_PARAM)
            continue;
        number = strtoul(sql + token->start + 1, NULL, 10);
        if (number < 1 || number > count)
            return NULL;
        buffer_append(&text, sql + at, token->start - at);
        buffer_add(&text, params[number - 1] ? db_literal(arena, params[number - 1]) : "NULL");
        at = token->end;
    }
    buffer_add(&text, sql + at);
    return buffer_text(&text);
}
