/* What pgvector can do with a target, and what it costs to build. */
#include <math.h>

#include "vector/method/parts.h"

/*
 * Source of the limits of indexes: pgvector's README. Those of rows: a row must fit a page of 8 kB,
 * and what a PLAIN column takes cannot be moved out; other columns can.
 */
enum {
    MOST_INDEXED_VECTOR = 2000,
    MOST_INDEXED_HALF = 4000,
    MOST_INDEXED_BIT = 64000,
    MOST_PLAIN_VECTOR = 1940,
    MOST_PLAIN_HALF = 3880,
    MOST_COVERED_BITS = 20000, /* 2,500 of the 2,704 bytes that an entry of a btree may have */
    MOST_LISTS = 32768,
};

static bool
is_half(const struct vector_target *target)
{
    return text_equal(target->type, "halfvec");
}

static const char *
version_problem(struct arena *arena, const struct vector_target *target, const char *what)
{
    return arena_printf(arena, "%s needs pgvector 0.7.0, and %s is installed", what,
        target->extension_version ? target->extension_version : "an older one");
}

static const char *
dimension_problem(struct arena *arena, const struct vector_target *target, int most, const char *of)
{
    if (target->dims <= most)
        return NULL;
    return arena_printf(
        arena, "%s can have at most %d dimensions, and there are %d", of, most, target->dims);
}

/* A sign keeps an angle, not a distance between ends. */
static const char *
bits_problem(struct arena *arena, const struct vector_target *target)
{
    if (target->extension_number < VERSION_HALFVEC)
        return version_problem(arena, target, "searching by bits");
    if (target->metric != METRIC_COSINE && target->metric != METRIC_INNER)
        return arena_printf(arena,
            "the signs of the numbers say nothing about the %s distance: bits are for cosine and "
            "inner product",
            vector_metric_name(target->metric));
    return NULL;
}

static const char *
exact_problem(
    struct arena *arena, const struct vector_target *target, const struct vector_method *method)
{
    if (method->element == ELEMENT_BIT)
        return "exact search is not by bits";
    if (method->element == ELEMENT_HALF) {
        if (target->extension_number < VERSION_HALFVEC)
            return version_problem(arena, target, "halfvec");
        if (is_half(target))
            return "the column is a halfvec already";
        return dimension_problem(arena, target, MOST_PLAIN_HALF, "a halfvec inside the row");
    }
    if (method->element == ELEMENT_PLAIN) {
        if (text_equal(target->storage, "plain"))
            return "the column stands inside the row already";
        return dimension_problem(arena, target,
            is_half(target) ? MOST_PLAIN_HALF : MOST_PLAIN_VECTOR, "a vector inside the row");
    }
    return NULL;
}

static const char *
approximate_problem(
    struct arena *arena, const struct vector_target *target, const struct vector_method *method)
{
    bool over_half = method->element == ELEMENT_HALF || is_half(target);

    if (method->family == FAMILY_IVFFLAT && target->metric == METRIC_L1)
        return "ivfflat has no operators for the l1 distance";
    if (method->iteration != ITERATE_OFF && target->extension_number < VERSION_ITERATION)
        return arena_printf(arena, "iterative scans need pgvector 0.8.0, and %s is installed",
            target->extension_version);
    if (method->element == ELEMENT_BIT) {
        const char *problem = bits_problem(arena, target);

        return problem ? problem
                       : dimension_problem(arena, target, MOST_INDEXED_BIT, "an index of bits");
    }
    if (method->element == ELEMENT_PLAIN)
        return "an approximate index holds the vectors itself: the storage of the column is "
               "nothing to it";
    if (method->element == ELEMENT_HALF && is_half(target))
        return "the column is a halfvec already";
    if ((method->element == ELEMENT_HALF || target->metric == METRIC_L1) &&
        target->extension_number < VERSION_HALFVEC)
        return version_problem(
            arena, target, method->element == ELEMENT_HALF ? "halfvec" : "the l1 distance");
    return dimension_problem(arena, target, over_half ? MOST_INDEXED_HALF : MOST_INDEXED_VECTOR,
        over_half ? "an index of halfvec" : "an index of vector");
}

const char *
vector_method_problem(
    struct arena *arena, const struct vector_target *target, const struct vector_method *method)
{
    const char *problem;

    if (method->scope != SCOPE_GLOBAL && !target->tenant)
        return "the searches have no tenant to divide the table by";
    switch (method->family) {
    case FAMILY_EXACT:
        return exact_problem(arena, target, method);
    case FAMILY_BITS:
        problem = bits_problem(arena, target);
        return problem
                   ? problem
                   : dimension_problem(arena, target, MOST_COVERED_BITS, "bits inside an index");
    case FAMILY_HNSW:
    case FAMILY_IVFFLAT:
        return approximate_problem(arena, target, method);
    case FAMILY_SCAN:
    case FAMILY_COUNT:
        break;
    }
    return NULL;
}

static double
element_bytes(const struct vector_target *target, const struct vector_method *method)
{
    if (method->element == ELEMENT_BIT)
        return 8 + target->dims / 8.0;
    if (method->element == ELEMENT_HALF || is_half(target))
        return 8 + 2.0 * target->dims;
    return 8 + 4.0 * target->dims;
}

/*
 * The graph: each vector with 2 m neighbours of 16 bytes at the lowest level, few above, and what
 * else an element holds; an eighth more for the allocator. Source: pgvector 0.8, hnsw.h
 * (HnswElementData, HnswCandidate).
 */
static double
hnsw_memory(const struct vector_target *target, const struct vector_method *method, double rows)
{
    return rows * (element_bytes(target, method) + 32.0 * method->m + 256) * 1.125;
}

/*
 * Room for a sample of 50 vectors a list, at least 10,000, and Elkan's bounds of the k-means over
 * what was taken of it; rows 0: unknown.
 * Source: pgvector 0.8, ivfbuild.c and ivfkmeans.c (ElkanKmeans).
 */
static double
ivfflat_memory(const struct vector_target *target, const struct vector_method *method, double rows)
{
    double lists = method->lists > 0 ? method->lists : 1;
    double samples = lists * 50 > 10000 ? lists * 50 : 10000;
    double taken = rows > 0 && rows < samples ? rows : samples;
    double bytes = element_bytes(target, method);

    return (samples + 2 * lists) * bytes + 4.0 * lists * target->dims + 4.0 * taken * lists +
           4.0 * lists * lists + 8.0 * taken + 16.0 * lists;
}

int64_t
vector_build_memory(
    const struct vector_target *target, const struct vector_method *method, int64_t rows)
{
    if (method->family == FAMILY_HNSW)
        return (int64_t)hnsw_memory(target, method, (double)rows);
    if (method->family == FAMILY_IVFFLAT)
        return (int64_t)ivfflat_memory(target, method, (double)rows);
    return 0;
}

int32_t
vector_plan_lists(int64_t rows)
{
    double lists = rows > 0 ? round(sqrt((double)rows)) : 1;

    if (lists < 1)
        return 1;
    return lists > MOST_LISTS ? MOST_LISTS : (int32_t)lists;
}
