#include "cmd/parts/print_plan_steps.h"

#include <math.h>

#include "base/term.h"
#include "change/gate.h"
#include "cli/out.h"
#include "cli/page.h"
#include "monitor/plain.h"

enum { TITLE_COLUMN = 7, TEXT_COLUMN = 15, NARROWEST = 60, WIDEST = 120, MOST_STATEMENTS = 3 };

/* The weakest first. */
static const char *const locks[] = { "none", "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE" };

struct sheet {
    struct arena *arena;
    FILE *out;
    size_t width;
};

/* "42 %", "0.3 %"; "?": not known. */
static const char *
plan_gain_text(struct arena *arena, double ratio)
{
    if (isnan(ratio))
        return "?";
    return arena_printf(arena, ratio >= 0.0995 ? "%.0f %%" : "%.1f %%", 100 * ratio);
}

const char *
plan_time_text(struct arena *arena, int64_t us)
{
    return us < 0 ? "?" : text_from_us(arena, us);
}

static size_t
rank_of(const char *lock)
{
    for (size_t i = 0; i < COUNT_OF(locks); i++)
        if (text_equal(locks[i], lock))
            return i + 1;
    return 0;
}

void
plan_cost_of(const struct plan *plan, const struct plan_step *step, struct plan_cost *ret)
{
    *ret = (struct plan_cost){ 0 };
    for (size_t i = step->first; i < step->first + step->count; i++) {
        const struct change *change = &plan->items[i];

        ret->us += change->us;
        ret->bytes += change->bytes;
        ret->wal_bytes += change->wal_bytes;
        if (rank_of(change->lock) > rank_of(ret->lock)) {
            ret->lock = change->lock;
            ret->blocks = change->blocks;
        }
    }
}

static void
put(const struct sheet *sheet, const char *label, const char *text)
{
    if (!text)
        return;
    fprintf(sheet->out, "%*s%-*s", TITLE_COLUMN, "", TEXT_COLUMN - TITLE_COLUMN, label);
    page_wrap(sheet->out, plain_text(sheet->arena, text), TEXT_COLUMN, TEXT_COLUMN, sheet->width);
}

/* A function is long: its first line, and how many there are. NULL stays NULL: a vacuum has no undo. */
static const char *
head_of(struct arena *arena, const char *statement)
{
    size_t lines = 1;

    if (!statement)
        return NULL;

    size_t first = strcspn(statement, "\n");

    for (const char *at = statement; *at; at++)
        lines += *at == '\n' && at[1];
    if (lines == 1)
        return statement;
    return arena_printf(arena, "%.*s … (%zu lines)", (int)first, statement, lines);
}

static void
put_statements(const struct sheet *sheet, const struct plan *plan, const struct plan_step *step)
{
    size_t shown = step->count > MOST_STATEMENTS + 1 ? MOST_STATEMENTS : step->count;

    for (size_t i = step->first; i < step->first + shown; i++)
        put(sheet, i == step->first ? "sql" : "", head_of(sheet->arena, plan->items[i].statement));
    if (shown < step->count)
        put(sheet, "",
            arena_printf(sheet->arena, "… and %zu more: --json or --sql DIR shows them",
                step->count - shown));
    if (step->count == 1)
        put(sheet, "undo", head_of(sheet->arena, plan->items[step->first].undo));
    else
        put(sheet, "undo", arena_printf(sheet->arena, "all %zu, the last one first", step->count));
}

/* What is not estimated is "?"; what there is none of is left out. */
static const char *
numbers_of(struct arena *arena, const struct plan *plan, const struct plan_step *step)
{
    struct buffer text = { .arena = arena };
    struct plan_cost cost;

    plan_cost_of(plan, step, &cost);
    buffer_printf(&text, "gain %s, risk %s", plan_gain_text(arena, step->gain_ratio),
        step->risk ? step->risk : "?");
    if (step->count == 0) {
        buffer_add(&text, ", by hand");
        return buffer_text(&text);
    }
    buffer_printf(&text, ", takes %s, undone in %s",
        plan_time_text(arena, cost.us > 0 ? cost.us : -1), plan_time_text(arena, step->undo_us));
    if (cost.bytes > 0)
        buffer_printf(&text, ", disk %s", text_from_bytes(arena, cost.bytes));
    if (cost.wal_bytes > 0)
        buffer_printf(&text, ", WAL %s", text_from_bytes(arena, cost.wal_bytes));
    return buffer_text(&text);
}

static const char *
state_of(const struct plan *plan, const struct plan_step *step)
{
    size_t pending = 0;

    for (size_t i = step->first; i < step->first + step->count; i++)
        pending += change_is_pending(&plan->items[i]);
    return step->count > 0 && pending == 0 ? " (there already)" : "";
}

static void
put_step(const struct sheet *sheet, const struct plan *plan, const struct plan_step *step)
{
    struct arena *arena = sheet->arena;
    struct plan_cost cost;

    plan_cost_of(plan, step, &cost);
    fprintf(sheet->out, "  %-*s", TITLE_COLUMN - 2, step->id);
    page_wrap(sheet->out,
        arena_printf(arena, "%s%s", plain_text(arena, step->title), state_of(plan, step)),
        TITLE_COLUMN, TITLE_COLUMN, sheet->width);
    fprintf(sheet->out, "%*s", TITLE_COLUMN, "");
    page_wrap(sheet->out, numbers_of(arena, plan, step), TITLE_COLUMN, TITLE_COLUMN, sheet->width);
    put(sheet, "why", step->why);
    if (cost.lock)
        put(sheet, "lock",
            cost.blocks ? arena_printf(arena, "%s: %s", cost.lock, cost.blocks) : cost.lock);
    if (step->needs)
        put(sheet, "needs", arena_printf(arena, "step %s, or it is passed over", step->needs));
    if (step->count > 0) {
        put_statements(sheet, plan, step);
        put(sheet, "promise", step->promise ? step->promise : "none that can be measured");
    } else {
        put(sheet, "do", step->manual);
        put(sheet, "undo", step->undo);
        put(sheet, "promise", step->promise);
    }
    fputc('\n', sheet->out);
}

static void
put_gates(const struct sheet *sheet)
{
    struct text_list all = { 0 };
    struct text_list live = { 0 };
    const char *text;

    for (size_t i = 0; gates[i].name; i++) {
        text_list_add(sheet->arena, &all, gates[i].name);
        if (gates[i].is_live)
            text_list_add(sheet->arena, &live, gates[i].name);
    }
    text = arena_printf(sheet->arena, "Gates before the first step: %s%s%s.",
        text_list_join(sheet->arena, &all, ", "), live.count > 0 ? "; again before each: " : "",
        text_list_join(sheet->arena, &live, ", "));
    page_wrap(sheet->out, text, 0, 0, sheet->width);
    fputc('\n', sheet->out);
}

static void
put_summary(const struct sheet *sheet, const struct plan *plan)
{
    size_t manual = 0;
    struct plan_cost all = { 0 };

    for (size_t i = 0; i < plan->steps.count; i++) {
        struct plan_cost cost;

        plan_cost_of(plan, &plan->steps.items[i], &cost);
        manual += plan->steps.items[i].count == 0;
        all.us += cost.us;
        all.bytes += cost.bytes;
        all.wal_bytes += cost.wal_bytes;
    }

    const char *text = arena_printf(sheet->arena,
        "Plan: %zu steps, %zu of them by hand; %zu changes, time about %s, %s of disk and %s of WAL. "
        "hash %.12s",
        plan->steps.count, manual, plan_pending(plan),
        plan_time_text(sheet->arena, all.us > 0 ? all.us : -1),
        text_from_bytes(sheet->arena, all.bytes), text_from_bytes(sheet->arena, all.wal_bytes),
        plan->hash);

    page_wrap(sheet->out, text, 0, 0, sheet->width);
}

void
print_plan_steps(struct ctx *ctx, FILE *out, const struct plan *plan, bool is_brief)
{
    struct sheet sheet = { .arena = ctx->arena, .out = out, .width = (size_t)term_width(out) };
    int32_t phase = 0;

    if (sheet.width < NARROWEST)
        sheet.width = NARROWEST;
    if (sheet.width > WIDEST)
        sheet.width = WIDEST;
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct plan_step *step = &plan->steps.items[i];

        if (step->phase != phase)
            fprintf(out, "%sPhase %d  %s\n%s", is_brief && i > 0 ? "\n" : "", (int)step->phase,
                plan_phase_title(step->phase), is_brief ? "" : "\n");
        phase = step->phase;
        if (is_brief) {
            fprintf(out, "  %-*s", TITLE_COLUMN - 2, step->id);
            page_wrap(out,
                arena_printf(ctx->arena, "%s%s%s", plain_text(ctx->arena, step->title),
                    step->count == 0 ? " (by hand)" : "", state_of(plan, step)),
                TITLE_COLUMN, TITLE_COLUMN, sheet.width);
            continue;
        }
        put_step(&sheet, plan, step);
    }
    if (is_brief)
        fputc('\n', out);
    else
        put_gates(&sheet);
    put_summary(&sheet, plan);
}

void
plan_notes_print(struct arena *arena, FILE *out, const struct text_list *notes)
{
    size_t width = (size_t)term_width(out);

    width = width < NARROWEST ? NARROWEST : width > WIDEST ? WIDEST : width;
    if (notes->count == 0)
        return;
    fputs("\nNotes\n", out);
    for (size_t i = 0; i < notes->count; i++) {
        fputs("  - ", out);
        page_wrap(out, plain_text(arena, notes->items[i]), 4, 4, width);
    }
    fputc('\n', out);
}
