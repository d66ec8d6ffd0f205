#include "vector/method/method.h"

#include "vector/method/members.h"

/* clang-format off */
#define NAME_OF(value, name) [value] = (name),
static const char *const families[] = { VECTOR_FAMILIES(NAME_OF) };
static const char *const elements[] = { VECTOR_ELEMENTS(NAME_OF) };
static const char *const scopes[] = { VECTOR_SCOPES(NAME_OF) };
static const char *const iterations[] = { VECTOR_ITERATIONS(NAME_OF) };
#undef NAME_OF

static const struct field number_fields[] = {
    FIELD(struct vector_method, with_btree),
    FIELD(struct vector_method, candidates),
    FIELD(struct vector_method, m),
    FIELD(struct vector_method, ef_construction),
    FIELD(struct vector_method, ef_search),
    FIELD(struct vector_method, lists),
    FIELD(struct vector_method, probes),
    FIELD(struct vector_method, partitions),
};
/* clang-format on */

/* What the name leaves out because pgvector has it so when nothing is said. */
enum { STANDARD_M = 16, STANDARD_EF_CONSTRUCTION = 64 };

static bool
is_approximate(const struct vector_method *method)
{
    return method->family == FAMILY_HNSW || method->family == FAMILY_IVFFLAT;
}

static void
add_scope(struct buffer *name, const struct vector_method *method)
{
    if (method->scope == SCOPE_GLOBAL)
        return;
    buffer_printf(name, ", %s", scopes[method->scope]);
    if (method->scope == SCOPE_HASH)
        buffer_printf(name, " %d", method->partitions);
}

static void
add_iteration(struct buffer *name, const struct vector_method *method)
{
    if (method->iteration == ITERATE_STRICT)
        buffer_add(name, " strict");
    else if (method->iteration == ITERATE_RELAXED)
        buffer_add(name, " relaxed");
}

static void
add_knobs(struct buffer *name, const struct vector_method *method)
{
    if (method->family == FAMILY_HNSW) {
        if (method->m != STANDARD_M || method->ef_construction != STANDARD_EF_CONSTRUCTION)
            buffer_printf(name, ", m %d/%d", method->m, method->ef_construction);
        buffer_printf(name, ", ef %d", method->ef_search);
    } else {
        buffer_printf(name, ", %d lists, probes %d", method->lists, method->probes);
    }
    add_iteration(name, method);
}

const char *
vector_method_name(struct arena *arena, const struct vector_method *method)
{
    struct buffer name = { .arena = arena };

    buffer_add(&name, families[method->family]);
    if (method->element != ELEMENT_COLUMN && method->family != FAMILY_BITS)
        buffer_printf(&name, " %s", elements[method->element]);
    if (is_approximate(method)) {
        if (method->with_btree)
            buffer_add(&name, " + btree");
        add_scope(&name, method);
        add_knobs(&name, method);
    } else {
        add_scope(&name, method);
    }
    if (method->candidates > 0)
        buffer_printf(&name, ", %d ranked again", method->candidates);
    return buffer_text(&name);
}

bool
vector_method_same_build(const struct vector_method *a, const struct vector_method *b)
{
    if (a->family != b->family || a->scope != b->scope || a->partitions != b->partitions)
        return false;
    if (a->family != FAMILY_BITS && a->element != b->element)
        return false;
    if (!is_approximate(a))
        return true;
    if (a->with_btree != b->with_btree)
        return false;
    if (a->family == FAMILY_IVFFLAT)
        return a->lists == b->lists;
    return a->m == b->m && a->ef_construction == b->ef_construction;
}

json_t *
vector_method_to_json(const struct vector_method *method)
{
    json_t *json = json_from_fields(number_fields, COUNT_OF(number_fields), method);

    json_object_set_new(json, "family", json_string(families[method->family]));
    json_object_set_new(json, "element", json_string(elements[method->element]));
    json_object_set_new(json, "scope", json_string(scopes[method->scope]));
    json_object_set_new(json, "iteration", json_string(iterations[method->iteration]));
    return json;
}

/* The number of the name; a name that is missing is the first one. */
static bool
read_name(struct ctx *ctx, const json_t *json, const char *key, const char *const *names,
    size_t count, int *ret)
{
    const json_t *member = json_object_get(json, key);

    *ret = 0;
    if (!member)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (text_equal(json_string_value(member), names[i])) {
            *ret = (int)i;
            return true;
        }
    }
    return error_set(ctx, ERR_INPUT, "a way to search has an unknown \"%s\": %s", key,
        json_is_string(member) ? json_string_value(member) : "not a text");
}

bool
vector_method_from_json(struct ctx *ctx, const json_t *json, struct vector_method *ret)
{
    int family;
    int element;
    int scope;
    int iteration;

    *ret = (struct vector_method){ 0 };
    if (!json_is_object(json))
        return error_set(ctx, ERR_INPUT, "a way to search is not a JSON object");
    if (!json_object_get(json, "family"))
        return error_set(ctx, ERR_INPUT, "a way to search has no \"family\"");
    if (!read_name(ctx, json, "family", families, FAMILY_COUNT, &family) ||
        !read_name(ctx, json, "element", elements, ELEMENT_COUNT, &element) ||
        !read_name(ctx, json, "scope", scopes, SCOPE_COUNT, &scope) ||
        !read_name(ctx, json, "iteration", iterations, ITERATE_COUNT, &iteration))
        return false;
    ret->family = (enum vector_family)family;
    ret->element = (enum vector_element)element;
    ret->scope = (enum vector_scope)scope;
    ret->iteration = (enum vector_iteration)iteration;
    return members_read(ctx, number_fields, COUNT_OF(number_fields), json, ret) ||
           error_wrap(ctx, "reading a way to search");
}
