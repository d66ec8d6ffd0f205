/* "migrations consolidate": what must be so, and the files put in place. */
#include <errno.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "cmd/parts/consolidation.h"

bool
consolidate_check_databases(struct ctx *ctx, const struct consolidate *work)
{
    for (size_t i = 0; i < work->databases.count; i++) {
        const struct squash_database *database = &work->databases.items[i];

        if (database->is_at_head || work->opts->accept_behind)
            continue;
        if (database->is_empty) {
            error_set(ctx, ERR_GATE, "%s has no revision", database->label);
            return error_hint(ctx, "It was never brought to this history, or its version table is "
                                   "not where env.py says; is it the right database? "
                                   "--accept-behind goes on without it.");
        }
        error_set(ctx, ERR_GATE, "%s is not at the head %s but at %s", database->label, work->head,
            text_list_join(ctx->arena, &database->revisions, ", "));
        return error_hint(ctx, "%s",
            database->is_known
                ? "Run \"alembic upgrade head\" there first. With --accept-behind the old "
                  "revisions go anyway, and it has to be brought up with \"pgmend migrations "
                  "catch-up\"."
                : "Its revision is not in this history: find out where it comes from. "
                  "--accept-behind leaves it aside.");
    }
    return true;
}

bool
consolidate_check(struct ctx *ctx, const struct consolidate *work)
{
    if (!consolidate_check_databases(ctx, work))
        return false;
    if (work->drift.differences.count > 0 && !work->databases.items[0].is_empty &&
        !work->opts->accept_drift) {
        error_set(ctx, ERR_GATE, "the target differs in %zu things from what the history makes",
            work->drift.differences.count);
        return error_hint(ctx, "Mend it with the statements above or with a revision, or go on "
                               "with --accept-drift: the new history makes what the old one made.");
    }
    if (work->undecided.count > 0 && !work->opts->accept_undecided) {
        error_set(ctx, ERR_GATE, "%zu statements of the history depend on where they run",
            work->undecided.count);
        return error_hint(ctx, "What they did in the scratch database is in the new history. If "
                               "that is right for every database, say --accept-undecided.");
    }
    if (work->seeds.left_out.count > 0 && !work->opts->accept_undecided) {
        error_set(ctx, ERR_GATE, "%zu things about rows could not be carried over",
            work->seeds.left_out.count);
        return error_hint(ctx, "They are listed above; --accept-undecided goes on without them.");
    }
    return true;
}

/* ---- the files ---- */

static bool
write_report(struct ctx *ctx, const struct consolidate *work, const char *path, bool as_html)
{
    const struct squash_result result = consolidate_result(work);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    bool is_written;

    if (!out)
        return error_set_errno(ctx, "could not write \"%s\"", path);
    if (as_html)
        squash_report_html(ctx, out, &result);
    else
        squash_report_markdown(ctx->arena, out, &result);
    fclose(out);
    is_written = file_write(ctx, path, text, length, 0644);
    free(text);
    return is_written;
}

static bool
write_reports(struct ctx *ctx, struct consolidate *work, const char *stem)
{
    const struct squash_result result = consolidate_result(work);
    json_t *json CLEANUP(json_release) = squash_report_json(ctx->arena, &result);

    work->report = arena_printf(ctx->arena, "%sreport.html", stem);
    return write_report(ctx, work, arena_printf(ctx->arena, "%sreport.md", stem), false) &&
           write_report(ctx, work, work->report, true) &&
           json_write_file(ctx, arena_printf(ctx->arena, "%sproof.json", stem), json);
}

/* The folder is made, or there and empty. */
static bool
take_folder(struct ctx *ctx, const char *path)
{
    struct text_list names = { 0 };

    if (mkdir(path, 0777) == 0)
        return true;
    if (errno != EEXIST)
        return error_set_errno(ctx, "could not make the folder \"%s\"", path);
    if (!file_list(ctx, path, &names))
        return false;
    if (names.count == 0)
        return true;
    error_set(ctx, ERR_CONFLICT, "\"%s\" is not empty", path);
    return error_hint(ctx, "Name a folder that is not there yet, or an empty one.");
}

static bool
write_out(struct ctx *ctx, struct consolidate *work)
{
    const char *folder = work->opts->out;

    if (!take_folder(ctx, folder))
        return false;
    for (size_t i = 0; i < work->files.count; i++) {
        const struct squash_file *file = &work->files.items[i];

        if (!file_write(ctx, file_join(ctx->arena, folder, file->name), file->text,
                strlen(file->text), 0644))
            return false;
    }
    return write_reports(ctx, work, arena_printf(ctx->arena, "%s/", folder));
}

bool
consolidate_place(struct ctx *ctx, struct consolidate *work)
{
    if (work->opts->dry_run)
        return true;
    consolidate_step(work, "putting the files in place");
    if (work->opts->out)
        return write_out(ctx, work);
    if (!squash_place(ctx, &work->environment, &work->files, work->head, &work->place))
        return false;
    work->is_placed = true;
    if (write_reports(ctx, work, arena_printf(ctx->arena, "%s.", work->place.archive)))
        return true;
    error_wrap(ctx, "writing the report");
    return error_state(ctx, "The new files are in place; only the report is missing. \"pgmend "
                            "migrations consolidate --undo\" puts the old ones back.");
}

/* ---- a history that does not run ---- */

/* Where the diff's paths begin: the folder that the version folder is in. */
static const char *
folder_above(struct arena *arena, const char *folder)
{
    const char *slash = strrchr(folder, '/');

    if (!slash)
        return ".";
    return slash == folder ? "/" : arena_strndup(arena, folder, (size_t)(slash - folder));
}

bool
consolidate_refuse(struct ctx *ctx, struct consolidate *work, const struct replay_request *request)
{
    const struct error why = ctx->error;
    struct squash_repairs repairs = { 0 };
    struct replay_request again = *request;
    bool has_diff = false;

    if (why.kind != ERR_FAILED || work->old.outcome.status == 0)
        return false;
    again.is_first = false;
    consolidate_step(work, "looking for the smallest repair");
    if (!squash_repair(ctx, work->admin, &again, &work->analysis, &work->old.outcome, &repairs)) {
        if (ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED)
            return false;
        log_debug("no repair: %s", ctx->error.message);
        repairs.count = 0;
    }
    progress_end(&work->progress);
    ctx->error = why;
    if (repairs.count == 0)
        return false;

    FILE *out = work->run->global->json ? stderr : work->run->out;

    for (size_t i = 0; i < repairs.count; i++)
        out_mark_line(out, MARK_INFO, "repair    %s", repairs.items[i].what);
    fputc('\n', out);
    for (size_t i = 0; i < repairs.count; i++) {
        has_diff = has_diff || repairs.items[i].diff;
        if (repairs.items[i].diff)
            fputs(repairs.items[i].diff, out);
    }
    fputc('\n', out);
    ctx->error = why;
    if (!has_diff)
        return error_hint(ctx, "What is said above has to be decided by a person.");
    if (!repairs.is_proven)
        return error_hint(
            ctx, "The diff above mends a part of it; what is left has to be decided by a person.");
    return error_hint(ctx,
        "With the diff above the history runs through from an empty database: it was tried. Look at "
        "it, apply it with \"patch -p1 -d %s\", commit, and run this again.",
        folder_above(ctx->arena, work->environment.locations.items[0]));
}
