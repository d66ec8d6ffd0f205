#include <sys/stat.h>

#include "migrate/rules/rules.h"

static void
note_failure(void *self, const struct revision *revision, const struct step *step,
    const struct model_error *error)
{
    struct replay_result *result = self;

    if (!error->is_certain) {
        result->doubt_count++;
        return;
    }
    if (result->failure_count++ > 0)
        return;
    result->revision = revision;
    result->place = step->place;
    result->error = *error;
}

static bool
check_all(struct check *check, struct analysis *analysis)
{
    const struct replay_watcher watchers[] = {
        { .self = &analysis->replay, .failed = note_failure },
        watch_errors(check),
        watch_conflicts(check),
        watch_danger(check),
        watch_data(check),
        watch_style(check),
    };

    analysis->model.server_major = analysis->server_major;
    if (!check_graph(check) || !check_files(check) ||
        !replay_run(check->ctx, &analysis->history, &analysis->graph, watchers, COUNT_OF(watchers),
            &analysis->model))
        return false;
    check->model = &analysis->model;
    return check_consolidation(check, &analysis->consolidation);
}

/* A comment speaks for its own line; a finding for all the lines of its statement. */
static bool
is_silenced_by(const struct finding *finding, const struct ignore *ignore)
{
    uint32_t first = finding->place.line;
    uint32_t last = finding->place.end_line > first ? finding->place.end_line : first;

    return text_equal(ignore->rule, finding->rule->id) &&
           (ignore->line == 0 || (ignore->line >= first && ignore->line <= last));
}

static void
silence(struct arena *arena, const struct revision *revision, struct finding *finding)
{
    for (size_t i = 0; i < revision->ignores.count; i++) {
        struct ignore *ignore = &revision->ignores.items[i];

        if (!is_silenced_by(finding, ignore))
            continue;
        ignore->was_used = true;
        if (finding->silenced)
            continue;
        finding->silenced = ignore->reason ? ignore->reason
                            : ignore->line == 0
                                ? "ignored in this file"
                                : arena_printf(arena, "ignored in line %u", ignore->line);
    }
}

/* The revision that a place is in, by the path of its file; NULL for other files. */
static struct revision *
revision_at(const struct map *by_file, const struct place *place)
{
    return place->file ? map_get(by_file, place->file) : NULL;
}

static struct map
index_files(struct ctx *ctx, struct history *history)
{
    struct map by_file = { .arena = ctx->arena };

    for (size_t i = 0; i < history->count; i++)
        map_set(&by_file, history->items[i].file, &history->items[i]);
    return by_file;
}

/* Which revisions findings are wanted for; NULL: all. */
struct selection {
    const struct map *by_file;
    const bool *is_wanted; /* by the index of the revision */
    const struct text_list *rules;
    const struct text_list *without_rules;
};

static bool
is_place_wanted(const struct selection *selection, const struct place *place)
{
    const struct revision *revision = revision_at(selection->by_file, place);

    return !revision || selection->is_wanted[revision->index];
}

/*
 * A finding in an old file counts when a new one has to do with it. What is about no revision is
 * about the history as it is with the new ones.
 */
static bool
is_wanted(const struct selection *selection, const struct finding *finding)
{
    if (selection->rules && !text_list_has(selection->rules, finding->rule->id))
        return false;
    if (selection->without_rules && text_list_has(selection->without_rules, finding->rule->id))
        return false;
    if (!selection->is_wanted || is_place_wanted(selection, &finding->place))
        return true;
    for (size_t i = 0; i < finding->related.count; i++) {
        const struct place *place = &finding->related.items[i].place;

        if (revision_at(selection->by_file, place) && is_place_wanted(selection, place))
            return true;
    }
    return false;
}

struct node_list {
    size_t *items;
    size_t count;
    size_t capacity;
};

static void
leave_out(struct arena *arena, struct node_list *open, size_t node, bool *wanted)
{
    if (!wanted[node])
        return;
    wanted[node] = false;
    VEC_PUSH(arena, open, node);
}

/* Unwants a revision and all that has to be applied before it. */
static void
leave_out_ancestors(struct arena *arena, const struct graph *graph, size_t start, bool *wanted)
{
    struct node_list open = { 0 };

    leave_out(arena, &open, start, wanted);
    while (open.count > 0) {
        const struct node *node = &graph->nodes[open.items[--open.count]];

        for (size_t i = 0; i < node->parents.count; i++)
            leave_out(arena, &open, node->parents.items[i], wanted);
        for (size_t i = 0; i < node->dependencies.count; i++)
            leave_out(arena, &open, node->dependencies.items[i], wanted);
    }
}

/* What a path leads to, or the link itself when it leads nowhere; NULL: there is nothing. */
static const char *
identity(struct arena *arena, const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0 && lstat(path, &status) != 0)
        return NULL;
    return arena_printf(arena, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
}

/* Files are compared by what they are, since there are many ways to write a path. */
static void
leave_out_others(
    struct arena *arena, const struct history *history, const struct text_list *files, bool *wanted)
{
    struct map known = { .arena = arena };

    for (size_t i = 0; i < files->count; i++) {
        const char *id = identity(arena, files->items[i]);

        if (id)
            map_set(&known, id, &known);
    }
    for (size_t i = 0; i < history->count; i++) {
        const char *id = identity(arena, history->items[i].file);

        if (!id || !map_get(&known, id))
            wanted[i] = false;
    }
}

static bool
select_revisions(struct ctx *ctx, const struct analysis *analysis,
    const struct analysis_options *options, const bool **ret)
{
    bool *wanted = ARENA_ARRAY(ctx->arena, bool, analysis->history.count + 1);
    size_t since;

    *ret = NULL;
    if (!options->since && !options->files)
        return true;
    memset(wanted, true, analysis->history.count);
    if (options->since) {
        if (!graph_resolve(ctx, &analysis->graph, options->since, &since))
            return error_wrap(ctx, "--since %s", options->since);
        leave_out_ancestors(ctx->arena, &analysis->graph, since, wanted);
    }
    if (options->files)
        leave_out_others(ctx->arena, &analysis->history, options->files, wanted);
    *ret = wanted;
    return true;
}

static void
keep_wanted(struct findings *findings, const struct selection *selection)
{
    size_t kept = 0;

    for (size_t i = 0; i < findings->count; i++)
        if (is_wanted(selection, &findings->items[i]))
            findings->items[kept++] = findings->items[i];
    findings->count = kept;
}

static const char *
key_of_place(struct arena *arena, const struct place *place)
{
    return arena_printf(
        arena, "%s:%u:%u", place->file ? place->file : "", place->line, place->column);
}

/*
 * What the server refuses does no harm: dangers of such a statement are not told as well. A missing
 * table may be there all the same, where a database was not begun by this history.
 */
static void
drop_moot(struct ctx *ctx, struct findings *findings)
{
    struct map refused = { .arena = ctx->arena };
    size_t kept = 0;

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];

        if (finding->severity == SEVERITY_ERROR && finding->evidence.count > 0 &&
            strcmp(finding->evidence.items[0].name, "sqlstate") == 0 &&
            strcmp(finding->evidence.items[0].value, "42P01") != 0)
            map_set(&refused, key_of_place(ctx->arena, &finding->place), findings);
    }
    for (size_t i = 0; refused.count > 0 && i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        bool is_harm =
            rule_is_in(finding->rule, GROUP_DANGER) || rule_is_in(finding->rule, GROUP_DATA);

        if (!is_harm || !map_get(&refused, key_of_place(ctx->arena, &finding->place)))
            findings->items[kept++] = *finding;
    }
    if (refused.count > 0)
        findings->count = kept;
}

bool
analysis_run(struct ctx *ctx, const struct environment *environment,
    const struct analysis_options *options, struct analysis *ret)
{
    struct map by_file;
    struct check check = {
        .ctx = ctx,
        .history = &ret->history,
        .graph = &ret->graph,
        .findings = &ret->findings,
    };
    struct selection selection = {
        .by_file = &by_file,
        .rules = options->rules,
        .without_rules = options->without_rules,
    };

    *ret = (struct analysis){
        .findings.arena = ctx->arena,
        .server_major = options->server_major ? options->server_major : SERVER_MAJOR_STANDARD,
    };
    check.server_major = ret->server_major;
    if (!history_read(ctx, environment, options->jobs, options->progress, &ret->history))
        return false;
    by_file = index_files(ctx, &ret->history);
    if (!graph_build(ctx, &ret->history, &ret->graph) ||
        !select_revisions(ctx, ret, options, &selection.is_wanted) || !check_all(&check, ret))
        return false;
    drop_moot(ctx, &ret->findings);
    for (size_t i = 0; i < ret->findings.count; i++) {
        struct finding *finding = &ret->findings.items[i];
        const struct revision *revision = revision_at(&by_file, &finding->place);

        if (revision)
            silence(ctx->arena, revision, finding);
    }
    if (!check_ignores(&check))
        return false;
    keep_wanted(&ret->findings, &selection);
    findings_sort(&ret->findings);
    return true;
}
