#include "queries/finding.h"

#include "base/crypto.h"

#define FORMAT "pgmend-query-findings-1"

enum { MOST_COLUMN = 1663, MOST_ITEMS = 100000, MOST_CHILDREN = 8 };

#define QUERY_FINDING_NAME(kind, name, meaning) name,
static const char *const kind_names[] = { QUERY_FINDING_KINDS(QUERY_FINDING_NAME) NULL };
#undef QUERY_FINDING_NAME

static const char *const provenance_names[] = { "none", "seen", "rerun", "order", "counts", NULL };
static const char *const origin_names[] = { "constant", "key", "varies", "param", NULL };

static const struct field slot_fields[] = {
    FIELD(struct query_slot, column),
    FIELD(struct query_slot, text),
    FIELD(struct query_slot, is_bound),
};

static const struct field child_fields[] = {
    FIELD(struct query_child, fingerprint, .required = true),
    FIELD(struct query_child, text, .required = true),
    FIELD(struct query_child, calls),
    FIELD(struct query_child, total_us),
    FIELD(struct query_child, rows_mean),
};

static const struct field parent_fields[] = {
    FIELD(struct query_parent, fingerprint, .required = true),
    FIELD(struct query_parent, text, .required = true),
    FIELD(struct query_parent, key_column),
    FIELD(struct query_parent, key_name),
    FIELD(struct query_parent, rows_mean),
};

static const struct field example_fields[] = {
    FIELD(struct query_example, started_us),
    FIELD(struct query_example, source),
    FIELD(struct query_example, repeats),
    FIELD(struct query_example, parent_sql),
    FIELD(struct query_example, child_sql),
};

static const struct field finding_fields[] = {
    FIELD(struct query_finding, id, .required = true),
    FIELD(struct query_finding, confidence),
    FIELD(struct query_finding, why),
    FIELD(struct query_finding, statement_kind),
    FIELD(struct query_finding, requests),
    FIELD(struct query_finding, repeats_min),
    FIELD(struct query_finding, repeats_median),
    FIELD(struct query_finding, repeats_p95),
    FIELD(struct query_finding, repeats_max),
    FIELD(struct query_finding, wasted_us),
    FIELD(struct query_finding, wasted_request_us),
    FIELD(struct query_finding, wasted_day_us),
    FIELD(struct query_finding, share),
    FIELD(struct query_finding, application),
    FIELD(struct query_finding, database),
};

static const struct field head_fields[] = {
    FIELD(struct query_findings, source),
    FIELD(struct query_findings, statements),
    FIELD(struct query_findings, sessions),
    FIELD(struct query_findings, requests),
    FIELD(struct query_findings, lost),
    FIELD(struct query_findings, unknown),
    FIELD(struct query_findings, total_us),
    FIELD(struct query_findings, span_us),
};

const char *
query_finding_kind_name(enum query_finding_kind kind)
{
    return kind_names[kind];
}

const char *
query_finding_id(struct arena *arena, const struct query_finding *finding)
{
    struct buffer text = { .arena = arena };

    buffer_add(&text, kind_names[finding->kind]);
    if (finding->has_parent)
        buffer_printf(&text, "|%s|%s", finding->parent.fingerprint,
            finding->parent.key_name ? finding->parent.key_name : "");
    for (size_t i = 0; i < finding->child_count; i++)
        buffer_printf(&text, "|%s", finding->children[i].fingerprint);
    return arena_strndup(arena, sha256_of(arena, buffer_text(&text), text.length), 8);
}

static json_t *
slots_json(const struct query_slot *slots, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *slot = json_from_fields(slot_fields, COUNT_OF(slot_fields), &slots[i]);

        json_object_set_new(slot, "origin", json_string(origin_names[slots[i].origin]));
        json_array_append_new(array, slot);
    }
    return array;
}

static json_t *
children_json(const struct query_finding *finding)
{
    json_t *array = json_array();

    for (size_t i = 0; i < finding->child_count; i++) {
        const struct query_child *child = &finding->children[i];
        json_t *json = json_from_fields(child_fields, COUNT_OF(child_fields), child);

        json_object_set_new(json, "slots", slots_json(child->slots, child->slot_count));
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *
parent_json(const struct query_parent *parent)
{
    json_t *json = json_from_fields(parent_fields, COUNT_OF(parent_fields), parent);

    json_object_set_new(json, "slots", slots_json(parent->slots, parent->slot_count));
    return json;
}

static json_t *
examples_json(const struct query_finding *finding)
{
    json_t *array = json_array();

    for (size_t i = 0; i < finding->example_count; i++) {
        const struct query_example *example = &finding->examples[i];
        json_t *json = json_from_fields(example_fields, COUNT_OF(example_fields), example);

        /* JSON's numbers have a sign. */
        json_object_set_new(json, "session", json_integer((json_int_t)(example->session >> 1)));
        json_object_set_new(json, "line", json_integer((json_int_t)(example->line & INT64_MAX)));
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *
finding_json(const struct query_finding *finding)
{
    json_t *json = json_from_fields(finding_fields, COUNT_OF(finding_fields), finding);
    json_t *routes = json_array();

    for (size_t i = 0; i < finding->route_count; i++) {
        json_t *route = json_string(finding->routes[i]);

        json_array_append_new(routes, route ? route : json_string("(not UTF-8)"));
    }
    json_object_set_new(json, "kind", json_string(kind_names[finding->kind]));
    json_object_set_new(json, "provenance", json_string(provenance_names[finding->provenance]));
    json_object_set_new(
        json, "parent", finding->has_parent ? parent_json(&finding->parent) : json_null());
    json_object_set_new(json, "children", children_json(finding));
    json_object_set_new(json, "routes", routes);
    json_object_set_new(json, "examples", examples_json(finding));
    return json;
}

json_t *
query_findings_json(const struct query_findings *findings)
{
    json_t *json = json_from_fields(head_fields, COUNT_OF(head_fields), findings);
    json_t *array = json_array();

    for (size_t i = 0; i < findings->count; i++)
        json_array_append_new(array, finding_json(&findings->items[i]));
    json_object_set_new(json, "format", json_string(FORMAT));
    json_object_set_new(json, "findings", array);
    return json;
}

/* Where in the document we are: "FILE: findings[2].parent". */
static bool
refuse(struct ctx *ctx, const char *at, const char *member, const char *what)
{
    return error_set(ctx, ERR_INPUT, "%s.%s %s", at, member, what);
}

static bool
read_number(
    struct ctx *ctx, const char *at, const struct field *field, const json_t *value, void *place)
{
    json_int_t number = json_integer_value(value);
    bool is_small = field->type == FIELD_INT32;

    if (!json_is_integer(value))
        return refuse(ctx, at, field->name, "is not a whole number");
    if (number < -1 || (is_small && number > INT32_MAX))
        return refuse(ctx, at, field->name, "is out of range");
    if (is_small)
        *(int32_t *)place = (int32_t)number;
    else
        *(int64_t *)place = number;
    return true;
}

static bool
read_member(
    struct ctx *ctx, const char *at, const struct field *field, const json_t *value, void *place)
{
    if (field->type == FIELD_DOUBLE) {
        if (!json_is_number(value))
            return refuse(ctx, at, field->name, "is not a number");
        *(double *)place = json_number_value(value);
        return *(double *)place >= -1 || refuse(ctx, at, field->name, "is out of range");
    }
    if (field->type == FIELD_BOOL) {
        *(bool *)place = json_is_true(value);
        return json_is_boolean(value) || refuse(ctx, at, field->name, "is neither true nor false");
    }
    if (field->type != FIELD_TEXT)
        return read_number(ctx, at, field, value, place);
    if (!json_is_string(value))
        return refuse(ctx, at, field->name, "is not a text");
    *(const char **)place = arena_strdup(ctx->arena, json_string_value(value));
    return true;
}

static bool
read_fields(struct ctx *ctx, const char *at, const json_t *from, const struct field *fields,
    size_t count, void *object)
{
    if (!json_is_object(from))
        return error_set(ctx, ERR_INPUT, "%s is not an object", at);
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(from, fields[i].name);

        if ((!value || json_is_null(value)) && fields[i].required)
            return refuse(ctx, at, fields[i].name, "is missing");
        if (value && !json_is_null(value) &&
            !read_member(ctx, at, &fields[i], value, (char *)object + fields[i].offset))
            return false;
    }
    return true;
}

/* A name out of a list of them, as its place in the list. */
static bool
read_name(struct ctx *ctx, const char *at, const json_t *from, const char *member,
    const char *const *names, uint32_t *ret)
{
    const char *name = json_string_value(json_object_get(from, member));

    for (uint32_t i = 0; name && names[i]; i++)
        if (strcmp(names[i], name) == 0) {
            *ret = i;
            return true;
        }
    return refuse(ctx, at, member, name ? "is none of those that are known" : "is missing");
}

/* An array of so many at most; a missing one is empty. */
static bool
read_array(struct ctx *ctx, const char *at, const json_t *from, const char *member,
    const json_t **ret, size_t *ret_count)
{
    const json_t *array = json_object_get(from, member);

    *ret = array;
    *ret_count = json_array_size(array);
    if (array && !json_is_array(array))
        return refuse(ctx, at, member, "is not a list");
    return *ret_count <= MOST_ITEMS || refuse(ctx, at, member, "is too long");
}

static bool
read_slots(
    struct ctx *ctx, const char *at, const json_t *from, struct query_slot **ret, size_t *ret_count)
{
    const json_t *array;

    if (!read_array(ctx, at, from, "slots", &array, ret_count))
        return false;
    *ret = ARENA_ARRAY(ctx->arena, struct query_slot, *ret_count + 1);
    for (size_t i = 0; i < *ret_count; i++) {
        const json_t *slot = json_array_get(array, i);
        const char *here = arena_printf(ctx->arena, "%s.slots[%zu]", at, i);
        uint32_t origin = 0;

        if (!read_fields(ctx, here, slot, slot_fields, COUNT_OF(slot_fields), &(*ret)[i]) ||
            !read_name(ctx, here, slot, "origin", origin_names, &origin))
            return false;
        (*ret)[i].origin = (enum slot_origin)origin;
        if ((*ret)[i].column > MOST_COLUMN)
            return refuse(ctx, here, "column", "is out of range");
    }
    return true;
}

static bool
read_parent(struct ctx *ctx, const char *at, const json_t *from, struct query_finding *finding)
{
    const json_t *parent = json_object_get(from, "parent");
    const char *here = arena_printf(ctx->arena, "%s.parent", at);

    finding->has_parent = parent && !json_is_null(parent);
    if (!finding->has_parent)
        return true;
    if (!read_fields(ctx, here, parent, parent_fields, COUNT_OF(parent_fields), &finding->parent) ||
        !read_slots(ctx, here, parent, &finding->parent.slots, &finding->parent.slot_count))
        return false;
    return finding->parent.key_column <= MOST_COLUMN ||
           refuse(ctx, here, "key_column", "is out of range");
}

static bool
read_children(struct ctx *ctx, const char *at, const json_t *from, struct query_finding *finding)
{
    const json_t *array;

    if (!read_array(ctx, at, from, "children", &array, &finding->child_count))
        return false;
    if (finding->child_count == 0)
        return refuse(ctx, at, "children", "is missing or empty");
    if (finding->child_count > MOST_CHILDREN)
        return refuse(ctx, at, "children", "has more than 8 statements");
    finding->children = ARENA_ARRAY(ctx->arena, struct query_child, finding->child_count);
    for (size_t i = 0; i < finding->child_count; i++) {
        struct query_child *child = &finding->children[i];
        const json_t *json = json_array_get(array, i);
        const char *here = arena_printf(ctx->arena, "%s.children[%zu]", at, i);

        if (!read_fields(ctx, here, json, child_fields, COUNT_OF(child_fields), child) ||
            !read_slots(ctx, here, json, &child->slots, &child->slot_count))
            return false;
    }
    return true;
}

static bool
read_routes(struct ctx *ctx, const char *at, const json_t *from, struct query_finding *finding)
{
    const json_t *array;

    if (!read_array(ctx, at, from, "routes", &array, &finding->route_count))
        return false;

    const char **routes = ARENA_ARRAY(ctx->arena, const char *, finding->route_count + 1);

    for (size_t i = 0; i < finding->route_count; i++) {
        const json_t *route = json_array_get(array, i);

        if (!json_is_string(route))
            return refuse(ctx, at, arena_printf(ctx->arena, "routes[%zu]", i), "is not a text");
        routes[i] = arena_strdup(ctx->arena, json_string_value(route));
    }
    finding->routes = routes;
    return true;
}

static bool
read_examples(struct ctx *ctx, const char *at, const json_t *from, struct query_finding *finding)
{
    const json_t *array;

    if (!read_array(ctx, at, from, "examples", &array, &finding->example_count))
        return false;
    finding->examples = ARENA_ARRAY(ctx->arena, struct query_example, finding->example_count + 1);
    for (size_t i = 0; i < finding->example_count; i++) {
        struct query_example *example = &finding->examples[i];
        const json_t *json = json_array_get(array, i);
        const char *here = arena_printf(ctx->arena, "%s.examples[%zu]", at, i);

        if (!read_fields(ctx, here, json, example_fields, COUNT_OF(example_fields), example))
            return false;
        example->session = (uint64_t)json_get_int(json, "session", 0) << 1;
        example->line = (uint64_t)json_get_int(json, "line", 0);
    }
    return true;
}

static bool
read_finding(struct ctx *ctx, const char *at, const json_t *from, struct query_finding *finding)
{
    uint32_t kind = 0;
    uint32_t provenance = 0;

    if (!read_fields(ctx, at, from, finding_fields, COUNT_OF(finding_fields), finding) ||
        !read_name(ctx, at, from, "kind", kind_names, &kind) ||
        !read_name(ctx, at, from, "provenance", provenance_names, &provenance))
        return false;
    finding->kind = (enum query_finding_kind)kind;
    finding->provenance = (enum provenance)provenance;
    if (finding->confidence < 0 || finding->confidence > 1)
        return refuse(ctx, at, "confidence", "is not between 0 and 1");
    return read_parent(ctx, at, from, finding) && read_children(ctx, at, from, finding) &&
           read_routes(ctx, at, from, finding) && read_examples(ctx, at, from, finding);
}

bool
query_findings_read(
    struct ctx *ctx, const char *name, const json_t *from, struct query_findings *ret)
{
    const char *format = json_string_value(json_object_get(from, "format"));
    const json_t *array;
    size_t count;

    *ret = (struct query_findings){ 0 };
    if (!format || strcmp(format, FORMAT) != 0) {
        error_set(
            ctx, ERR_INPUT, "%s: is no file of findings (\"format\" is not \"" FORMAT "\")", name);
        return error_hint(ctx, "\"pgmend queries nplusone … --output FILE\" writes such a file.");
    }

    const char *top = arena_printf(ctx->arena, "%s: document", name);

    if (!read_fields(ctx, top, from, head_fields, COUNT_OF(head_fields), ret) ||
        !read_array(ctx, top, from, "findings", &array, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct query_finding finding = { 0 };

        if (!read_finding(ctx, arena_printf(ctx->arena, "%s: findings[%zu]", name, i),
                json_array_get(array, i), &finding))
            return false;
        VEC_PUSH(ctx->arena, ret, finding);
    }
    return true;
}
