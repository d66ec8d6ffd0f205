#include "change/gate.h"

#include "change/journal.h"
#include "sql.h"

const struct gate *
gate_find(const char *name)
{
    for (size_t i = 0; gates[i].name; i++)
        if (text_equal(gates[i].name, name))
            return &gates[i];
    return NULL;
}

bool
gates_check(struct ctx *ctx, const struct gate_input *input, struct gate_results *ret)
{
    *ret = (struct gate_results){ 0 };
    for (size_t i = 0; gates[i].name; i++) {
        struct gate_result result = {
            .name = gates[i].name,
            .title = gates[i].title,
            .is_hard = gates[i].is_hard,
            .state = GATE_RED,
            .text = "",
        };

        if (!gates[i].check(ctx, input, &result))
            return error_wrap(ctx, "checking the gate \"%s\"", gates[i].name);
        VEC_PUSH(ctx->arena, ret, result);
    }
    return true;
}

bool
gates_override(struct ctx *ctx, struct gate_results *results, const struct text_list *names,
    const char *reason)
{
    bool is_all = text_list_has(names, "all");

    if (names->count > 0 && text_is_empty(reason))
        return error_set(ctx, ERR_USAGE, "--override needs --reason: it goes into the journal");
    for (size_t i = 0; i < names->count; i++) {
        const struct gate *gate = gate_find(names->items[i]);

        if (!gate && !text_equal(names->items[i], "all"))
            return error_set(ctx, ERR_USAGE, "there is no gate \"%s\"", names->items[i]);
        if (gate && gate->is_hard) {
            error_set(ctx, ERR_USAGE, "the gate \"%s\" cannot be overridden", gate->name);
            return error_hint(ctx, "See \"pgmend gate\" for what makes it green.");
        }
    }
    for (size_t i = 0; i < results->count; i++) {
        struct gate_result *result = &results->items[i];

        if (result->state == GATE_RED && !result->is_hard &&
            (is_all || text_list_has(names, result->name)))
            result->override = reason;
    }
    return true;
}

bool
gates_require(struct ctx *ctx, const struct gate_results *results)
{
    struct text_list red = { 0 };
    const char *remedy = NULL;

    for (size_t i = 0; i < results->count; i++) {
        const struct gate_result *result = &results->items[i];

        if (result->state != GATE_RED || result->override)
            continue;
        text_list_add(
            ctx->arena, &red, arena_printf(ctx->arena, "%s (%s)", result->name, result->text));
        if (!remedy)
            remedy = result->remedy;
    }
    if (red.count == 0)
        return true;
    error_set(ctx, ERR_GATE, "%zu gate%s red: %s", red.count, red.count == 1 ? " is" : "s are",
        text_list_join(ctx->arena, &red, "; "));
    if (remedy)
        error_hint(ctx, "%s", remedy);
    return error_state(ctx, "Nothing was changed.");
}

const char *
gates_overrides(struct ctx *ctx, const struct gate_results *results)
{
    json_t *json CLEANUP(json_release) = json_object();

    for (size_t i = 0; i < results->count; i++) {
        const struct gate_result *result = &results->items[i];
        const char *text = result->override ? result->override : result->attested;

        if (text)
            json_object_set_new(json, result->name, json_string(text));
    }
    return json_object_size(json) > 0 ? json_text(ctx->arena, json) : NULL;
}

bool
gate_record(struct ctx *ctx, struct db *db, const char *name, bool passed, const char *note,
    const char *plan_hash)
{
    if (!journal_install(ctx, db) || !sql_change_put_gate(ctx, db, .name = name, .passed = passed,
                                         .note = note, .plan_hash = plan_hash))
        return error_wrap(ctx, "recording the gate \"%s\"", name);
    return true;
}

/* The newest record of a gate; its name is NULL when there is none. */
static bool
newest(struct ctx *ctx, struct db *db, const char *name, struct sql_change_gates *ret)
{
    struct sql_change_gates_rows rows;
    bool is_there;

    *ret = (struct sql_change_gates){ 0 };
    if (!journal_is_installed(ctx, db, &is_there))
        return false;
    if (!is_there)
        return true;
    if (!sql_change_gates(ctx, db, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        if (text_equal(rows.items[i].name, name))
            *ret = rows.items[i];
    return true;
}

static void
judge_record(struct ctx *ctx, const struct gate_input *input, const struct sql_change_gates *row,
    struct gate_result *ret)
{
    const char *age = text_from_us(ctx->arena, row->age);

    ret->state = GATE_RED;
    if (!row->name)
        ret->text = "nobody has recorded it";
    else if (!row->passed)
        ret->text = arena_printf(ctx->arena, "withdrawn by %s: %s", row->actor, row->note);
    else if (row->age > input->max_age_us)
        ret->text = arena_printf(ctx->arena, "recorded %s ago: too old", age);
    else {
        ret->state = GATE_GREEN;
        ret->text =
            arena_printf(ctx->arena, "recorded %s ago by %s: %s", age, row->actor, row->note);
    }
}

bool
gate_check_recorded(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    struct sql_change_gates row;

    if (!newest(ctx, input->db, ret->name, &row))
        return false;
    judge_record(ctx, input, &row, ret);
    ret->remedy = arena_printf(
        ctx->arena, "pgmend gate pass %s --note \"who, when, where it can be seen\"", ret->name);
    return true;
}

bool
gate_check_rehearsed(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    struct sql_change_gates row;

    if (!newest(ctx, input->db, ret->name, &row))
        return false;
    judge_record(ctx, input, &row, ret);
    ret->remedy = "pgmend rehearse, with the same plan or script";
    if (!row.name)
        ret->text = "not rehearsed";
    else if (ret->state == GATE_GREEN && input->plan &&
             !text_equal(row.plan_hash, input->plan->hash)) {
        ret->state = GATE_RED;
        ret->text = "what was rehearsed was another plan";
    }
    return true;
}
