/* The shape of the history, mended at one place after the other until Alembic can follow it. */
#include "migrate/squash/repair_graph.h"

#include <string.h>

#include "base/crypto.h"
#include "base/file.h"

enum { TYPO_DISTANCE = 2, TYPO_LENGTH = 6 };

/* ---- edits ---- */

/* 'a', or ('a', 'b'), or None. */
static const char *
python_ids(struct repair *repair, const struct text_list *ids, bool is_double)
{
    struct buffer text = { .arena = repair->arena };
    const char *quote = is_double ? "\"" : "'";

    if (ids->count == 0)
        return "None";
    if (ids->count > 1)
        buffer_add(&text, "(");
    for (size_t i = 0; i < ids->count; i++)
        buffer_printf(&text, "%s%s%s%s", i ? ", " : "", quote, ids->items[i], quote);
    if (ids->count > 1)
        buffer_add(&text, ")");
    return buffer_text(&text);
}

/* Whether the file writes its own id in double quotes. */
static bool
has_double_quotes(const struct repair_file *file)
{
    return strstr(file->text, "\nrevision = \"") || strstr(file->text, "revision: str = \"");
}

/* Sets a name of the file to ids; the quotes are those of its own id. */
static bool
write_ids(struct repair *repair, size_t i, const char *name, const struct text_list *ids,
    struct repair_step *ret)
{
    const struct revision *revision = repair_revision(repair, i);
    struct repair_file file;

    if (!repair_open(repair->ctx, revision->file, &file))
        return false;

    ret->is_done = repair_assign(&file, name, python_ids(repair, ids, has_double_quotes(&file)));
    if (!ret->is_done) {
        ret->cannot = arena_printf(repair->ctx->arena,
            "%s: there is no %s at the top level that could be set",
            repair_name(repair, revision->file), name);
        return true;
    }
    return repair_save(repair->ctx, &file);
}

static bool
write_parents(struct repair *repair, size_t i, const struct text_list *parents, const char *what,
    struct repair_step *ret)
{
    if (!write_ids(repair, i, "down_revision", parents, ret))
        return false;
    if (ret->is_done)
        repair_note(repair, repair_revision(repair, i)->file, what);
    return true;
}

static bool
reparent(struct repair *repair, size_t child, struct repair_choice choice, struct repair_step *ret)
{
    struct text_list parents = { 0 };
    const char *what;

    if (choice.parent != REPAIR_NOBODY)
        text_list_add(repair->arena, &parents, repair_id(repair, (size_t)choice.parent));
    what = choice.parent == REPAIR_NOBODY
               ? arena_printf(
                     repair->ctx->arena, "begin the history with %s", repair_id(repair, child))
               : arena_printf(repair->ctx->arena, "re-parent %s onto %s, %s",
                     repair_id(repair, child), parents.items[0], choice.why);
    return write_parents(repair, child, &parents, what, ret);
}

/* Takes one id out of a list of several. */
static bool
leave_out(struct repair *repair, size_t i, const char *name, const struct text_list *ids,
    const char *gone, struct repair_step *ret)
{
    struct text_list left = { 0 };

    for (size_t k = 0; k < ids->count; k++)
        if (!text_equal(ids->items[k], gone))
            text_list_add(repair->arena, &left, ids->items[k]);
    if (!write_ids(repair, i, name, &left, ret))
        return false;
    if (ret->is_done)
        repair_note(repair, repair_revision(repair, i)->file,
            arena_printf(
                repair->ctx->arena, "%s of %s without %s", name, repair_id(repair, i), gone));
    return true;
}

/* ---- problems ---- */

/* A missing id that is nearly another one's was mistyped. */
static ptrdiff_t
find_typo(const struct repair *repair, size_t child, const char *missing)
{
    ptrdiff_t found = REPAIR_NOBODY;

    for (size_t i = 0; missing && strlen(missing) >= TYPO_LENGTH && i < repair->now.graph.count;
         i++) {
        if (!repair_may_follow(repair, i, child) ||
            text_distance(repair_id(repair, i), missing) > TYPO_DISTANCE)
            continue;
        if (found != REPAIR_NOBODY)
            return REPAIR_NOBODY;
        found = (ptrdiff_t)i;
    }
    return found;
}

static bool
mend_missing_parent(
    struct repair *repair, const struct graph_problem *problem, struct repair_step *ret)
{
    const struct revision *revision = repair_revision(repair, problem->revision);
    ptrdiff_t typo = find_typo(repair, problem->revision, problem->id);

    if (revision->down.count > 1 && typo == REPAIR_NOBODY)
        return leave_out(
            repair, problem->revision, "down_revision", &revision->down, problem->id, ret);
    if (typo != REPAIR_NOBODY && revision->down.count == 1)
        return reparent(repair, problem->revision,
            (struct repair_choice){
                typo, arena_printf(repair->ctx->arena, "for which %s was mistyped", problem->id) },
            ret);
    return reparent(
        repair, problem->revision, repair_choose_parent(repair, problem->revision, false), ret);
}

static bool
mend_self_loop(struct repair *repair, const struct graph_problem *problem, struct repair_step *ret)
{
    const struct revision *revision = repair_revision(repair, problem->revision);

    if (text_list_has(&revision->depends_on, revision->id))
        return leave_out(
            repair, problem->revision, "depends_on", &revision->depends_on, revision->id, ret);
    if (revision->down.count > 1)
        return leave_out(
            repair, problem->revision, "down_revision", &revision->down, revision->id, ret);
    return reparent(
        repair, problem->revision, repair_choose_parent(repair, problem->revision, false), ret);
}

/* Whether the node is reached from itself; dependencies: over depends_on as well. */
static bool
is_on_cycle(struct repair *repair, size_t start, bool dependencies)
{
    const struct graph *graph = &repair->now.graph;
    bool *seen = ARENA_ARRAY(repair->arena, bool, graph->count + 1);
    VEC(size_t) todo = { 0 };

    VEC_PUSH(repair->arena, &todo, start);
    while (todo.count > 0) {
        const struct node *node = repair_node(repair, todo.items[--todo.count]);

        for (size_t i = 0; i < node->parents.count + node->dependencies.count; i++) {
            bool is_parent = i < node->parents.count;
            size_t next = is_parent ? node->parents.items[i]
                                    : node->dependencies.items[i - node->parents.count];

            if (!is_parent && !dependencies)
                continue;
            if (next == start)
                return true;
            if (!seen[next])
                VEC_PUSH(repair->arena, &todo, next);
            seen[next] = true;
        }
    }
    return false;
}

/* The docstring names a parent, or that there is none, and the code has another one. */
static bool
is_at_odds(const struct revision *revision)
{
    return revision->doc_revises && revision->down.count == 1 &&
           !text_equal(revision->doc_revises, revision->down.items[0]);
}

/*
 * Where to cut a circle: at a revision whose docstring says otherwise, else at the oldest by
 * Create Date, else at the first file.
 */
static ptrdiff_t
choose_cut(struct repair *repair, bool dependencies)
{
    ptrdiff_t found = REPAIR_NOBODY;

    for (size_t i = 0; i < repair->now.graph.count; i++) {
        const struct revision *revision = repair_revision(repair, i);

        if (!is_on_cycle(repair, i, dependencies) ||
            (dependencies && revision->depends_on.count == 0))
            continue;
        if (found == REPAIR_NOBODY) {
            found = (ptrdiff_t)i;
            continue;
        }

        bool was_at_odds = is_at_odds(repair_revision(repair, (size_t)found));

        if (is_at_odds(revision) != was_at_odds) {
            if (!was_at_odds)
                found = (ptrdiff_t)i;
        } else if (revision->doc_created &&
                   strcmp(revision->doc_created, repair_date(repair, found)) < 0)
            found = (ptrdiff_t)i;
    }
    return found;
}

static bool
mend_cycle(struct repair *repair, struct repair_step *ret)
{
    ptrdiff_t cut = choose_cut(repair, false);

    if (cut != REPAIR_NOBODY) {
        struct repair_choice choice = repair_choose_parent(repair, (size_t)cut, false);
        const struct revision *revision = repair_revision(repair, (size_t)cut);

        if (is_at_odds(revision) && text_is_empty(revision->doc_revises))
            choice = (struct repair_choice){ REPAIR_NOBODY, "" };
        return reparent(repair, (size_t)cut, choice, ret);
    }
    cut = choose_cut(repair, true);
    if (cut == REPAIR_NOBODY)
        return true;

    const struct text_list none = { 0 };

    if (!write_ids(repair, (size_t)cut, "depends_on", &none, ret))
        return false;
    if (ret->is_done)
        repair_note(repair, repair_revision(repair, (size_t)cut)->file,
            arena_printf(repair->ctx->arena, "depends_on of %s is dropped: it closes a circle",
                repair_id(repair, (size_t)cut)));
    return true;
}

/* Two files with one id: the one that Alembic does not see gets an id of its own. */
static bool
mend_duplicate(struct repair *repair, const struct graph_problem *problem, struct repair_step *ret)
{
    const struct graph *graph = &repair->now.graph;
    size_t hidden = problem->revision;
    struct repair_file file;

    for (size_t i = 0; i < graph->count; i++)
        if (text_equal(repair_id(repair, i), problem->id) && repair_node(repair, i)->is_shadowed)
            hidden = i;

    const struct revision *revision = repair_revision(repair, hidden);
    const char *name = repair_name(repair, revision->file);
    const char *seed = arena_printf(repair->arena, "%s %s", problem->id, name);
    const char *id =
        arena_strndup(repair->ctx->arena, sha256_of(repair->arena, seed, strlen(seed)), 12);

    if (!repair_open(repair->ctx, revision->file, &file))
        return false;
    ret->is_done = repair_assign(&file, "revision",
        arena_printf(repair->arena, has_double_quotes(&file) ? "\"%s\"" : "'%s'", id));
    if (!ret->is_done)
        return true;
    repair_note(repair, revision->file,
        arena_printf(
            repair->ctx->arena, "id %s, because another file has %s too", id, problem->id));
    return repair_save(repair->ctx, &file);
}

static bool
is_fatal(const struct repair *repair, const struct graph_problem *problem)
{
    bool is_old = text_starts_with(repair->request->alembic->version, "1.8");

    if (problem->kind == GRAPH_DUPLICATE_ID)
        return true; /* a phantom head stays */
    return is_old ? problem->is_fatal_1_8 : problem->is_fatal_1_8 || problem->is_fatal_1_19;
}

static bool
mend_problem(struct repair *repair, const struct graph_problem *problem, struct repair_step *ret)
{
    const struct revision *revision = repair_revision(repair, problem->revision);
    const char *name = repair_name(repair, revision->file);
    struct arena *arena = repair->ctx->arena;

    switch (problem->kind) {
    case GRAPH_DUPLICATE_ID:
        return mend_duplicate(repair, problem, ret);
    case GRAPH_MISSING_PARENT:
        return mend_missing_parent(repair, problem, ret);
    case GRAPH_MISSING_DEPENDENCY:
        return leave_out(
            repair, problem->revision, "depends_on", &revision->depends_on, problem->id, ret);
    case GRAPH_SELF_LOOP:
        return mend_self_loop(repair, problem, ret);
    case GRAPH_CYCLE:
        return mend_cycle(repair, ret);
    case GRAPH_EMPTY_PARENT:
        return reparent(
            repair, problem->revision, (struct repair_choice){ REPAIR_NOBODY, "" }, ret);
    case GRAPH_NO_ID:
        if (revision->id)
            return reparent(repair, problem->revision,
                repair_choose_parent(repair, problem->revision, false), ret);
        ret->cannot = arena_printf(
            arena, "%s is no revision: move it out of the folder, or give it an id", name);
        return true;
    case GRAPH_BAD_ID:
    case GRAPH_AMBIGUOUS:
        break;
    }
    ret->cannot = arena_printf(arena, "%s: %s: write another id there, which only you can choose",
        name, problem->alembic ? problem->alembic : "Alembic refuses the id");
    return true;
}

/* ---- what Alembic loads, and yet is not meant ---- */

/* A merge that names the heads in depends_on only. */
static bool
mend_merge(struct repair *repair, struct repair_step *ret)
{
    const struct text_list none = { 0 };

    for (size_t i = 0; repair->now.graph.heads.count > 1 && i < repair->now.graph.count; i++) {
        const struct node *node = repair_node(repair, i);
        const struct revision *revision = repair_revision(repair, i);
        const char *what =
            arena_printf(repair->ctx->arena, "make %s a merge of %s: depends_on merges nothing",
                revision->id, text_list_join(repair->ctx->arena, &revision->depends_on, " and "));

        if (node->parents.count > 0 || node->dependencies.count < 2 || revision->upgrade.count > 0)
            continue;
        if (!write_parents(repair, i, &revision->depends_on, what, ret))
            return false;
        return !ret->is_done || write_ids(repair, i, "depends_on", &none, ret);
    }
    return true;
}

static size_t
count_behind(const struct repair *repair, size_t i)
{
    size_t count = 0;

    for (size_t k = 0; k < repair->now.graph.count; k++)
        count += k != i && graph_is_ancestor(&repair->now.graph, i, k);
    return count;
}

/* The base that most of the history hangs on is the one it was meant to begin with. */
static size_t
true_base(const struct repair *repair)
{
    const struct graph *graph = &repair->now.graph;
    size_t found = graph->bases.items[0];

    for (size_t i = 0; i < graph->bases.count; i++) {
        size_t base = graph->bases.items[i];
        bool was_placeholder = repair_revision(repair, found)->is_down_placeholder;
        bool is_placeholder = repair_revision(repair, base)->is_down_placeholder;

        if ((was_placeholder && !is_placeholder) ||
            (was_placeholder == is_placeholder &&
                count_behind(repair, base) > count_behind(repair, found)))
            found = base;
    }
    return found;
}

/* Bases that nobody meant: with a placeholder, or at work on tables that others make. */
static bool
mend_base(struct repair *repair, struct repair_step *ret)
{
    const struct graph *graph = &repair->now.graph;

    for (size_t i = 0; graph->bases.count > 1 && i < graph->bases.count; i++) {
        size_t base = graph->bases.items[i];
        const struct revision *revision = repair_revision(repair, base);

        if (base == true_base(repair) || repair_node(repair, base)->labels.count > 0 ||
            (!revision->is_down_placeholder &&
                repair_find_last_maker(repair, base) == REPAIR_NOBODY))
            continue;

        struct repair_choice choice = repair_choose_parent(repair, base, true);

        if (choice.parent != REPAIR_NOBODY)
            return reparent(repair, base, choice, ret);
    }
    return true;
}

/* A merge of all heads, as a new file. */
static bool
merge_heads(struct repair *repair, struct repair_step *ret)
{
    struct squash_file merge;
    struct text_list heads = { 0 };
    const char *path;

    if (!squash_merge_heads(repair->ctx, &repair->now, &merge))
        return false;
    for (size_t i = 0; i < repair->now.graph.heads.count; i++)
        text_list_add(
            repair->ctx->arena, &heads, repair_id(repair, repair->now.graph.heads.items[i]));
    path = file_join(repair->ctx->arena, repair->folder, merge.name);
    ret->is_done = true;
    repair_note(repair, path,
        arena_printf(repair->ctx->arena, "merge the heads %s",
            text_list_join(repair->ctx->arena, &heads, ", ")));
    return file_write(repair->ctx, path, merge.text, strlen(merge.text), 0644);
}

bool
repair_graph(struct repair *repair, struct repair_step *ret)
{
    const struct graph *graph = &repair->now.graph;

    *ret = (struct repair_step){ 0 };
    for (size_t i = 0; i < graph->problems.count; i++)
        if (is_fatal(repair, &graph->problems.items[i]))
            return mend_problem(repair, &graph->problems.items[i], ret);
    if (!mend_merge(repair, ret))
        return false;
    if (!ret->is_done && !ret->cannot && !mend_base(repair, ret))
        return false;
    if (ret->is_done || ret->cannot)
        return true;
    if (graph->heads.count > 1 && text_equal(repair->request->target, "head"))
        return merge_heads(repair, ret);
    return true;
}

bool
repair_order(struct repair *repair, const struct revision *revision, const char *table,
    struct repair_step *ret)
{
    const struct graph *graph = &repair->now.graph;
    ptrdiff_t maker = repair_find_maker(repair, revision->index, table);
    struct text_list ids = { 0 };

    if (maker == REPAIR_NOBODY || graph_is_ancestor(graph, (size_t)maker, revision->index))
        return true;
    if (repair_node(repair, revision->index)->is_base)
        return reparent(repair, revision->index,
            (struct repair_choice){
                maker, arena_printf(repair->ctx->arena, "which makes %s", table) },
            ret);
    for (size_t i = 0; i < revision->depends_on.count; i++)
        text_list_add(repair->arena, &ids, revision->depends_on.items[i]);
    text_list_add(repair->arena, &ids, repair_id(repair, (size_t)maker));
    if (!write_ids(repair, revision->index, "depends_on", &ids, ret))
        return false;
    if (ret->is_done)
        repair_note(repair, revision->file,
            arena_printf(repair->ctx->arena, "%s depends on %s, which makes %s", revision->id,
                repair_id(repair, (size_t)maker), table));
    return true;
}
