/* The trace of a history: a scratch database, and one revision after another in it. */
#include "base/clock.h"
#include "db/ident.h"
#include "migrate/trace/tracer.h"

void
tracer_show(const struct tracer *tracer, const char *doing, const struct revision *revision)
{
    const struct trace_progress *progress = tracer->options->progress;

    if (progress && progress->show)
        progress->show(progress->self, doing, revision->id, tracer->done, tracer->trace->wanted);
}

/* ---- the scratch database ---- */

bool
tracer_open(struct tracer *tracer)
{
    const struct db_options options = {
        .database = tracer->scratch.name,
        .access = ACCESS_WRITE,
        .application = "pgmend/migrations trace",
    };

    return db_open_like(tracer->ctx, tracer->scratch.admin, &options, &tracer->target) &&
           db_open_like(tracer->ctx, tracer->scratch.admin, &options, &tracer->second);
}

void
tracer_close(struct tracer *tracer)
{
    db_cleanup(&tracer->target);
    db_cleanup(&tracer->second);
}

static bool
refuse_sessions(
    struct ctx *ctx, const char *database, const struct sql_trace_sessions_rows *sessions)
{
    struct text_list names = { 0 };

    for (size_t i = 0; i < sessions->count; i++)
        if (!text_list_has(&names, sessions->items[i].application))
            text_list_add(ctx->arena, &names, sessions->items[i].application);
    error_set(ctx, ERR_CONFLICT,
        "database \"%s\" cannot be copied while %zu other session%s in it (%s)", database,
        sessions->count, sessions->count == 1 ? " is" : "s are",
        text_list_join(ctx->arena, &names, ", "));
    return error_hint(ctx,
        "PostgreSQL copies only a database that nobody uses. End the sessions, or "
        "restore a backup into a database of its own and name that one.");
}

static bool
make_scratch(struct tracer *tracer, struct db *db)
{
    struct ctx *ctx = tracer->ctx;
    const char *copy = tracer->options->copy;
    struct sql_trace_sessions_rows sessions = { 0 };

    if (!copy)
        return scratch_create_like(ctx, db, tracer->options->scratch_template, &tracer->scratch);
    if (tracer->options->scratch_template)
        return error_set(ctx, ERR_USAGE, "a copy needs no template: one of the two");
    if (!sql_trace_sessions(ctx, db, &sessions, .database = copy))
        return false;
    if (sessions.count > 0)
        return refuse_sessions(ctx, copy, &sessions);
    return scratch_create_like(ctx, db, copy, &tracer->scratch) ||
           error_wrap(ctx, "copying database \"%s\"", copy);
}

bool
tracer_load_schema(struct tracer *tracer, struct db *db, struct arena *arena, struct schema *ret)
{
    struct ctx *ctx = tracer->ctx;
    struct ctx inner = { .arena = arena };

    if (schema_load(&inner, db, ret))
        return true;
    error_set(ctx, inner.error.kind, "%s", inner.error.message ? inner.error.message : "failed");
    if (inner.error.detail)
        ctx->error.detail = arena_strdup(ctx->arena, inner.error.detail);
    return error_wrap(ctx, "reading the catalogue");
}

/* ---- which revisions ---- */

static void
apply_with_ancestors(struct tracer *tracer, size_t node)
{
    const struct graph *graph = &tracer->analysis->graph;

    tracer->is_applied[node] = true;
    for (size_t i = 0; i < graph->count; i++)
        if (i != node && graph_is_ancestor(graph, i, node))
            tracer->is_applied[i] = true;
}

/* The revisions that stand in the copy's version table. */
static bool
read_versions(struct tracer *tracer, struct text_list *ret)
{
    struct ctx *ctx = tracer->ctx;
    const struct environment *environment = &tracer->analysis->history.environment;
    const char *schema = environment->version_table_schema;
    struct sql_trace_versions_rows rows;
    struct result result;

    if (!sql_trace_versions(
            ctx, tracer->second, &rows, .schema = schema, .name = environment->version_table))
        return false;
    if (rows.count == 0 || !rows.items[0].is_there)
        return true;
    if (!db_query(ctx, tracer->second,
            arena_printf(ctx->arena, "SELECT version_num FROM %s ORDER BY 1",
                db_qualified(ctx->arena, schema ? schema : "public", environment->version_table)),
            NULL, 0, &result))
        return false;
    for (size_t i = 0; i < result.rows; i++)
        text_list_add(ctx->arena, ret, result_cell(&result, i, 0));
    return true;
}

static bool
begin_with_copy(struct tracer *tracer)
{
    struct ctx *ctx = tracer->ctx;
    struct text_list versions = { 0 };

    if (!read_versions(tracer, &versions))
        return false;
    for (size_t i = 0; i < versions.count; i++) {
        const struct node *node = map_get(&tracer->analysis->graph.by_id, versions.items[i]);

        if (!node) {
            error_set(ctx, ERR_INPUT,
                "database \"%s\" stands at revision %s, which is not in the "
                "history",
                tracer->options->copy, versions.items[i]);
            return error_hint(
                ctx, "Is it the database of another branch or of another application?");
        }
        apply_with_ancestors(tracer, node->revision->index);
    }
    if (versions.count > 0)
        tracer->trace->from = text_list_join(ctx->arena, &versions, ", ");
    return true;
}

/* --from: run without looking on, or where the copy must stand. */
static bool
begin_at(struct tracer *tracer, size_t from)
{
    struct ctx *ctx = tracer->ctx;
    const struct graph *graph = &tracer->analysis->graph;
    const struct revision *revision = graph->nodes[from].revision;
    const char *const args[] = { "upgrade", revision->id, NULL };
    const struct alembic_watcher watcher = { 0 };
    struct alembic_outcome outcome = { 0 };

    if (tracer->options->copy) {
        for (size_t i = 0; i < graph->count; i++)
            if (tracer->is_applied[i] != (i == from || graph_is_ancestor(graph, i, from))) {
                error_set(ctx, ERR_INPUT, "the copy of \"%s\" stands at %s, not at %s",
                    tracer->options->copy,
                    tracer->trace->from ? tracer->trace->from : "no revision", revision->id);
                return error_hint(
                    ctx, "Leave --from out to begin where it stands, or upgrade it before.");
            }
        return true;
    }
    tracer_show(tracer, "upgrade up to", revision);
    if (!alembic_run(ctx, tracer->alembic, tracer->target, args, &watcher, &outcome))
        return false;
    if (outcome.status != 0) {
        alembic_failure(ctx, &outcome);
        return error_wrap(ctx, "reaching %s, where the trace was to begin", revision->id);
    }
    apply_with_ancestors(tracer, from);
    tracer->trace->from = revision->id;
    return true;
}

static bool
find_start(struct tracer *tracer)
{
    size_t from = SIZE_MAX;

    if (!tracer->options->from)
        return true;
    if (!graph_resolve(tracer->ctx, &tracer->analysis->graph, tracer->options->from, &from))
        return error_wrap(tracer->ctx, "--from %s", tracer->options->from);
    return from == SIZE_MAX || begin_at(tracer, from);
}

static bool
is_wanted(const struct tracer *tracer, size_t node, size_t to)
{
    return !tracer->is_applied[node] &&
           (to == SIZE_MAX || node == to || graph_is_ancestor(&tracer->analysis->graph, node, to));
}

/* What --to means; SIZE_MAX: everything. */
static bool
find_end(struct tracer *tracer, size_t *ret)
{
    const char *to = tracer->options->to;
    const struct graph *graph = &tracer->analysis->graph;

    *ret = SIZE_MAX;
    if (to && strcmp(to, "heads") != 0) {
        if (!graph_resolve(tracer->ctx, graph, to, ret))
            return error_wrap(tracer->ctx, "--to %s", to);
        if (*ret == SIZE_MAX)
            return error_set(tracer->ctx, ERR_INPUT, "--to %s: there is nothing before it", to);
    }
    for (size_t i = 0; i < graph->order.count; i++)
        tracer->trace->wanted += is_wanted(tracer, graph->order.items[i], *ret);
    if (tracer->trace->wanted > 0)
        return true;
    if (graph->count == 0)
        return error_set(tracer->ctx, ERR_INPUT, "there are no revisions here");
    return error_set(tracer->ctx, ERR_INPUT, "there is nothing to trace: %s%s is applied already",
        tracer->trace->from ? "the end of the history up to " : "everything up to ",
        to ? to : "the heads");
}

/* ---- one revision ---- */

static const char *
change_text(struct arena *arena, const struct difference *difference)
{
    const char *word = schema_classes[difference->class].word;

    switch (difference->kind) {
    case DIFFERENCE_MISSING:
        return arena_printf(arena, "+ %s %s", word, difference->identity);
    case DIFFERENCE_EXTRA:
        return arena_printf(arena, "- %s %s", word, difference->identity);
    case DIFFERENCE_CHANGED:
        break;
    }
    return arena_printf(arena, "~ %s %s: %s: %s -> %s", word, difference->identity,
        difference->attribute ? difference->attribute : "",
        difference->found ? difference->found : "nothing",
        difference->wanted ? difference->wanted : "nothing");
}

static void
note_changes(struct tracer *tracer, const struct schema *after, struct arena *arena,
    struct trace_revision *ret)
{
    const struct diff_options options = { .ignored = &tracer->ignored };
    struct differences differences = { 0 };

    schema_diff(arena, &tracer->schema, after, &options, &differences);
    for (size_t i = 0; i < differences.count; i++)
        text_list_add(tracer->ctx->arena, &ret->changes,
            change_text(tracer->ctx->arena, &differences.items[i]));
}

static bool
stamp(struct tracer *tracer, struct trace_revision *ret)
{
    const char *const args[] = { "stamp", ret->revision->id, NULL };
    const struct alembic_watcher watcher = { 0 };
    struct alembic_outcome outcome = { 0 };

    if (!alembic_run(tracer->ctx, tracer->alembic, tracer->target, args, &watcher, &outcome))
        return false;
    if (outcome.status != 0) {
        alembic_failure(tracer->ctx, &outcome);
        return error_wrap(tracer->ctx, "skipping %s", ret->revision->id);
    }
    ret->is_skipped = true;
    tracer->has_skipped = true;
    return true;
}

static bool
trace_revision(struct tracer *tracer, const struct revision *revision, struct trace_revision *ret)
{
    struct arena *arena = tracer->arenas[tracer->done % 2];
    struct schema after;

    *ret = (struct trace_revision){ .revision = revision };
    tracer_show(tracer, "upgrade", revision);
    arena_reset(arena);
    if (!trace_observe(tracer, ret) || !trace_find_places(tracer->ctx, ret) ||
        !tracer_load_schema(tracer, tracer->second, arena, &after))
        return false;
    note_changes(tracer, &after, arena, ret);
    if (!ret->is_failed && !tracer->options->no_downgrade && !trace_downgrade(tracer, ret))
        return false;
    trace_tell(tracer, ret);
    if (ret->is_failed && tracer->options->keep_going && !stamp(tracer, ret))
        return false;
    tracer->schema = after;
    tracer->is_applied[revision->index] = true;
    tracer->trace->failures += ret->is_failed;
    tracer->trace->is_stopped = ret->is_failed && !ret->is_skipped;
    return true;
}

static bool
trace_all(struct tracer *tracer, size_t to)
{
    const struct graph *graph = &tracer->analysis->graph;
    struct trace *trace = tracer->trace;

    if (!tracer_load_schema(tracer, tracer->second, tracer->arenas[1], &tracer->schema))
        return false;
    for (size_t i = 0; i < graph->order.count && !trace->is_stopped; i++) {
        size_t node = graph->order.items[i];
        struct trace_revision *revision;

        if (!is_wanted(tracer, node, to))
            continue;
        VEC_PUSH(tracer->ctx->arena, &trace->revisions, (struct trace_revision){ 0 });
        revision = &trace->revisions.items[trace->revisions.count - 1];
        if (!trace_revision(tracer, graph->nodes[node].revision, revision))
            return false;
        tracer->done++;
    }
    trace_end_findings(tracer);
    return true;
}

static bool
run(struct tracer *tracer, struct db *db)
{
    const struct environment *environment = &tracer->analysis->history.environment;
    struct ctx *ctx = tracer->ctx;
    size_t to;

    text_list_add(ctx->arena, &tracer->ignored,
        db_qualified(ctx->arena,
            environment->version_table_schema ? environment->version_table_schema : "public",
            environment->version_table));
    return scratch_heal(ctx, db, &tracer->trace->notes) && make_scratch(tracer, db) &&
           tracer_open(tracer) && (!tracer->options->copy || begin_with_copy(tracer)) &&
           alembic_probe(ctx, tracer->alembic, tracer->target) &&
           forecast_history(ctx, tracer->analysis, &tracer->forecasts) && find_start(tracer) &&
           find_end(tracer, &to) && trace_all(tracer, to);
}

bool
trace_run(struct ctx *ctx, struct db *db, const struct alembic *alembic,
    const struct analysis *analysis, const struct trace_options *options, struct trace *ret)
{
    struct arena *first CLEANUP(arena_cleanup) = arena_new();
    struct arena *second CLEANUP(arena_cleanup) = arena_new();
    struct tracer tracer = {
        .ctx = ctx,
        .alembic = alembic,
        .analysis = analysis,
        .options = options,
        .trace = ret,
        .arenas = { first, second },
        .is_applied = ARENA_ARRAY(ctx->arena, bool, analysis->graph.count + 1),
    };
    int64_t started_us = clock_us();
    bool is_good;

    *ret = (struct trace){
        .server_version = arena_strdup(ctx->arena, db_version_text(db)),
        .alembic_version = alembic->version,
        .copy = options->copy,
        .hold_limit_us = options->hold_limit_us,
        .findings.arena = ctx->arena,
    };
    is_good = run(&tracer, db);
    tracer_close(&tracer);
    scratch_drop(&tracer.scratch);
    ret->us = clock_us() - started_us;
    return is_good;
}
