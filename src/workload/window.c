#include "workload/window.h"

#include <math.h>

#include "base/text.h"

/* Number, mean and sum of squared deviations of times: what adds up, and what can be taken away. */
struct moments {
    double count;
    double mean;
    double squares;
};

static struct moments
moments_of(const struct workload_statement *statement)
{
    return (struct moments){
        .count = (double)statement->calls,
        .mean = statement->mean_ms,
        .squares = statement->stddev_ms * statement->stddev_ms * (double)statement->calls,
    };
}

/* Chan, Golub and LeVeque 1979: the moments of both parts together. */
static struct moments
moments_add(struct moments a, struct moments b)
{
    double count = a.count + b.count;
    double apart = b.mean - a.mean;

    if (count <= 0)
        return a;
    return (struct moments){
        .count = count,
        .mean = a.mean + apart * b.count / count,
        .squares = a.squares + b.squares + apart * apart * a.count * b.count / count,
    };
}

/* The same the other way round: what came to the first part so that all is the whole. */
static struct moments
moments_rest(struct moments part, struct moments whole)
{
    struct moments rest = { .count = whole.count - part.count };
    double apart;

    if (rest.count <= 0)
        return (struct moments){ 0 };
    rest.mean = (whole.mean * whole.count - part.mean * part.count) / rest.count;
    apart = rest.mean - part.mean;
    rest.squares =
        whole.squares - part.squares - apart * apart * part.count * rest.count / whole.count;
    /* Of counters that hardly differ, rounding is all that is left. */
    rest.squares = fmax(rest.squares, 0);
    rest.mean = fmax(rest.mean, 0);
    return rest;
}

/* ---- a window ---- */

struct gathering {
    struct arena *arena;
    struct workload_window *window;
    struct map before; /* the first reading: key of the counters → statement */
};

static const char *
key_of(struct arena *arena, const struct workload_statement *statement)
{
    return arena_printf(arena, "%lld/%lld/%d", (long long)statement->query_id,
        (long long)statement->user_id, (int)statement->is_top_level);
}

void
workload_window_add(
    struct arena *arena, struct workload_window *window, const struct window_statement *statement)
{
    /* A position rather than a pointer, as the vector moves; one more, as 0 is not there. */
    VEC_PUSH(arena, &window->statements, *statement);
    map_set(&window->by_fingerprint, statement->fingerprint, (void *)window->statements.count);
}

static struct window_statement *
find_or_add(struct gathering *gathering, const struct workload_statement *statement)
{
    struct workload_window *window = gathering->window;
    uintptr_t place = (uintptr_t)map_get(&window->by_fingerprint, statement->fingerprint);

    if (place == 0) {
        workload_window_add(gathering->arena, window,
            &(struct window_statement){ .fingerprint = statement->fingerprint,
                .query = statement->query,
                .variance = NAN });
        place = window->statements.count;
    }
    return &window->statements.items[place - 1];
}

static void
add(struct gathering *gathering, const struct workload_delta *delta)
{
    const struct workload_statement *then;
    struct window_statement *item;
    struct moments more;
    struct moments sum;
    double count;

    if (!delta->statement->fingerprint)
        return;
    item = find_or_add(gathering, delta->statement);
    if (delta->change == CHANGE_VANISHED || delta->change == CHANGE_EVICTED)
        item->is_lost = true;
    if (delta->change == CHANGE_VANISHED)
        return;
    then = delta->change == CHANGE_COUNTED
               ? map_get(&gathering->before, key_of(gathering->arena, delta->statement))
               : NULL;
    more = then ? moments_rest(moments_of(then), moments_of(delta->statement))
                : moments_of(delta->statement);
    if (more.count <= 0)
        return;
    sum = moments_add((struct moments){ .count = item->calls,
                          .mean = item->ms,
                          .squares = item->calls > 1 ? item->variance * (item->calls - 1) : 0 },
        more);
    count = sum.count;
    item->blocks =
        (item->blocks * item->calls + (double)(delta->blocks_hit + delta->blocks_read)) / count;
    item->rows = (item->rows * item->calls + (double)delta->row_count) / count;
    item->calls = count;
    item->ms = sum.mean;
    item->variance = count > 1 ? sum.squares / (count - 1) : NAN;
}

void
workload_window(struct arena *arena, const struct workload *before, const struct workload *after,
    double seconds, struct workload_window *ret)
{
    struct gathering gathering = { .arena = arena, .window = ret, .before = { .arena = arena } };
    struct workload_deltas deltas;

    workload_compare(arena, before, after, &deltas);
    *ret = (struct workload_window){
        .seconds = seconds,
        .was_reset = deltas.was_reset || deltas.was_restarted,
        .evicted = deltas.evicted,
        .by_fingerprint = { .arena = arena },
    };
    for (size_t i = 0; i < before->count; i++)
        map_set(&gathering.before, key_of(arena, &before->items[i]), &before->items[i]);
    for (size_t i = 0; i < deltas.count; i++)
        add(&gathering, &deltas.items[i]);
}

const struct window_statement *
window_find(const struct workload_window *window, const char *fingerprint)
{
    uintptr_t place = fingerprint ? (uintptr_t)map_get(&window->by_fingerprint, fingerprint) : 0;

    if (place == 0 || window->statements.items[place - 1].calls <= 0)
        return NULL;
    return &window->statements.items[place - 1];
}

/* ---- comparing ---- */

/* The squared standard error of a mean, times the square of its weight; and what it counts for the freedom. */
static void
add_error(const struct window_statement *statement, double weight, double *squares, double *freedom)
{
    double part;

    if (!(statement->calls > 1) || isnan(statement->variance))
        return;
    part = weight * weight * statement->variance / statement->calls;
    *squares += part;
    *freedom += part * part / (statement->calls - 1);
}

static struct window_difference
difference(double ms, double squares, double freedom)
{
    return (struct window_difference){
        .ms = ms,
        .error = sqrt(squares),
        .degrees = freedom > 0 ? fmax(squares * squares / freedom, 1) : 1,
    };
}

void
window_add_up(const struct window_pairs *pairs, struct window_sum *ret)
{
    double squares = 0;
    double freedom = 0;

    *ret = (struct window_sum){ 0 };
    for (size_t i = 0; i < pairs->count; i++) {
        ret->calls_before += pairs->items[i].before->calls;
        ret->calls_after += pairs->items[i].after->calls;
    }
    for (size_t i = 0; i < pairs->count; i++) {
        const struct window_pair *pair = &pairs->items[i];
        double weight = pair->after->calls / ret->calls_after;

        ret->ms_before += weight * pair->before->ms;
        ret->ms_after += weight * pair->after->ms;
        ret->blocks_before += weight * pair->before->blocks;
        ret->blocks_after += weight * pair->after->blocks;
        ret->wanted_ms += weight * pair->before->ms * pair->wanted;
        ret->wanted_blocks += weight * pair->before->blocks * pair->wanted;
        add_error(pair->before, weight, &squares, &freedom);
        add_error(pair->after, weight, &squares, &freedom);
    }
    ret->time = difference(ret->ms_before - ret->ms_after, squares, freedom);
}

struct window_difference
window_compare(const struct window_pair *pair, double factor)
{
    double squares = 0;
    double freedom = 0;

    add_error(pair->before, factor, &squares, &freedom);
    add_error(pair->after, 1, &squares, &freedom);
    return difference(factor * pair->before->ms - pair->after->ms, squares, freedom);
}
