#include "index/lint/form.h"

#include <strings.h>

#include "base/vec.h"
#include "lang/sql.h"

struct taker {
    struct arena *arena;
    const char *text;
    const struct sql_tokens *tokens;
    size_t at;
};

static bool
is_word(const struct taker *taker, size_t at, const char *word)
{
    const struct sql_token *token;

    if (at >= taker->tokens->count)
        return false;
    token = &taker->tokens->items[at];
    return token->end - token->start == strlen(word) &&
           strncasecmp(taker->text + token->start, word, strlen(word)) == 0;
}

static const char *
slice(const struct taker *taker, size_t from, size_t to)
{
    size_t start, end;

    if (from >= to)
        return "";
    start = taker->tokens->items[from].start;
    end = taker->tokens->items[to - 1].end;
    return arena_strndup(taker->arena, taker->text + start, end - start);
}

/* Direction words at the end of a key; the key's text is what stands before. */
static size_t
take_direction(const struct taker *taker, size_t from, size_t to, struct lint_key *key)
{
    bool has_nulls = false;

    if (to - from > 2 && is_word(taker, to - 2, "nulls")) {
        key->is_nulls_first = is_word(taker, to - 1, "first");
        has_nulls = true;
        to -= 2;
    }
    if (to - from > 1 && (is_word(taker, to - 1, "desc") || is_word(taker, to - 1, "asc"))) {
        key->is_descending = is_word(taker, to - 1, "desc");
        to--;
    }
    if (!has_nulls)
        key->is_nulls_first = key->is_descending;
    return to;
}

static const char *
unquoted(struct arena *arena, const char *name)
{
    char *copy;
    size_t length = 0;

    if (*name != '"')
        return name;
    copy = arena_strdup(arena, name);
    for (size_t i = 1; name[i] && !(name[i] == '"' && name[i + 1] != '"'); i++) {
        if (name[i] == '"')
            i++;
        copy[length++] = name[i];
    }
    copy[length] = '\0';
    return copy;
}

static struct lint_key
key_of(const struct taker *taker, size_t from, size_t to)
{
    struct lint_key key = { 0 };
    const struct sql_token *first = &taker->tokens->items[from];
    bool is_call = from + 1 < to && taker->text[taker->tokens->items[from + 1].start] == '(';

    to = take_direction(taker, from, to, &key);
    key.text = slice(taker, from, to);
    if (taker->text[first->start] != '(' && !is_call)
        key.column = unquoted(taker->arena, slice(taker, from, from + 1));
    return key;
}

/* "(a, b DESC)": at stands on the parenthesis, and behind the closing one afterwards. */
static void
take_list(struct taker *taker, struct lint_form *form, bool is_include)
{
    VEC(struct lint_key) keys = { 0 };
    size_t depth = 0;
    size_t from = taker->at + 1;

    for (; taker->at < taker->tokens->count; taker->at++) {
        char first = taker->text[taker->tokens->items[taker->at].start];
        bool is_end;

        depth += first == '(' || first == '[';
        depth -= (first == ')' || first == ']') && depth > 0;
        is_end = (first == ')' && depth == 0) || (first == ',' && depth == 1);
        if (is_end && from < taker->at) {
            VEC_PUSH(taker->arena, &keys, key_of(taker, from, taker->at));
            from = taker->at + 1;
        }
        if (first == ')' && depth == 0)
            break;
    }
    taker->at++;
    if (!is_include) {
        form->keys = keys.items;
        form->key_count = keys.count;
    }
    for (size_t i = 0; is_include && i < keys.count; i++)
        text_list_add(taker->arena, &form->include, keys.items[i].text);
}

void
lint_form_read(struct ctx *ctx, const char *definition, struct lint_form *ret)
{
    struct sql_tokens tokens;
    struct taker taker = { .arena = ctx->arena, .text = definition, .tokens = &tokens };

    *ret = (struct lint_form){ .method = "btree" };
    if (!sql_tokens(ctx, definition, &tokens)) {
        error_clear(ctx);
        return;
    }
    if (is_word(&taker, 0, "using") && tokens.count > 1) {
        ret->method = slice(&taker, 1, 2);
        taker.at = 2;
    }
    if (taker.at >= tokens.count || definition[tokens.items[taker.at].start] != '(')
        return;
    take_list(&taker, ret, false);
    if (is_word(&taker, taker.at, "include")) {
        taker.at++;
        take_list(&taker, ret, true);
    }
    for (; taker.at < tokens.count && !is_word(&taker, taker.at, "where"); taker.at++)
        ret->has_equal_nulls |= is_word(&taker, taker.at, "nulls") &&
                                is_word(&taker, taker.at + 1, "not") &&
                                is_word(&taker, taker.at + 2, "distinct");
    if (taker.at < tokens.count)
        ret->predicate = slice(&taker, taker.at + 1, tokens.count);
    ret->is_read = ret->key_count > 0;
}

static bool
is_same_key(const struct lint_key *a, const struct lint_key *b, bool is_reversed)
{
    return text_equal(a->text, b->text) &&
           a->is_descending == (is_reversed ? !b->is_descending : b->is_descending) &&
           a->is_nulls_first == (is_reversed ? !b->is_nulls_first : b->is_nulls_first);
}

/* The same keys in the same order and direction, or all of them the other way round. */
static bool
form_begins(const struct lint_form *wide, const struct lint_form *narrow)
{
    bool is_forward = true;
    bool is_reversed = true;

    if (narrow->key_count > wide->key_count)
        return false;
    for (size_t i = 0; i < narrow->key_count; i++) {
        is_forward &= is_same_key(&wide->keys[i], &narrow->keys[i], false);
        is_reversed &= is_same_key(&wide->keys[i], &narrow->keys[i], true);
    }
    return is_forward || is_reversed;
}

static bool
has_column(const struct lint_form *form, const char *text)
{
    for (size_t i = 0; i < form->key_count; i++)
        if (text_equal(form->keys[i].text, text))
            return true;
    return text_list_has(&form->include, text);
}

static bool
holds_included(const struct lint_form *wide, const struct lint_form *narrow)
{
    for (size_t i = 0; i < narrow->include.count; i++)
        if (!has_column(wide, narrow->include.items[i]))
            return false;
    return true;
}

/* The keys alone, whatever their direction: what one value of them finds is the same. */
static bool
has_all_keys(const struct lint_form *wide, const struct lint_form *narrow)
{
    for (size_t i = 0; i < narrow->key_count; i++)
        if (!text_equal(wide->keys[i].text, narrow->keys[i].text))
            return false;
    return wide->key_count == narrow->key_count;
}

enum lint_overlap
lint_form_compare(const struct lint_form *wide, bool is_wide_unique, const struct lint_form *narrow,
    bool is_narrow_unique)
{
    bool is_btree = text_equal(wide->method, "btree") && text_equal(narrow->method, "btree");
    bool has_same_predicate = text_equal(wide->predicate, narrow->predicate);
    bool is_same;

    if (!wide->is_read || !narrow->is_read || !text_equal(wide->method, narrow->method))
        return LINT_APART;
    /* A rule about NULLs that the wide one does not have would be lost with the narrow one. */
    if (is_narrow_unique && narrow->has_equal_nulls && !wide->has_equal_nulls)
        return LINT_APART;
    is_same = has_same_predicate && wide->key_count == narrow->key_count &&
              form_begins(wide, narrow) && holds_included(wide, narrow);
    if (is_btree && is_wide_unique && !wide->predicate && narrow->include.count == 0 &&
        has_all_keys(wide, narrow))
        return LINT_TWIN;
    if (is_same && (is_wide_unique || !is_narrow_unique))
        return holds_included(narrow, wide) ? LINT_SAME : LINT_PREFIX;
    if (!is_btree || is_narrow_unique || !form_begins(wide, narrow) ||
        !holds_included(wide, narrow))
        return LINT_APART;
    return has_same_predicate ? LINT_PREFIX : LINT_APART;
}
