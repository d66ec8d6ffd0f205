#include "migrate/squash/catch_up.h"

#include "base/interrupt.h"

const char *
catch_up_standing(struct arena *arena, const struct text_list *revisions)
{
    return revisions->count > 0 ? text_list_join(arena, revisions, ", ") : "no revision";
}

static bool
read_folder(struct ctx *ctx, const struct environment *environment, const char *folder,
    struct history *ret_history, struct graph *ret_graph)
{
    struct environment one = *environment;

    if (folder) {
        one.locations = (struct text_list){ 0 };
        text_list_add(ctx->arena, &one.locations, folder);
    }
    return history_read(ctx, &one, 0, NULL, ret_history) &&
           graph_build(ctx, ret_history, ret_graph);
}

/* The revisions between where the database stands and the archive's head. */
static bool
find_missing(struct ctx *ctx, struct catch_up *ret)
{
    const struct graph *graph = &ret->graph;
    size_t head;

    if (graph->heads.count != 1)
        return error_set(
            ctx, ERR_INPUT, "the archive \"%s\" has %zu heads", ret->archive, graph->heads.count);
    head = graph->heads.items[0];
    ret->head = graph->nodes[head].revision->id;
    for (size_t i = 0; i < graph->order.count; i++) {
        size_t node = graph->order.items[i];
        bool is_missing = node == head || graph_is_ancestor(graph, node, head);

        for (size_t j = 0; is_missing && j < ret->database.revisions.count; j++) {
            const struct node *here = map_get(&graph->by_id, ret->database.revisions.items[j]);
            size_t at = (size_t)(here - graph->nodes);

            is_missing = at != node && !graph_is_ancestor(graph, node, at);
        }
        if (is_missing)
            VEC_PUSH(ctx->arena, &ret->missing, node);
    }
    return true;
}

static bool
look_at_archive(struct ctx *ctx, struct db *db, const struct environment *environment,
    const char *archive, struct catch_up *ret)
{
    text_list_add(ctx->arena, &ret->looked, archive);
    history_free(&ret->history);
    if (!read_folder(ctx, environment, archive, &ret->history, &ret->graph) ||
        !squash_ask_database(ctx, db, environment, &ret->graph, "", &ret->database))
        return error_wrap(ctx, "reading the archive \"%s\"", archive);
    if (!ret->database.is_known)
        return true;
    ret->archive = archive;
    return find_missing(ctx, ret);
}

static bool
refuse_unknown(struct ctx *ctx, const struct catch_up *plan)
{
    const char *standing = catch_up_standing(ctx->arena, &plan->database.revisions);

    if (plan->looked.count == 0) {
        error_set(ctx, ERR_NOT_FOUND,
            "%s stands at %s, which the version folder does not know, and there is no archive",
            plan->database.label, standing);
        return error_hint(ctx,
            "Archives lie in versions_archive beside the version folder; --archive names another "
            "folder with the old revisions.");
    }
    error_set(ctx, ERR_NOT_FOUND, "%s stands at %s, which neither the version folder nor %s knows",
        plan->database.label, standing, text_list_join(ctx->arena, &plan->looked, ", "));
    return error_hint(ctx,
        "It was migrated from another branch or release: run that one's \"alembic upgrade\", or "
        "name a folder that has the revision: --archive DIR.");
}

static bool
look_at_archives(struct ctx *ctx, struct db *db, const struct environment *environment,
    const char *archive, struct catch_up *ret)
{
    struct text_list archives = { 0 };

    if (archive)
        text_list_add(ctx->arena, &archives, archive);
    else if (!squash_archives(ctx, environment, &archives))
        return false;
    for (size_t i = 0; i < archives.count && !ret->archive; i++)
        if (!look_at_archive(ctx, db, environment, archives.items[i], ret))
            return false;
    return ret->archive || refuse_unknown(ctx, ret);
}

bool
catch_up_find(struct ctx *ctx, struct db *db, const struct environment *environment,
    const char *archive, struct catch_up *ret)
{
    struct history now = { 0 };
    struct graph graph;
    bool is_good;

    *ret = (struct catch_up){ 0 };
    is_good = read_folder(ctx, environment, NULL, &now, &graph) &&
              squash_ask_database(ctx, db, environment, &graph, "", &ret->database);
    ret->needs_nothing = is_good && ret->database.is_known;
    if (is_good && !ret->needs_nothing) {
        is_good = look_at_archives(ctx, db, environment, archive, ret);
        ret->is_last = is_good && map_get(&graph.by_id, ret->head);
    }
    history_free(&now);
    return is_good;
}

bool
catch_up_recheck(struct ctx *ctx, struct db *db, const struct environment *environment,
    const struct catch_up *plan)
{
    struct squash_database now;

    if (!squash_ask_database(ctx, db, environment, &plan->graph, plan->head, &now))
        return false;
    if (text_equal(text_list_join(ctx->arena, &now.revisions, ","),
            text_list_join(ctx->arena, &plan->database.revisions, ",")))
        return true;
    error_set(ctx, ERR_STALE, "%s stood at %s and stands at %s now: somebody migrates it",
        now.label, catch_up_standing(ctx->arena, &plan->database.revisions),
        catch_up_standing(ctx->arena, &now.revisions));
    error_hint(ctx, "Start again when nobody does.");
    return error_state(ctx, "Nothing was changed by this run.");
}

/* Says where the database stands now; the error of the run stays. */
static bool
tell_standing(
    struct ctx *ctx, struct db *db, const struct alembic *alembic, const struct catch_up *plan)
{
    struct ctx aside = { .arena = ctx->arena };
    int signal_number = interrupt_take();
    struct squash_database now;

    if (!squash_ask_database(&aside, db, alembic->environment, &plan->graph, plan->head, &now))
        error_state(ctx, "Where %s stands now could not be read: %s. It stood at %s.",
            plan->database.label, aside.error.message,
            catch_up_standing(ctx->arena, &plan->database.revisions));
    else if (text_equal(text_list_join(ctx->arena, &now.revisions, ","),
                 text_list_join(ctx->arena, &plan->database.revisions, ",")))
        error_state(ctx, "%s stands at %s, as before.", now.label,
            catch_up_standing(ctx->arena, &now.revisions));
    else
        error_state(ctx, "%s stands at %s now; it stood at %s.", now.label,
            catch_up_standing(ctx->arena, &now.revisions),
            catch_up_standing(ctx->arena, &plan->database.revisions));
    interrupt_put(signal_number);
    return false;
}

/* Exactly one row, and it is the old head. */
static bool
check_standing(
    struct ctx *ctx, struct db *db, const struct alembic *alembic, const struct catch_up *plan)
{
    struct squash_database now;

    if (!squash_ask_database(ctx, db, alembic->environment, &plan->graph, plan->head, &now))
        return false;
    if (now.is_at_head)
        return true;
    error_set(ctx, ERR_VERIFICATION, "Alembic ended well, but %s stands at %s instead of %s",
        now.label, catch_up_standing(ctx->arena, &now.revisions), plan->head);
    return error_hint(ctx, "Somebody else may have migrated it meanwhile: look before going on.");
}

bool
catch_up_run(struct ctx *ctx, struct db *db, struct alembic *alembic, const struct catch_up *plan,
    const struct alembic_watcher *watcher, struct alembic_outcome *ret)
{
    const char *const args[] = { "upgrade", plan->head, NULL };

    alembic->versions = plan->archive;
    if (!alembic_probe(ctx, alembic, db))
        return tell_standing(ctx, db, alembic, plan);
    if (!alembic_run(ctx, alembic, db, args, watcher, ret))
        return tell_standing(ctx, db, alembic, plan);
    if (ret->status != 0) {
        (void)alembic_failure(ctx, ret);
        return tell_standing(ctx, db, alembic, plan);
    }
    return check_standing(ctx, db, alembic, plan) || tell_standing(ctx, db, alembic, plan);
}
