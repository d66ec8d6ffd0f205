/* Names of constraints and indexes, as SQLAlchemy's naming conventions give them. */
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "migrate/lower/lower.h"

enum { NAME_MOST = 63, DIGEST_DIGITS = 4, CUT_LENGTH = 8 };

const char *
naming_truncate(struct arena *arena, const char *name)
{
    size_t length = strlen(name);
    const char *digest;

    if (length <= NAME_MOST)
        return name;
    digest = md5_of(arena, name, length);
    if (!digest)
        return name;
    return arena_printf(
        arena, "%.*s_%s", NAME_MOST - CUT_LENGTH, name, digest + strlen(digest) - DIGEST_DIGITS);
}

/* ---- tokens: %(column_0_name)s ---- */

/* What a token is made of: source: SQLAlchemy's documentation of naming_convention. */
struct token {
    bool is_referred; /* referred_column_… */
    size_t at;        /* the number behind column_ */
    bool is_all;      /* 0N, 0_N: every column */
    bool has_line;    /* 0_N: with _ between */
    const char *part; /* name, label, key */
};

static bool
token_parse(const char *text, struct token *ret)
{
    static const char referred[] = "referred_";
    static const char column[] = "column_";

    *ret = (struct token){ 0 };
    if (text_starts_with(text, referred)) {
        ret->is_referred = true;
        text += strlen(referred);
    }
    if (!text_starts_with(text, column))
        return false;
    text += strlen(column);
    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++)
        ret->at = ret->at * 10 + (size_t)(*text - '0');
    if (text_starts_with(text, "_N")) {
        ret->is_all = true;
        ret->has_line = true;
        text += 2;
    } else if (*text == 'N') {
        ret->is_all = true;
        text++;
    }
    if (*text != '_')
        return false;
    ret->part = text + 1;
    return true;
}

static void
add_column(struct buffer *buffer, const struct named *named, const char *column, const char *part)
{
    if (text_equal(part, "label")) {
        if (named->table.schema)
            buffer_printf(buffer, "%s_", named->table.schema);
        buffer_printf(buffer, "%s_", named->table.name);
    }
    buffer_add(buffer, column);
}

static void
add_columns(struct buffer *buffer, const struct named *named, const struct token *token)
{
    const struct text_list *columns = token->is_referred ? named->target_columns : named->columns;

    if (!columns)
        return;
    if (!token->is_all) {
        if (token->at < columns->count)
            add_column(buffer, named, columns->items[token->at], token->part);
        return;
    }
    for (size_t i = 0; i < columns->count; i++) {
        if (i > 0 && token->has_line)
            buffer_add(buffer, "_");
        add_column(buffer, named, columns->items[i], token->part);
    }
}

/* false: a token that is not known here, a function of the application perhaps. */
static bool
add_token(struct buffer *buffer, const struct named *named, const char *given, const char *text)
{
    struct token token;

    if (text_equal(text, "table_name")) {
        buffer_add(buffer, named->table.name);
    } else if (text_equal(text, "referred_table_name")) {
        if (!named->target || !named->target->name)
            return false;
        buffer_add(buffer, named->target->name);
    } else if (text_equal(text, "constraint_name")) {
        if (!given)
            return false;
        buffer_add(buffer, given);
    } else if (token_parse(text, &token)) {
        add_columns(buffer, named, &token);
    } else {
        return false;
    }
    return true;
}

/* NULL: the pattern has something that is not known. */
static const char *
expand(struct arena *arena, const char *pattern, const struct named *named, const char *given)
{
    struct buffer buffer = { .arena = arena };

    while (*pattern) {
        size_t plain = strcspn(pattern, "%");
        const char *end;

        buffer_append(&buffer, pattern, plain);
        pattern += plain;
        if (text_starts_with(pattern, "%%")) {
            buffer_add(&buffer, "%");
            pattern += 2;
            continue;
        }
        if (!*pattern)
            break;
        end = strstr(pattern, ")s");
        if (pattern[1] != '(' || !end ||
            !add_token(&buffer, named, given,
                arena_strndup(arena, pattern + 2, (size_t)(end - pattern - 2))))
            return NULL;
        pattern = end + 2;
    }
    return naming_truncate(arena, buffer_text(&buffer));
}

static const char *
pattern_of(const struct naming *naming, const struct named *named)
{
    static const char label[] = "ix_%(column_0_label)s";

    if (named->is_index)
        return naming && naming->ix ? naming->ix : label;
    if (!naming)
        return NULL;
    switch (named->kind) {
    case CONSTRAINT_PRIMARY_KEY:
        return naming->pk;
    case CONSTRAINT_UNIQUE:
        return naming->uq;
    case CONSTRAINT_CHECK:
        return naming->ck;
    case CONSTRAINT_FOREIGN_KEY:
        return naming->fk;
    case CONSTRAINT_EXCLUDE:
    case CONSTRAINT_UNKNOWN:
        break;
    }
    return NULL;
}

void
naming_apply(struct host *host, const struct value *given, const struct named *named,
    const char **ret_name, bool *ret_is_unknown)
{
    const struct naming *naming = host->given->naming;
    const char *pattern = pattern_of(naming, named);
    bool is_given = value_is_given(given);
    const char *name = is_given ? value_name(host->arena, given) : NULL;

    *ret_name = name;
    *ret_is_unknown = is_given && !name;
    if (*ret_is_unknown)
        return;
    if (value_is_final(given) || (name && (!pattern || !strstr(pattern, "constraint_name"))))
        return;
    if (!name && naming && naming->is_unknown) {
        *ret_is_unknown = true;
        return;
    }
    if (!pattern || (!name && strstr(pattern, "constraint_name")))
        return;
    *ret_name = named->table.name ? expand(host->arena, pattern, named, name) : NULL;
    *ret_is_unknown = !*ret_name;
}
