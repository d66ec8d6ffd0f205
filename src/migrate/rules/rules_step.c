#include "migrate/rules/rules_step.h"

/* Words that stand for a flow, not for a question that somebody could answer. */
static const char *const flows[] = { "try", "except", "loop" };

/* The innermost condition that only running would decide, or NULL. */
static const char *
condition_of(const struct moment *moment)
{
    const struct conditions *conditions = &moment->step->conditions;

    if (moment->verdict != VERDICT_UNKNOWN)
        return NULL;
    for (size_t i = conditions->count; i > 0; i--) {
        const struct condition *condition = &conditions->items[i - 1];
        bool is_flow = false;

        for (size_t k = 0; k < COUNT_OF(flows); k++)
            is_flow |= text_equal(condition->text, flows[k]);
        if (!is_flow && !condition->is_assumed && condition->text)
            return condition->text;
    }
    return NULL;
}

/* The strongest lock on something in use. */
static const struct relation_lock *
worst_lock(const struct moment *moment)
{
    const struct relation_lock *worst = NULL;

    for (size_t i = 0; i < moment->effect->locks.count; i++) {
        const struct relation_lock *lock = &moment->effect->locks.items[i];

        if (relation_is_in_use(lock->relation, moment->revision) &&
            (!worst || lock->mode > worst->mode))
            worst = lock;
    }
    return worst;
}

static void
add_effect(const struct moment *moment, struct finding *finding)
{
    struct findings *findings = moment->check->findings;
    const struct relation_lock *worst = worst_lock(moment);

    if (worst) {
        finding_evidence(findings, finding, "lock", lock_mode_name(worst->mode));
        finding_evidence(
            findings, finding, "table", relation_label(moment->check->ctx->arena, worst->relation));
    }
    if (moment->effect->rewrites)
        finding_evidence(findings, finding, "rewrite", "every row is written again");
    else if (moment->effect->scans)
        finding_evidence(findings, finding, "scan", "every row is read");
    if (worst && worst->relation->origin.place.file)
        finding_related(findings, finding, worst->relation->origin.place, "created here");
}

struct finding *
moment_tell(const struct moment *moment, const struct rule *rule, const char *format, ...)
{
    struct arena *arena = moment->check->ctx->arena;
    const char *condition = condition_of(moment);
    struct finding *finding;
    const char *message;
    va_list args;

    va_start(args, format);
    message = arena_vprintf(arena, format, args);
    va_end(args);
    finding = finding_add(moment->check->findings, rule, moment->step->place, "%s%s%s%s", message,
        condition ? " (if " : "", condition ? condition : "", condition ? ")" : "");
    finding->context = moment->revision->id;
    finding->object = step_object_text(arena, moment->step);
    if (moment->effect)
        add_effect(moment, finding);
    return finding;
}

bool
relation_is_in_use(const struct relation *relation, const struct revision *revision)
{
    /* The model makes what no revision made when it is first used. */
    bool is_assumed =
        relation && relation->is_vague && relation->hides_names && relation->is_filled;

    return relation && !relation->is_temporary &&
           (is_assumed || relation->origin.revision != revision->index);
}

const char *
relation_label(struct arena *arena, const struct relation *relation)
{
    if (!relation)
        return "a table";
    if (text_equal(relation->schema, "public"))
        return relation->name;
    return arena_printf(arena, "%s.%s", relation->schema, relation->name);
}
