/* Whether an index that is there makes a candidate needless. */
#include <string.h>

#include "index/candidate/candidate.h"

/* The text without the parentheses around all of it, and its length. */
static const char *
inside(const char *text, size_t *ret_length)
{
    size_t length = strlen(text);

    while (length >= 2 && text[0] == '(' && text[length - 1] == ')') {
        int depth = 0;
        bool is_quoted = false;

        for (size_t i = 0; i + 1 < length; i++) {
            is_quoted ^= text[i] == '\'' || text[i] == '"';
            depth += is_quoted ? 0 : (text[i] == '(') - (text[i] == ')');
            if (depth == 0) {
                *ret_length = length;
                return text;
            }
        }
        text++;
        length -= 2;
    }
    *ret_length = length;
    return text;
}

static bool
is_same_text(const char *a, const char *b)
{
    size_t length_a, length_b;

    a = inside(a, &length_a);
    b = inside(b, &length_b);
    return length_a == length_b && memcmp(a, b, length_a) == 0;
}

static const char *
last_part(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot ? dot + 1 : name;
}

/* The column, class and collation; not the direction. */
static bool
is_same_key(const struct candidate_key *key, const struct fact_key *there)
{
    if (key->column ? !text_equal(key->column, there->column)
                    : there->column || !is_same_text(key->text, there->text))
        return false;
    if (key->collation ? !text_equal(key->collation, there->collation)
                       : !text_is_empty(there->collation))
        return false;
    if (!key->opclass)
        return there->is_default_class;
    return there->opclass && text_equal(last_part(key->opclass), last_part(there->opclass));
}

/* Where the order of rows is wanted, it has to be this one or, all of it, the other way round. */
static bool
is_same_order(const struct index_candidate *candidate, const struct fact_index *there)
{
    int way = 0;

    for (size_t i = 0; i < candidate->key_count; i++) {
        const struct candidate_key *key = &candidate->keys[i];
        const struct fact_key *other = &there->keys[i];
        bool is_turned = key->is_descending != other->is_descending;

        if (key->role != ROLE_ORDER)
            continue;
        if ((key->is_nulls_first != other->is_nulls_first) != is_turned)
            return false;
        if (way == 0)
            way = is_turned ? -1 : 1;
        if (way != (is_turned ? -1 : 1))
            return false;
    }
    return true;
}

static bool
has_key(const struct fact_index *there, const struct candidate_key *key)
{
    for (size_t i = 0; i < there->key_count; i++)
        if (is_same_key(key, &there->keys[i]))
            return true;
    return false;
}

static bool
has_keys(const struct index_candidate *candidate, const struct fact_index *there)
{
    bool is_set = text_equal(there->method, "gin") || text_equal(there->method, "brin");

    if (candidate->key_count > there->key_count)
        return false;
    for (size_t i = 0; i < candidate->key_count; i++)
        if (is_set ? !has_key(there, &candidate->keys[i])
                   : !is_same_key(&candidate->keys[i], &there->keys[i]))
            return false;
    return !text_equal(there->method, "btree") || is_same_order(candidate, there);
}

static bool
has_column(const struct fact_index *there, const char *name)
{
    for (size_t i = 0; i < there->key_count; i++)
        if (text_equal(there->keys[i].column, name))
            return true;
    for (size_t i = 0; i < there->include_count; i++)
        if (text_equal(there->include[i].column, name))
            return true;
    return false;
}

/* The rows that the candidate has are all there: its predicate has the other one as a member. */
static bool
has_rows(const char *narrow, const char *there)
{
    const char *at, *inner;
    size_t length;

    if (!there)
        return true;
    if (!narrow)
        return false;
    if (is_same_text(narrow, there))
        return true;
    inner = inside(there, &length);
    at = memmem(narrow, strlen(narrow), inner, length);
    /* Members of an AND stand in parentheses; anything else around it would change what it means. */
    return at && at > narrow && at[-1] == '(' && at[length] == ')' &&
           (at - 1 == narrow || (at - narrow >= 6 && text_starts_with(at - 6, " AND ("))) &&
           (at[length + 1] == '\0' || text_starts_with(at + length + 1, " AND (")) &&
           !strstr(narrow, ") OR (");
}

bool
index_candidate_is_served(const struct index_candidate *candidate, const struct fact_index *there)
{
    if (!there->is_valid || !text_equal(candidate->method, there->method))
        return false;
    if (!has_keys(candidate, there) || !has_rows(candidate->predicate, there->predicate))
        return false;
    for (size_t i = 0; i < candidate->include.count; i++)
        if (!has_column(there, candidate->include.items[i]))
            return false;
    return true;
}
