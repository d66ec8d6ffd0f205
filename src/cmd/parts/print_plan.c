/* A plan and its gates as people read them. */
#include "cli/out.h"
#include "cmd/parts/print_plan_steps.h"
#include "cmd/parts/roll_out.h"

static void
print_index_cost(struct ctx *ctx, FILE *out, const struct change *change)
{
    fprintf(out, "      cost  about %s and %s of disk, as much WAL (%s rows, table of %s)\n",
        text_from_us(ctx->arena, change->us), text_from_bytes(ctx->arena, change->bytes),
        change->table_rows < 0 ? "an unknown number of"
                               : text_from_count(ctx->arena, change->table_rows),
        text_from_bytes(ctx->arena, change->table_bytes));
}

/* What is not estimated is left out. */
static void
print_other_cost(struct ctx *ctx, FILE *out, const struct change *change)
{
    if (change->us <= 0 && change->bytes <= 0)
        return;
    fprintf(out, "      cost  about %s", text_from_us(ctx->arena, change->us));
    if (change->bytes > 0)
        fprintf(out, " and %s of disk", text_from_bytes(ctx->arena, change->bytes));
    fputc('\n', out);
}

static void
print_cost(struct ctx *ctx, FILE *out, const struct change *change)
{
    if (change->lock)
        fprintf(out, "      lock  %s: %s\n", change->lock, change->blocks ? change->blocks : "");
    if (change_is_of(change, KIND_INDEX))
        print_index_cost(ctx, out, change);
    else
        print_other_cost(ctx, out, change);
    if (change->undo)
        fprintf(out, "      undo  %s\n", change->undo);
}

/* A function is long: its first line, and how many there are. */
static void
print_statement(FILE *out, const char *statement)
{
    size_t first = strcspn(statement, "\n");
    size_t lines = 1;

    for (const char *at = statement; *at; at++)
        lines += *at == '\n' && at[1];
    fprintf(out, "      sql   %.*s", (int)first, statement);
    if (lines > 1)
        fprintf(out, " … (%zu lines)", lines);
    fputc('\n', out);
}

static void
print_change(struct ctx *ctx, FILE *out, const struct change *change, bool is_brief)
{
    bool is_pending = change_is_pending(change);
    enum out_mark mark = change->action == ACTION_BLOCKED  ? MARK_FAIL
                         : change->action == ACTION_REPAIR ? MARK_WARN
                         : is_pending                      ? MARK_INFO
                                                           : MARK_OK;

    if (change_is_of(change, KIND_INDEX))
        out_mark_line(out, mark, "%s  %s  (%s)", change_action_name(change->action),
            *change->name ? change->name : "statement", change->source);
    else
        out_mark_line(out, mark, "%s  %s %s%s", change_action_name(change->action), change->kind,
            change_object(ctx->arena, change),
            change->needs_consent ? "  (needs your consent)" : "");
    if (change->reason && is_pending && !is_brief)
        fprintf(out, "      why   %s\n", change->reason);
    if (change->problem)
        fprintf(out, "      %s\n", change->problem);
    if (change->remedy)
        fprintf(out, "      do    %s\n", change->remedy);
    if (!is_pending || is_brief)
        return;
    print_statement(out, change->statement);
    if (change_is_of(change, KIND_TRIGGER))
        print_statement(out, change->definition);
    print_cost(ctx, out, change);
}

bool
plan_is_of_indexes(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (!change_is_of(&plan->items[i], KIND_INDEX))
            return false;
    return true;
}

void
print_plan(struct ctx *ctx, FILE *out, const struct plan *plan, bool is_brief)
{
    size_t done = plan_count(plan, ACTION_NONE) + plan_count(plan, ACTION_EQUIVALENT);

    if (plan->steps.count > 0) {
        print_plan_steps(ctx, out, plan, is_brief);
        return;
    }
    for (size_t i = 0; i < plan->count; i++)
        print_change(ctx, out, &plan->items[i], is_brief);
    fprintf(out, "\nPlan: %zu to %s, %zu there already, %zu blocked.  hash %.12s\n",
        plan_pending(plan), plan_is_of_indexes(plan) ? "build" : "do", done,
        plan_count(plan, ACTION_BLOCKED), plan->hash);
}

void
print_gates(FILE *out, const struct gate_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct gate_result *result = &results->items[i];
        enum out_mark mark = result->override                ? MARK_WARN
                             : result->state == GATE_GREEN   ? MARK_OK
                             : result->state == GATE_WARNING ? MARK_WARN
                                                             : MARK_FAIL;

        out_mark_line(out, mark, "%-10s  %s", result->name, result->text);
        if (result->override)
            fprintf(out, "                  overridden: %s\n", result->override);
        else if (result->state == GATE_RED && result->remedy)
            fprintf(out, "                  do: %s\n", result->remedy);
    }
}

json_t *
gates_json(const struct gate_results *results)
{
    static const char *const states[] = { "green", "warning", "red" };
    json_t *array = json_array();

    for (size_t i = 0; i < results->count; i++) {
        const struct gate_result *result = &results->items[i];

        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "name", result->name,
                                         "state", states[result->state], "text", result->text,
                                         "remedy", result->remedy, "override", result->override));
    }
    return array;
}
