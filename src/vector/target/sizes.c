#include "db/ident.h"
#include "vector/target/target.h"

enum { FIRST_DECADE = 100, LAST_DECADE = 1000000 };

void
vector_bucket_bounds(int64_t rows, int64_t *ret_least, int64_t *ret_most)
{
    int64_t least = FIRST_DECADE;

    if (rows < FIRST_DECADE) {
        *ret_least = 0;
        *ret_most = FIRST_DECADE - 1;
        return;
    }
    while (least < LAST_DECADE && rows >= least * 10)
        least *= 10;
    *ret_least = least;
    *ret_most = least >= LAST_DECADE ? INT64_MAX : least * 10 - 1;
}

/* 1234567 → "1,234,567". */
static const char *
with_commas(struct arena *arena, int64_t number)
{
    if (number < 1000)
        return arena_printf(arena, "%lld", (long long)number);
    return arena_printf(
        arena, "%s,%03lld", with_commas(arena, number / 1000), (long long)(number % 1000));
}

const char *
vector_bucket_name(struct arena *arena, int64_t least, int64_t most)
{
    if (least <= 0)
        return arena_printf(arena, "below %s rows", with_commas(arena, most + 1));
    if (most == INT64_MAX)
        return arena_printf(arena, "%s rows or more", with_commas(arena, least));
    return arena_printf(arena, "%s-%s rows", with_commas(arena, least), with_commas(arena, most));
}

/* Tenants come largest first, so those of a bucket follow each other. */
static void
fill_buckets(struct arena *arena, struct vector_sizes *sizes)
{
    struct vector_bucket *buckets;
    size_t count;

    for (size_t i = 0; i < sizes->tenants.count; i++) {
        struct vector_tenant *tenant = &sizes->tenants.items[i];
        int64_t least, most;

        vector_bucket_bounds(tenant->rows, &least, &most);
        if (sizes->buckets.count == 0 ||
            sizes->buckets.items[sizes->buckets.count - 1].least_rows != least)
            VEC_PUSH(arena, &sizes->buckets,
                (struct vector_bucket){ .name = vector_bucket_name(arena, least, most),
                    .least_rows = least,
                    .most_rows = most });
        tenant->bucket = sizes->buckets.count - 1;
        sizes->buckets.items[tenant->bucket].tenants++;
        sizes->buckets.items[tenant->bucket].rows += tenant->rows;
    }
    buckets = sizes->buckets.items;
    count = sizes->buckets.count;
    for (size_t i = 0; i < count / 2; i++) {
        struct vector_bucket other = buckets[i];

        buckets[i] = buckets[count - 1 - i];
        buckets[count - 1 - i] = other;
    }
    for (size_t i = 0; i < sizes->tenants.count; i++)
        sizes->tenants.items[i].bucket = count - 1 - sizes->tenants.items[i].bucket;
}

bool
vector_sizes_load(
    struct ctx *ctx, struct db *db, const struct vector_target *target, struct vector_sizes *ret)
{
    struct arena *arena = ctx->arena;
    const char *tenant = target->tenant ? db_ident(arena, target->tenant) : "NULL::pg_catalog.text";
    /* A test for NULL leaves the values in the TOAST table alone. */
    const char *sql = arena_printf(arena,
        "SELECT /* pgmend */ %s::pg_catalog.text, pg_catalog.count(*) FROM %s WHERE %s IS NOT NULL"
        " GROUP BY 1 ORDER BY 2 DESC, 1",
        tenant, vector_table(arena, target), db_ident(arena, target->column));
    struct result result;

    *ret = (struct vector_sizes){ 0 };
    if (!db_query(ctx, db, sql, NULL, 0, &result))
        return error_wrap(ctx, "counting the rows of %s", vector_table(arena, target));
    for (size_t row = 0; row < result.rows; row++) {
        const char *value = result_cell(&result, row, 0);
        int64_t rows = 0;

        if (!text_to_int64(result_cell(&result, row, 1), &rows))
            return error_set(ctx, ERR_FAILED, "a count of rows is no number");
        ret->rows += rows;
        if (!value && target->tenant)
            ret->null_rows += rows;
        else
            VEC_PUSH(arena, &ret->tenants, (struct vector_tenant){ .value = value, .rows = rows });
    }
    fill_buckets(arena, ret);
    return true;
}
