#include "change/gate.h"

#include "base/log.h"
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

size_t
gate_range(const struct gate_input *input, size_t *ret_end)
{
    *ret_end = input->plan ? input->plan->count : 0;
    if (!input->step)
        return 0;
    *ret_end = input->step->first + input->step->count;
    return input->step->first;
}

static bool
look(struct ctx *ctx, const struct gate *gate, const struct gate_input *input,
    struct gate_result *ret)
{
    *ret = (struct gate_result){
        .name = gate->name,
        .title = gate->title,
        .is_hard = gate->is_hard,
        .state = GATE_RED,
        .text = "",
    };
    return gate->check(ctx, input, ret) || error_wrap(ctx, "checking the gate \"%s\"", gate->name);
}

bool
gates_check(struct ctx *ctx, const struct gate_input *input, struct gate_results *ret)
{
    *ret = (struct gate_results){ 0 };
    for (size_t i = 0; gates[i].name; i++) {
        struct gate_result result;

        if (!look(ctx, &gates[i], input, &result))
            return false;
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

        if (result->is_hard || !(is_all || text_list_has(names, result->name)))
            continue;
        result->waiver = reason;
        if (result->state == GATE_RED)
            result->override = reason;
    }
    return true;
}

/* The same gate as it is now; what the operator said of it before still holds. */
static bool
look_again(struct ctx *ctx, const struct gate_input *input, struct gate_result *result)
{
    struct gate_result now;

    if (!look(ctx, gate_find(result->name), input, &now))
        return false;
    now.waiver = result->waiver;
    now.override = result->override;
    if (now.state == GATE_RED && !now.override && now.waiver) {
        now.override = now.waiver;
        log_warn("the gate \"%s\" has turned red (%s); overridden: %s", now.name, now.text,
            now.override);
    }
    *result = now;
    return true;
}

bool
gates_recheck(struct ctx *ctx, const struct gate_input *input, struct gate_results *results)
{
    struct text_list red = { 0 };
    const char *remedy = NULL;

    for (size_t i = 0; i < results->count; i++) {
        struct gate_result *result = &results->items[i];
        const struct gate *gate = gate_find(result->name);

        if (!gate || !gate->is_live)
            continue;
        if (!look_again(ctx, input, result))
            return false;
        if (result->state != GATE_RED || result->override)
            continue;
        text_list_add(
            ctx->arena, &red, arena_printf(ctx->arena, "%s (%s)", result->name, result->text));
        if (!remedy)
            remedy = result->remedy;
    }
    if (red.count == 0)
        return true;
    error_set(ctx, ERR_GATE, "%s turned red since it began: %s",
        red.count == 1 ? "a gate has" : "gates have", text_list_join(ctx->arena, &red, "; "));
    return remedy ? error_hint(ctx, "%s", remedy) : false;
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
