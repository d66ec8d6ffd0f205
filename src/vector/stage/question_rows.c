/* Questions that are rows of the tenants themselves. */
#include "db/ident.h"
#include "vector/stage/stage_parts.h"

/* What is wanted from one tenant. */
struct want {
    size_t tenant;  /* index into the sizes' tenants */
    int32_t held;   /* rows that are taken out, */
    int32_t mixed;  /* neighbours in the order that are mixed, */
    bool is_lent;   /* and whether a row is asked of the tenant before it in the bucket */
    int32_t loaded; /* vectors that came, up to held + mixed + 1 */
    const char **keys;
    const char **values;
};

struct wants {
    struct want *items;
    size_t count;
    size_t capacity;
};

static int64_t
rows_of(const struct asking *asking, const struct want *want)
{
    return asking->sizes->tenants.items[want->tenant].rows;
}

/*
 * How many rows a tenant can spare: a fifth, and never so many that fewer than a search asks for
 * are left. A small tenant, that only counts when there is nothing else, gives one.
 */
static int64_t
spare_rows(const struct asking *asking, const struct want *want, bool of_small)
{
    int64_t rows = rows_of(asking, want);
    int64_t limit = asking->target->limit;
    int64_t fifth = rows / 5 > 1 ? rows / 5 : 1;

    if (rows < 2 * limit)
        return of_small && rows >= 2 ? 1 : 0;
    return fifth < rows - limit ? fifth : rows - limit;
}

static int32_t
give_held(const struct asking *asking, struct wants *wants, bool of_small, int32_t needed)
{
    bool is_more = asking->may_hold_out;

    while (is_more && needed > 0) {
        is_more = false;
        for (size_t i = 0; i < wants->count && needed > 0; i++) {
            struct want *want = &wants->items[i];

            if (want->held >= spare_rows(asking, want, of_small))
                continue;
            want->held++;
            needed--;
            is_more = true;
        }
    }
    return needed;
}

/* Each mixture takes a row and the next one; both stay. */
static int32_t
give_mixed(const struct asking *asking, struct wants *wants, int32_t needed)
{
    bool is_more = true;

    while (is_more && needed > 0) {
        is_more = false;
        for (size_t i = 0; i < wants->count && needed > 0; i++) {
            struct want *want = &wants->items[i];

            if (want->held + want->mixed + 1 >= rows_of(asking, want))
                continue;
            want->mixed++;
            needed--;
            is_more = true;
        }
    }
    return needed;
}

/* A tenant of a single row, which has nothing to spare and nothing to mix. */
static void
give_lent(struct wants *wants, int32_t needed)
{
    for (size_t i = 0; i < wants->count && needed > 0; i++) {
        if (wants->items[i].held + wants->items[i].mixed > 0)
            continue;
        wants->items[i].is_lent = true;
        needed--;
    }
}

/* The bucket's tenants in the sample, in an order by chance. */
static void
list_tenants(struct arena *arena, struct asking *asking, size_t bucket, struct wants *ret)
{
    struct {
        size_t *items;
        size_t count;
        size_t capacity;
    } tenants = { 0 };

    for (size_t i = 0; i < asking->sample->count; i++)
        if (asking->sizes->tenants.items[asking->sample->tenants[i]].bucket == bucket)
            VEC_PUSH(arena, &tenants, asking->sample->tenants[i]);
    stage_shuffle(asking->random, tenants.items, tenants.count);
    *ret = (struct wants){ 0 };
    for (size_t i = 0; i < tenants.count; i++)
        VEC_PUSH(arena, ret, (struct want){ .tenant = tenants.items[i] });
}

static int32_t
rows_wanted(const struct want *want)
{
    return want->held + (want->mixed > 0 ? want->mixed + 1 : 0) + (want->is_lent ? 1 : 0);
}

/*
 * Some rows of each tenant, by chance but by the seed: the order is a hash of the key. Vectors are
 * read of the chosen rows only.
 */
static const char *
rows_statement(struct arena *arena, const struct vector_target *target)
{
    struct buffer sql = { .arena = arena };
    const char *table = vector_table(arena, target);
    const char *key = db_ident(arena, target->key);
    const char *column = db_ident(arena, target->column);
    const char *tenant =
        target->tenant ? arena_printf(arena, "t.%s", db_ident(arena, target->tenant)) : "0";

    buffer_printf(&sql,
        "SELECT r.place, w.number, t.%s::pg_catalog.text, t.%s::pg_catalog.text FROM (SELECT t.%s"
        " AS key, %s::pg_catalog.text AS tenant, pg_catalog.row_number() OVER (PARTITION BY %s"
        " ORDER BY pg_catalog.hashtextextended(t.%s::pg_catalog.text, $3::pg_catalog.int8), t.%s)"
        " AS place FROM %s AS t WHERE t.%s IS NOT NULL",
        key, column, key, tenant, tenant, key, key, table, column);
    if (target->tenant)
        buffer_printf(&sql, " AND %s OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]::%s[])",
            tenant, target->tenant_type);
    buffer_printf(&sql,
        ") AS r JOIN ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]),"
        " pg_catalog.unnest($2::pg_catalog.int4[])) WITH ORDINALITY AS w (tenant, most, number)"
        " ON w.tenant OPERATOR(pg_catalog.=) r.tenant AND r.place OPERATOR(pg_catalog.<=) w.most"
        " JOIN %s AS t ON t.%s OPERATOR(pg_catalog.=) r.key"
        " ORDER BY w.number, r.place",
        table, key);
    return buffer_text(&sql);
}

static void
keep_rows(struct arena *arena, struct wants *wants, const struct result *result)
{
    for (size_t row = 0; row < result->rows; row++) {
        int64_t number;

        if (!text_to_int64(result_cell(result, row, 1), &number) || number < 1 ||
            (size_t)number > wants->count)
            continue;

        struct want *want = &wants->items[number - 1];

        if (!want->keys) {
            want->keys = ARENA_ARRAY(arena, const char *, (size_t)rows_wanted(want));
            want->values = ARENA_ARRAY(arena, const char *, (size_t)rows_wanted(want));
        }
        if (want->loaded >= rows_wanted(want))
            continue;
        want->keys[want->loaded] = result_cell(result, row, 2);
        want->values[want->loaded++] = result_cell(result, row, 3);
    }
}

static bool
load_rows(struct ctx *ctx, const struct asking *asking, struct wants *wants)
{
    struct text_list tenants = { 0 };
    struct text_list counts = { 0 };
    struct result result;
    const char *params[3];

    for (size_t i = 0; i < wants->count; i++) {
        const char *tenant = asking->sizes->tenants.items[wants->items[i].tenant].value;

        text_list_add(ctx->arena, &tenants, asking->target->tenant ? tenant : "0");
        text_list_add(
            ctx->arena, &counts, arena_printf(ctx->arena, "%d", rows_wanted(&wants->items[i])));
    }
    params[0] = stage_array(ctx->arena, &tenants);
    params[1] = stage_array(ctx->arena, &counts);
    params[2] = arena_printf(ctx->arena, "%lld", (long long)asking->options->seed);
    if (!db_query(ctx, asking->db, rows_statement(ctx->arena, asking->target), params,
            COUNT_OF(params), &result))
        return error_wrap(ctx, "choosing rows to ask for");
    keep_rows(ctx->arena, wants, &result);
    return true;
}

/* Whether a row of the table can be a question: its numbers in ret. */
static bool
is_usable(struct arena *arena, const struct asking *asking, const char *values, double *ret)
{
    struct vector_reading reading = { .dims = asking->target->dims };

    if (!values || !stage_values_read(arena, values, &reading, ret))
        return false;
    return !(reading.is_zero && asking->target->metric == METRIC_COSINE);
}

static int64_t
add_held(struct arena *arena, struct asking *asking, const struct want *want)
{
    double *numbers = ARENA_ARRAY(arena, double, (size_t)asking->target->dims);
    int64_t skipped = 0;

    for (int32_t i = 0; i < want->held && i < want->loaded; i++) {
        if (!is_usable(arena, asking, want->values[i], numbers)) {
            skipped++;
            continue;
        }
        text_list_add(arena, &asking->held, want->keys[i]);
        stage_question_add(arena, asking, want->tenant, want->values[i], "held-out row");
    }
    return skipped;
}

static int64_t
add_mixed(struct arena *arena, struct asking *asking, const struct want *want)
{
    int32_t dims = asking->target->dims;
    double *a = ARENA_ARRAY(arena, double, (size_t)dims);
    double *b = ARENA_ARRAY(arena, double, (size_t)dims);
    int64_t skipped = 0;

    for (int32_t i = want->held; i < want->held + want->mixed && i + 1 < want->loaded; i++) {
        if (is_usable(arena, asking, want->values[i], a) &&
            is_usable(arena, asking, want->values[i + 1], b))
            stage_question_add(
                arena, asking, want->tenant, stage_values_mix(arena, a, b, dims), "two rows mixed");
        else
            skipped++;
    }
    return skipped;
}

/* The last row that was loaded of the next tenant, or of the only one. */
static int64_t
add_lent(struct arena *arena, struct asking *asking, const struct wants *wants, size_t at)
{
    double *numbers = ARENA_ARRAY(arena, double, (size_t)asking->target->dims);
    const struct want *lender = &wants->items[(at + 1) % wants->count];
    const char *values = lender->loaded > 0 ? lender->values[lender->loaded - 1] : NULL;

    if (!is_usable(arena, asking, values, numbers))
        return 1;
    stage_question_add(arena, asking, wants->items[at].tenant, values,
        wants->count > 1 ? "row of another tenant" : "the only row");
    return 0;
}

/* Of many small tenants only those that were given a part. */
static void
drop_unneeded(struct wants *wants)
{
    size_t kept = 0;

    for (size_t i = 0; i < wants->count; i++)
        if (rows_wanted(&wants->items[i]) > 0)
            wants->items[kept++] = wants->items[i];
    wants->count = kept;
}

static bool
ask_bucket(struct ctx *ctx, struct asking *asking, size_t bucket, int64_t *skipped)
{
    struct wants wants;
    int32_t needed = asking->options->queries - asking->counts[bucket];

    if (needed <= 0)
        return true;
    list_tenants(ctx->arena, asking, bucket, &wants);
    needed = give_held(asking, &wants, false, needed);
    needed = give_held(asking, &wants, true, needed);
    needed = give_mixed(asking, &wants, needed);
    give_lent(&wants, needed);
    drop_unneeded(&wants);
    if (wants.count == 0)
        return true;
    if (!load_rows(ctx, asking, &wants))
        return false;
    for (size_t i = 0; i < wants.count; i++) {
        *skipped += add_held(ctx->arena, asking, &wants.items[i]);
        *skipped += add_mixed(ctx->arena, asking, &wants.items[i]);
        if (wants.items[i].is_lent)
            *skipped += add_lent(ctx->arena, asking, &wants, i);
    }
    return true;
}

bool
stage_rows_ask(struct ctx *ctx, struct asking *asking)
{
    int64_t skipped = 0;

    for (size_t i = 0; i < asking->sizes->buckets.count; i++)
        if (!ask_bucket(ctx, asking, i, &skipped))
            return false;
    if (skipped > 0)
        text_list_add(ctx->arena, asking->notes,
            arena_printf(ctx->arena,
                "%lld rows that were to be questions have vectors of length zero and were left out",
                (long long)skipped));
    return true;
}
