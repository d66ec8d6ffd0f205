/*
 * Rules: the child is a SELECT that looks up "column = $n"; the parent is a SELECT of the same user
 * whose text names what the child looks up (post_id: its table is called post…, or it gives post_id);
 * a call of the parent gave two rows or more; the child was called about as often as the parent gave
 * rows. Of several parents the one that fits best. Numbers of that kind agree by chance, too, so
 * without the names nothing is said.
 */
#include "workload/suspect.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

enum { LEAST_CALLS = 10, LONGEST_NAME = 64 };

static const double least_repeats = 2;
static const double most_off = 0.25; /* of the ratio from 1 */

static bool
is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool
is_select(const char *text)
{
    while (text && isspace((unsigned char)*text))
        text++;
    return text && strncasecmp(text, "select", 6) == 0 && !strcasestr(text, "for update");
}

/* A name of the text that begins like this; whole: that is this. */
static bool
has_name(const char *text, const char *start, size_t length, bool is_whole)
{
    while (*text) {
        const char *end = text;

        while (is_name(*end))
            end++;
        if ((size_t)(end - text) >= length && strncasecmp(text, start, length) == 0 &&
            (!is_whole || (size_t)(end - text) == length))
            return true;
        text = end > text ? end : text + 1;
    }
    return false;
}

/* "post_id" without "_id", and "categor" of "category_id" for the sake of "categories". */
static size_t
stem_of(const char *column)
{
    size_t length = strlen(column);

    if (length <= 3 || strcasecmp(column + length - 3, "_id") != 0)
        return 0;
    length -= 3;
    return length > 3 && column[length - 1] == 'y' ? length - 1 : length;
}

/* The parent gives a column "post_id", and the child asks the posts for their id. */
static bool
gives_id_of(const char *parent, const char *child)
{
    while (*parent) {
        char name[LONGEST_NAME];
        size_t length = 0;
        size_t stem;

        for (; is_name(*parent); parent++)
            if (length + 1 < sizeof(name))
                name[length++] = *parent;
        name[length] = '\0';
        stem = stem_of(name);
        if (stem > 0 && has_name(child, name, stem, false))
            return true;
        parent += *parent && !is_name(*parent);
    }
    return false;
}

static bool
is_about(const char *parent, const char *child, const char *column)
{
    size_t stem = stem_of(column);

    if (strcasecmp(column, "id") == 0)
        return gives_id_of(parent, child);
    if (stem > 0 && has_name(parent, column, stem, false))
        return true;
    return has_name(parent, column, strlen(column), true);
}

/* Whether one of the columns that the child compares with a parameter is about the parent. */
static bool
fits(const char *parent, const char *child)
{
    const char *sign = child;

    while ((sign = strchr(sign, '=')) != NULL) {
        const char *end = sign;
        const char *start;
        const char *behind = sign + 1;
        char column[LONGEST_NAME];

        while (*behind == ' ')
            behind++;
        while (end > child && (end[-1] == ' ' || end[-1] == '"'))
            end--;
        for (start = end; start > child && is_name(start[-1]);)
            start--;
        sign++;
        if (*behind != '$' || start == end || (size_t)(end - start) >= sizeof(column))
            continue;
        memcpy(column, start, (size_t)(end - start));
        column[end - start] = '\0';
        if (is_about(parent, child, column))
            return true;
    }
    return false;
}

static double
score_of(const struct suspect_statement *parent, const struct suspect_statement *child)
{
    double off;

    if (parent == child || parent->user_id != child->user_id || parent->calls < 1 ||
        child->calls < LEAST_CALLS || parent->rows < least_repeats * parent->calls ||
        parent->query_id == child->query_id)
        return 0;
    off = fabs(child->calls / parent->rows - 1);
    if (off > most_off || !is_select(parent->query) || !is_select(child->query) ||
        !fits(parent->query, child->query))
        return 0;
    return 1 - 2 * off;
}

static int
by_time(const void *left, const void *right)
{
    const struct suspect *a = left;
    const struct suspect *b = right;

    /* The child's time stands in "score" while they are sorted. */
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->child < b->child ? -1 : a->child > b->child;
}

void
suspects_find(struct arena *arena, const struct suspect_statement *statements, size_t count,
    struct suspects *ret)
{
    double *scores = ARENA_ARRAY(arena, double, count + 1);

    *ret = (struct suspects){ 0 };
    for (size_t i = 0; i < count; i++) {
        struct suspect best = { .child = i };

        for (size_t j = 0; j < count; j++) {
            double score = score_of(&statements[j], &statements[i]);

            if (score <= best.score)
                continue;
            best.score = score;
            best.parent = j;
        }
        if (best.score <= 0)
            continue;
        best.ratio = statements[i].calls / statements[best.parent].rows;
        best.repeats = statements[best.parent].rows / statements[best.parent].calls;
        scores[i] = best.score;
        best.score = statements[i].total_ms;
        VEC_PUSH(arena, ret, best);
    }
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof(ret->items[0]), by_time);
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i].score = scores[ret->items[i].child];
}
