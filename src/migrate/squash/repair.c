/* A history that cannot be replayed, mended on a copy until it can. */
#include "migrate/squash/repair.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/unified_diff.h"

/* RUNS_MAX bounds the replays, SHAPES_MAX what is done without one. */
enum { RUNS_MAX = 50, SHAPES_MAX = 200, TOLD_MAX = 4 };
static const int64_t TIME_MAX_US = (int64_t)15 * 60 * 1000000;

/* ---- what was done ---- */

static const char *
below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (strncmp(path, folder, length) != 0 || path[length] != '/')
        return NULL;
    path += length;
    return path + strspn(path, "/");
}

const char *
repair_name(const struct repair *repair, const char *path)
{
    const char *name = below(path, repair->folder);

    for (size_t i = 0; !name && i < repair->original->locations.count; i++)
        name = below(path, repair->original->locations.items[i]);
    if (name)
        return name;
    return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

static struct repair_change *
find_change(struct repair *repair, const char *name)
{
    for (size_t i = 0; i < repair->changes.count; i++)
        if (text_equal(repair->changes.items[i].name, name))
            return &repair->changes.items[i];
    return NULL;
}

void
repair_note(struct repair *repair, const char *path, const char *what)
{
    struct arena *arena = repair->ctx->arena;
    const char *name = repair_name(repair, path);
    struct repair_change *change = find_change(repair, name);

    if (!change) {
        VEC_PUSH(
            arena, &repair->changes, (struct repair_change){ .name = arena_strdup(arena, name) });
        change = &repair->changes.items[repair->changes.count - 1];
    }
    text_list_add(arena, &change->what, arena_strdup(arena, what));
}

/* The user's own file of this name, with the folder it is in; NULL when it is a new one. */
static const char *
original_of(const struct repair *repair, const char *name, const char **ret_folder)
{
    const struct text_list *locations = &repair->original->locations;

    *ret_folder = locations->items[0];
    for (size_t i = 0; i < locations->count; i++) {
        const char *path = file_join(repair->ctx->arena, locations->items[i], name);

        if (!file_exists(path))
            continue;
        *ret_folder = locations->items[i];
        return path;
    }
    return NULL;
}

static const char *
what_of(struct arena *arena, const struct repair_change *change)
{
    struct buffer text = { .arena = arena };

    buffer_printf(&text, "%s: ", change->name);
    for (size_t i = 0; i < change->what.count && i < TOLD_MAX; i++)
        buffer_printf(&text, "%s%s", i ? "; " : "", change->what.items[i]);
    if (change->what.count > TOLD_MAX)
        buffer_printf(&text, "; and %zu more like it", change->what.count - TOLD_MAX);
    return buffer_text(&text);
}

static bool
tell_change(struct repair *repair, const struct repair_change *change, struct squash_repairs *ret)
{
    struct ctx *ctx = repair->ctx;
    const char *folder, *old_text = "", *new_text;
    const char *original = original_of(repair, change->name, &folder);
    const char *path;
    size_t length;

    if (original && !file_read(ctx, original, &old_text, &length))
        return false;
    if (!file_read(ctx, file_join(ctx->arena, repair->folder, change->name), &new_text, &length))
        return false;
    path = file_join(ctx->arena, repair_folder_name(ctx->arena, folder), change->name);

    const struct unified_diff diff = {
        .old_name = original ? arena_printf(ctx->arena, "a/%s", path) : NULL,
        .new_name = arena_printf(ctx->arena, "b/%s", path),
        .old_text = old_text,
        .new_text = new_text,
    };

    VEC_PUSH(ctx->arena, ret,
        (struct squash_repair){
            .what = what_of(ctx->arena, change), .diff = unified_diff(ctx->arena, &diff) });
    return true;
}

/* ---- rounds ---- */

/* The copy is read anew after each change, so that places are right again. */
static bool
look(struct repair *repair)
{
    struct environment environment = *repair->original;
    struct analysis_options options = { .server_major = 0, .jobs = 1 };
    struct ctx round;
    struct text_list locations = { 0 };

    if (repair->has_now)
        history_free(&repair->now.history);
    repair->has_now = false;
    arena_reset(repair->arena);
    round = (struct ctx){ .arena = repair->arena };
    text_list_add(repair->arena, &locations, repair->folder);
    environment.locations = locations;
    if (!analysis_run(&round, &environment, &options, &repair->now))
        return error_set(
            repair->ctx, round.error.kind, "%s", round.error.message ? round.error.message : "");
    repair->has_now = true;
    return true;
}

static const struct revision *
find_revision(const struct repair *repair, const char *name)
{
    for (size_t i = 0; i < repair->now.history.count; i++)
        if (text_equal(repair_name(repair, repair->now.history.items[i].file), name))
            return &repair->now.history.items[i];
    return NULL;
}

/* The failure that Alembic ended with was another one's consequence when that was caught. */
static struct repair_failure
failure_of(const struct alembic_outcome *outcome)
{
    const char *exception = outcome->exception ? outcome->exception : "";
    const struct alembic_statement *failed = &outcome->failed;
    bool was_caught =
        outcome->has_failed_statement && (strstr(exception, "InFailedSqlTransaction") ||
                                             strstr(exception, "current transaction is aborted"));

    if (!outcome->has_failed_statement)
        return (
            struct repair_failure){ .place = outcome->place, .sqlstate = "", .message = exception };
    return (struct repair_failure){
        .place = outcome->place,
        .sqlstate = failed->sqlstate ? failed->sqlstate : "",
        .message = failed->message ? failed->message : exception,
        .sql = failed->sql,
        .was_caught = was_caught,
    };
}

/* As the file was before this round, and how much had been said about it. */
static void
remember(struct repair *repair, const struct repair_file *file)
{
    const struct repair_change *change = find_change(repair, repair_name(repair, file->path));

    repair->last.path = arena_strdup(repair->ctx->arena, file->path);
    repair->last.text = file->has_mark ? file->text - 3 : file->text;
    repair->last.length = file->length + (file->has_mark ? 3 : 0);
    /* repair_guard() has just added one. */
    repair->last.notes = change && change->what.count > 0 ? change->what.count - 1 : 0;
}

static bool
take_back(struct repair *repair)
{
    struct repair_change *change =
        repair->last.path ? find_change(repair, repair_name(repair, repair->last.path)) : NULL;

    if (!change)
        return true;
    change->what.count = repair->last.notes;
    return file_write(repair->ctx, repair->last.path, repair->last.text, repair->last.length, 0644);
}

static bool
mend_statement(
    struct repair *repair, const struct alembic_outcome *outcome, struct repair_step *ret)
{
    struct repair_failure failure = failure_of(outcome);
    struct repair_file file;
    const struct revision *revision;

    *ret = (struct repair_step){ 0 };
    if (!failure.place.file) {
        ret->cannot =
            arena_printf(repair->ctx->arena, "Alembic failed outside of the revisions: %s",
                text_is_empty(failure.message) ? "see what it printed" : failure.message);
        return true;
    }
    revision = find_revision(repair, repair_name(repair, failure.place.file));
    if (!revision) {
        ret->cannot = arena_printf(repair->ctx->arena, "%s:%u: %s",
            repair_name(repair, failure.place.file), failure.place.line, failure.message);
        return true;
    }
    if (!repair_open(repair->ctx, revision->file, &file) ||
        !repair_guard(repair, &file, revision, &failure, ret))
        return false;
    if (file.edits.count == 0)
        return true;
    remember(repair, &file);
    return repair_guard_alike(repair, &file, revision, &failure) && repair_save(repair->ctx, &file);
}

/* Until nothing is wrong with the shape of the history any more. */
static bool
mend_shape(struct repair *repair, struct repair_step *ret)
{
    for (int i = 0; i < SHAPES_MAX; i++)
        if (!look(repair) || !repair_graph(repair, ret))
            return false;
        else if (!ret->is_done)
            return true;
    ret->cannot = "the history's shape is not right after 200 repairs";
    return true;
}

/* A failed run is no error here; anything else is. */
static bool
run(struct repair *repair, struct db *db, struct alembic_outcome *ret, bool *ret_good)
{
    struct alembic alembic = *repair->request->alembic;
    struct replay_request request = *repair->request;
    struct replayed replayed = { 0 };

    alembic.versions = repair->folder;
    request.alembic = &alembic;
    request.graph = &repair->now.graph;
    *ret_good = squash_replay(repair->ctx, db, &request, &replayed);
    if (*ret_good) {
        replayed_end(&replayed);
        return true;
    }
    *ret = replayed.outcome;
    if (repair->ctx->error.kind != ERR_FAILED || ret->status == 0)
        return false;
    error_clear(repair->ctx);
    return true;
}

struct rounds {
    struct db *db;
    int64_t deadline_us;
    const char *last; /* what failed in the round before */
    const char *cannot;
    bool is_good;
};

/* The text of a line, without its indentation. */
static const char *
line_of(struct repair *repair, const struct place *place)
{
    struct repair_file file;
    const char *path;

    if (!place->file)
        return "";
    path = file_join(repair->ctx->arena, repair->folder, repair_name(repair, place->file));
    if (!repair_open(repair->ctx, path, &file)) {
        error_clear(repair->ctx);
        return "";
    }

    const char *at = file.text;

    for (uint32_t line = 1; line < place->line && strchr(at, '\n'); line++)
        at = strchr(at, '\n') + 1;
    at += strspn(at, " \t");
    return arena_strndup(repair->ctx->arena, at, strcspn(at, "\r\n"));
}

/*
 * The same statement failed in the same way although something was done about it: what was done is
 * taken back.
 */
static bool
is_stuck(struct repair *repair, struct rounds *rounds, const struct alembic_outcome *outcome)
{
    struct repair_failure failure = failure_of(outcome);
    const char *where = failure.place.file ? repair_name(repair, failure.place.file) : "";
    const char *now = arena_printf(
        repair->ctx->arena, "%s: %s: %s", where, failure.message, line_of(repair, &failure.place));
    bool is_same = text_equal(now, rounds->last);

    rounds->last = now;
    if (!is_same)
        return false;
    rounds->cannot = arena_printf(repair->ctx->arena,
        "%s:%u: %s, and asking for it first does not help: what has the name is something else, "
        "which cannot be mended without knowing what was meant",
        where, failure.place.line, failure.message);
    return true;
}

static bool
mend_rounds(struct repair *repair, struct rounds *rounds, const struct alembic_outcome *first)
{
    struct alembic_outcome outcome = { 0 };
    struct repair_step step = { 0 };

    for (int i = 0; i < RUNS_MAX && clock_us() < rounds->deadline_us; i++) {
        size_t before = repair->changes.count;

        if (!mend_shape(repair, &step))
            return false;
        rounds->cannot = step.cannot;
        if (step.cannot)
            return true;
        /* The failure that brought us here need not be made again. */
        if (i == 0 && before == repair->changes.count && first && first->place.file)
            outcome = *first;
        else if (!run(repair, rounds->db, &outcome, &rounds->is_good))
            return false;
        if (rounds->is_good)
            return true;
        if (is_stuck(repair, rounds, &outcome))
            return take_back(repair);
        if (!mend_statement(repair, &outcome, &step))
            return false;
        rounds->cannot = step.cannot;
        if (!step.is_done)
            return true;
    }
    rounds->cannot = "there is more to repair than could be tried in the time";
    return true;
}

/* A file that cannot be edited, as of another encoding, ends the search but is no failure of ours. */
static bool
is_input(struct ctx *ctx, struct rounds *rounds)
{
    if (ctx->error.kind != ERR_INPUT)
        return false;
    rounds->cannot = ctx->error.message;
    error_clear(ctx);
    return true;
}

static void
repair_end(struct repair *repair)
{
    if (repair->has_now)
        history_free(&repair->now.history);
    arena_free(repair->arena);
}

bool
squash_repair(struct ctx *ctx, struct db *db, const struct replay_request *request,
    const struct analysis *analysis, const struct alembic_outcome *outcome,
    struct squash_repairs *ret)
{
    struct repair repair CLEANUP(repair_end) = {
        .ctx = ctx,
        .request = request,
        .original = &analysis->history.environment,
        .arena = arena_new(),
    };
    struct rounds rounds = { .db = db, .deadline_us = clock_us() + TIME_MAX_US };

    *ret = (struct squash_repairs){ 0 };
    if (!repair_copy(&repair) ||
        (!mend_rounds(&repair, &rounds, outcome) && !is_input(ctx, &rounds)))
        return error_wrap(ctx, "looking for a repair of the history");
    for (size_t i = 0; i < repair.changes.count; i++)
        if (repair.changes.items[i].what.count > 0 &&
            !tell_change(&repair, &repair.changes.items[i], ret))
            return error_wrap(ctx, "looking for a repair of the history");
    if (rounds.cannot)
        VEC_PUSH(ctx->arena, ret, (struct squash_repair){ .what = rounds.cannot });
    ret->is_proven = rounds.is_good;
    return true;
}
