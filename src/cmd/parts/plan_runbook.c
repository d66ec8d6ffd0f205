#include "cmd/parts/plan_runbook.h"

#include "backup/backup.h"
#include "base/file.h"
#include "change/restore_point.h"
#include "cmd/parts/plan_order_risk.h"
#include "cmd/parts/print_plan_steps.h"
#include "cmd/parts/rehearsal_record.h"
#include "monitor/plain.h"

/* The plan's own goals, which every rehearsal is held against. */
#define GOAL_CODE     "2 min (a flag: 1 s)"
#define GOAL_INDEX    "5 min"
#define GOAL_DATABASE "30 min"

static const char not_measured[] = "not measured: rehearse";

struct page {
    struct arena *arena;
    struct buffer text;
    const struct plan_runbook *book;
    const struct plan *plan;
    bool has_backup;
    struct backup_info backup;
    const char *why_no_backup;
    const char *points;      /* why there are no restore points; NULL: there are */
    const json_t *rehearsal; /* what the last one measured; NULL: there was none */
};

/* One line, and no pipe, which would end a cell. */
static const char *
cell(struct arena *arena, const char *text)
{
    struct buffer clean = { .arena = arena };

    for (const char *at = plain_text(arena, text ? text : ""); *at; at++) {
        if (*at == '|')
            buffer_add(&clean, "\\");
        buffer_append(&clean, at, 1);
    }
    return buffer_text(&clean);
}

static bool
look_up(struct ctx *ctx, struct db *db, struct page *page)
{
    struct ctx own = { .arena = ctx->arena };

    /* Backups are files, perhaps none or unreadable: that is said, and the book is written all the same. */
    page->has_backup = backup_find_verified(
        &own, page->book->backup_dir, db, 0, &page->backup, &page->why_no_backup);
    if (!page->has_backup && !page->why_no_backup)
        page->why_no_backup = own.error.message ? own.error.message : "there is none";
    return restore_point_advice(ctx, db, &page->points);
}

/* How long the undo of a step took when it was rehearsed; -1: it was not. */
static int64_t
rehearsed_us(const struct page *page, const char *id)
{
    const json_t *steps = page->rehearsal ? json_object_get(page->rehearsal, "steps") : NULL;
    size_t i;
    const json_t *step;

    json_array_foreach(steps, i, step)
    {
        if (text_equal(json_get_text(page->arena, step, "step", ""), id))
            return json_get_int(step, "undo_us", -1);
    }
    return -1;
}

/* "200 ms rehearsed", "200 ms estimated", or that nobody knows. */
static const char *
undo_time(const struct page *page, const struct plan_step *step)
{
    int64_t us = rehearsed_us(page, step->id);

    if (us >= 0)
        return arena_printf(page->arena, "%s rehearsed", text_from_us(page->arena, us));
    if (step->undo_us < 0)
        return not_measured;
    return arena_printf(page->arena, "%s estimated", text_from_us(page->arena, step->undo_us));
}

/* ---- the parts ---- */

static void
add_head(struct page *page, const char *label)
{
    const struct plan *plan = page->plan;

    buffer_printf(&page->text, "# Rollback runbook: plan %.12s\n\n", plan->hash);
    buffer_printf(&page->text, "| | |\n| --- | --- |\n");
    buffer_printf(&page->text, "| Database | %s, PostgreSQL %s |\n", cell(page->arena, label),
        cell(page->arena, plan->server_version));
    buffer_printf(&page->text, "| Plan made | %s%s%s |\n", cell(page->arena, plan->created_at),
        page->book->file ? ", file " : "",
        page->book->file ? cell(page->arena, page->book->file) : "");
    buffer_printf(
        &page->text, "| Steps | %zu, with %zu changes |\n", plan->steps.count, plan_pending(plan));
    if (page->has_backup)
        buffer_printf(&page->text, "| Backup | %s, proven by a restore of %s |\n",
            cell(page->arena, page->backup.name),
            text_from_us(page->arena, page->backup.restore_us));
    else
        buffer_printf(&page->text,
            "| Backup | **none that is proven**: %s. `pgmend backup create`, then `pgmend backup "
            "verify` |\n",
            cell(page->arena, page->why_no_backup));
    buffer_add(&page->text, "\n");
}

static const char *
database_time(const struct page *page)
{
    if (!page->has_backup || page->backup.restore_us <= 0)
        return not_measured;
    return arena_printf(
        page->arena, "%s measured", text_from_us(page->arena, page->backup.restore_us));
}

/* Of all steps together: rehearsed, if all of them were; else an estimate, said to be one. */
static const char *
index_time(const struct page *page)
{
    bool is_rehearsed = true;
    int64_t us = 0;

    for (size_t i = 0; i < page->plan->steps.count; i++) {
        const struct plan_step *step = &page->plan->steps.items[i];
        int64_t measured_us = rehearsed_us(page, step->id);

        if (step->count == 0)
            continue;
        is_rehearsed &= measured_us >= 0;
        if (measured_us < 0 && step->undo_us < 0)
            return not_measured;
        us += measured_us >= 0 ? measured_us : step->undo_us;
    }
    return arena_printf(page->arena, "%s %s for all steps", text_from_us(page->arena, us),
        is_rehearsed ? "rehearsed" : "estimated");
}

static void
add_levels(struct page *page)
{
    const char *backup = page->has_backup ? cell(page->arena, page->backup.name) : "BACKUP";

    buffer_add(&page->text,
        "## Which level\n\nTake the first that takes the trouble away. What goes wrong while `pgmend "
        "apply` runs is undone by itself; `pgmend status` says what stands.\n\n"
        "| Level | When | Command | Goal | Expected |\n| --- | --- | --- | --- | --- |\n");
    buffer_printf(&page->text,
        "| 1 code | the application errs or is slow since a release or a flag | `pgmend rollback "
        "--level code` | %s | %s |\n",
        GOAL_CODE, not_measured);
    buffer_printf(&page->text,
        "| 2 index | statements are slower, or a step does not pay | `pgmend rollback --to STEP` "
        "(below), all: `pgmend rollback --to start` | %s | %s |\n",
        GOAL_INDEX, index_time(page));
    buffer_printf(&page->text,
        "| 3 database | data are wrong; the last resort: what was written since the backup is lost, "
        "and counted before you confirm | `pgmend rollback --level database %s` | %s | %s |\n\n",
        backup, GOAL_DATABASE, database_time(page));
    buffer_add(&page->text,
        "With a pooler, level 3 takes `--pgbouncer URL` (its admin console): clients wait then and "
        "lose no connection.\n\n");
}

static void
add_people(struct page *page)
{
    buffer_add(&page->text,
        "## Whom to tell\n\nBefore levels 2 and 3, and again when it is over. Write names and "
        "telephone numbers in here before the plan is applied.\n\n"
        "| Level | Decides | Is told | Name, telephone |\n| --- | --- | --- | --- |\n"
        "| 1 code | backend lead | QA | |\n"
        "| 2 index | database or DevOps lead | backend lead | |\n"
        "| 3 database | product owner with the DevOps lead | everybody, users too | |\n\n");
}

static void
add_step(struct page *page, size_t position)
{
    const struct plan_step *step = &page->plan->steps.items[position];
    const char *before = position > 0 ? page->plan->steps.items[position - 1].id : "start";

    buffer_printf(&page->text, "### %s  %s\n\n", step->id, plain_text(page->arena, step->title));
    if (step->count == 0) {
        buffer_printf(&page->text, "- by hand: %s\n", plain_text(page->arena, step->manual));
        buffer_printf(&page->text, "- back: %s\n",
            step->undo ? plain_text(page->arena, step->undo) : "nothing");
        buffer_add(&page->text, "\n");
        return;
    }
    buffer_printf(&page->text,
        "- code: nothing; the application does not change with this step\n"
        "- index: `pgmend rollback --to %s` undoes this step and those after it; this one: %s\n",
        before, undo_time(page, step));
    for (size_t i = 0; i < step->count && i < 3; i++) {
        const char *undo = page->plan->items[step->first + step->count - 1 - i].undo;

        if (undo && !text_starts_with(undo, "nothing"))
            buffer_printf(&page->text, "  - `%s`\n", plain_text(page->arena, undo));
    }
    if (step->count > 3)
        buffer_printf(&page->text, "  - and %zu more\n", step->count - 3);
    buffer_printf(&page->text, "- database: level 3, %s\n", database_time(page));
    if (step->promise)
        buffer_printf(
            &page->text, "- it has to prove: %s\n", plain_text(page->arena, step->promise));
    buffer_add(&page->text, "\n");
}

static void
add_steps(struct page *page)
{
    int32_t phase = 0;

    for (size_t i = 0; i < page->plan->steps.count; i++) {
        const struct plan_step *step = &page->plan->steps.items[i];

        if (step->phase != phase) {
            buffer_printf(&page->text, "## Phase %d: %s\n\n", (int)step->phase,
                plan_phase_title(step->phase));
            buffer_printf(&page->text, "Restore point before it: `%s`%s\n\n",
                restore_point_name(page->arena, page->plan->hash, step->phase),
                page->points ? " (not set: see below)" : "");
        }
        phase = step->phase;
        add_step(page, i);
    }
}

/* As the beginning of a paragraph. */
static const char *
with_capital(struct arena *arena, const char *sentence)
{
    char *text = arena_strdup(arena, sentence);

    if (*text >= 'a' && *text <= 'z')
        *text = (char)(*text - 'a' + 'A');
    return text;
}

static void
add_end(struct page *page)
{
    buffer_printf(&page->text,
        "## To a point in time\n\n%s%s\n\n`pgmend rollback --level database --recipe` prints the "
        "recovery settings with the LSN of each point that was set. A base backup "
        "(`pg_basebackup`) from before it and the archived WAL since are needed.\n\n",
        page->points ? with_capital(page->arena, page->points)
                     : "WAL is archived: apply sets the restore points named above before each "
                       "phase.",
        page->points && !text_ends_with(page->points, ".") ? "." : "");
    buffer_add(&page->text,
        "## Is it well again?\n\n"
        "Every rollback ends with this look by itself and says \"the service is well\" or what is "
        "not.\n\n"
        "1. `pgmend status`: no step is half done, no index is unusable\n"
        "2. `pgmend monitor --single-shot`: nothing is critical\n"
        "3. the application's health address answers 200\n"
        "4. `pgmend queries top --for 1m`: the statements are as fast as they were before\n"
        "5. `pgmend history`: what was undone, when, by whom and why\n");
}

bool
plan_runbook_write(
    struct ctx *ctx, struct db *db, const struct plan_runbook *runbook, const char *path)
{
    json_t *rehearsal CLEANUP(json_release) = NULL;
    struct plan whole = *runbook->plan;
    const struct plan_step all = { .id = "1.1",
        .phase = 1,
        .title = "all changes of the plan",
        .count = whole.count,
        .undo_us = plan_undo_us(whole.items, whole.count) };
    struct page page = {
        .arena = ctx->arena,
        .text = { .arena = ctx->arena },
        .book = runbook,
        .plan = &whole,
    };

    if (whole.steps.count == 0 && whole.count > 0)
        VEC_PUSH(ctx->arena, &whole.steps, all);
    if (!look_up(ctx, db, &page) || !rehearsal_load(ctx, db, whole.hash, &rehearsal))
        return error_wrap(ctx, "writing the runbook");
    page.rehearsal = rehearsal;
    add_head(&page, db_label(ctx->arena, db));
    add_levels(&page);
    add_people(&page);
    add_steps(&page);
    add_end(&page);
    if (!file_write(ctx, path, buffer_text(&page.text), page.text.length, 0644))
        return error_wrap(ctx, "writing the runbook");
    return true;
}
