/*
 * How long builds take. The figures are of one process, in nanoseconds, from builds of pgvector 0.8
 * over 100 and 1,536 dimensions; the pace of the builds so far corrects them for the machine.
 */
#include <math.h>

#include "vector/tune/build.h"

static const double distance_ns = 120;    /* of one distance, and */
static const double dimension_ns = 0.3;   /* for each number in it */
static const double bit_ns = 0.01;        /* or for each bit */
static const double visits = 2000;        /* distances for a row of 100,000 with m 16, ef 64 */
static const double visits_rows = 100000; /* they grow with the logarithm of the rows */
static const double row_ns = 3000;        /* to read a row, sort it and write an entry */
static const double sample_of_list = 50;
static const double least_sample = 10000;
static const double sample_passes = 5;

static double
one_distance_ns(const struct vector_target *target, const struct vector_method *method)
{
    bool is_bit = method->element == ELEMENT_BIT;

    return distance_ns + (is_bit ? bit_ns : dimension_ns) * target->dims;
}

static double
hnsw_ns(const struct vector_target *target, const struct vector_method *method, double rows)
{
    double factor = method->m / 16.0 * method->ef_construction / 64.0;

    if (rows < 2)
        return row_ns;
    return rows * (row_ns + visits * factor * log(rows) / log(visits_rows) *
                                one_distance_ns(target, method));
}

static double
ivfflat_ns(const struct vector_target *target, const struct vector_method *method, double rows)
{
    double sample = fmin(rows, fmax(least_sample, sample_of_list * method->lists));

    return rows * row_ns +
           (rows + sample_passes * sample) * method->lists * one_distance_ns(target, method);
}

static double
method_ns(const struct vector_target *target, const struct vector_method *method, double rows)
{
    switch (method->family) {
    case FAMILY_HNSW:
        return hnsw_ns(target, method, rows);
    case FAMILY_IVFFLAT:
        return ivfflat_ns(target, method, rows);
    case FAMILY_BITS:
    case FAMILY_EXACT:
        return rows * (row_ns + (method->element == ELEMENT_COLUMN ? 0 : 5.0) * target->dims);
    case FAMILY_SCAN:
    case FAMILY_COUNT:
        break;
    }
    return 0;
}

static double
tenant_rows(const struct vector_sizes *sizes, const char *value)
{
    for (size_t i = 0; i < sizes->tenants.count; i++)
        if (text_equal(sizes->tenants.items[i].value, value))
            return (double)sizes->tenants.items[i].rows;
    return 0;
}

int64_t
builder_estimate_us(const struct builder *builder, const struct vector_method *method,
    const struct text_list *tenants)
{
    const struct vector_target *target = &builder->stage->target;
    bool is_apart = method->scope == SCOPE_TENANT || method->scope == SCOPE_LIST;
    double rows = (double)builder->rows;
    double ns = 0;

    for (size_t i = 0; is_apart && tenants && i < tenants->count; i++)
        ns += method_ns(target, method, tenant_rows(&builder->stage->sizes, tenants->items[i]));
    if (method->scope == SCOPE_HASH && method->partitions > 0)
        ns = method->partitions * method_ns(target, method, rows / method->partitions);
    else if (!is_apart)
        ns = method_ns(target, method, rows);
    return (int64_t)(ns / 1000 * builder->pace[method->family]);
}
