/* Why the keys stand in this order, in sentences. */
#include <string.h>

#include "index/candidate/candidate.h"

static const char *
values_text(
    struct arena *arena, const struct index_candidate *candidate, const struct candidate_key *key)
{
    const struct fact_column *column =
        key->column ? facts_column(candidate->table, key->column) : NULL;

    if (!column || column->distinct < 1)
        return "";
    return arena_printf(arena, " (%s value%s)",
        text_from_count(arena, (int64_t)(column->distinct + 0.5)),
        column->distinct < 1.5 ? "" : "s");
}

/* So many keys from the first one on have its role. */
static size_t
run_length(const struct index_candidate *candidate, size_t first)
{
    size_t end = first + 1;

    while (end < candidate->key_count && candidate->keys[end].role == candidate->keys[first].role)
        end++;
    return end - first;
}

static const char *
run_names(struct arena *arena, const struct index_candidate *candidate, size_t first, size_t count)
{
    struct buffer text = { .arena = arena };

    for (size_t i = first; i < first + count; i++) {
        const struct candidate_key *key = &candidate->keys[i];

        buffer_printf(
            &text, "%s%s%s", i > first ? ", " : "", key->text, key->is_descending ? " DESC" : "");
        if (key->role == ROLE_EQUAL || key->role == ROLE_IN || key->role == ROLE_REFERENCE)
            buffer_add(&text, values_text(arena, candidate, key));
    }
    return buffer_text(&text);
}

struct role_text {
    const char *one;
    const char *many;
};

static const struct role_text role_texts[ROLE_COUNT] = {
    [ROLE_EQUAL] = { "it is looked up by =", "they are looked up by =, the most selective first" },
    [ROLE_IN] = { "it is looked up by a list of values", "they are looked up by lists of values" },
    [ROLE_ORDER] = { "rows come in the order asked for, so nothing is sorted and a LIMIT stops early",
        "rows come in the order asked for, so nothing is sorted and a LIMIT stops early" },
    [ROLE_GROUP] = { "rows of a group come together, so nothing is sorted or hashed",
        "rows of a group come together, so nothing is sorted or hashed" },
    [ROLE_RANGE] = { "it is read as one range, which ends what later keys could narrow",
        "they are read as one range" },
    [ROLE_PATTERN] = { "its trigrams find the pattern anywhere in the text",
        "their trigrams find the pattern anywhere in the text" },
    [ROLE_CONTAINS] = { "what it contains is looked up piece by piece",
        "what they contain is looked up piece by piece" },
    [ROLE_DISTANCE] = { "the nearest rows come first", "the nearest rows come first" },
    [ROLE_REFERENCE] = { "a row deleted in the table it points to has its rows looked up by it",
        "a row deleted in the table they point to has its rows looked up by them" },
};

static void
add_rest(struct buffer *text, const struct index_candidate *candidate)
{
    if (candidate->include.count > 0)
        buffer_printf(text, "; %s included, so that the table need not be read",
            text_list_join(text->arena, &candidate->include, ", "));
    if (candidate->predicate)
        buffer_printf(
            text, "; only rows with %s, which the statements always ask for", candidate->predicate);
    if (strcmp(candidate->method, "brin") == 0)
        buffer_add(text, "; rows lie in this order on disk, so a summary of page ranges is enough");
    if (candidate->is_approximate)
        buffer_add(text, "; it may miss rows: measure its recall before it is used");
}

const char *
index_candidate_why(struct arena *arena, const struct index_candidate *candidate)
{
    struct buffer text = { .arena = arena };
    size_t count;

    for (size_t i = 0; i < candidate->key_count; i += count) {
        const struct role_text *role = &role_texts[candidate->keys[i].role];

        count = run_length(candidate, i);
        buffer_printf(&text, "%s%s%s: %s", i > 0 ? "; then " : "",
            run_names(arena, candidate, i, count),
            i == 0 && candidate->key_count > count ? " first" : "",
            count > 1 ? role->many : role->one);
    }
    add_rest(&text, candidate);
    return buffer_text(&text);
}
