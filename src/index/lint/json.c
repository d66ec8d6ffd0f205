#include "finding/render.h"
#include "index/lint/lint.h"

const char *
lint_gain_text(struct arena *arena, const struct lint_index *index)
{
    if (index->unmeasured)
        return arena_printf(arena, "not measured: %s", index->unmeasured);
    if (!index->is_measured)
        return NULL;
    if (index->helped == 0)
        return "no statement gets cheaper";
    return arena_printf(arena, "helps %zu statement%s, %.1f %% of the workload, cost %s -> %s",
        index->helped, index->helped == 1 ? "" : "s", 100 * index->share,
        text_from_ratio(arena, index->best_before), text_from_ratio(arena, index->best_after));
}

static json_t *
index_json(const struct lint_statement *statement, const struct lint_index *index)
{
    json_t *json = json_object();

    json_object_set_new(json, "line", json_integer(statement->place.line));
    json_object_set_new(json, "name", render_json_text(statement->name));
    json_object_set_new(json, "table", render_json_text(statement->table));
    json_object_set_new(json, "would_be_built", json_boolean(!index->is_out));
    json_object_set_new(json, "is_tried", json_boolean(index->is_tried));
    json_object_set_new(json, "definition",
        render_json_text(index->is_tried && !index->trial.problem ? index->trial.built : NULL));
    if (!index->is_measured)
        return json;
    json_object_set_new(json, "helped_statements", json_integer((json_int_t)index->helped));
    json_object_set_new(json, "share", json_real(index->share));
    json_object_set_new(json, "saved", json_real(index->saved));
    json_object_set_new(json, "cost_before", json_real(index->best_before));
    json_object_set_new(json, "cost_after", json_real(index->best_after));
    json_object_set_new(json, "query", render_json_text(index->best_query));
    return json;
}

json_t *
lint_json(const struct lint *lint)
{
    json_t *json = json_object();
    json_t *findings = json_array();
    json_t *indexes = json_array();
    json_t *notes = json_array();

    json_object_set_new(json, "file", render_json_text(lint->script.file));
    json_object_set_new(json, "statements", json_integer((json_int_t)lint->script.count));
    json_object_set_new(json, "counts", render_json_counts(&lint->findings));
    for (size_t i = 0; i < lint->findings.count; i++)
        json_array_append_new(findings, render_json_finding(&lint->findings.items[i]));
    for (size_t i = 0; i < lint->script.count; i++)
        if (lint->script.items[i].kind == LINT_INDEX)
            json_array_append_new(indexes, index_json(&lint->script.items[i], &lint->indexes[i]));
    for (size_t i = 0; i < lint->notes.count; i++)
        json_array_append_new(notes, render_json_text(lint->notes.items[i]));
    json_object_set_new(json, "findings", findings);
    json_object_set_new(json, "indexes", indexes);
    json_object_set_new(json, "notes", notes);
    json_object_set_new(json, "costs_by", render_json_text(lint->way));
    return json;
}
