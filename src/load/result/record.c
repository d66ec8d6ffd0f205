#include "load/result/record.h"

#define OUTCOME_NAME(constant, name, words) [constant] = (name),
const char *const load_outcome_names[] = { LOAD_OUTCOMES(OUTCOME_NAME) };
#undef OUTCOME_NAME

#define OUTCOME_WORDS(constant, name, words) [constant] = (words),
const char *const load_outcome_words[] = { LOAD_OUTCOMES(OUTCOME_WORDS) };
#undef OUTCOME_WORDS

/* Mean time that a user of the group thinks; -1: there is no such time. */
static int64_t
think_of(const struct load_group *group)
{
    if (group->rate > 0 || group->think == THINK_NONE)
        return -1;
    if (group->think == THINK_UNIFORM)
        return (group->think_us + group->think_most_us) / 2;
    return group->think_us;
}

static void
begin_think(const struct load_scenario *scenario, struct load_record *record)
{
    double sum = 0;
    int64_t users = 0;

    record->think_us = -1;
    record->is_closed = scenario->group_count > 0 && scenario->groups[0].is_closed;
    for (size_t i = 0; i < scenario->group_count; i++) {
        const struct load_group *group = &scenario->groups[i];
        int64_t think_us = think_of(group);

        if (think_us < 0 || group->is_closed != record->is_closed)
            return;
        sum += (double)think_us * group->users;
        users += group->users;
    }
    if (users > 0)
        record->think_us = (int64_t)(sum / (double)users);
}

static void
begin_step(struct arena *arena, const struct load_step *step, struct load_step_record *ret)
{
    *ret = (struct load_step_record){
        .name = step->name,
        .latency = histogram_new(arena),
        .service = histogram_new(arena),
        .statements = -1,
        .slices = ARENA_ARRAY(arena, struct load_sparse, LOAD_MOST_SLICES),
        .slice_errors = ARENA_ARRAY(arena, int64_t, LOAD_MOST_SLICES),
    };
    for (size_t i = 0; i < step->statement_count; i++) {
        const char *fingerprint = step->statements[i].fingerprint;

        if (!text_is_empty(fingerprint) && !text_list_has(&ret->fingerprints, fingerprint))
            text_list_add(arena, &ret->fingerprints, fingerprint);
    }
}

void
load_record_begin(
    struct arena *arena, const struct load_scenario *scenario, struct load_record *ret)
{
    *ret = (struct load_record){
        .name = scenario->name,
        .target = scenario->target,
        .kind = scenario->kind,
        .users = scenario->users,
        .planned_us = scenario->duration_us,
        .steps = ARENA_ARRAY(arena, struct load_step_record, scenario->step_count),
        .step_count = scenario->step_count,
        .groups = ARENA_ARRAY(arena, struct load_group_record, scenario->group_count),
        .group_count = scenario->group_count,
        .lag = histogram_new(arena),
    };
    begin_think(scenario, ret);
    for (size_t i = 0; i < scenario->step_count; i++)
        begin_step(arena, &scenario->steps[i], &ret->steps[i]);
    for (size_t i = 0; i < scenario->group_count; i++)
        ret->groups[i] = (struct load_group_record){
            .name = scenario->groups[i].name,
            .users = scenario->groups[i].users,
            .latency = histogram_new(arena),
        };
}

struct histogram *
load_record_latency(struct arena *arena, const struct load_record *record)
{
    struct histogram *all = histogram_new(arena);

    for (size_t i = 0; i < record->step_count; i++)
        histogram_merge(all, record->steps[i].latency);
    return all;
}

int64_t
load_record_count(const struct load_record *record, enum load_outcome outcome)
{
    int64_t count = 0;

    for (size_t i = 0; i < record->step_count; i++)
        count += record->steps[i].outcomes[outcome];
    return count;
}

double
load_record_rate(const struct load_record *record)
{
    int64_t seconds = 0;
    int64_t calls = 0;

    for (size_t i = 0; i < record->moment_count; i++) {
        seconds += record->moments[i].is_counted ? 1 : 0;
        calls += record->moments[i].is_counted ? record->moments[i].calls : 0;
    }
    if (seconds > 0)
        return (double)calls / (double)seconds;
    return record->elapsed_us > 0
               ? (double)load_record_count(record, LOAD_GOOD) * 1e6 / (double)record->elapsed_us
               : 0;
}

int64_t
load_record_errors(const struct load_record *record)
{
    int64_t errors = 0;

    for (int i = LOAD_GOOD + 1; i < LOAD_OUTCOME_COUNT; i++)
        errors += load_record_count(record, (enum load_outcome)i);
    return errors;
}

bool
load_record_is_bottleneck(const struct load_record *record)
{
    return histogram_quantile_us(record->lag, 0.99) > LOAD_MOST_LAG_US;
}
