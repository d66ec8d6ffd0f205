#include <inttypes.h>

#include "base/text.h"
#include "queries/check/check.h"

enum { LONGEST_TEXT = 200 };

static const char *const names[] = {
    [CHECK_SAME] = "same",
    [CHECK_FEWER] = "fewer",
    [CHECK_MORE] = "more",
    [CHECK_NEW] = "new",
    [CHECK_VANISHED] = "vanished",
    [CHECK_GROWS] = "grows",
    [CHECK_UNPROVEN] = "unproven",
};

const char *
check_verdict_name(enum check_verdict verdict)
{
    return names[verdict];
}

bool
check_verdict_fails(enum check_verdict verdict)
{
    return verdict == CHECK_MORE || verdict == CHECK_GROWS;
}

static const struct check_statement *
find_statement(const struct check_route *route, const char *text)
{
    for (size_t i = 0; i < route->statement_count; i++)
        if (strcmp(route->statements[i].text, text) == 0)
            return &route->statements[i];
    return NULL;
}

/* The statement whose number has risen most; NULL: none has. */
static const struct check_statement *
risen(const struct check_route *before, const struct check_route *after, int64_t *ret_before)
{
    const struct check_statement *worst = NULL;
    int64_t most = 0;

    for (size_t i = 0; i < after->statement_count; i++) {
        const struct check_statement *now = &after->statements[i];
        const struct check_statement *then = find_statement(before, now->text);
        int64_t rise = now->most - (then ? then->most : 0);

        if (rise <= most)
            continue;
        most = rise;
        worst = now;
        *ret_before = then ? then->most : 0;
    }
    return worst;
}

static const char *
shorten(struct arena *arena, const char *text)
{
    size_t length = strlen(text);

    if (length <= LONGEST_TEXT)
        return text;
    for (length = LONGEST_TEXT; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;)
        length--;
    return arena_printf(arena, "%.*s…", (int)length, text);
}

static const char *
tell_rise(struct arena *arena, const struct check_route *before, const struct check_route *after,
    const char *what)
{
    int64_t then = 0;
    const struct check_statement *worst = risen(before, after, &then);
    const char *said =
        arena_printf(arena, "%" PRId64 " statements a request instead of %" PRId64 "%s",
            after->most, before->most, what);

    if (!worst)
        return arena_printf(arena, "%s.", said);
    return arena_printf(arena, "%s; %" PRId64 " times instead of %" PRId64 ": %s", said,
        worst->most, then, shorten(arena, worst->text));
}

static void
add(struct arena *arena, struct check_results *ret, struct check_result result)
{
    ret->failed += check_verdict_fails(result.verdict);
    VEC_PUSH(arena, ret, result);
}

/* Both lists are sorted: the route of the same name, or NULL on the side where there is none. */
struct pair {
    const struct check_route *before;
    const struct check_route *after;
};

static bool
next_pair(const struct check_routes *before, const struct check_routes *after, size_t at[2],
    struct pair *ret)
{
    const struct check_route *left = at[0] < before->count ? &before->items[at[0]] : NULL;
    const struct check_route *right = at[1] < after->count ? &after->items[at[1]] : NULL;
    int order = !left ? 1 : !right ? -1 : strcmp(left->name, right->name);

    if (!left && !right)
        return false;
    *ret = (struct pair){ order <= 0 ? left : NULL, order >= 0 ? right : NULL };
    at[0] += order <= 0;
    at[1] += order >= 0;
    return true;
}

/* One side only. */
static void
add_alone(struct arena *arena, struct check_results *ret, const struct pair *pair,
    const char *of_before, const char *of_after)
{
    const struct check_route *route = pair->before ? pair->before : pair->after;

    add(arena, ret,
        (struct check_result){
            .verdict = pair->before ? CHECK_VANISHED : CHECK_NEW,
            .route = route->name,
            .before = pair->before ? route->most : -1,
            .after = pair->after ? route->most : -1,
            .message = arena_printf(arena, "%s, %" PRId64 " statements a request",
                pair->before ? of_before : of_after, route->most),
        });
}

void
check_compare(struct arena *arena, const struct check_routes *baseline,
    const struct check_routes *seen, int64_t allowed, struct check_results *ret)
{
    size_t at[2] = { 0, 0 };
    struct pair pair;

    while (next_pair(baseline, seen, at, &pair)) {
        struct check_result result;

        if (!pair.before || !pair.after) {
            add_alone(arena, ret, &pair, "in the baseline and not seen", "not in the baseline");
            continue;
        }
        result = (struct check_result){
            .route = pair.after->name,
            .before = pair.before->most,
            .after = pair.after->most,
            .verdict = pair.after->most > pair.before->most + allowed ? CHECK_MORE
                       : pair.after->most < pair.before->most         ? CHECK_FEWER
                                                                      : CHECK_SAME,
        };
        if (result.verdict == CHECK_MORE)
            result.message = tell_rise(arena, pair.before, pair.after, "");
        else if (result.verdict == CHECK_FEWER)
            result.message = arena_printf(arena,
                "%" PRId64 " statements a request instead of %" PRId64 ": --update brings the "
                "baseline down",
                result.after, result.before);
        else
            result.message = arena_printf(arena, "%" PRId64 " statements a request", result.after);
        add(arena, ret, result);
    }
}

void
check_growth(struct arena *arena, const struct check_routes *few, const struct check_routes *more,
    int64_t allowed, struct check_results *ret)
{
    size_t at[2] = { 0, 0 };
    struct pair pair;

    while (next_pair(few, more, at, &pair)) {
        struct check_result result;

        if (!pair.before || !pair.after) {
            add_alone(arena, ret, &pair, "not seen over more rows", "only seen over more rows");
            continue;
        }
        result = (struct check_result){
            .route = pair.after->name,
            .before = pair.before->most,
            .after = pair.after->most,
            .verdict = pair.after->most > pair.before->most + allowed ? CHECK_GROWS
                       : pair.after->rows > pair.before->rows         ? CHECK_SAME
                                                                      : CHECK_UNPROVEN,
        };
        if (result.verdict == CHECK_GROWS)
            result.message = tell_rise(arena, pair.before, pair.after,
                arena_printf(arena, ", with %.1f rows instead of %.1f", pair.after->rows,
                    pair.before->rows));
        else if (result.verdict == CHECK_SAME)
            result.message =
                arena_printf(arena, "%" PRId64 " statements a request, with %.1f rows as with %.1f",
                    result.after, pair.after->rows, pair.before->rows);
        else
            result.message = arena_printf(arena,
                "%.1f rows instead of %.1f: these are not more, and nothing follows",
                pair.after->rows, pair.before->rows);
        add(arena, ret, result);
    }
}
