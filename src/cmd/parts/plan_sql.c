#include "cmd/parts/plan_sql.h"

#include <sys/stat.h>

#include "base/file.h"
#include "cmd/parts/print_plan_steps.h"
#include "db/ident.h"
#include "monitor/plain.h"

enum { SLUG_LENGTH = 48, COMMENT_COLUMNS = 200 };

/* What every file of ours begins with: others are not overwritten. */
static const char marker[] = "-- Written by pgmend plan --sql";
static const char undo_folder[] = "undo";

/* ---- which folder ---- */

static bool
is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool
is_ours(struct ctx *ctx, const char *path, bool *ret)
{
    const char *text;
    size_t length;

    *ret = false;
    if (is_folder(path))
        return true;
    if (!file_read(ctx, path, &text, &length))
        return false;
    *ret = text_starts_with(text, marker);
    return true;
}

static bool
check_one(struct ctx *ctx, const char *folder, bool may_hold_undo)
{
    struct text_list names = { 0 };

    if (file_exists(folder) && !is_folder(folder))
        return error_set(ctx, ERR_USAGE, "--sql: \"%s\" is no folder", folder);
    if (!file_list(ctx, folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        bool is_good = false;

        if (may_hold_undo && text_equal(names.items[i], undo_folder))
            continue;
        if (!is_ours(ctx, file_join(ctx->arena, folder, names.items[i]), &is_good))
            return false;
        if (is_good)
            continue;
        error_set(ctx, ERR_USAGE,
            "--sql: \"%s\" holds \"%s\", which is not of a plan: nothing is "
            "overwritten there",
            folder, names.items[i]);
        return error_hint(ctx, "Give an empty folder, or one that does not exist yet.");
    }
    return true;
}

bool
plan_sql_check_folder(struct ctx *ctx, const char *folder)
{
    return check_one(ctx, folder, true) &&
           check_one(ctx, file_join(ctx->arena, folder, undo_folder), false);
}

static bool
empty(struct ctx *ctx, const char *folder)
{
    struct text_list names = { 0 };

    if (!file_list(ctx, folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (!text_equal(names.items[i], undo_folder) &&
            !file_remove(ctx, file_join(ctx->arena, folder, names.items[i])))
            return false;
    return true;
}

/* ---- names ---- */

/* "01-index-on-public-messages-dialog-id.sql" */
static const char *
name_of(struct arena *arena, size_t position, const struct plan_step *step)
{
    struct buffer slug = { .arena = arena };
    bool is_gap = false;

    for (const char *at = step->title; *at && slug.length < SLUG_LENGTH; at++) {
        char lower = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
        bool is_word = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');

        if (is_word && is_gap && slug.length > 0)
            buffer_add(&slug, "-");
        is_gap = !is_word;
        if (is_word)
            buffer_append(&slug, &lower, 1);
    }
    return arena_printf(
        arena, "%02zu-%s.sql", position + 1, slug.length > 0 ? buffer_text(&slug) : "step");
}

/* ---- one script ---- */

static void
comment(struct arena *arena, struct buffer *ret, const char *label, const char *text)
{
    if (text)
        buffer_printf(ret, "-- %-8s %s\n", label, plain_cut(arena, text, COMMENT_COLUMNS));
}

static void
head(struct arena *arena, const struct plan *plan, const struct plan_step *step, bool is_undo,
    struct buffer *ret)
{
    struct plan_cost cost;

    plan_cost_of(plan, step, &cost);
    buffer_printf(ret, "%s, plan %.12s of database %s\n", marker, plan->hash,
        plain_text(arena, plan->database));
    comment(arena, ret, "step",
        arena_printf(arena, "%s%s  %s", is_undo ? "undo of " : "", step->id, step->title));
    if (step->count == 0)
        return;
    if (is_undo) {
        comment(arena, ret, "takes",
            arena_printf(arena, "about %s", plan_time_text(arena, step->undo_us)));
        return;
    }
    comment(arena, ret, "why", step->why);
    comment(arena, ret, "lock",
        arena_printf(
            arena, "%s%s%s", cost.lock, cost.blocks ? ": " : "", cost.blocks ? cost.blocks : ""));
    comment(arena, ret, "takes",
        arena_printf(arena, "about %s; disk %s, WAL %s",
            plan_time_text(arena, cost.us > 0 ? cost.us : -1), text_from_bytes(arena, cost.bytes),
            text_from_bytes(arena, cost.wal_bytes)));
    comment(arena, ret, "promise", step->promise);
    comment(arena, ret, "needs", step->needs);
}

/*
 * What is built or dropped CONCURRENTLY waits for old snapshots under lock_timeout too, and is left unusable when
 * that is short; everything else gives way soon.
 */
static const char *
lock_timeout_of(const struct change *change)
{
    bool is_concurrent = change_is_of(change, KIND_INDEX) || change_is_of(change, KIND_DROP) ||
                         change_is_of(change, KIND_REINDEX);

    return is_concurrent ? "30min" : "2s";
}

/* The session's own, for this change alone: "name=value;…". */
static void
set_settings(struct arena *arena, const struct change *change, struct buffer *ret)
{
    const char *at = change->settings;

    while (at && *at) {
        size_t length = strcspn(at, ";");
        size_t name = strcspn(at, "=;");

        if (name < length)
            buffer_printf(ret, "SET %.*s = %s;\n", (int)name, at,
                db_literal(arena, arena_strndup(arena, at + name + 1, length - name - 1)));
        at += length;
        at += strspn(at, "; ");
    }
}

/* A query for who wants to see with his own eyes that it works. */
static void
look(struct arena *arena, const struct change *change, struct buffer *ret)
{
    if (change_is_of(change, KIND_INDEX) || change_is_of(change, KIND_REINDEX))
        buffer_printf(ret,
            "-- look     SELECT i.indisvalid, s.idx_scan FROM pg_catalog.pg_index AS i\n"
            "--            JOIN pg_catalog.pg_stat_all_indexes AS s ON s.indexrelid = i.indexrelid\n"
            "--           WHERE i.indexrelid = pg_catalog.to_regclass(%s);\n",
            db_literal(arena, change_object(arena, change)));
    else if (change_is_of(change, KIND_SETTING) && !change->table && !change->role)
        buffer_printf(ret, "-- look     SHOW %s;\n", change->name);
}

static bool
add_change(
    struct ctx *ctx, struct db *db, const struct change *change, bool is_undo, struct buffer *ret)
{
    if (!change_is_pending(change))
        return true;
    buffer_printf(ret, "\nSET lock_timeout = '%s';\n", lock_timeout_of(change));
    if (!is_undo)
        set_settings(ctx->arena, change, ret);
    if (!(is_undo ? plan_sql_undo(ctx, db, change, ret) : plan_sql_do(ctx, db, change, ret)))
        return false;
    if (!is_undo)
        look(ctx->arena, change, ret);
    return true;
}

static bool
script_of(struct ctx *ctx, struct db *db, const struct plan *plan, const struct plan_step *step,
    bool is_undo, struct buffer *ret)
{
    *ret = (struct buffer){ .arena = ctx->arena };
    head(ctx->arena, plan, step, is_undo, ret);
    if (step->count == 0) {
        comment(ctx->arena, ret, "by hand", is_undo ? step->undo : step->manual);
        buffer_printf(ret, "\\echo %s\n",
            db_literal(ctx->arena, arena_printf(ctx->arena, "%s %s is by hand",
                                       is_undo ? "the undo of" : "step", step->id)));
        return true;
    }
    buffer_printf(ret,
        "\\set ON_ERROR_STOP on\n"
        "\\echo '%s %s'\n"
        "-- names outside pg_catalog stand with their schema\n"
        "SET search_path = pg_catalog;\n"
        "SET statement_timeout = 0;\n",
        is_undo ? "undo of step" : "step", step->id);
    for (size_t i = 0; i < step->count; i++) {
        size_t position = is_undo ? step->first + step->count - 1 - i : step->first + i;

        if (!add_change(ctx, db, &plan->items[position], is_undo, ret))
            return false;
    }
    buffer_add(ret, "\nRESET ALL;\n");
    return true;
}

/* ---- the folder ---- */

static bool
write_text(struct ctx *ctx, const char *folder, const char *name, struct buffer *text)
{
    return file_write(
        ctx, file_join(ctx->arena, folder, name), buffer_text(text), text->length, 0644);
}

/* The steps of a plan without any: all its changes are one. */
static struct plan
with_steps(struct arena *arena, const struct plan *plan)
{
    struct plan whole = *plan;
    const struct plan_step step = {
        .id = "1.1",
        .phase = 1,
        .title = "all changes of the plan",
        .risk = "low",
        .count = plan->count,
        .undo_us = -1,
    };

    if (plan->steps.count == 0 && plan->count > 0)
        VEC_PUSH(arena, &whole.steps, step);
    return whole;
}

static bool
write_scripts(struct ctx *ctx, struct db *db, const struct plan *plan, const char *folder)
{
    const char *undo = file_join(ctx->arena, folder, undo_folder);

    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct plan_step *step = &plan->steps.items[i];
        const char *name = name_of(ctx->arena, i, step);
        struct buffer text;

        if (!script_of(ctx, db, plan, step, false, &text) || !write_text(ctx, folder, name, &text))
            return false;
        if (!script_of(ctx, db, plan, step, true, &text) || !write_text(ctx, undo, name, &text))
            return false;
    }
    return true;
}

/* The script that runs the others. \ir takes names as from its own folder. */
static bool
write_list(struct ctx *ctx, const struct plan *plan, const char *folder, bool is_undo)
{
    struct buffer text = { .arena = ctx->arena };

    buffer_printf(&text, "%s, plan %.12s of database %s\n", marker, plan->hash,
        plain_text(ctx->arena, plan->database));
    buffer_add(&text, is_undo
                          ? "-- All steps back, the last one first.\n"
                          : "-- All steps in order. Not inside a transaction: indexes are built "
                            "CONCURRENTLY.\n");
    buffer_add(&text, "\\set ON_ERROR_STOP on\n");
    for (size_t i = 0; i < plan->steps.count; i++) {
        size_t position = is_undo ? plan->steps.count - 1 - i : i;
        const char *name = name_of(ctx->arena, position, &plan->steps.items[position]);

        buffer_printf(&text, "\\ir %s%s\n", is_undo ? "undo/" : "", name);
    }
    return write_text(ctx, folder, is_undo ? "undo.sql" : "all.sql", &text);
}

bool
plan_sql_write(struct ctx *ctx, struct db *db, const struct plan *plan, const char *folder)
{
    struct plan whole = with_steps(ctx->arena, plan);
    const char *undo = file_join(ctx->arena, folder, undo_folder);

    if (!plan_sql_check_folder(ctx, folder) || !file_make_folder(ctx, undo) ||
        !empty(ctx, folder) || !empty(ctx, undo) || !write_scripts(ctx, db, &whole, folder) ||
        !write_list(ctx, &whole, folder, false) || !write_list(ctx, &whole, folder, true))
        return error_wrap(ctx, "writing the scripts of the plan");
    return true;
}
