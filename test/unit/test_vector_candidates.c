/* Which ways to search are tried for which column; the counts are worked out by hand. */
#include "support/test.h"

#include "base/map.h"
#include "vector/tune/candidates.h"

/* 20,000 rows of 780 bytes beside the vector; the largest tenant has so many rows. */
static struct vector_target
make_target(int32_t dims)
{
    return (struct vector_target){ .schema = "public",
        .table = "chunks",
        .key = "id",
        .key_type = "integer",
        .column = "embedding",
        .type = "vector",
        .dims = dims,
        .metric = METRIC_COSINE,
        .tenant = "tenant",
        .tenant_type = "integer",
        .limit = 10,
        .extension_schema = "public",
        .extension_version = "0.8.0",
        .extension_number = 800,
        .rows = 20000,
        .table_bytes = 20000 * 780,
        .storage = "external",
        .is_toasted = true };
}

static struct vector_sizes
make_sizes(struct arena *arena, int64_t largest)
{
    struct vector_sizes sizes = { .rows = 20000 };

    VEC_PUSH(arena, &sizes.tenants, (struct vector_tenant){ .value = "1", .rows = largest });
    VEC_PUSH(arena, &sizes.tenants, (struct vector_tenant){ .value = "2", .rows = 100 });
    return sizes;
}

struct count {
    size_t scan, exact, bits, ivfflat, hnsw, partial, hash, list;
};

static struct count
count(const struct vector_methods *methods)
{
    struct count ret = { 0 };

    for (size_t i = 0; i < methods->count; i++) {
        const struct vector_method *method = &methods->items[i];

        ret.partial += method->scope == SCOPE_TENANT;
        ret.hash += method->scope == SCOPE_HASH;
        ret.list += method->scope == SCOPE_LIST;
        if (method->scope != SCOPE_GLOBAL)
            continue;
        ret.scan += method->family == FAMILY_SCAN;
        ret.exact += method->family == FAMILY_EXACT;
        ret.bits += method->family == FAMILY_BITS;
        ret.ivfflat += method->family == FAMILY_IVFFLAT;
        ret.hnsw += method->family == FAMILY_HNSW;
    }
    return ret;
}

static struct vector_methods
find(struct ctx *ctx, const struct vector_target *target, int64_t largest, const char *use)
{
    struct vector_sizes sizes = make_sizes(ctx->arena, largest);
    struct vector_methods methods;

    if (!vector_candidates(ctx, target, &sizes, use, &methods))
        fail_msg("%s", ctx->error.message);
    return methods;
}

static const struct vector_method *
find_one(const struct vector_methods *methods, enum vector_family family,
    enum vector_element element, enum vector_scope scope)
{
    for (size_t i = 0; i < methods->count; i++) {
        const struct vector_method *method = &methods->items[i];

        if (method->family == family && method->element == element && method->scope == scope)
            return method;
    }
    return NULL;
}

static void
test_usual(void **state)
{
    struct ctx *ctx = *state;
    struct vector_target target = make_target(1536);
    struct vector_methods methods = find(ctx, &target, 5000, NULL);
    struct count found = count(&methods);
    struct map names = { .arena = ctx->arena };
    size_t plans = 0;

    assert_int_equal(found.scan, 1);
    assert_int_equal(found.exact, 3); /* as it is, halfvec, plain: 6,152 + 780 bytes */
    assert_int_equal(found.bits, 3);
    /* (probes 1, 10, 20 and 20 iterating) x (alone, with btree), halfvec, bit */
    assert_int_equal(found.ivfflat, 4 * 2 + 2);
    /* vector and halfvec: 3 widths x (off, iterating) x (alone, with btree); bit: 2 widths */
    assert_int_equal(found.hnsw, 12 + 12 + 8);
    assert_int_equal(found.partial, 4);
    assert_int_equal(found.hash, 2);
    assert_int_equal(found.list, 3);
    assert_int_equal(methods.items[0].family, FAMILY_SCAN);
    assert_int_equal(methods.items[1].family, FAMILY_EXACT);
    for (size_t i = 0; i < methods.count; i++) {
        const char *name = vector_method_name(ctx->arena, &methods.items[i]);

        if (map_get(&names, name))
            fail_msg("\"%s\" comes twice", name);
        map_set(&names, name, &names);
        if (candidate_is_plan(&methods.items[i])) {
            plans++;
            assert_int_equal(methods.items[i].lists, 141); /* the root of 20,000 is 141.4 */
        }
        if (methods.items[i].scope == SCOPE_HASH || methods.items[i].scope == SCOPE_LIST)
            assert_false(candidate_can_be_applied(&methods.items[i]));
    }
    assert_int_equal(plans, 2);
}

static void
test_limits_of_dimensions(void **state)
{
    struct ctx *ctx = *state;
    struct vector_target target = make_target(3072);
    struct vector_methods methods = find(ctx, &target, 5000, NULL);

    /* A vector of 12,296 bytes fits no page and no index; a halfvec of 6,152 both. */
    assert_null(find_one(&methods, FAMILY_EXACT, ELEMENT_PLAIN, SCOPE_GLOBAL));
    assert_non_null(find_one(&methods, FAMILY_EXACT, ELEMENT_HALF, SCOPE_GLOBAL));
    assert_null(find_one(&methods, FAMILY_HNSW, ELEMENT_COLUMN, SCOPE_GLOBAL));
    assert_null(find_one(&methods, FAMILY_IVFFLAT, ELEMENT_COLUMN, SCOPE_GLOBAL));
    assert_non_null(find_one(&methods, FAMILY_HNSW, ELEMENT_HALF, SCOPE_GLOBAL));
    assert_non_null(find_one(&methods, FAMILY_HNSW, ELEMENT_HALF, SCOPE_HASH));

    /* Rows of 8,000 bytes leave no room for a halfvec of 6,152 either. */
    target.table_bytes = 20000 * 8000;
    methods = find(ctx, &target, 5000, NULL);
    assert_null(find_one(&methods, FAMILY_EXACT, ELEMENT_HALF, SCOPE_GLOBAL));

    target = make_target(5000);
    methods = find(ctx, &target, 5000, NULL);
    assert_null(find_one(&methods, FAMILY_HNSW, ELEMENT_HALF, SCOPE_GLOBAL));
    assert_non_null(find_one(&methods, FAMILY_HNSW, ELEMENT_BIT, SCOPE_GLOBAL));
    assert_int_equal(count(&methods).partial, 0);

    target = make_target(63);
    methods = find(ctx, &target, 5000, NULL);
    assert_int_equal(count(&methods).bits, 0);
    assert_null(find_one(&methods, FAMILY_HNSW, ELEMENT_BIT, SCOPE_GLOBAL));
    target.dims = 64;
    methods = find(ctx, &target, 5000, NULL);
    assert_int_equal(count(&methods).bits, 3);
}

static void
test_versions(void **state)
{
    struct ctx *ctx = *state;
    struct vector_target target = make_target(1536);
    struct vector_methods methods;

    target.extension_version = "0.7.4";
    target.extension_number = 704;
    methods = find(ctx, &target, 5000, NULL);
    for (size_t i = 0; i < methods.count; i++)
        assert_int_equal(methods.items[i].iteration, ITERATE_OFF);
    assert_non_null(find_one(&methods, FAMILY_HNSW, ELEMENT_HALF, SCOPE_GLOBAL));

    target.extension_version = "0.5.1";
    target.extension_number = 501;
    methods = find(ctx, &target, 5000, NULL);
    for (size_t i = 0; i < methods.count; i++)
        assert_true(methods.items[i].element == ELEMENT_COLUMN ||
                    methods.items[i].element == ELEMENT_PLAIN);
    assert_non_null(find_one(&methods, FAMILY_HNSW, ELEMENT_COLUMN, SCOPE_TENANT));
}

static void
test_shapes(void **state)
{
    struct ctx *ctx = *state;
    struct vector_target target = make_target(1536);
    struct vector_methods methods;
    struct count found;

    /* No tenant is large: 2,999 rows are not yet 3,000. */
    methods = find(ctx, &target, 2999, NULL);
    assert_int_equal(count(&methods).partial, 0);
    assert_int_equal(count(&methods).list, 0);
    methods = find(ctx, &target, 3000, NULL);
    assert_int_equal(count(&methods).partial, 4);

    /* Vectors in the row gain nothing from a copy in the row. */
    target.is_toasted = false;
    methods = find(ctx, &target, 5000, NULL);
    assert_null(find_one(&methods, FAMILY_EXACT, ELEMENT_PLAIN, SCOPE_GLOBAL));

    /* Without tenant and filters there is no btree, and exact search is the scan. */
    target = make_target(1536);
    target.tenant = NULL;
    methods = find(ctx, &target, 20000, NULL);
    found = count(&methods);
    assert_int_equal(found.scan, 0);
    assert_int_equal(found.partial + found.hash + found.list, 0);
    for (size_t i = 0; i < methods.count; i++)
        assert_false(methods.items[i].with_btree);

    /* Signs tell nothing about Euclidean distances, and ivfflat has no Manhattan ones. */
    target = make_target(1536);
    target.metric = METRIC_L2;
    methods = find(ctx, &target, 5000, NULL);
    assert_int_equal(count(&methods).bits, 0);
    target.metric = METRIC_L1;
    methods = find(ctx, &target, 5000, NULL);
    assert_int_equal(count(&methods).ivfflat, 0);
    assert_non_null(find_one(&methods, FAMILY_HNSW, ELEMENT_COLUMN, SCOPE_GLOBAL));

    target = make_target(1536);
    target.type = "halfvec";
    methods = find(ctx, &target, 5000, NULL);
    assert_null(find_one(&methods, FAMILY_EXACT, ELEMENT_HALF, SCOPE_GLOBAL));
    assert_non_null(find_one(&methods, FAMILY_HNSW, ELEMENT_COLUMN, SCOPE_TENANT));
}

/* An index that keeps fewer rows than are asked for could only return too few. */
static void
test_limit(void **state)
{
    struct ctx *ctx = *state;
    struct vector_target target = make_target(1536);
    struct vector_methods methods;

    target.limit = 50;
    methods = find(ctx, &target, 5000, NULL);
    for (size_t i = 0; i < methods.count; i++) {
        const struct vector_method *method = &methods.items[i];

        if (method->family == FAMILY_HNSW)
            assert_true(method->ef_search >= 50);
        if (method->family == FAMILY_BITS)
            assert_true(method->candidates == 250 || method->candidates == 500 ||
                        method->candidates == 1000);
    }
    target.limit = 600;
    methods = find(ctx, &target, 5000, NULL);
    assert_int_equal(
        find_one(&methods, FAMILY_HNSW, ELEMENT_COLUMN, SCOPE_GLOBAL)->ef_search, 1000);
}

static void
test_use(void **state)
{
    struct ctx *ctx = *state;
    struct vector_target target = make_target(1536);
    struct vector_sizes sizes = make_sizes(ctx->arena, 5000);
    struct vector_methods methods = find(ctx, &target, 5000, "ivfflat");
    struct count found = count(&methods);

    assert_int_equal(found.exact, 3);
    assert_int_equal(found.ivfflat, 10);
    assert_int_equal(methods.count, 13);
    methods = find(ctx, &target, 5000, "partial");
    assert_int_equal(methods.count, 3 + 4);
    methods = find(ctx, &target, 5000, "exact");
    assert_int_equal(methods.count, 3);

    assert_false(vector_candidates(ctx, &target, &sizes, "annoy", &methods));
    assert_error(ctx, ERR_USAGE, "annoy");
    assert_non_null(strstr(ctx->error.hint, "ivfflat"));
    error_clear(ctx);
    target.dims = 32;
    assert_false(vector_candidates(ctx, &target, &sizes, "bits", &methods));
    assert_error(ctx, ERR_UNSUPPORTED, "32 dimensions");
    error_clear(ctx);
    target = make_target(1536);
    target.tenant = NULL;
    assert_false(vector_candidates(ctx, &target, &sizes, "partial", &methods));
    assert_error(ctx, ERR_UNSUPPORTED, "no tenant column");
}

static void
test_tenants(void **state)
{
    struct ctx *ctx = *state;
    struct vector_sizes sizes = { 0 };
    struct vector_queries queries = { 0 };
    struct text_list tenants;

    VEC_PUSH(ctx->arena, &sizes.tenants, (struct vector_tenant){ .value = "a", .rows = 9000 });
    VEC_PUSH(ctx->arena, &sizes.tenants, (struct vector_tenant){ .value = NULL, .rows = 8000 });
    VEC_PUSH(ctx->arena, &sizes.tenants, (struct vector_tenant){ .value = "b", .rows = 7000 });
    VEC_PUSH(ctx->arena, &sizes.tenants, (struct vector_tenant){ .value = "c", .rows = 3000 });
    VEC_PUSH(ctx->arena, &sizes.tenants, (struct vector_tenant){ .value = "d", .rows = 2999 });
    for (const char *const *name = (const char *const[]){ "d", "c", "a", "a", NULL }; *name; name++)
        VEC_PUSH(ctx->arena, &queries, (struct vector_query){ .tenant = *name });
    candidate_tenants(ctx->arena, &sizes, &queries, &tenants);
    assert_string_equal(text_list_join(ctx->arena, &tenants, " "), "a c");
}

static void
test_safe(void **state)
{
    struct ctx *ctx = *state;
    struct vector_target target = make_target(1536);
    struct vector_method method = { .family = FAMILY_IVFFLAT, .lists = 10, .probes = 10 };

    (void)ctx;
    assert_false(candidate_is_safe(&target, &method));
    method.iteration = ITERATE_RELAXED;
    assert_true(candidate_is_safe(&target, &method));
    method.iteration = ITERATE_OFF;
    target.tenant = NULL;
    assert_true(candidate_is_safe(&target, &method));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_usual),
        test_with_ctx(test_limits_of_dimensions),
        test_with_ctx(test_versions),
        test_with_ctx(test_shapes),
        test_with_ctx(test_limit),
        test_with_ctx(test_use),
        test_with_ctx(test_tenants),
        test_with_ctx(test_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
