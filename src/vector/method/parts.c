/* The columns, indexes and settings of each way to search. */
#include "vector/method/parts.h"

#include <inttypes.h>

#include "base/crypto.h"
#include "db/ident.h"

/*
 * NAME_BYTES is NAMEDATALEN - 1. A build of ours gets at most this memory: the default of servers
 * is far below, and more would be taken from everything else on the machine.
 */
enum { NAME_BYTES = 63, DIGEST_DIGITS = 8 };
static const int64_t most_build_memory = INT64_C(2) << 30;
static const int64_t least_build_memory = INT64_C(64) << 20;

const char *
vector_fitting_name(struct arena *arena, const char *name)
{
    size_t length = strlen(name);
    size_t kept = NAME_BYTES - DIGEST_DIGITS - 1;

    if (length <= NAME_BYTES)
        return name;
    while (kept > 0 && ((unsigned char)name[kept] & 0xC0) == 0x80)
        kept--;
    return arena_printf(
        arena, "%.*s_%.*s", (int)kept, name, DIGEST_DIGITS, sha256_of(arena, name, length));
}

const char *
method_bits_column(struct arena *arena, const struct vector_target *target)
{
    return vector_fitting_name(arena, arena_printf(arena, "%s_bits", target->column));
}

const char *
method_column(
    struct arena *arena, const struct vector_target *target, const struct vector_method *method)
{
    if (method->family != FAMILY_EXACT)
        return target->column;
    if (method->element == ELEMENT_HALF)
        return vector_fitting_name(arena, arena_printf(arena, "%s_half", target->column));
    if (method->element == ELEMENT_PLAIN)
        return vector_fitting_name(arena, arena_printf(arena, "%s_plain", target->column));
    return target->column;
}

const char *
method_type(struct arena *arena, const struct vector_target *target, const char *type)
{
    return arena_printf(
        arena, "%s(%d)", db_qualified(arena, target->extension_schema, type), target->dims);
}

const char *
method_bits_of(struct arena *arena, const struct vector_target *target, const char *expression)
{
    return arena_printf(arena, "%s(%s)::bit(%d)",
        db_qualified(arena, target->extension_schema, "binary_quantize"), expression, target->dims);
}

/*
 * The cosine distance does not depend on lengths, but the numbers of a halfvec end at 65504 and
 * are 0 below 6e-8: a vector of length one fits, whatever its length was.
 */
const char *
method_half_of(struct arena *arena, const struct vector_target *target, const char *expression)
{
    if (target->metric == METRIC_COSINE)
        expression = arena_printf(arena, "%s(%s)",
            db_qualified(arena, target->extension_schema, "l2_normalize"), expression);
    return arena_printf(arena, "%s::%s", expression, method_type(arena, target, "halfvec"));
}

static void
add_column(struct arena *arena, struct vector_parts *parts, struct vector_extra_column extra_column)
{
    VEC_PUSH(arena, &parts->columns, extra_column);
}

/*
 * PLAIN keeps the vector in the row: reading it costs no visit to the TOAST table. The bits need
 * no word: they are far too short to be moved out before the vector itself is.
 */
static void
add_columns(struct arena *arena, const struct vector_target *target,
    const struct vector_method *method, const char *row_prefix, struct vector_parts *parts)
{
    const char *column = arena_printf(arena, "%s%s", row_prefix, db_ident(arena, target->column));

    if (method->family == FAMILY_BITS)
        add_column(arena, parts,
            (struct vector_extra_column){
                .name = method_bits_column(arena, target),
                .type = arena_printf(arena, "bit(%d)", target->dims),
                .expression = method_bits_of(arena, target, column),
            });
    if (method->family != FAMILY_EXACT)
        return;
    if (method->element == ELEMENT_HALF)
        add_column(arena, parts,
            (struct vector_extra_column){
                .name = method_column(arena, target, method),
                .type = method_type(arena, target, "halfvec"),
                .storage = "PLAIN",
                .expression = method_half_of(arena, target, column),
            });
    else if (method->element == ELEMENT_PLAIN)
        add_column(arena, parts,
            (struct vector_extra_column){
                .name = method_column(arena, target, method),
                .type = method_type(arena, target, target->type),
                .storage = "PLAIN",
                .expression = column,
            });
}

/* The columns that searches filter by, each once: tenant, those compared by "=", the others. */
static struct text_list
search_columns(struct arena *arena, const struct vector_target *target, bool with_unequal)
{
    struct text_list ret = { 0 };

    if (target->tenant)
        text_list_add(arena, &ret, target->tenant);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < target->filters.count; i++) {
            const struct vector_filter *filter = &target->filters.items[i];

            if (text_equal(filter->operator, "=") != (pass == 0) ||
                (text_equal(filter->operator, "<>") && !with_unequal))
                continue;
            if (!text_list_has(&ret, filter->column))
                text_list_add(arena, &ret, filter->column);
        }
    }
    return ret;
}

static const char *
idents(struct arena *arena, const struct text_list *columns)
{
    struct text_list quoted = { 0 };

    for (size_t i = 0; i < columns->count; i++)
        text_list_add(arena, &quoted, db_ident(arena, columns->items[i]));
    return text_list_join(arena, &quoted, ", ");
}

static void
add_index(struct arena *arena, struct vector_parts *parts, const char *name, const char *definition,
    const char *settings)
{
    VEC_PUSH(arena, &parts->indexes,
        (struct vector_extra_index){
            .name = vector_fitting_name(arena, name),
            .definition = definition,
            .settings = settings,
        });
}

/* For exact search: the rows of a tenant that pass the filters. */
static void
add_btree(struct arena *arena, const struct vector_target *target, struct vector_parts *parts)
{
    struct text_list columns = search_columns(arena, target, false);

    if (columns.count == 0)
        return;
    add_index(arena, parts,
        arena_printf(arena, "%s_%s_search", target->table, text_list_join(arena, &columns, "_")),
        arena_printf(arena, "USING btree (%s)", idents(arena, &columns)), NULL);
}

/*
 * All that the first stage reads stands in the index: the filters' columns, the key and the bits,
 * so the table is not visited (after VACUUM). An entry of a btree must be below a third of a page,
 * 2,704 bytes; vector_method_problem() keeps the bits well below that.
 */
static void
add_bits_index(struct arena *arena, const struct vector_target *target, struct vector_parts *parts)
{
    struct text_list keys = search_columns(arena, target, false);
    struct text_list all = search_columns(arena, target, true);
    struct text_list included = { 0 };

    if (keys.count == 0) {
        text_list_add(arena, &keys, target->key);
        text_list_add(arena, &all, target->key);
    }
    for (size_t i = 0; i < all.count; i++) {
        if (!text_list_has(&keys, all.items[i]))
            text_list_add(arena, &included, all.items[i]);
    }
    if (!text_list_has(&all, target->key))
        text_list_add(arena, &included, target->key);
    text_list_add(arena, &included, method_bits_column(arena, target));
    add_index(arena, parts, arena_printf(arena, "%s_%s_bits_search", target->table, target->column),
        arena_printf(
            arena, "USING btree (%s) INCLUDE (%s)", idents(arena, &keys), idents(arena, &included)),
        NULL);
}

/*
 * Approximate builds want their graph in memory. pgvector 0.6.0 to 0.8.1 can write beyond a buffer
 * in parallel builds of hnsw (fixed in 0.8.2), so those build with one process.
 */
static const char *
build_settings(
    struct arena *arena, const struct vector_target *target, const struct vector_method *method)
{
    int64_t bytes = vector_build_memory(target, method, target->rows > 0 ? target->rows : 0);
    const char *workers = "";

    if (bytes < least_build_memory)
        bytes = least_build_memory;
    if (bytes > most_build_memory)
        bytes = most_build_memory;
    if (method->family == FAMILY_HNSW && target->extension_number < 802)
        workers = ";max_parallel_maintenance_workers=0";
    return arena_printf(arena, "maintenance_work_mem=%" PRId64 "kB%s", bytes / 1024, workers);
}

/* "(embedding public.vector_cosine_ops)", or the same over a cast. */
static const char *
indexed_element(
    struct arena *arena, const struct vector_target *target, const struct vector_method *method)
{
    const char *column = db_ident(arena, target->column);
    const char *type = method->element == ELEMENT_HALF ? "halfvec" : target->type;
    const char *class = method->element == ELEMENT_BIT ? "bit_hamming_ops"
                                                       : arena_printf(arena, "%s_%s", type,
                                                             vector_metric_class(target->metric));

    class = db_qualified(arena, target->extension_schema, class);
    if (method->element == ELEMENT_BIT)
        return arena_printf(arena, "((%s) %s)", method_bits_of(arena, target, column), class);
    if (method->element == ELEMENT_HALF)
        return arena_printf(arena, "((%s) %s)", method_half_of(arena, target, column), class);
    return arena_printf(arena, "(%s %s)", column, class);
}

/*
 * The name tells builds apart, so that a better one can stand beside the one it replaces. The
 * plan's own choice has the plan's own name.
 */
static const char *
approximate_name(struct arena *arena, const struct vector_target *target,
    const struct vector_method *method, const char *tenant)
{
    struct buffer name = { .arena = arena };

    if (method->family == FAMILY_IVFFLAT && method->element == ELEMENT_COLUMN &&
        method->scope == SCOPE_GLOBAL)
        return arena_printf(arena, "idx_%s_ivfflat", target->table);
    buffer_printf(&name, "%s_%s_%s", target->table, target->column,
        method->family == FAMILY_HNSW ? "hnsw" : "ivfflat");
    if (method->element != ELEMENT_COLUMN)
        buffer_add(&name, method->element == ELEMENT_HALF ? "_half" : "_bit");
    if (method->family == FAMILY_HNSW)
        buffer_printf(&name, "_%d_%d", method->m, method->ef_construction);
    else
        buffer_printf(&name, "_%d", method->lists);
    if (method->scope == SCOPE_TENANT)
        buffer_printf(&name, "_for_%s", tenant ? tenant : "null");
    return buffer_text(&name);
}

static const char *
tenant_condition(struct arena *arena, const struct vector_target *target, const char *tenant)
{
    if (!tenant)
        return arena_printf(arena, " WHERE %s IS NULL", db_ident(arena, target->tenant));
    return arena_printf(arena, " WHERE %s OPERATOR(pg_catalog.=) %s",
        db_ident(arena, target->tenant), db_literal(arena, tenant));
}

static void
add_approximate_index(struct arena *arena, const struct vector_target *target,
    const struct vector_method *method, const char *tenant, struct vector_parts *parts)
{
    struct buffer definition = { .arena = arena };

    if (method->family == FAMILY_HNSW)
        buffer_printf(&definition, "USING hnsw %s WITH (m = %d, ef_construction = %d)",
            indexed_element(arena, target, method), method->m, method->ef_construction);
    else
        buffer_printf(&definition, "USING ivfflat %s WITH (lists = %d)",
            indexed_element(arena, target, method), method->lists);
    if (method->scope == SCOPE_TENANT && target->tenant)
        buffer_add(&definition, tenant_condition(arena, target, tenant));
    add_index(arena, parts, approximate_name(arena, target, method, tenant),
        buffer_text(&definition), build_settings(arena, target, method));
}

static const char *
iteration_name(const struct vector_method *method)
{
    if (method->iteration == ITERATE_OFF)
        return "off";
    if (method->iteration == ITERATE_STRICT && method->family == FAMILY_HNSW)
        return "strict_order";
    return "relaxed_order";
}

static void
add_settings(struct arena *arena, const struct vector_target *target,
    const struct vector_method *method, struct vector_parts *parts)
{
    const char *access = method->family == FAMILY_HNSW ? "hnsw" : "ivfflat";

    if (method->family == FAMILY_HNSW)
        text_list_add(
            arena, &parts->settings, arena_printf(arena, "hnsw.ef_search=%d", method->ef_search));
    else
        text_list_add(
            arena, &parts->settings, arena_printf(arena, "ivfflat.probes=%d", method->probes));
    if (target->extension_number >= VERSION_ITERATION)
        text_list_add(arena, &parts->settings,
            arena_printf(arena, "%s.iterative_scan=%s", access, iteration_name(method)));
}

void
vector_method_parts(struct arena *arena, const struct vector_target *target,
    const struct vector_method *method, const char *tenant, const char *row_prefix,
    struct vector_parts *ret)
{
    *ret = (struct vector_parts){ 0 };
    add_columns(arena, target, method, row_prefix, ret);
    switch (method->family) {
    case FAMILY_EXACT:
        add_btree(arena, target, ret);
        break;
    case FAMILY_BITS:
        add_bits_index(arena, target, ret);
        break;
    case FAMILY_HNSW:
    case FAMILY_IVFFLAT:
        if (method->with_btree)
            add_btree(arena, target, ret);
        add_approximate_index(arena, target, method, tenant, ret);
        add_settings(arena, target, method, ret);
        break;
    case FAMILY_SCAN:
    case FAMILY_COUNT:
        break;
    }
}
