/* An Alembic history: how many revisions, and what they could become. Consolidating it is a release of its own. */
#include <math.h>

#include "cmd/collect/collect.h"
#include "migrate/rules/rules.h"

static void
cleanup(struct analysis *analysis)
{
    history_free(&analysis->history);
}

static const char *
why_of(struct arena *arena, const struct analysis *analysis)
{
    const struct consolidation *consolidation = &analysis->consolidation;
    size_t errors = findings_count(&analysis->findings, SEVERITY_ERROR);
    size_t warnings = findings_count(&analysis->findings, SEVERITY_WARNING) - errors;

    return arena_printf(arena,
        "%zu revisions, %zu head%s, %zu errors, %zu warnings; %zu merges, "
        "%zu without effect; %zu thing%s to be decided first",
        consolidation->revisions, analysis->graph.heads.count,
        analysis->graph.heads.count == 1 ? "" : "s", errors, warnings, consolidation->merges,
        consolidation->empty, consolidation->blockers.count,
        consolidation->blockers.count == 1 ? "" : "s");
}

static void
add(struct arena *arena, const struct analysis *analysis, const char *folder, struct collected *ret)
{
    const struct consolidation *consolidation = &analysis->consolidation;
    size_t errors = findings_count(&analysis->findings, SEVERITY_ERROR);

    if (errors > 0)
        collected_note(arena, ret,
            "migrations: %zu errors in %s: pgmend migrations analyze %s shows them.", errors,
            folder, folder);
    if (consolidation->goal >= consolidation->revisions) {
        collected_note(arena, ret, "migrations: %zu revisions, and none of them could go.",
            consolidation->revisions);
        return;
    }
    collected_manual(arena, ret,
        &(const struct plan_step){
            .phase = 3,
            .title = arena_printf(arena, "consolidate %zu revisions to %zu",
                consolidation->revisions, consolidation->goal),
            .feature = "migrations",
            .why = why_of(arena, analysis),
            .gain_ratio = NAN,
            .risk = "high",
            .manual = arena_printf(arena,
                "pgmend migrations analyze %s, then on staging pgmend migrations consolidate %s",
                folder, folder),
            .undo = "the old folder of revisions, which is kept beside the new one",
            .promise = "the consolidated history makes the same schema, object by object",
        });
}

bool
collect_migrations(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    struct analysis analysis CLEANUP(cleanup) = { 0 };
    const struct analysis_options options = { .server_major = db_major(input->db) };
    struct environment environment;

    if (!input->migrations) {
        collected_note(
            ctx->arena, ret, "migrations: no history was given; --migrations DIR looks at it.");
        return true;
    }
    if (!environment_find(ctx, input->migrations, NULL, &environment) ||
        !analysis_run(ctx, &environment, &options, &analysis))
        return false;
    add(ctx->arena, &analysis, input->migrations, ret);
    return true;
}
