/* What the facts say of an item. */
#include "cmd/parts/checklist_facts.h"
#include "monitor/calm.h"

static void
set(struct checklist_measured *ret, bool is_done, const char *evidence)
{
    ret->verdict = is_done ? VERDICT_DONE : VERDICT_OPEN;
    ret->evidence = evidence;
}

static void
set_unknown(struct checklist_measured *ret, const char *why)
{
    ret->verdict = VERDICT_UNKNOWN;
    ret->evidence = why;
}

/* Sets the verdict and its evidence. */
typedef void checklist_look(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret);

static void
measure_by_hand(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    (void)arena;
    (void)facts;
    (void)item;
    set(ret, false, NULL);
}

static void
measure_backup(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    (void)item;
    if (facts->backup)
        set(ret, true, arena_printf(arena, "%s, restored and compared", facts->backup));
    else
        set(ret, false, facts->backup_why_not);
}

/* The newest record of a gate, whichever plan it is of. */
static void
judge_gate(struct arena *arena, const struct checklist_facts *facts, const char *name,
    struct checklist_measured *ret)
{
    const struct sql_change_gates *newest = NULL;

    for (size_t i = 0; i < facts->gates.count; i++)
        if (text_equal(facts->gates.items[i].name, name) &&
            (!newest || facts->gates.items[i].id > newest->id))
            newest = &facts->gates.items[i];
    if (facts->gates_why)
        set_unknown(ret, facts->gates_why);
    else if (!newest)
        set(ret, false, "it was never recorded");
    else if (!newest->passed)
        set(ret, false, arena_printf(arena, "withdrawn by %s: %s", newest->actor, newest->note));
    else
        set(ret, true,
            newest->plan_hash
                ? arena_printf(arena, "%s, plan %.12s, by %s: %s", newest->recorded_at,
                      newest->plan_hash, newest->actor, newest->note)
                : arena_printf(
                      arena, "%s by %s: %s", newest->recorded_at, newest->actor, newest->note));
}

static void
measure_staging(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    (void)item;
    judge_gate(arena, facts, "staging", ret);
}

static void
measure_rehearsed(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    (void)item;
    judge_gate(arena, facts, "rollback", ret);
}

static void
measure_team(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    (void)item;
    judge_gate(arena, facts, "team", ret);
}

/* Where another tool watches, "gate pass monitoring" says so: somebody's word, which nothing here measures. */
static void
measure_monitor(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    const struct sighting *sighting = &facts->sighting;

    (void)item;
    if (!sighting->is_fresh) {
        judge_gate(arena, facts, "monitoring", ret);
        if (ret->verdict == VERDICT_DONE) {
            ret->verdict = VERDICT_TOLD;
            ret->evidence = arena_printf(arena, "gate pass monitoring of %s", ret->evidence);
            return;
        }
    }
    if (facts->sighting_why)
        set_unknown(ret, facts->sighting_why);
    else if (!sighting->is_seen)
        set(ret, false, "no monitor with this state folder has seen it");
    else
        set(ret, sighting->is_fresh,
            arena_printf(
                arena, "seen %s ago by %s", text_from_us(arena, sighting->age_us), sighting->by));
}

static void
measure_alerts(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    const struct sighting *sighting = &facts->sighting;

    (void)item;
    if (facts->sighting_why)
        set_unknown(ret, facts->sighting_why);
    else if (!sighting->is_fresh || !sighting->knows_alerts)
        set(ret, false, "no monitor with this state folder judges alerts now");
    else if (sighting->is_alarming)
        set(ret, false, arena_printf(arena, "a critical alert fires: %s", sighting->alert));
    else
        set(ret, true, "alerts are judged, and none is critical");
}

static void
measure_calm(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    const struct sighting *sighting = &facts->sighting;
    const int64_t wanted_us = CALM_WANTED_US;

    (void)item;
    if (facts->sighting_why)
        set_unknown(ret, facts->sighting_why);
    else if (!sighting->knows_alerts)
        set(ret, false, "no monitor with this state folder has watched for alerts");
    else if (sighting->is_alarming)
        set(ret, false, arena_printf(arena, "a critical alert fires: %s", sighting->alert));
    else
        set(ret, sighting->calm_us >= wanted_us,
            arena_printf(arena, "%s without a critical alert, seen last %s ago",
                text_from_us(arena, sighting->calm_us), text_from_us(arena, sighting->age_us)));
}

static bool
has_step_of(const struct plan *plan, const char *feature)
{
    for (size_t i = 0; i < plan->steps.count; i++)
        if (text_equal(plan->steps.items[i].feature, feature))
            return true;
    return false;
}

static void
measure_plan(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    (void)item;
    if (facts->steps_why)
        set_unknown(ret, facts->steps_why);
    else if (!facts->has_plan)
        set(ret, false, "no plan with steps was applied yet");
    else if (!has_step_of(&facts->plan, "migrations"))
        set_unknown(ret,
            arena_printf(arena,
                "plan %.12s has no step about migrations: made without --migrations DIR, or there is "
                "nothing to do about them",
                facts->plan.hash));
    else
        set(ret, true,
            arena_printf(arena, "plan %.12s with %zu step%s", facts->plan.hash,
                facts->plan.steps.count, facts->plan.steps.count == 1 ? "" : "s"));
}

/* It did not hold what it promised, and its changes were taken back for that. */
static bool
is_refuted(const struct step_record *record)
{
    return record && text_equal(record->state, STEP_UNDONE) && record->why &&
           !text_starts_with(record->why, STEP_WHY_ROLLBACK);
}

/* What did not pay is settled as well; what somebody rolled back is to be done again. */
static bool
is_settled(const struct step_record *record)
{
    return is_refuted(record) || (record && (text_equal(record->state, STEP_PROVEN) ||
                                                text_equal(record->state, STEP_DONE) ||
                                                text_equal(record->state, STEP_TICKED)));
}

static const char *
state_of(const struct step_record *record)
{
    if (!record)
        return "not begun";
    return text_equal(record->state, STEP_UNDONE) ? STEP_WHY_ROLLBACK : record->state;
}

static void
measure_phase(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    size_t total = 0;
    size_t refuted = 0;
    struct text_list open = { 0 };

    for (size_t i = 0; facts->has_plan && i < facts->plan.steps.count; i++) {
        const struct plan_step *step = &facts->plan.steps.items[i];
        const struct step_record *record = step_find(&facts->steps, step->id);

        if (step->phase != item->of[0] - '0')
            continue;
        total++;
        refuted += is_refuted(record);
        if (!is_settled(record))
            text_list_add(arena, &open, arena_printf(arena, "%s %s", step->id, state_of(record)));
    }
    if (facts->steps_why)
        set_unknown(ret, facts->steps_why);
    else if (!facts->has_plan)
        set(ret, false, "no plan with steps was applied yet");
    else if (total == 0)
        set_unknown(ret, "the newest plan has no step of this phase");
    else if (open.count > 0)
        set(ret, false, text_list_join(arena, &open, ", "));
    else
        set(ret, true,
            refuted > 0 ? arena_printf(arena, "%zu of %zu stand; %zu did not pay and %s undone",
                              total - refuted, total, refuted, refuted == 1 ? "was" : "were")
                        : arena_printf(arena, "all %zu", total));
}

/* Nothing was built, or it cannot be read: then there is nothing to judge. */
static bool
has_indexes(const struct checklist_facts *facts, struct checklist_measured *ret)
{
    if (facts->journal_why)
        set_unknown(ret, facts->journal_why);
    else if (facts->indexes.count == 0)
        set(ret, false, "pgmend has built none yet");
    return !facts->journal_why && facts->indexes.count > 0;
}

static void
measure_indexes(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    struct text_list wrong = { 0 };

    (void)item;
    if (!has_indexes(facts, ret))
        return;
    for (size_t i = 0; i < facts->indexes.count; i++)
        if (facts->indexes.items[i].wrong)
            text_list_add(arena, &wrong,
                arena_printf(
                    arena, "%s %s", facts->indexes.items[i].name, facts->indexes.items[i].wrong));
    if (facts->unfinished > 0)
        text_list_add(arena, &wrong, arena_printf(arena, "%zu not finished", facts->unfinished));
    set(ret, wrong.count == 0,
        wrong.count > 0
            ? text_list_join(arena, &wrong, ", ")
            : arena_printf(arena, "%zu built, valid and as planned", facts->indexes.count));
}

static void
measure_used(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    struct text_list unused = { 0 };

    (void)item;
    if (!has_indexes(facts, ret))
        return;
    for (size_t i = 0; i < facts->indexes.count; i++)
        if (facts->indexes.items[i].scans == 0)
            text_list_add(arena, &unused, facts->indexes.items[i].name);
    set(ret, unused.count == 0,
        unused.count > 0
            ? arena_printf(arena, "not scanned yet: %s", text_list_join(arena, &unused, ", "))
            : arena_printf(arena, "all %zu were scanned", facts->indexes.count));
}

/* The newest run but those that failed before they touched anything: a slip of the finger, a right that lacks. */
static const struct sql_change_runs *
find_last_run(const struct checklist_facts *facts, size_t *ret_refused)
{
    *ret_refused = 0;
    for (size_t i = 0; i < facts->runs.count; i++) {
        const struct sql_change_runs *run = &facts->runs.items[i];

        if (!text_equal(run->state, RUN_FAILED) || run->touched > 0)
            return run;
        ++*ret_refused;
    }
    return NULL;
}

static void
measure_runs(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    (void)item;
    if (facts->runs_why) {
        set_unknown(ret, facts->runs_why);
        return;
    }

    size_t refused;
    const struct sql_change_runs *last = find_last_run(facts, &refused);

    if (!last)
        set(ret, false, "nothing was applied yet");
    else if (text_equal(last->state, RUN_FAILED))
        set(ret, false,
            arena_printf(arena, "%s of %s failed: %s", last->command, last->started_at,
                last->message ? last->message : "no reason is known"));
    else if (text_equal(last->state, RUN_RUNNING))
        set(ret, false,
            arena_printf(arena, "%s of %s has not ended", last->command, last->started_at));
    else
        set(ret, true,
            arena_printf(arena, "the last run%s, %s of %s, is %s",
                refused > 0 ? " that touched anything" : "", last->command, last->started_at,
                last->state));
}

static void
measure_vector_index(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    int64_t count = facts->place.vector_indexes;

    (void)item;
    set(ret, count > 0,
        count > 0 ? arena_printf(arena, "%d valid", (int)count)
                  : "no valid IVFFlat or HNSW index is there");
}

static void
measure_vector_search(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    (void)item;
    if (facts->journal_why)
        set_unknown(ret, facts->journal_why);
    else if (facts->vector_search)
        set(ret, true, arena_printf(arena, "%s is installed", facts->vector_search));
    else
        set(ret, false, "no tuned search is installed");
}

static void
measure_statements(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    (void)arena;
    (void)item;
    set(ret, facts->place.statements_counted,
        facts->place.statements_counted
            ? "pg_stat_statements counts"
            : "pg_stat_statements is not loaded, or not in this database");
}

static void
measure_kpi(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    if (facts->kpis_why) {
        set_unknown(ret, facts->kpis_why);
        return;
    }
    for (size_t i = 0; i < facts->kpis.count; i++) {
        const struct kpi *kpi = &facts->kpis.items[i];

        if (!text_equal(kpi->name, item->of))
            continue;
        if (kpi->state == KPI_UNKNOWN)
            set_unknown(ret, "nobody has measured or recorded it");
        else
            set(ret, kpi->state == KPI_MET,
                arena_printf(arena, "now %s, target %s%s", kpi_show(arena, kpi->unit, kpi->now),
                    kpi_show(arena, kpi->unit, kpi->target),
                    kpi->state == KPI_LATE ? ", late" : ""));
        return;
    }
    set_unknown(ret, "there is no such KPI");
}

static void
measure_technical(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    struct text_list open = { 0 };
    bool is_known = true;

    (void)item;
    for (size_t i = 0; i < facts->kpis.count; i++) {
        const struct kpi *kpi = &facts->kpis.items[i];

        if (!text_equal(kpi->group, "technical") || kpi->state == KPI_MET)
            continue;
        is_known &= kpi->state != KPI_UNKNOWN;
        text_list_add(
            arena, &open, arena_printf(arena, "%s %s", kpi->name, kpi_state_name(kpi->state)));
    }
    if (facts->kpis_why)
        set_unknown(ret, facts->kpis_why);
    else if (open.count > 0 && !is_known)
        set_unknown(ret, text_list_join(arena, &open, ", "));
    else
        set(ret, open.count == 0,
            open.count > 0 ? text_list_join(arena, &open, ", ") : "all are met");
}

#define MEASURE_SAYS(id, function, says) [id] = (says),
#define MEASURE_CALL(id, function, says) [id] = measure_##function,

const char *
checklist_measure_says(enum checklist_measure measure)
{
    static const char *const texts[] = { CHECKLIST_MEASURES(MEASURE_SAYS) };

    return texts[measure];
}

void
checklist_measure(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret)
{
    static checklist_look *const looks[] = { CHECKLIST_MEASURES(MEASURE_CALL) };

    *ret = (struct checklist_measured){ 0 };
    looks[item->measure](arena, facts, item, ret);
}
