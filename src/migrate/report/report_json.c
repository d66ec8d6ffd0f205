#include "migrate/report/report.h"

static json_t *
texts(const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, render_json_text(list->items[i]));
    return array;
}

static void
set(json_t *json, const char *name, const char *text)
{
    json_object_set_new(json, name, render_json_text(text));
}

static void
set_count(json_t *json, const char *name, size_t count)
{
    json_object_set_new(json, name, json_integer((json_int_t)count));
}

static json_t *
environment_json(const struct environment *environment)
{
    const struct naming *naming = &environment->naming;
    const struct {
        const char *name;
        const char *value;
    } conventions[] = {
        { "ix", naming->ix },
        { "uq", naming->uq },
        { "ck", naming->ck },
        { "fk", naming->fk },
        { "pk", naming->pk },
    };
    json_t *json = json_object();
    json_t *names = json_object();

    set(json, "ini", environment->ini);
    set(json, "script_location", environment->script);
    set(json, "env", environment->env);
    json_object_set_new(json, "version_locations", texts(&environment->locations));
    set(json, "version_table", environment->version_table);
    set(json, "version_table_schema", environment->version_table_schema);
    json_object_set_new(
        json, "transaction_per_migration", json_boolean(environment->transaction_per_migration));
    json_object_set_new(json, "sets_lock_timeout", json_boolean(environment->sets_lock_timeout));
    for (size_t i = 0; i < COUNT_OF(conventions); i++)
        set(names, conventions[i].name, conventions[i].value);
    json_object_set_new(names, "is_known", json_boolean(!naming->is_unknown));
    json_object_set_new(json, "naming_convention", names);
    return json;
}

static json_t *
replay_json(const struct report *report)
{
    const struct replay_result *replay = &report->analysis->replay;
    json_t *json = json_object();

    set(json, "answer", report_replay_answer(report));
    set_count(json, "failures", replay->failure_count);
    set_count(json, "doubts", replay->doubt_count);
    if (replay->revision) {
        json_t *first = json_object();

        set(first, "revision", replay->revision->id);
        set(first, "file", replay->place.file);
        set_count(first, "line", replay->place.line);
        set(first, "sqlstate", replay->error.sqlstate);
        set(first, "message", replay->error.message);
        json_object_set_new(json, "first", first);
    } else {
        json_object_set_new(json, "first", json_null());
    }
    return json;
}

static json_t *
summary_json(const struct report *report)
{
    const struct history *history = &report->analysis->history;
    json_t *json = json_object();
    json_t *coverage = json_object();

    set_count(json, "revisions", history->count);
    set_count(json, "ignored_files", history->ignored_files);
    set_count(json, "bytes", history->bytes);
    set_count(json, "operations", report->step_count);
    set_count(json, "unknown_operations", report->unknown_step_count);
    for (int i = COVERAGE_FULL; i <= COVERAGE_NONE; i++)
        set_count(coverage, coverage_name((enum coverage)i), report->coverage[i]);
    json_object_set_new(json, "coverage", coverage);
    json_object_set_new(json, "findings", render_json_counts(&report->analysis->findings));
    json_object_set_new(json, "replay", replay_json(report));
    return json;
}

/* The id, or the file of a revision without one. */
static json_t *
name_of(const struct graph *graph, size_t node)
{
    const struct revision *revision = graph->nodes[node].revision;

    return render_json_text(revision->id ? revision->id : revision->file);
}

static json_t *
ids(const struct graph *graph, const size_t *nodes, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, name_of(graph, nodes[i]));
    return array;
}

static json_t *
problem_json(const struct graph *graph, const struct graph_problem *problem)
{
    static const char *const names[] = {
        [GRAPH_DUPLICATE_ID] = "duplicate_id",
        [GRAPH_MISSING_PARENT] = "missing_parent",
        [GRAPH_MISSING_DEPENDENCY] = "missing_dependency",
        [GRAPH_SELF_LOOP] = "loop",
        [GRAPH_CYCLE] = "cycle",
        [GRAPH_BAD_ID] = "bad_id",
        [GRAPH_AMBIGUOUS] = "ambiguous_id",
        [GRAPH_NO_ID] = "no_id",
        [GRAPH_EMPTY_PARENT] = "empty_parent",
    };
    json_t *json = json_object();

    set(json, "kind", names[problem->kind]);
    json_object_set_new(json, "revision", name_of(graph, problem->revision));
    set(json, "file", graph->nodes[problem->revision].revision->file);
    set(json, "id", problem->id);
    set(json, "alembic", problem->alembic);
    json_object_set_new(json, "fatal_in_alembic_1_8", json_boolean(problem->is_fatal_1_8));
    json_object_set_new(json, "fatal_in_alembic_1_19", json_boolean(problem->is_fatal_1_19));
    json_object_set_new(
        json, "revisions", ids(graph, problem->revisions.items, problem->revisions.count));
    return json;
}

static json_t *
graph_json(const struct graph *graph)
{
    json_t *json = json_object();
    json_t *merges = json_array();
    json_t *branch_points = json_array();
    json_t *problems = json_array();

    for (size_t i = 0; i < graph->count; i++) {
        if (graph->nodes[i].is_merge_point)
            json_array_append_new(merges, name_of(graph, i));
        if (graph->nodes[i].is_branch_point)
            json_array_append_new(branch_points, name_of(graph, i));
    }
    for (size_t i = 0; i < graph->problems.count; i++)
        json_array_append_new(problems, problem_json(graph, &graph->problems.items[i]));
    json_object_set_new(json, "heads", ids(graph, graph->heads.items, graph->heads.count));
    json_object_set_new(json, "bases", ids(graph, graph->bases.items, graph->bases.count));
    json_object_set_new(json, "merges", merges);
    json_object_set_new(json, "branch_points", branch_points);
    json_object_set_new(json, "order", ids(graph, graph->order.items, graph->order.count));
    json_object_set_new(
        json, "order_alembic_1_8", ids(graph, graph->order_1_8.items, graph->order_1_8.count));
    json_object_set_new(json, "broken_in_alembic_1_8", json_boolean(graph->is_broken_1_8));
    json_object_set_new(json, "broken_in_alembic_1_19", json_boolean(graph->is_broken_1_19));
    json_object_set_new(json, "problems", problems);
    return json;
}

static json_t *
consolidation_json(const struct consolidation *consolidation)
{
    json_t *json = json_object();
    json_t *groups = json_array();

    set_count(json, "revisions", consolidation->revisions);
    set_count(json, "goal", consolidation->goal);
    set_count(json, "merges", consolidation->merges);
    set_count(json, "empty", consolidation->empty);
    set_count(json, "undone", consolidation->undone);
    for (size_t i = 0; i < consolidation->groups.count; i++) {
        json_t *group = json_object();

        set(group, "name", consolidation->groups.items[i].name);
        set_count(group, "objects", consolidation->groups.items[i].object_count);
        json_array_append_new(groups, group);
    }
    json_object_set_new(json, "groups", groups);
    json_object_set_new(json, "blockers", texts(&consolidation->blockers));
    return json;
}

static json_t *
operation_json(const struct step *step)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    json_t *json = json_object();

    set(json, "kind", step_kind_name(step->kind));
    set(json, "object", step_object_text(arena, step));
    set_count(json, "line", step->place.line);
    json_object_set_new(json, "conditional", json_boolean(step->conditions.count > 0));
    set(json, "unknown", step->unknown);
    set(json, "sql", step->text);
    return json;
}

static json_t *
revision_json(const struct revision *revision)
{
    json_t *json = json_object();
    json_t *operations = json_array();
    json_t *notes = json_array();

    set(json, "id", revision->id);
    set(json, "file", revision->file);
    json_object_set_new(json, "down_revision", texts(&revision->down));
    json_object_set_new(json, "depends_on", texts(&revision->depends_on));
    json_object_set_new(json, "labels", texts(&revision->labels));
    set(json, "message", revision->message);
    set(json, "coverage", coverage_name(revision->coverage));
    set(json, "failure", revision->failure);
    for (size_t i = 0; i < revision->upgrade.count; i++)
        json_array_append_new(operations, operation_json(&revision->upgrade.items[i]));
    for (size_t i = 0; i < revision->notes.count; i++) {
        json_t *note = json_object();

        set_count(note, "line", revision->notes.items[i].place.line);
        set(note, "text", revision->notes.items[i].text);
        json_array_append_new(notes, note);
    }
    json_object_set_new(json, "operations", operations);
    json_object_set_new(json, "notes", notes);
    return json;
}

/* Consumes the element. */
static void
put_element(FILE *out, json_t *json, size_t position)
{
    fputs(position == 0 ? "\n    " : ",\n    ", out);
    json_dumpf(json, out, JSON_ENCODE_ANY);
    json_decref(json);
}

static void
put_member(FILE *out, const char *name, json_t *json)
{
    fprintf(out, ",\n  \"%s\": ", name);
    json_dumpf(json, out, JSON_ENCODE_ANY);
    json_decref(json);
}

/* Long lists are written element by element: none of them is ever whole in memory as objects. */
void
analysis_json(FILE *out, const struct report *report, bool with_schema)
{
    const struct analysis *analysis = report->analysis;

    fputs("{\n  \"schema_version\": 1", out);
    put_member(out, "tool", json_pack("{s:s, s:s}", "name", "pgmend", "version", PGMEND_VERSION));
    put_member(out, "server_version", json_integer(analysis->server_major));
    put_member(out, "environment", environment_json(&analysis->history.environment));
    put_member(out, "summary", summary_json(report));
    put_member(out, "graph", graph_json(&analysis->graph));
    fputs(",\n  \"revisions\": [", out);
    for (size_t i = 0; i < analysis->history.count; i++)
        put_element(out, revision_json(&analysis->history.items[i]), i);
    fputs("\n  ],\n  \"findings\": [", out);
    for (size_t i = 0; i < analysis->findings.count; i++)
        put_element(out, render_json_finding(&analysis->findings.items[i]), i);
    fputs("\n  ]", out);
    put_member(out, "consolidation", consolidation_json(&analysis->consolidation));
    if (with_schema)
        put_member(out, "schema", model_json(&analysis->model));
    fputs("\n}\n", out);
}
