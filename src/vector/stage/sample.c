/* Which tenants are copied. */
#include "vector/stage/stage_parts.h"

struct stage_random
stage_random_new(int64_t seed)
{
    struct stage_random random = { .state = (uint64_t)seed * 2 + 1 };

    /* Seeds that are alike start alike; some steps on they do not. */
    for (int i = 0; i < 16; i++)
        (void)stage_random_below(&random, 2);
    return random;
}

size_t
stage_random_below(struct stage_random *random, size_t limit)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return limit > 0 ? (size_t)((random->state * UINT64_C(0x2545F4914F6CDD1D) >> 11) % limit) : 0;
}

/* Source: Fisher and Yates 1938, in the form of Durstenfeld 1964. */
void
stage_shuffle(struct stage_random *random, size_t *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = stage_random_below(random, i);
        size_t item = items[i - 1];

        items[i - 1] = items[other];
        items[other] = item;
    }
}

/* The tenants of a bucket in the order in which they are tried. */
struct order {
    size_t *tenants;
    size_t count;
    size_t next;
    int64_t least; /* rows of the smallest */
};

struct choice {
    const struct vector_sizes *sizes;
    struct order *orders; /* one a bucket */
    bool *is_taken;
    int64_t most;
    int64_t rows;
};

static int64_t
rows_of(const struct choice *choice, size_t tenant)
{
    return choice->sizes->tenants.items[tenant].rows;
}

static void
make_orders(
    struct arena *arena, struct choice *choice, const bool *preferred, struct stage_random *random)
{
    const struct vector_sizes *sizes = choice->sizes;

    choice->orders = ARENA_ARRAY(arena, struct order, sizes->buckets.count);
    for (size_t i = 0; i < sizes->buckets.count; i++) {
        choice->orders[i].tenants =
            ARENA_ARRAY(arena, size_t, (size_t)sizes->buckets.items[i].tenants);
        choice->orders[i].least = INT64_MAX;
    }
    for (size_t i = 0; i < sizes->tenants.count; i++) {
        struct order *order = &choice->orders[sizes->tenants.items[i].bucket];

        order->tenants[order->count++] = i;
        if (rows_of(choice, i) < order->least)
            order->least = rows_of(choice, i);
    }
    for (size_t i = 0; i < sizes->buckets.count; i++) {
        struct order *order = &choice->orders[i];
        size_t front = 0;

        stage_shuffle(random, order->tenants, order->count);
        for (size_t at = 0; preferred && at < order->count; at++) {
            size_t tenant = order->tenants[at];

            if (!preferred[tenant])
                continue;
            order->tenants[at] = order->tenants[front];
            order->tenants[front++] = tenant;
        }
    }
}

static void
take(struct choice *choice, size_t tenant)
{
    choice->is_taken[tenant] = true;
    choice->rows += rows_of(choice, tenant);
}

/* One tenant of each bucket, so that room stays for the smallest of the buckets that follow. */
static void
take_first(struct choice *choice)
{
    int64_t kept = 0;

    for (size_t i = 0; i < choice->sizes->buckets.count; i++)
        kept += choice->orders[i].least;
    for (size_t i = 0; i < choice->sizes->buckets.count; i++) {
        const struct order *order = &choice->orders[i];

        kept -= order->least;
        for (size_t at = 0; at < order->count; at++) {
            if (rows_of(choice, order->tenants[at]) > choice->most - kept - choice->rows)
                continue;
            take(choice, order->tenants[at]);
            break;
        }
    }
}

/* What does not fit now will not fit later, so each order is gone through once. */
static bool
take_next(struct choice *choice, struct order *order)
{
    while (order->next < order->count) {
        size_t tenant = order->tenants[order->next++];

        if (choice->is_taken[tenant] || rows_of(choice, tenant) > choice->most - choice->rows)
            continue;
        take(choice, tenant);
        return true;
    }
    return false;
}

static bool
check_fit(struct ctx *ctx, const struct choice *choice, const struct stage_limit *limit)
{
    const struct vector_sizes *sizes = choice->sizes;
    struct arena *arena = ctx->arena;
    int64_t least = 0;

    for (size_t i = 0; i < sizes->buckets.count; i++) {
        const struct order *order = &choice->orders[i];

        least += order->least;
        if (order->least <= limit->rows)
            continue;
        error_set(ctx, ERR_CONFLICT,
            "a copy may hold %s rows (%s), but the smallest tenant of \"%s\" has %s (%s) by itself",
            text_from_count(arena, limit->rows),
            text_from_bytes(arena, limit->rows * limit->row_bytes), sizes->buckets.items[i].name,
            text_from_count(arena, order->least),
            text_from_bytes(arena, order->least * limit->row_bytes));
        return error_hint(ctx,
            "Recall on a part of a tenant says nothing about the whole: allow a "
            "larger copy (--sample-rows, --sample-size), on another server if this one has no room "
            "(--scratch-url).");
    }
    if (least <= limit->rows)
        return true;
    error_set(ctx, ERR_CONFLICT,
        "a copy may hold %s rows (%s), but one tenant of each size has %s (%s) together",
        text_from_count(arena, limit->rows), text_from_bytes(arena, limit->rows * limit->row_bytes),
        text_from_count(arena, least), text_from_bytes(arena, least * limit->row_bytes));
    return error_hint(ctx, "Allow a larger copy (--sample-rows, --sample-size).");
}

bool
stage_sample_choose(struct ctx *ctx, const struct vector_sizes *sizes,
    const struct stage_limit *limit, const bool *preferred, struct stage_random *random,
    struct stage_sample *ret)
{
    struct choice choice = {
        .sizes = sizes,
        .is_taken = ARENA_ARRAY(ctx->arena, bool, sizes->tenants.count),
        .most = limit->rows,
    };
    bool is_more = true;

    *ret = (struct stage_sample){
        .tenants = ARENA_ARRAY(ctx->arena, size_t, sizes->tenants.count),
        .is_whole = sizes->rows <= limit->rows,
    };
    make_orders(ctx->arena, &choice, preferred, random);
    if (ret->is_whole)
        choice.most = INT64_MAX;
    else if (!check_fit(ctx, &choice, limit))
        return false;
    else
        take_first(&choice);
    while (is_more) {
        is_more = false;
        for (size_t i = 0; i < sizes->buckets.count; i++)
            is_more |= take_next(&choice, &choice.orders[i]);
    }
    for (size_t i = 0; i < sizes->tenants.count; i++)
        if (choice.is_taken[i])
            ret->tenants[ret->count++] = i;
    ret->rows = choice.rows;
    return true;
}
