#include "finding/render.h"
#include "vector/target/survey.h"

/* clang-format off */
static const struct field facts_fields[] = {
    FIELD(struct vector_facts, looked_at),
    FIELD(struct vector_facts, nulls),
    FIELD(struct vector_facts, zeros),
    FIELD(struct vector_facts, not_finite),
    FIELD(struct vector_facts, hash_duplicates),
    FIELD(struct vector_facts, value_duplicates),
    FIELD(struct vector_facts, searches),
};

static const struct field index_fields[] = {
    FIELD(struct vector_index, name),
    FIELD(struct vector_index, method),
    FIELD(struct vector_index, opclass),
    FIELD(struct vector_index, definition),
    FIELD(struct vector_index, bytes),
    FIELD(struct vector_index, scans),
    FIELD(struct vector_index, is_valid),
    FIELD(struct vector_index, is_on_vector),
    FIELD(struct vector_index, lists),
};

static const struct field bucket_fields[] = {
    FIELD(struct vector_bucket, name),
    FIELD(struct vector_bucket, least_rows),
    FIELD(struct vector_bucket, tenants),
    FIELD(struct vector_bucket, rows),
};
/* clang-format on */

#define ROWS(fields, vec) \
    rows_json((fields), COUNT_OF(fields), (vec).items, (vec).count, sizeof((vec).items[0]))

static json_t *
rows_json(const struct field *fields, size_t field_count, const void *items, size_t count,
    size_t item_size)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            array, json_from_fields(fields, field_count, (const char *)items + i * item_size));
    return array;
}

static json_t *
column_json(const struct vector_facts *facts)
{
    json_t *json = json_from_fields(facts_fields, COUNT_OF(facts_fields), facts);
    json_t *sizes = json_object();

    if (facts->hash_duplicates < 0)
        json_object_set_new(json, "hash_duplicates", json_null());
    json_object_set_new(sizes, "rows", json_integer(facts->sizes.rows));
    json_object_set_new(sizes, "rows_without_tenant", json_integer(facts->sizes.null_rows));
    json_object_set_new(sizes, "tenants", json_integer((json_int_t)facts->sizes.tenants.count));
    json_object_set_new(sizes, "largest",
        json_integer(facts->sizes.tenants.count > 0 ? facts->sizes.tenants.items[0].rows : 0));
    json_object_set_new(sizes, "buckets", ROWS(bucket_fields, facts->sizes.buckets));
    json_object_set_new(json, "target", vector_target_to_json(&facts->target));
    json_object_set_new(json, "sizes", sizes);
    json_object_set_new(json, "indexes", ROWS(index_fields, facts->indexes));
    return json;
}

json_t *
vector_survey_json(const struct vector_survey *survey)
{
    json_t *json = json_object();
    json_t *columns = json_array();
    json_t *findings = json_array();
    json_t *notes = json_array();

    for (size_t i = 0; i < survey->columns.count; i++)
        json_array_append_new(columns, column_json(&survey->columns.items[i]));
    for (size_t i = 0; i < survey->findings.count; i++)
        json_array_append_new(findings, render_json_finding(&survey->findings.items[i]));
    for (size_t i = 0; i < survey->notes.count; i++)
        json_array_append_new(notes, render_json_text(survey->notes.items[i]));
    json_object_set_new(json, "pgvector", json_string(survey->pgvector));
    json_object_set_new(json, "columns", columns);
    json_object_set_new(json, "counts", render_json_counts(&survey->findings));
    json_object_set_new(json, "findings", findings);
    json_object_set_new(json, "notes", notes);
    return json;
}
