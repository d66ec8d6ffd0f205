/* Which ways to search are worth a try for a column. */
#include "vector/tune/candidates.h"

enum {
    LEAST_BIT_DIMS = 64, /* fewer signs than that tell too little */
    WITH_ITERATION = 800,
    M = 16,
    EF_CONSTRUCTION = 64,
    MOST_EF = 1000,
    PARTITIONS = 16,
    PAGE_BYTES = 8000, /* what a row may take so that it still fits into a page */
    UNKNOWN_ROW_BYTES = 200,
};

struct maker {
    struct arena *arena;
    const struct vector_target *target;
    const struct vector_sizes *sizes;
    const char *use;
    struct vector_methods *methods;
};

static const char *const uses[] = { "exact", "bits", "hnsw", "ivfflat", "partial", "partitions" };

bool
candidate_is_plan(const struct vector_method *method)
{
    return method->family == FAMILY_IVFFLAT && method->element == ELEMENT_COLUMN &&
           method->scope == SCOPE_GLOBAL && method->iteration == ITERATE_OFF &&
           !method->with_btree && method->probes >= 10;
}

bool
candidate_can_be_applied(const struct vector_method *method)
{
    return method->family != FAMILY_SCAN && method->scope != SCOPE_HASH &&
           method->scope != SCOPE_LIST;
}

bool
candidate_is_safe(const struct vector_target *target, const struct vector_method *method)
{
    bool is_approximate = method->family == FAMILY_HNSW || method->family == FAMILY_IVFFLAT;

    return !is_approximate || method->iteration != ITERATE_OFF || !target->tenant ||
           method->scope == SCOPE_TENANT;
}

bool
candidate_is_used(const struct vector_method *method, const char *use)
{
    bool is_global = method->scope == SCOPE_GLOBAL;

    if (text_equal(use, "exact"))
        return method->family == FAMILY_EXACT;
    if (text_equal(use, "bits"))
        return method->family == FAMILY_BITS;
    if (text_equal(use, "hnsw"))
        return method->family == FAMILY_HNSW && is_global;
    if (text_equal(use, "ivfflat"))
        return method->family == FAMILY_IVFFLAT && is_global;
    if (text_equal(use, "partial"))
        return method->scope == SCOPE_TENANT;
    return method->scope == SCOPE_HASH || method->scope == SCOPE_LIST;
}

void
candidate_tenants(struct arena *arena, const struct vector_sizes *sizes,
    const struct vector_queries *queries, struct text_list *ret)
{
    *ret = (struct text_list){ 0 };
    for (size_t i = 0; i < sizes->tenants.count && ret->count < MOST_BUILT_TENANTS; i++) {
        const struct vector_tenant *tenant = &sizes->tenants.items[i];

        if (tenant->rows < BIG_TENANT_ROWS)
            return;
        for (size_t j = 0; tenant->value && j < queries->count; j++) {
            if (text_equal(queries->items[j].tenant, tenant->value)) {
                text_list_add(arena, ret, tenant->value);
                break;
            }
        }
    }
}

static bool
is_possible(const struct maker *maker, struct vector_method method)
{
    bool is_bit = method.family == FAMILY_BITS || method.element == ELEMENT_BIT;

    return (!is_bit || maker->target->dims >= LEAST_BIT_DIMS) &&
           !vector_method_problem(maker->arena, maker->target, &method);
}

static void
add(struct maker *maker, struct vector_method method)
{
    if (maker->use && method.family != FAMILY_EXACT && !candidate_is_used(&method, maker->use))
        return;
    if (is_possible(maker, method))
        VEC_PUSH(maker->arena, maker->methods, method);
}

/* Whether a row with one more column of so many bytes still fits into a page. */
static bool
fits_page(const struct maker *maker, int64_t column_bytes)
{
    const struct vector_target *target = maker->target;
    int64_t rows = target->rows > 0 ? target->rows : maker->sizes->rows;
    int64_t others = UNKNOWN_ROW_BYTES;

    if (rows > 0 && target->table_bytes > 0)
        others = target->table_bytes / rows;
    return column_bytes + others < PAGE_BYTES;
}

/* A vector that is in the row already gains nothing from a copy of it there. */
static void
add_copies(struct maker *maker)
{
    const struct vector_target *target = maker->target;
    int32_t size = text_equal(target->type, "halfvec") ? 2 : 4;

    if (fits_page(maker, 2L * target->dims + 8))
        add(maker, (struct vector_method){ .family = FAMILY_EXACT, .element = ELEMENT_HALF });
    if (target->is_toasted && fits_page(maker, (int64_t)size * target->dims + 8))
        add(maker, (struct vector_method){ .family = FAMILY_EXACT, .element = ELEMENT_PLAIN });
}

/* Larger K are tried during the run, while the right answers are not found. */
static void
add_bits(struct maker *maker)
{
    static const int32_t factors[] = { 5, 10, 20 };

    for (size_t i = 0; i < COUNT_OF(factors); i++)
        add(maker, (struct vector_method){ .family = FAMILY_BITS,
                       .element = ELEMENT_BIT,
                       .candidates = factors[i] * maker->target->limit });
}

static bool
has_btree(const struct vector_target *target)
{
    return target->tenant || target->filters.count > 0;
}

static enum vector_iteration
best_iteration(const struct vector_target *target)
{
    return target->extension_number >= WITH_ITERATION ? ITERATE_RELAXED : ITERATE_OFF;
}

static void
add_ivfflat(struct maker *maker)
{
    static const int32_t probes[] = { 1, 10, 20 };
    const struct vector_target *target = maker->target;
    struct vector_method method = { .family = FAMILY_IVFFLAT,
        .lists = vector_plan_lists(maker->sizes->rows) };

    for (int with_btree = 0; with_btree < (has_btree(target) ? 2 : 1); with_btree++) {
        method.with_btree = with_btree > 0;
        for (size_t i = 0; i < COUNT_OF(probes); i++) {
            method.iteration = ITERATE_OFF;
            method.probes = probes[i] < method.lists ? probes[i] : method.lists;
            if (i == 0 || method.probes > probes[i - 1])
                add(maker, method);
        }
        method.iteration = ITERATE_RELAXED;
        add(maker, method);
    }
    method.with_btree = has_btree(target);
    method.iteration = best_iteration(target);
    method.element = ELEMENT_HALF;
    add(maker, method);
    method.element = ELEMENT_BIT;
    method.candidates = 20 * target->limit;
    add(maker, method);
}

/* An index returns at most as many rows as it keeps in its list, so fewer than asked are no use. */
static void
add_widths(struct maker *maker, struct vector_method method, size_t count)
{
    static const int32_t widths[] = { 40, 100, 200, 400 };
    int32_t limit =
        method.candidates > maker->target->limit ? method.candidates : maker->target->limit;
    bool is_added = false;

    for (size_t i = 0; i < count; i++) {
        method.ef_search = widths[i];
        if (widths[i] < limit)
            continue;
        add(maker, method);
        is_added = true;
    }
    method.ef_search = limit * 2 < MOST_EF ? limit * 2 : (int32_t)MOST_EF;
    if (!is_added)
        add(maker, method);
}

static void
add_hnsw(struct maker *maker, enum vector_element element)
{
    const struct vector_target *target = maker->target;
    struct vector_method method = {
        .family = FAMILY_HNSW, .element = element, .m = M, .ef_construction = EF_CONSTRUCTION
    };

    if (element == ELEMENT_BIT)
        method.candidates = 10 * target->limit;
    for (int with_btree = 0; with_btree < (has_btree(target) ? 2 : 1); with_btree++) {
        method.with_btree = with_btree > 0;
        method.iteration = ITERATE_OFF;
        add_widths(maker, method, target->tenant ? 3 : 4);
        method.iteration = ITERATE_RELAXED;
        add_widths(maker, method, 3);
    }
}

/* Over the column as it is, or as halfvec where a vector has too many dimensions. */
static void
add_partitions(struct maker *maker)
{
    const struct vector_target *target = maker->target;
    const struct vector_sizes *sizes = maker->sizes;
    bool has_big = sizes->tenants.count > 0 && sizes->tenants.items[0].rows >= BIG_TENANT_ROWS;
    struct vector_method method = { .family = FAMILY_HNSW,
        .iteration = best_iteration(target),
        .m = M,
        .ef_construction = EF_CONSTRUCTION };

    if (!is_possible(maker, method))
        method.element = ELEMENT_HALF;
    if (!target->tenant)
        return;
    method.scope = SCOPE_HASH;
    method.partitions = PARTITIONS;
    method.with_btree = true;
    add_widths(maker, method, 2);
    method.scope = SCOPE_LIST;
    method.partitions = 0;
    if (has_big)
        add_widths(maker, method, 3);
}

/* Of half precision where that exists: half the size, and as good. */
static void
add_for_tenants(struct maker *maker)
{
    const struct vector_target *target = maker->target;
    const struct vector_sizes *sizes = maker->sizes;
    struct vector_method method = { .family = FAMILY_HNSW,
        .element = ELEMENT_HALF,
        .scope = SCOPE_TENANT,
        .iteration = best_iteration(target),
        .m = M,
        .ef_construction = EF_CONSTRUCTION };

    if (!target->tenant || sizes->tenants.count == 0 ||
        sizes->tenants.items[0].rows < BIG_TENANT_ROWS)
        return;
    if (!is_possible(maker, method))
        method.element = ELEMENT_COLUMN;
    add_widths(maker, method, 4);
}

static bool
check_use(struct ctx *ctx, const char *use)
{
    struct buffer names = { .arena = ctx->arena };

    for (size_t i = 0; i < COUNT_OF(uses); i++) {
        if (text_equal(use, uses[i]))
            return true;
        buffer_printf(&names, "%s%s", i > 0 ? ", " : "", uses[i]);
    }
    error_set(ctx, ERR_USAGE, "there is no way to search named \"%s\"", use);
    return error_hint(ctx, "The names are: %s.", buffer_text(&names));
}

bool
vector_candidates(struct ctx *ctx, const struct vector_target *target,
    const struct vector_sizes *sizes, const char *use, struct vector_methods *ret)
{
    struct maker maker = {
        .arena = ctx->arena, .target = target, .sizes = sizes, .use = use, .methods = ret
    };
    bool is_wanted = !use;

    *ret = (struct vector_methods){ 0 };
    if (use && !check_use(ctx, use))
        return false;
    /* Without anything to look up, exact search is a scan of the table itself. */
    if (has_btree(target))
        add(&maker, (struct vector_method){ .family = FAMILY_SCAN });
    add(&maker, (struct vector_method){ .family = FAMILY_EXACT });
    add_bits(&maker);
    add_copies(&maker);
    add_ivfflat(&maker);
    add_hnsw(&maker, ELEMENT_BIT);
    add_for_tenants(&maker);
    add_hnsw(&maker, ELEMENT_HALF);
    add_hnsw(&maker, ELEMENT_COLUMN);
    add_partitions(&maker);
    for (size_t i = 0; use && i < ret->count; i++)
        is_wanted = is_wanted || candidate_is_used(&ret->items[i], use);
    if (!is_wanted)
        return error_set(ctx, ERR_UNSUPPORTED,
            "\"%s\" does not fit %s: %s of %d dimensions, pgvector %s%s", use,
            vector_table(ctx->arena, target), target->type, target->dims, target->extension_version,
            target->tenant ? "" : ", and no tenant column");
    return true;
}
