/* The history applied to the model, revision by revision. */

#include "migrate/model/replay.h"

#include <string.h>

#include "base/interrupt.h"

#define ABORTED "current transaction is aborted, commands ignored until end of transaction block"

struct run {
    struct ctx *ctx;
    struct ctx scratch; /* for what a step needs and the model does not keep */
    const struct replay_watcher *watchers;
    size_t watcher_count;
    struct model *model;
    const struct revision *revision;
    struct map created;    /* names of tables that some revision makes */
    bool has_started;      /* a revision before this one has altered the schema */
    bool alters;           /* this one has */
    struct origin failure; /* the statement whose error was caught in Python */
    const struct step *failed_step;
    bool was_told;     /* 25P02 comes once a revision */
    size_t savepoints; /* open ones */
    bool try_failed;   /* in the try before, for its handlers */
    bool had_try;
};

static void
tell(struct run *run, const struct step *step, const struct model_error *error)
{
    for (size_t i = 0; i < run->watcher_count; i++)
        if (run->watchers[i].failed)
            run->watchers[i].failed(run->watchers[i].self, run->revision, step, error);
}

static bool
is_handler(const struct step *step)
{
    for (size_t i = 0; i < step->conditions.count; i++)
        if (text_equal(step->conditions.items[i].text, "except"))
            return true;
    return false;
}

/* A handler runs when its try has failed; a try without a step that could fail tells nothing. */
static enum verdict
decide(const struct run *run, const struct step *step)
{
    enum verdict verdict = model_decide(run->model, &step->conditions);

    if (verdict == VERDICT_UNKNOWN && is_handler(step) && run->had_try && !run->try_failed)
        return VERDICT_NO;
    return verdict;
}

static void
tell_aborted(struct run *run, const struct step *step)
{
    struct model_error error = { .sqlstate = "25P02", .message = ABORTED, .is_certain = true };
    struct origin *first = arena_memdup(run->ctx->arena, &run->failure, sizeof(run->failure));

    error.first = first;
    tell(run, step, &error);
    run->failed_step = NULL;
    run->was_told = true;
}

/* Whether the step ends the transaction, aborted or not. */
static bool
ends_transaction(const struct step *step)
{
    return step->kind == STEP_ROLLBACK || step->kind == STEP_COMMIT || step->in_autocommit;
}

static void
count_savepoints(struct run *run, const struct step *step)
{
    const char *setting = step->kind == STEP_OTHER ? step->setting : NULL;

    if (!setting)
        return;
    if (text_starts_with(setting, "SAVEPOINT"))
        run->savepoints++;
    else if (run->savepoints > 0 && text_starts_with(setting, "RELEASE"))
        run->savepoints--;
}

/*
 * What no revision makes and the first one already needs was there before: the history goes on from
 * a database that something else has made.
 */
static void
note_baseline(struct run *run, const struct model_error *error)
{
    struct object_name name = { NULL, error->object };
    const char *dot = error->object ? strchr(error->object, '.') : NULL;

    if (run->has_started || !error->is_certain || strcmp(error->sqlstate, "42P01") != 0 ||
        !text_starts_with(error->message, "relation") || !error->object || error->first ||
        map_get(&run->created, error->object))
        return;
    if (dot) {
        name.schema =
            arena_strndup(run->model->arena, error->object, (size_t)(dot - error->object));
        name.name = dot + 1;
    }
    run->model->has_baseline = true;
    model_assume_table(run->model, name, &(struct origin){ .revision = run->revision->index });
}

static void
note_failure(struct run *run, const struct step *step, const struct model_error *error)
{
    if (step->in_try)
        run->try_failed = true;
    if (!error->is_certain || !step->in_try || run->was_told || run->savepoints > 0 ||
        !run->model->in_transaction || step->in_autocommit)
        return;
    run->failure = (struct origin){ .revision = run->revision->index, .place = step->place };
    run->failed_step = step;
}

static bool
apply(struct run *run, const struct step *step)
{
    struct model_errors errors = { 0 };

    if (!model_apply(&run->scratch, run->model, step, run->revision->index, &errors))
        return false;
    for (size_t i = 0; i < errors.count; i++) {
        if (step->in_savepoint) {
            run->try_failed = true;
            continue;
        }
        tell(run, step, &errors.items[i]);
        note_failure(run, step, &errors.items[i]);
        note_baseline(run, &errors.items[i]);
    }
    return true;
}

static void
follow_try(struct run *run, const struct step *step)
{
    if (step->in_try && !is_handler(step)) {
        /* What cannot be known may have failed. */
        run->try_failed = (run->had_try && run->try_failed) || step->unknown != NULL;
        run->had_try = true;
    } else if (!is_handler(step)) {
        run->had_try = false;
        run->try_failed = false;
    }
}

static bool
run_step(struct run *run, const struct step *step)
{
    enum verdict verdict;

    follow_try(run, step);
    verdict = decide(run, step);
    for (size_t i = 0; i < run->watcher_count; i++)
        if (run->watchers[i].before_step)
            run->watchers[i].before_step(
                run->watchers[i].self, run->revision, step, verdict, run->model);
    if (verdict == VERDICT_NO)
        return true;
    if (step->in_autocommit)
        model_end_transaction(run->model);
    if (ends_transaction(step))
        run->failed_step = NULL;
    else if (run->failed_step && (verdict == VERDICT_YES || is_handler(step)))
        tell_aborted(run, step);
    count_savepoints(run, step);
    run->alters |= step_is_ddl(step);
    return apply(run, step);
}

static bool
run_revision(struct run *run, const struct revision *revision)
{
    run->revision = revision;
    run->failed_step = NULL;
    run->was_told = false;
    run->had_try = false;
    run->try_failed = false;
    run->savepoints = 0;
    run->alters = false;
    for (size_t i = 0; i < run->watcher_count; i++)
        if (run->watchers[i].before_revision)
            run->watchers[i].before_revision(run->watchers[i].self, revision, run->model);
    for (size_t i = 0; i < revision->upgrade.count; i++)
        if (!run_step(run, &revision->upgrade.items[i]))
            return false;
    /* The statement that fails is then Alembic's own UPDATE of its version table. */
    if (run->failed_step)
        tell_aborted(run, run->failed_step);
    model_end_transaction(run->model);
    run->has_started |= run->alters;
    for (size_t i = 0; i < run->watcher_count; i++)
        if (run->watchers[i].after_revision)
            run->watchers[i].after_revision(run->watchers[i].self, revision, run->model);
    return true;
}

static const char *
shown(struct arena *arena, const char *schema, const char *name)
{
    if (!schema || strcmp(schema, "public") == 0)
        return name;
    return arena_printf(arena, "%s.%s", schema, name);
}

static void
collect_created(struct run *run, const struct history *history)
{
    run->created.arena = run->ctx->arena;
    for (size_t i = 0; i < history->count; i++)
        for (size_t k = 0; k < history->items[i].upgrade.count; k++) {
            const struct step *step = &history->items[i].upgrade.items[k];
            const char *name = NULL;

            if (step->kind == STEP_CREATE_TABLE || step->kind == STEP_CREATE_VIEW)
                name = step->object.name;
            else if (step->kind == STEP_RENAME_TABLE)
                name = step->new_name;
            if (name)
                map_set(&run->created, shown(run->ctx->arena, step->object.schema, name), run);
        }
}

/* Alembic makes its version table before the first revision. */
static bool
create_version_table(struct run *run, const struct environment *environment, size_t revision)
{
    static const char *const columns[] = { "version_num" };
    struct arena *arena = run->ctx->arena;
    const char *table = environment->version_table ? environment->version_table : "alembic_version";
    struct model_errors errors = { 0 };
    struct step step = { .kind = STEP_CREATE_TABLE,
        .object = { environment->version_table_schema, table } };
    struct constraint key = { .kind = CONSTRAINT_PRIMARY_KEY,
        .name = arena_printf(arena, "%s_pkc", table) };
    struct type type = { .name = "character varying", .modifiers = { 32 }, .modifier_count = 1 };

    for (size_t i = 0; i < COUNT_OF(columns); i++)
        text_list_add(arena, &key.columns, columns[i]);
    VEC_PUSH(arena, &step.columns,
        (struct column){ .name = columns[0], .type = type, .is_not_null = true });
    VEC_PUSH(arena, &step.constraints, key);
    return model_apply(
        run->ctx, run->model, arena_memdup(arena, &step, sizeof(step)), revision, &errors);
}

bool
replay_run(struct ctx *ctx, const struct history *history, const struct graph *graph,
    const struct replay_watcher *watchers, size_t watcher_count, struct model *ret)
{
    struct run run = {
        .ctx = ctx,
        .watchers = watchers,
        .watcher_count = watcher_count,
        .model = ret,
    };
    int server_major = ret->server_major;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();

    run.scratch.arena = scratch;

    model_init(ret, ctx->arena);
    if (server_major > 0)
        ret->server_major = server_major;
    collect_created(&run, history);
    if (!create_version_table(
            &run, &history->environment, graph->order.count > 0 ? graph->order.items[0] : 0))
        return false;
    for (size_t i = 0; i < graph->order.count; i++) {
        if (interrupt_signal())
            return interrupt_error(ctx, interrupt_signal());
        if (!run_revision(&run, graph->nodes[graph->order.items[i]].revision))
            return false;
        arena_reset(scratch);
    }
    return true;
}
