/* The steps of "migrations consolidate". */
#include "cmd/parts/consolidation.h"

#include <inttypes.h>

#include "backup/backup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/backup_show.h"
#include "db/ident.h"

/* Runs of Alembic in all: old twice, new up, down, up. */
enum { RUNS = 5 };

void
consolidate_end(struct consolidate *work)
{
    replayed_end(&work->fresh);
    replayed_end(&work->again);
    replayed_end(&work->old);
    alembic_end(&work->alembic);
    squash_place_end(&work->lock);
    if (work->admin != work->target)
        db_close(work->admin);
    db_close(work->target);
    history_free(&work->analysis.history);
}

void
consolidate_step(struct consolidate *work, const char *phase)
{
    int64_t now = clock_us();
    int64_t left = work->alembic_us > 0 ? work->alembic_us * (int64_t)work->replays_left : -1;

    if (!work->run->global->quiet)
        progress_show(&work->progress, .what = "consolidate", .phase = phase, .ratio = -1,
            .elapsed_us = now - work->started_us, .left_us = left);
}

static bool
open_databases(struct ctx *ctx, struct consolidate *work)
{
    const struct global_options *global = work->run->global;
    struct db_options target = {
        .url = global->db_url,
        .application = "pgmend/migrations consolidate",
        .access = ACCESS_READ,
    };
    struct db_options admin = {
        .url = work->opts->scratch_url ? work->opts->scratch_url : global->db_url,
        .application = "pgmend/migrations consolidate",
        .access = ACCESS_WRITE,
    };

    if (!db_open(ctx, &target, &work->target) || !db_open(ctx, &admin, &work->admin))
        return false;
    if (!db_require_writable(ctx, work->admin))
        return error_hint(ctx, "Scratch databases need a primary: name one of the same major "
                               "version with --scratch-url.");
    if (db_major(work->target) != db_major(work->admin)) {
        error_set(ctx, ERR_UNSUPPORTED,
            "the scratch server is PostgreSQL %d and the target %d: they may disagree about "
            "what a schema is",
            db_major(work->admin), db_major(work->target));
        return error_hint(
            ctx, "Name a server of version %d with --scratch-url.", db_major(work->target));
    }
    return scratch_heal(ctx, work->admin, &work->notes);
}

static bool
ask(struct ctx *ctx, struct consolidate *work, struct db *db)
{
    struct squash_database database;

    if (!squash_ask_database(
            ctx, db, &work->environment, &work->analysis.graph, work->head, &database))
        return false;
    VEC_PUSH(ctx->arena, &work->databases, database);
    return true;
}

static bool
ask_databases(struct ctx *ctx, struct consolidate *work)
{
    if (!ask(ctx, work, work->target))
        return false;
    for (size_t i = 0; i < work->opts->database.count; i++) {
        struct db *db CLEANUP(db_cleanup) = NULL;
        struct db_options options = {
            .url = work->opts->database.items[i],
            .application = "pgmend/migrations consolidate",
            .access = ACCESS_READ,
        };

        if (!db_open(ctx, &options, &db) || !ask(ctx, work, db))
            return error_wrap(ctx, "asking database %zu of --database for its revision", i + 1);
    }
    return true;
}

static bool
find_head(struct ctx *ctx, struct consolidate *work)
{
    const struct graph *graph = &work->analysis.graph;

    if (graph->count == 0)
        return error_set(ctx, ERR_INPUT, "there are no revisions in \"%s\"",
            work->environment.locations.items[0]);
    if (work->environment.locations.count > 1 && !work->opts->out && !work->opts->dry_run) {
        error_set(ctx, ERR_UNSUPPORTED,
            "the history has %zu version folders, which cannot be replaced in one step",
            work->environment.locations.count);
        return error_hint(ctx, "Write the new history elsewhere with --out DIR.");
    }
    /* Heads that a fault has made are no heads to merge: the run fails, and a repair is looked for. */
    if (graph->heads.count > 1 && !work->opts->merge_heads &&
        !squash_is_misshapen(&work->analysis)) {
        error_set(ctx, ERR_CONFLICT, "the history has %zu heads", graph->heads.count);
        return error_hint(ctx, "\"pgmend migrations consolidate --merge-heads\" writes the "
                               "revision that merges them; bring every database to it first.");
    }
    if (graph->heads.count == 1)
        work->head = graph->nodes[graph->heads.items[0]].revision->id;
    if (graph->heads.count == 1 && work->opts->merge_heads)
        return error_set(ctx, ERR_CONFLICT, "there is one head, %s: nothing to merge", work->head);
    return true;
}

static bool
read_history(struct ctx *ctx, struct consolidate *work)
{
    const struct environment *environment = &work->environment;
    const struct analysis_options options = { .jobs = 0 };
    if (!environment_find(ctx, work->run->operands.count > 0 ? work->run->operands.items[0] : NULL,
            work->opts->section, &work->environment))
        return false;
    work->version_table = db_qualified(ctx->arena,
        environment->version_table_schema ? environment->version_table_schema : "public",
        environment->version_table ? environment->version_table : "alembic_version");
    if (!work->opts->dry_run && !work->opts->out &&
        (!squash_place_check(ctx, environment) ||
            !squash_place_begin(ctx, environment->locations.items[0],
                work->opts->allow_local_changes, &work->lock, &work->notes)))
        return false;
    return analysis_run(ctx, environment, &options, &work->analysis) && find_head(ctx, work);
}

bool
consolidate_begin(struct ctx *ctx, struct consolidate *work)
{
    const struct consolidate_options *opts = work->opts;
    const struct alembic_options with = {
        .command = opts->alembic,
        .section = opts->section,
        .url_envs = &opts->url_env,
        .plain_env = opts->plain_env,
    };

    consolidate_step(work, "reading the history");
    if (!read_history(ctx, work))
        return false;
    if (opts->merge_heads)
        return true;
    return open_databases(ctx, work) && (!work->head || ask_databases(ctx, work)) &&
           (opts->dry_run || consolidate_check_databases(ctx, work)) &&
           alembic_begin(ctx, &work->environment, &with, &work->alembic) &&
           squash_undecided(ctx, &work->analysis, &work->undecided);
}

static bool
has_rows(struct arena *arena, const struct replayed *replayed, const char *version_table)
{
    for (size_t i = 0; i < replayed->content.tables.count; i++) {
        const struct content_table *table = &replayed->content.tables.items[i];

        if (table->rows > 0 &&
            !text_equal(version_table, db_qualified(arena, table->schema, table->name)))
            return true;
    }
    return false;
}

static bool
replay_old(struct ctx *ctx, struct consolidate *work)
{
    const struct consolidate_options *opts = work->opts;
    const struct replay_request request = {
        .alembic = &work->alembic,
        .target = "head",
        .baseline = opts->baseline,
        .scratch_template = opts->scratch_template,
        .bin_folder = opts->bin_dir,
        .graph = &work->analysis.graph,
        .is_first = true,
    };

    consolidate_step(work, "running the old history");
    if (!squash_replay(ctx, work->admin, &request, &work->old))
        return consolidate_refuse(ctx, work, &request);
    work->alembic_us = work->old.alembic_us;
    work->replays_left = RUNS - 1;
    if (!has_rows(ctx->arena, &work->old, work->version_table))
        return true;

    /* What differs between two runs of the same history is not a value that could be kept. */
    consolidate_step(work, "running it again, for the rows");
    return squash_replay(ctx, work->admin, &request, &work->again);
}

static bool
write_files(struct ctx *ctx, struct consolidate *work)
{
    work->new_folder = file_join(ctx->arena, work->alembic.work.path, "consolidated");
    if (!file_make_folder(ctx, work->new_folder))
        return false;
    for (size_t i = 0; i < work->files.count; i++) {
        const struct squash_file *file = &work->files.items[i];

        if (!file_write(ctx, file_join(ctx->arena, work->new_folder, file->name), file->text,
                strlen(file->text), 0644))
            return false;
    }
    return true;
}

static bool
make_files(struct ctx *ctx, struct consolidate *work)
{
    const struct consolidate_options *opts = work->opts;
    const struct squash_group_options grouping = {
        .by = text_equal(opts->group_by, "period") ? GROUP_BY_PERIOD
              : text_equal(opts->group_by, "file") ? GROUP_BY_FILE
                                                   : GROUP_BY_DOMAIN,
        .target = (size_t)opts->target < work->analysis.history.count
                      ? (size_t)opts->target
                      : work->analysis.history.count,
        .history = &work->analysis.history,
        .graph = &work->analysis.graph,
        .origins = work->old.origins.items,
        .origin_count = work->old.origins.count,
        .version_table = work->version_table,
    };
    const struct revision *head =
        work->analysis.graph.nodes[work->analysis.graph.heads.items[0]].revision;
    const char *slash = strrchr(head->file, '/');
    const struct squash_write_options writing = {
        .head = work->head,
        .head_file = slash ? slash + 1 : head->file,
        .replaced = work->analysis.history.count,
        .created = clock_text(ctx->arena, clock_wall_us()),
        .sql_only = opts->sql_only,
    };

    return squash_group(ctx, &work->old.schema, &grouping, &work->plan) &&
           squash_seeds(ctx, &work->old, work->again.db ? &work->again : NULL, work->version_table,
               &work->seeds) &&
           squash_write(
               ctx, &work->old.schema, &work->plan, &work->seeds, &writing, &work->files) &&
           write_files(ctx, work);
}

/* A schema that came out of a dump has the server's own words for expressions: that is no drift. */
static bool
find_drift(struct ctx *ctx, struct consolidate *work)
{
    struct squash_drift *drift = &work->drift;

    if (!squash_find_drift(ctx, work->target, &work->old.schema, work->version_table, drift))
        return error_wrap(ctx, "comparing the target with the history");
    if (drift->differences.count > 0) {
        if (!squash_reword(
                ctx, work->admin, work->opts->scratch_template, work->opts->bin_dir, &work->old))
            return error_wrap(ctx, "comparing the target with the history");
        squash_forgive_wording(
            ctx->arena, &work->old.rewording, &drift->differences, &drift->accepted);
    }
    work->has_drift = true;
    return true;
}

bool
consolidate_make(struct ctx *ctx, struct consolidate *work)
{
    if (!replay_old(ctx, work))
        return false;
    if (!work->head)
        return error_set(ctx, ERR_CONFLICT, "the history has no single head");
    consolidate_step(work, "comparing the target");
    if (!find_drift(ctx, work))
        return false;
    consolidate_step(work, "writing the new history");
    return make_files(ctx, work);
}

static bool
prove_data(struct ctx *ctx, struct consolidate *work)
{
    const struct consolidate_options *opts = work->opts;
    const struct backup_schema_proof with = {
        .folder = backup_folder(ctx, work->run, opts->backup_dir),
        .name = opts->data_proof,
        .bin_folder = opts->bin_dir,
        .jobs = 1,
    };
    struct text_list differences = { 0 };

    consolidate_step(work, "restoring the backup's rows into the new schema");
    if (backup_prove_schema(ctx, work->fresh.db, &with, &work->data_proof, &differences))
        return true;
    for (size_t i = 0; i < differences.count; i++)
        log_warn("%s", differences.items[i]);
    return error_wrap(ctx, "proving with the rows of a backup");
}

bool
consolidate_prove(struct ctx *ctx, struct consolidate *work)
{
    struct alembic alembic = work->alembic;
    const struct squash_proof_request request = {
        .alembic = &alembic,
        .old = &work->old,
        .seeds = &work->seeds,
        .old_folder = work->environment.locations.items[0],
        .new_folder = work->new_folder,
        .head = work->head,
        .version_table = work->version_table,
        .scratch_template = work->opts->scratch_template,
        .bin_folder = work->opts->bin_dir,
    };

    alembic.versions = work->new_folder;
    work->replays_left = RUNS - 2;
    consolidate_step(work, "running the new history up, down and up");
    if (!squash_prove(ctx, work->admin, &request, &work->proof, &work->fresh))
        return error_wrap(ctx, "proving that old and new are the same");
    work->proof.old_revisions = work->analysis.history.count;
    work->proof.new_revisions = work->files.count;
    work->has_proof = true;
    if (!squash_proof_is_good(&work->proof)) {
        error_set(ctx, ERR_VERIFICATION, "the new history does not make the same database");
        return error_hint(ctx,
            "The differences stand above. --sql-only leaves out op.create_table() "
            "and the like; please report the case.");
    }
    return !work->opts->data_proof || prove_data(ctx, work);
}
