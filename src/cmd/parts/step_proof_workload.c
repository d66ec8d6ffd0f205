/* The statements of some relations together, or of all: faster by a share, or at least none of them slower. */
#include <math.h>

#include "cmd/parts/step_proof_part.h"
#include "db/ident.h"
#include "sql.h"

/* Calls, as a multiple of those that are wanted, before it is said that nothing got slower. */
enum { CALM_FACTOR = 8 };

static const double least_gain = .05;
static const double most_loss = .2;

/* Adds the names by which a relation's rows can be read. relation: quoted where needed. */
static bool
proof_add_relation(
    struct ctx *ctx, struct db *db, const char *relation, struct named_relations *ret)
{
    struct sql_workload_relation_family_rows rows;

    if (!sql_workload_relation_family(ctx, db, &rows, .relation = relation))
        return error_wrap(ctx, "looking for %s", relation);
    for (size_t i = 0; i < rows.count; i++)
        VEC_PUSH(ctx->arena, ret,
            (struct named_relation){ .schema = rows.items[i].schema, .name = rows.items[i].name });
    return true;
}

/* Promises name schema and table, a workload its relations as they are written in SQL. */
bool
proof_find_relations(
    struct ctx *ctx, struct db *db, const json_t *json, struct named_relations *ret)
{
    const json_t *promises = json_object_get(json, "promises");
    const json_t *relations = json_object_get(json, "relations");
    size_t i;
    json_t *item;

    json_array_foreach(promises, i, item)
    {
        const char *schema = json_get_text(ctx->arena, item, "schema", "public");
        const char *table = json_get_text(ctx->arena, item, "table", "");

        if (!proof_add_relation(ctx, db, db_qualified(ctx->arena, schema, table), ret))
            return false;
    }
    json_array_foreach(relations, i, item)
    {
        if (!json_is_string(item))
            return error_set(ctx, ERR_INPUT, "a relation of the proof is not a text");
        if (!proof_add_relation(ctx, db, json_string_value(item), ret))
            return false;
    }
    return true;
}

static bool
look_at_workload(struct ctx *ctx, struct step_proof *proof, const struct workload_window *after,
    bool is_last, struct step_verdict *ret)
{
    const struct proof_case *about = proof->data;
    const struct proof_state *state = about->state;
    struct proof_judgement judgement;
    bool is_calm = about->least_gain <= 0;
    double enough = (double)proof->proving->least_calls * (is_calm ? CALM_FACTOR : 1);

    proof_judge(ctx->arena, proof, after, about, is_last, &judgement);
    ret->before = proof_story(ctx->arena, &judgement, 1, false, proof->window->before.seconds);
    ret->after = proof_story(ctx->arena, &judgement, 1, true, after->seconds);
    ret->text = state->text;
    if (!state->has_finding) {
        ret->text = arena_printf(ctx->arena, "%s: apply again when there is traffic",
            proof_tell_early(ctx->arena, proof, judgement.calls));
    } else if (state->finding == PROOF_LOSS || state->finding == PROOF_NO_GAIN) {
        ret->kind = STEP_BREAKS;
        ret->text = state->finding == PROOF_LOSS
                        ? state->text
                        : arena_printf(ctx->arena, "no gain: %s", state->text);
    } else if (state->finding == PROOF_GAIN && (is_last || judgement.calls >= enough)) {
        ret->kind = STEP_HOLDS;
        ret->text = arena_printf(
            ctx->arena, "%s: %s", is_calm ? "nothing got slower" : "it pays", state->text);
    } else if (state->finding == PROOF_UNCLEAR) {
        ret->text = arena_printf(ctx->arena, "may be chance: %s", state->text);
    }
    return true;
}

bool
proof_of_workload(struct ctx *ctx, struct step_proof *proof, struct step_verdict *ret)
{
    struct proof_state state = { 0 };
    struct proof_case about = {
        .relations = &proof->window->relations,
        .least_gain = json_get_double(proof->json, "least_gain", least_gain),
        .most_loss = json_get_double(proof->json, "most_loss", most_loss),
        .state = &state,
    };
    size_t wanted = json_array_size(json_object_get(proof->json, "relations"));
    bool is_done;

    proof->data = &about;
    *ret = (struct step_verdict){ .kind = STEP_OPEN };
    if (!proof->window->step)
        ret->text = "what its statements cost before the step is not known";
    else if (proof->window->trouble)
        ret->text =
            arena_printf(ctx->arena, "its statements are not counted: %s", proof->window->trouble);
    else if (wanted > 0 && about.relations->count == 0)
        ret->text = "none of the relations that it is about is there";
    is_done = ret->text || proof_measure(ctx, proof, look_at_workload, ret);
    proof->data = NULL; /* what it points to ends here */
    return is_done;
}
