/* Ways to search as data: their names, their JSON, what they need and what they cannot do. */
#include "support/test.h"

#include <math.h>

#include "base/map.h"
#include "vector/method/choice.h"

static struct vector_filter filters[] = { { "importance", "integer", ">=", "5" },
    { "is_deleted", "boolean", "=", "false" }, { "kind", "text", "<>", "x" } };

static struct vector_target
target_of(void)
{
    return (struct vector_target){ .schema = "public",
        .table = "knowledge_embeddings",
        .key = "id",
        .key_type = "integer",
        .column = "embedding",
        .type = "vector",
        .dims = 1536,
        .tenant = "assistant_id",
        .tenant_type = "integer",
        .filters = { filters, 1, 3 },
        .limit = 10,
        .extension_schema = "public",
        .extension_version = "0.8.0",
        .extension_number = 800,
        .rows = 100000,
        .storage = "extended" };
}

/* Every method of a grid, also those that make no sense. */
struct grid {
    VEC(struct vector_method) methods;
};

static void
add_knobs(struct arena *arena, struct grid *grid, struct vector_method method)
{
    static const int32_t numbers[] = { 40, 200 };

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        for (int candidates = 0; candidates <= 100; candidates += 50) {
            method.candidates = candidates;
            if (method.family == FAMILY_HNSW) {
                method.m = 16;
                method.ef_construction = 64;
                method.ef_search = numbers[i];
            } else if (method.family == FAMILY_IVFFLAT) {
                method.lists = 316;
                method.probes = numbers[i];
            } else if (i > 0) {
                continue;
            }
            VEC_PUSH(arena, &grid->methods, method);
        }
    }
}

static void
add_scopes(struct arena *arena, struct grid *grid, struct vector_method method)
{
    bool is_approximate = method.family == FAMILY_HNSW || method.family == FAMILY_IVFFLAT;

    for (int scope = 0; scope < SCOPE_COUNT; scope++) {
        method.scope = (enum vector_scope)scope;
        method.partitions = scope == SCOPE_HASH ? 16 : 0;
        for (int more = 0; more < (is_approximate ? 2 * ITERATE_COUNT : 1); more++) {
            method.iteration = (enum vector_iteration)(more / 2);
            method.with_btree = more % 2 == 1;
            add_knobs(arena, grid, method);
        }
    }
}

static struct grid
grid_of(struct arena *arena)
{
    struct grid grid = { 0 };

    for (int family = 0; family < FAMILY_COUNT; family++)
        for (int element = 0; element < (family == FAMILY_BITS ? 1 : ELEMENT_COUNT); element++)
            add_scopes(arena, &grid,
                (struct vector_method){
                    .family = (enum vector_family)family,
                    .element = (enum vector_element)element,
                });
    return grid;
}

static void
no_two_methods_have_the_same_name(void **state)
{
    struct ctx *ctx = *state;
    struct grid grid = grid_of(ctx->arena);
    struct map seen = { .arena = ctx->arena };

    assert_true(grid.methods.count > 500);
    for (size_t i = 0; i < grid.methods.count; i++) {
        const char *name = vector_method_name(ctx->arena, &grid.methods.items[i]);

        if (map_get(&seen, name))
            fail_msg("two methods are called \"%s\"", name);
        map_set(&seen, name, &seen);
    }
}

static void
names_as_people_say_them(void **state)
{
    static const struct {
        struct vector_method method;
        const char *name;
    } known[] = {
        { { .family = FAMILY_SCAN }, "scan" },
        { { .family = FAMILY_EXACT }, "exact" },
        { { .family = FAMILY_EXACT, .element = ELEMENT_PLAIN }, "exact plain vector" },
        { { .family = FAMILY_BITS, .candidates = 100 }, "bits, 100 ranked again" },
        { { .family = FAMILY_HNSW,
              .element = ELEMENT_HALF,
              .scope = SCOPE_TENANT,
              .iteration = ITERATE_RELAXED,
              .m = 16,
              .ef_construction = 64,
              .ef_search = 200 },
            "hnsw halfvec, partial, ef 200 relaxed" },
        { { .family = FAMILY_HNSW,
              .m = 24,
              .ef_construction = 100,
              .ef_search = 40,
              .with_btree = true },
            "hnsw + btree, m 24/100, ef 40" },
        { { .family = FAMILY_IVFFLAT, .lists = 316, .probes = 20 },
            "ivfflat, 316 lists, probes 20" },
        { { .family = FAMILY_HNSW,
              .scope = SCOPE_HASH,
              .partitions = 16,
              .m = 16,
              .ef_construction = 64,
              .ef_search = 40 },
            "hnsw, hash partitions 16, ef 40" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(known); i++)
        assert_string_equal(vector_method_name(ctx->arena, &known[i].method), known[i].name);
}

static void
json_gives_the_same_method(void **state)
{
    struct ctx *ctx = *state;
    struct grid grid = grid_of(ctx->arena);

    for (size_t i = 0; i < grid.methods.count; i++) {
        const struct vector_method *method = &grid.methods.items[i];
        json_t *json CLEANUP(json_release) = vector_method_to_json(method);
        struct vector_method again;

        assert_true(vector_method_from_json(ctx, json, &again));
        assert_string_equal(
            vector_method_name(ctx->arena, &again), vector_method_name(ctx->arena, method));
        assert_true(vector_method_same_build(&again, method));
    }
}

static void
json_that_is_wrong(void **state)
{
    static const char *const wrong[][2] = {
        { "[]", "not a JSON object" },
        { "{}", "no \"family\"" },
        { "{\"family\": \"bitz\"}", "unknown \"family\": bitz" },
        { "{\"family\": 3}", "unknown \"family\": not a text" },
        { "{\"family\": \"bits\", \"scope\": \"\"}", "unknown \"scope\"" },
        { "{\"family\": \"bits\", \"candidates\": \"100\"}",
            "\"candidates\" is of the wrong type" },
        { "{\"family\": \"bits\", \"candidates\": 1.5}", "\"candidates\" is of the wrong type" },
        { "{\"family\": \"bits\", \"candidates\": -1}", "\"candidates\" is out of range: -1" },
        { "{\"family\": \"hnsw\", \"m\": 3000000000}", "\"m\" is out of range" },
        { "{\"family\": \"hnsw\", \"with_btree\": 1}", "\"with_btree\" is of the wrong type" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        json_t *json CLEANUP(json_release) = NULL;
        struct vector_method method;

        assert_true(json_parse(ctx, "wrong", wrong[i][0], &json));
        assert_false(vector_method_from_json(ctx, json, &method));
        assert_error(ctx, ERR_INPUT, wrong[i][1]);
        error_clear(ctx);
    }
}

static void
builds_are_the_same_but_for_the_knobs_of_queries(void **state)
{
    struct vector_method one = { .family = FAMILY_HNSW, .m = 16, .ef_construction = 64 };
    struct vector_method two = one;

    (void)state;
    two.ef_search = 400;
    two.iteration = ITERATE_STRICT;
    two.candidates = 50;
    assert_true(vector_method_same_build(&one, &two));
    two.m = 24;
    assert_false(vector_method_same_build(&one, &two));
    two = one;
    two.with_btree = true;
    assert_false(vector_method_same_build(&one, &two));
    two = one;
    two.element = ELEMENT_BIT;
    assert_false(vector_method_same_build(&one, &two));
    one = (struct vector_method){ .family = FAMILY_BITS, .candidates = 40 };
    two =
        (struct vector_method){ .family = FAMILY_BITS, .candidates = 400, .element = ELEMENT_BIT };
    assert_true(vector_method_same_build(&one, &two));
    two = (struct vector_method){ .family = FAMILY_EXACT };
    assert_false(vector_method_same_build(&one, &two));
}

/* The square root, rounded, within what pgvector takes (1 to 32,768). */
static void
the_lists_of_the_plan(void **state)
{
    static const struct {
        int64_t rows;
        int32_t lists;
    } known[] = { { -1, 1 }, { 0, 1 }, { 1, 1 }, { 2, 1 }, { 3, 2 }, { 100, 10 }, { 100000, 316 },
        { 340000, 583 }, { 1000000, 1000 }, { INT64_C(1073741824), 32768 },
        { INT64_C(9000000000000), 32768 } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        assert_int_equal(vector_plan_lists(known[i].rows), known[i].lists);
}

static struct vector_parts
parts_of(struct ctx *ctx, const struct vector_target *target, struct vector_method method,
    const char *tenant)
{
    struct vector_parts parts;

    vector_method_parts(ctx->arena, target, &method, tenant, "NEW.", &parts);
    return parts;
}

static void
parts_of_bits(void **state)
{
    struct ctx *ctx = *state;
    struct vector_target target = target_of();
    struct vector_method bits = { .family = FAMILY_BITS, .candidates = 100 };
    struct vector_parts parts = parts_of(ctx, &target, bits, NULL);

    assert_int_equal(parts.columns.count, 1);
    assert_string_equal(parts.columns.items[0].name, "embedding_bits");
    assert_string_equal(parts.columns.items[0].type, "bit(1536)");
    assert_string_equal(
        parts.columns.items[0].expression, "public.binary_quantize(NEW.embedding)::bit(1536)");
    assert_int_equal(parts.indexes.count, 1);
    assert_string_equal(parts.indexes.items[0].definition,
        "USING btree (assistant_id, importance) INCLUDE (id, embedding_bits)");
    /* What is compared by "=" stands before bounds; "<>" cannot be looked up, only read. */
    target.filters.count = 3;
    parts = parts_of(ctx, &target, bits, NULL);
    assert_string_equal(parts.indexes.items[0].definition,
        "USING btree (assistant_id, is_deleted, importance) INCLUDE (kind, id, embedding_bits)");
    target.filters.count = 0;
    target.tenant = NULL;
    parts = parts_of(ctx, &target, bits, NULL);
    assert_string_equal(
        parts.indexes.items[0].definition, "USING btree (id) INCLUDE (embedding_bits)");
}

static void
parts_of_exact_and_approximate(void **state)
{
    struct ctx *ctx = *state;
    struct vector_target target = target_of();
    struct vector_parts parts = parts_of(ctx, &target,
        (struct vector_method){ .family = FAMILY_EXACT, .element = ELEMENT_HALF }, NULL);

    assert_string_equal(parts.columns.items[0].type, "public.halfvec(1536)");
    assert_string_equal(parts.columns.items[0].storage, "PLAIN");
    target.metric = METRIC_L2;
    assert_string_equal(
        parts_of(ctx, &target,
            (struct vector_method){ .family = FAMILY_EXACT, .element = ELEMENT_HALF }, NULL)
            .columns.items[0]
            .expression,
        "NEW.embedding::public.halfvec(1536)");
    target.metric = METRIC_COSINE;
    assert_string_equal(parts.columns.items[0].expression,
        "public.l2_normalize(NEW.embedding)::public.halfvec(1536)");
    assert_string_equal(
        parts.indexes.items[0].definition, "USING btree (assistant_id, importance)");
    parts = parts_of(ctx, &target,
        (struct vector_method){ .family = FAMILY_IVFFLAT, .lists = 316, .probes = 20 }, NULL);
    assert_string_equal(parts.indexes.items[0].name, "idx_knowledge_embeddings_ivfflat");
    assert_string_equal(parts.indexes.items[0].definition,
        "USING ivfflat (embedding public.vector_cosine_ops) WITH (lists = 316)");
    assert_string_equal(text_list_join(ctx->arena, &parts.settings, ";"),
        "ivfflat.probes=20;ivfflat.iterative_scan=off");
    target.extension_number = 700;
    parts = parts_of(ctx, &target,
        (struct vector_method){ .family = FAMILY_HNSW,
            .element = ELEMENT_HALF,
            .scope = SCOPE_TENANT,
            .m = 16,
            .ef_construction = 64,
            .ef_search = 100,
            .with_btree = true },
        "it's");
    assert_int_equal(parts.indexes.count, 2);
    assert_string_equal(parts.indexes.items[1].definition,
        "USING hnsw ((public.l2_normalize(embedding)::public.halfvec(1536)) public.halfvec_cosine_ops) WITH (m = 16,"
        " ef_construction = 64) WHERE assistant_id OPERATOR(pg_catalog.=) 'it''s'");
    /* Versions without iterative scans do not know the setting; parallel builds are not safe. */
    assert_string_equal(text_list_join(ctx->arena, &parts.settings, ";"), "hnsw.ef_search=100");
    assert_true(
        text_ends_with(parts.indexes.items[1].settings, ";max_parallel_maintenance_workers=0"));
    target.extension_number = 802;
    parts = parts_of(ctx, &target,
        (struct vector_method){ .family = FAMILY_HNSW, .m = 16, .ef_construction = 64 }, NULL);
    assert_null(strstr(parts.indexes.items[0].settings, "parallel"));
}

/* Names that would be cut keep their difference; letters are not cut in two. */
static void
long_names_stay_apart(void **state)
{
    struct ctx *ctx = *state;
    struct vector_target target = target_of();
    struct text_list seen = { 0 };

    target.table = "очень_длинное_имя_таблицы_с_буквами_по_два_байта";
    for (int length = 25; length < 32; length++) {
        static const char *const tenants[] = { "7", "8", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab" };

        for (size_t i = 0; i < COUNT_OF(tenants); i++) {
            struct vector_parts parts;

            target.column = arena_printf(
                ctx->arena, "%.*sы", length, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop");
            parts = parts_of(ctx, &target,
                (struct vector_method){
                    .family = FAMILY_HNSW, .scope = SCOPE_TENANT, .m = 16, .ef_construction = 64 },
                tenants[i]);
            assert_true(strlen(parts.indexes.items[0].name) <= 63);
            assert_true(text_is_utf8(parts.indexes.items[0].name));
            assert_false(text_list_has(&seen, parts.indexes.items[0].name));
            text_list_add(ctx->arena, &seen, parts.indexes.items[0].name);
        }
    }
    target.column = "ыыыыыыыыыыыыыыыыыыыыыыыыыыыыыыы";
    assert_int_equal(strlen(target.column), 62);
    assert_true(strlen(parts_of(ctx, &target,
                    (struct vector_method){ .family = FAMILY_BITS, .candidates = 9 }, NULL)
                           .columns.items[0]
                           .name) <= 63);
}

static void
what_cannot_be_used(void **state)
{
    static const struct vector_method bits = { .family = FAMILY_BITS, .candidates = 100 };
    static const struct vector_method hnsw = { .family = FAMILY_HNSW, .m = 16 };
    static const struct vector_method half = { .family = FAMILY_HNSW, .element = ELEMENT_HALF };
    static const struct vector_method plain = { .family = FAMILY_EXACT, .element = ELEMENT_PLAIN };
    static const struct vector_method partial = { .family = FAMILY_HNSW, .scope = SCOPE_TENANT };
    static const struct vector_method ivfflat = { .family = FAMILY_IVFFLAT, .lists = 1 };
    static const struct vector_method relaxed = { .family = FAMILY_HNSW,
        .iteration = ITERATE_RELAXED };
    struct ctx *ctx = *state;
    struct vector_target target = target_of();

#define CAN(method) assert_null(vector_method_problem(ctx->arena, &target, &(method)))
#define CANNOT(method, w) \
    assert_non_null(strstr(vector_method_problem(ctx->arena, &target, &(method)), (w)))
    CAN(bits);
    CAN(hnsw);
    CAN(half);
    CAN(plain);
    CAN(partial);
    CAN(relaxed);
    target.metric = METRIC_L2;
    CANNOT(bits, "the signs of the numbers say nothing about the l2 distance");
    target.metric = METRIC_L1;
    CANNOT(ivfflat, "no operators for the l1 distance");
    CAN(hnsw);
    target.metric = METRIC_INNER;
    CAN(bits);
    target.metric = METRIC_COSINE;
    target.extension_number = 605;
    target.extension_version = "0.6.5";
    CANNOT(bits, "needs pgvector 0.7.0, and 0.6.5 is installed");
    CANNOT(half, "needs pgvector 0.7.0");
    CANNOT(relaxed, "iterative scans need pgvector 0.8.0");
    CAN(hnsw);
    target = target_of();
    target.dims = 3072;
    CANNOT(hnsw, "at most 2000 dimensions, and there are 3072");
    CANNOT(plain, "at most 1940 dimensions");
    CAN(half);
    CAN(bits);
    target.type = "halfvec";
    CAN(hnsw);
    CANNOT(half, "halfvec already");
    target = target_of();
    target.tenant = NULL;
    CANNOT(partial, "no tenant");
    target.storage = "plain";
    CANNOT(plain, "inside the row already");
    target.dims = 21000;
    CANNOT(bits, "at most 20000 dimensions");
#undef CAN
#undef CANNOT
}

/* ---- choices ---- */

static struct vector_choice
choice_of(struct ctx *ctx)
{
    struct vector_target target = target_of();
    struct vector_special special = { .method = {
                                          .family = FAMILY_HNSW, .m = 16, .ef_search = 200 } };
    struct vector_choice choice;

    vector_choice_exact(ctx->arena, &target, &choice);
    choice.base = (struct vector_method){ .family = FAMILY_BITS, .candidates = 200 };
    text_list_add(ctx->arena, &special.tenants, "42");
    text_list_add(ctx->arena, &special.tenants, "o'x \"й\"");
    VEC_PUSH(ctx->arena, &choice.specials, special);
    VEC_PUSH(ctx->arena, &choice.expected,
        (struct vector_expectation){ .bucket = "100-999 rows",
            .least_rows = 100,
            .most_rows = INT64_MAX,
            .measure = { .queries = 50,
                .recall = { 0.9975, 0.99, 1 },
                .recall_least = 0.9,
                .short_results = 1,
                .cpu_us_p95 = { 3400.5, NAN, 4000 } } });
    choice.recall = 0.99;
    choice.vector_weight = 0.35;
    choice.largest_rows = 13861;
    choice.text_column = "chunk_text_tsv";
    choice.was_measured = true;
    return choice;
}

static void
a_choice_survives_json(void **state)
{
    struct ctx *ctx = *state;
    struct vector_choice choice = choice_of(ctx);
    json_t *json CLEANUP(json_release) = vector_choice_to_json(&choice);
    json_t *parsed CLEANUP(json_release) = NULL;
    const char *text = json_text(ctx->arena, json);
    struct vector_choice again;

    assert_true(json_parse(ctx, "choice", text, &parsed));
    if (!vector_choice_from_json(ctx, parsed, &again))
        fail_msg("%s", ctx->error.message);
    assert_int_equal(again.target.dims, 1536);
    assert_int_equal(again.target.filters.count, 1);
    assert_string_equal(again.target.filters.items[0].operator, ">=");
    assert_string_equal(vector_method_name(ctx->arena, &again.base), "bits, 200 ranked again");
    assert_int_equal(again.specials.count, 1);
    assert_string_equal(again.specials.items[0].tenants.items[1], "o'x \"й\"");
    assert_int_equal(again.specials.items[0].method.ef_search, 200);
    assert_int_equal(again.expected.count, 1);
    assert_int_equal(again.expected.items[0].most_rows, INT64_MAX);
    assert_true(again.expected.items[0].measure.recall.value == 0.9975);
    assert_true(again.expected.items[0].measure.cpu_us_p95.value == 3400.5);
    assert_true(isnan(again.expected.items[0].measure.cpu_us_p95.low));
    assert_int_equal(again.expected.items[0].measure.short_results, 1);
    assert_int_equal(again.largest_rows, 13861);
    assert_true(again.vector_weight == 0.35 && again.recall == 0.99 && again.was_measured);
    assert_string_equal(again.text_column, "chunk_text_tsv");
    assert_string_equal(again.chosen_at, choice.chosen_at);

    /* Written again it is the same text. */
    json_t *second CLEANUP(json_release) = vector_choice_to_json(&again);

    assert_string_equal(json_text(ctx->arena, second), text);
}

static void
a_choice_that_somebody_changed(void **state)
{
    static const char *const lost[][2] = { { "base", "not a JSON object" },
        { "target", "not described by a JSON object" } };
    struct ctx *ctx = *state;
    struct vector_choice choice = choice_of(ctx);
    struct vector_choice again;

    for (size_t i = 0; i < COUNT_OF(lost); i++) {
        json_t *json CLEANUP(json_release) = vector_choice_to_json(&choice);

        json_object_del(json, lost[i][0]);
        assert_false(vector_choice_from_json(ctx, json, &again));
        assert_error(ctx, ERR_INPUT, lost[i][1]);
        error_clear(ctx);
    }

    json_t *json CLEANUP(json_release) = vector_choice_to_json(&choice);

    json_object_set_new(
        json_array_get(json_object_get(json, "specials"), 0), "tenants", json_array());
    json_array_append_new(
        json_object_get(json_array_get(json_object_get(json, "specials"), 0), "tenants"),
        json_integer(3));
    assert_false(vector_choice_from_json(ctx, json, &again));
    assert_error(ctx, ERR_INPUT, "\"specials\", number 1: a member of \"tenants\" is not a text");
    error_clear(ctx);
    json_object_set_new(json, "specials", json_array());
    json_object_set_new(
        json_array_get(json_object_get(json, "expected"), 0), "measure", json_null());
    assert_false(vector_choice_from_json(ctx, json, &again));
    assert_error(ctx, ERR_INPUT, "\"expected\", number 1: \"measure\" is not a JSON object");
}

static void
the_method_of_a_tenant(void **state)
{
    struct ctx *ctx = *state;
    struct vector_choice choice = choice_of(ctx);

    assert_ptr_equal(vector_choice_method(&choice, "42"), &choice.specials.items[0].method);
    assert_ptr_equal(vector_choice_method(&choice, "4"), &choice.base);
    assert_ptr_equal(vector_choice_method(&choice, NULL), &choice.base);
    assert_string_equal(vector_choice_key(ctx->arena, &choice.target),
        "vector:public.knowledge_embeddings.embedding");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(no_two_methods_have_the_same_name),
        test_with_ctx(names_as_people_say_them),
        test_with_ctx(json_gives_the_same_method),
        test_with_ctx(json_that_is_wrong),
        test_with_ctx(builds_are_the_same_but_for_the_knobs_of_queries),
        test_with_ctx(the_lists_of_the_plan),
        test_with_ctx(parts_of_bits),
        test_with_ctx(parts_of_exact_and_approximate),
        test_with_ctx(long_names_stay_apart),
        test_with_ctx(what_cannot_be_used),
        test_with_ctx(a_choice_survives_json),
        test_with_ctx(a_choice_that_somebody_changed),
        test_with_ctx(the_method_of_a_tenant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
