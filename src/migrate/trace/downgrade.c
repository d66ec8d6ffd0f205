/*
 * Whether a downgrade brings the catalogue back. It is tried in a copy of the scratch database:
 * whatever it leaves there is dropped with it, and rows that it takes away are not missed by the
 * revisions that follow.
 */
#include "migrate/trace/tracer.h"

const char *
trace_downgrade_name(enum trace_downgrade_result result)
{
    static const char *const names[] = {
        [TRACE_DOWNGRADE_NOT_TRIED] = "not_tried",
        [TRACE_DOWNGRADE_BACK] = "back",
        [TRACE_DOWNGRADE_DIFFERS] = "differs",
        [TRACE_DOWNGRADE_NONE] = "none",
        [TRACE_DOWNGRADE_FAILS] = "fails",
    };

    return names[result];
}

/* A session in the copy, and what is counted there. */
struct trial {
    struct tracer *tracer;
    struct trace_revision *ret;
    struct scratch scratch;
    struct db *db;
    struct arena *arena;
};

/*
 * What takes back just this revision: itself as the branch, and a parent of which no other child
 * leads to it. Alembic takes everything after a parent away, and the branch narrows that.
 */
static const char *
target_of(struct tracer *tracer, const struct revision *revision)
{
    const struct graph *graph = &tracer->analysis->graph;
    const struct node *node = &graph->nodes[revision->index];

    for (size_t i = 0; i < node->parents.count; i++) {
        bool is_below = false;

        for (size_t k = 0; k < node->parents.count; k++)
            is_below |=
                k != i && graph_is_ancestor(graph, node->parents.items[i], node->parents.items[k]);
        if (!is_below)
            return arena_printf(tracer->ctx->arena, "%s@%s", revision->id,
                graph->nodes[node->parents.items[i]].revision->id);
    }
    return arena_printf(tracer->ctx->arena, "%s@base", revision->id);
}

static bool
add_time(void *self, struct ctx *ctx, const struct alembic_statement *statement)
{
    struct trial *trial = self;

    (void)ctx;
    trial->ret->downgrade.us += statement->us;
    return true;
}

static bool
run_again(struct trial *trial)
{
    struct trace_downgrade *downgrade = &trial->ret->downgrade;
    const char *const args[] = { "upgrade", trial->ret->revision->id, NULL };
    const struct alembic_watcher watcher = { 0 };
    struct alembic_outcome outcome = { 0 };

    if (!alembic_run(
            trial->tracer->ctx, trial->tracer->alembic, trial->db, args, &watcher, &outcome))
        return false;
    downgrade->was_again = true;
    downgrade->is_again_failed = outcome.status != 0;
    if (downgrade->is_again_failed)
        downgrade->again = trace_failure_of(trial->tracer->ctx->arena, &outcome);
    return true;
}

static bool
compare(struct trial *trial)
{
    struct tracer *tracer = trial->tracer;
    struct trace_downgrade *downgrade = &trial->ret->downgrade;
    struct arena *arena = tracer->ctx->arena;
    const struct diff_options options = { .ignore_positions = true, .ignored = &tracer->ignored };
    struct differences differences = { 0 };
    struct schema schema;

    if (!tracer_load_schema(tracer, trial->db, trial->arena, &schema))
        return false;
    schema_diff(trial->arena, &schema, &tracer->schema, &options, &differences);
    for (size_t i = 0; i < differences.count; i++) {
        const struct difference *difference = &differences.items[i];

        text_list_add(arena, &downgrade->differences,
            arena_strdup(arena, difference_text(trial->arena, difference)));
        for (size_t k = 0; k < difference->statements.count; k++)
            text_list_add(arena, &downgrade->statements,
                arena_strdup(arena, difference->statements.items[k]));
    }
    downgrade->result = differences.count == 0 ? TRACE_DOWNGRADE_BACK : TRACE_DOWNGRADE_DIFFERS;
    return differences.count == 0 || run_again(trial);
}

/* Whether it fails because nobody wrote it, and says so. */
static bool
has_none(const struct trace_revision *revision, const struct alembic_outcome *outcome)
{
    return !outcome->has_failed_statement &&
           (revision->revision->downgrade_body == BODY_MISSING ||
               text_starts_with(
                   outcome->exception ? outcome->exception : "", "NotImplementedError"));
}

static bool
run(struct trial *trial)
{
    struct tracer *tracer = trial->tracer;
    struct trace_downgrade *downgrade = &trial->ret->downgrade;
    const struct db_options options = { .database = trial->scratch.name, .access = ACCESS_WRITE };
    const char *const args[] = { "downgrade", target_of(tracer, trial->ret->revision), NULL };
    const struct alembic_watcher watcher = { .self = trial, .after = add_time };
    struct alembic_outcome outcome = { 0 };

    if (!db_open_like(tracer->ctx, tracer->scratch.admin, &options, &trial->db) ||
        !alembic_run(tracer->ctx, tracer->alembic, trial->db, args, &watcher, &outcome))
        return false;
    if (outcome.status == 0)
        return compare(trial);
    downgrade->failure = trace_failure_of(tracer->ctx->arena, &outcome);
    downgrade->result =
        has_none(trial->ret, &outcome) ? TRACE_DOWNGRADE_NONE : TRACE_DOWNGRADE_FAILS;
    return true;
}

bool
trace_downgrade(struct tracer *tracer, struct trace_revision *ret)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct trial trial = { .tracer = tracer, .ret = ret, .arena = arena };
    bool is_good;

    tracer_show(tracer, "downgrade", ret->revision);
    tracer_close(tracer);
    is_good = scratch_create(
                  tracer->ctx, tracer->scratch.admin, NULL, tracer->scratch.name, &trial.scratch) &&
              run(&trial);
    db_cleanup(&trial.db);
    scratch_drop(&trial.scratch);
    if (!is_good)
        return error_wrap(tracer->ctx, "downgrade of %s", ret->revision->id);
    return tracer_open(tracer);
}
