/*
 * Costs that are asked once. A plan says which indexes it used; as long as these are there, and none besides
 * those it could choose from, its cost is the same. So one answer tells the cost of many sets, and a floor
 * and a ceiling of others: more indexes never make a plan dearer.
 */
#include <math.h>

#include "base/clock.h"
#include "index/choose/part.h"

/* Costs that differ less are one: the planner itself compares with a tolerance of 1 %. */
static const double noise = 0.0005;

bool
chooser_is_late(struct chooser *chooser)
{
    if (chooser->options->time_us > 0 &&
        clock_us() - chooser->started_us > chooser->options->time_us)
        chooser->is_out_of_time = true;
    return chooser->is_out_of_time;
}

bool
chooser_is_past(const struct chooser *chooser, double share)
{
    return chooser->options->time_us > 0 &&
           (double)(clock_us() - chooser->started_us) > share * (double)chooser->options->time_us;
}

static double
floor_of(const struct chooser_instance *instance, const struct id_set *set)
{
    double floor = 0;

    for (size_t i = 0; i < instance->known.count; i++) {
        const struct known_cost *known = &instance->known.items[i];

        if (known->cost > floor && id_set_is_in(set, &known->asked))
            floor = known->cost;
    }
    return floor;
}

static double
ceiling_of(const struct chooser_instance *instance, const struct id_set *set)
{
    double ceiling = INFINITY;

    for (size_t i = 0; i < instance->known.count; i++) {
        const struct known_cost *known = &instance->known.items[i];

        if (known->cost < ceiling && id_set_is_in(&known->used, set))
            ceiling = known->cost;
    }
    return ceiling;
}

static struct id_set
used_set(struct chooser *chooser, const struct id_set *asked, const struct whatif_plan *plan)
{
    uint32_t *items = ARENA_ARRAY(chooser->ctx->arena, uint32_t, plan->used.count);
    size_t count = 0;

    for (size_t i = 0; i < asked->count; i++) {
        uint32_t number = chooser->indexes.items[asked->items[i]].number;

        for (size_t k = 0; k < plan->used.count; k++)
            if (plan->used.items[k] == number)
                items[count++] = asked->items[i];
    }
    return (struct id_set){ .items = items, .count = count };
}

/* The error must outlive the scratch arena. */
static bool
hand_on_error(struct chooser *chooser, const struct ctx *scratch)
{
    struct arena *arena = chooser->ctx->arena;
    struct error *error = &chooser->ctx->error;

    *error = scratch->error;
    error->message = arena_strdup(arena, error->message);
    error->detail = error->detail ? arena_strdup(arena, error->detail) : NULL;
    error->hint = error->hint ? arena_strdup(arena, error->hint) : NULL;
    error->state = error->state ? arena_strdup(arena, error->state) : NULL;
    return false;
}

/* A statement that cannot be planned this time is one that the set does not help. */
static bool
ask_instance(struct chooser *chooser, struct chooser_instance *instance, const struct id_set *set,
    struct known_cost *ret)
{
    struct ctx scratch = { .arena = chooser->scratch };
    uint32_t *numbers = ARENA_ARRAY(chooser->scratch, uint32_t, set->count);
    struct whatif_set shown = { .numbers = numbers, .count = set->count };
    struct whatif_plan plan;

    for (size_t i = 0; i < set->count; i++)
        numbers[i] = chooser->indexes.items[set->items[i]].number;
    ret->asked = id_set_with(chooser->ctx->arena, set, &(struct id_set){ 0 });
    if (whatif_plan(&scratch, chooser->whatif, instance->sql, &shown, false, &plan)) {
        ret->cost = plan.cost;
        ret->used = used_set(chooser, &ret->asked, &plan);
    } else if (scratch.error.kind == ERR_FAILED) {
        ret->cost = fmin(ceiling_of(instance, set), instance->before);
        ret->used = (struct id_set){ 0 };
    } else {
        return hand_on_error(chooser, &scratch);
    }
    arena_reset(chooser->scratch);
    return true;
}

bool
chooser_ask(struct chooser *chooser, size_t query, const struct id_set *set, double *ret,
    struct id_set *ret_used)
{
    struct chooser_query *asked = &chooser->queries[query];

    *ret = 0;
    *ret_used = (struct id_set){ 0 };
    for (size_t i = 0; i < asked->count; i++) {
        struct chooser_instance *instance = &asked->instances[i];
        struct known_cost known = { 0 };

        if (!ask_instance(chooser, instance, set, &known))
            return false;
        VEC_PUSH(chooser->ctx->arena, &instance->known, known);
        *ret += instance->share * known.cost;
        *ret_used = id_set_with(chooser->ctx->arena, ret_used, &known.used);
    }
    return true;
}

static double
cost_of_reference(const struct chooser_query *query, const struct id_set *set)
{
    struct id_set all = ID_SET(&query->all);

    for (size_t i = 0; i < set->count; i++)
        if (id_set_has(&all, set->items[i]))
            return query->served;
    return query->before;
}

bool
chooser_cost(struct chooser *chooser, size_t query, const struct id_set *set, double *ret)
{
    struct chooser_query *asked = &chooser->queries[query];

    *ret = 0;
    if (asked->count == 0) {
        *ret = cost_of_reference(asked, set);
        return true;
    }
    for (size_t i = 0; i < asked->count; i++) {
        struct chooser_instance *instance = &asked->instances[i];
        double floor = floor_of(instance, set);
        double ceiling = ceiling_of(instance, set);

        if (ceiling - floor > noise * ceiling && !chooser_is_late(chooser)) {
            struct known_cost known = { 0 };

            if (!ask_instance(chooser, instance, set, &known))
                return false;
            VEC_PUSH(chooser->ctx->arena, &instance->known, known);
            ceiling = fmin(known.cost, ceiling);
        }
        *ret += instance->share * ceiling;
    }
    return true;
}

double
chooser_cost_floor(const struct chooser *chooser, size_t query, const struct id_set *set)
{
    const struct chooser_query *asked = &chooser->queries[query];
    double floor = 0;

    if (asked->count == 0)
        return cost_of_reference(asked, set);
    for (size_t i = 0; i < asked->count; i++) {
        double ceiling = ceiling_of(&asked->instances[i], set);

        floor += asked->instances[i].share * fmin(floor_of(&asked->instances[i], set), ceiling);
    }
    return floor;
}

struct id_set
chooser_relevant(
    struct chooser *chooser, struct arena *arena, size_t query, const struct selection *selection)
{
    struct id_set all = ID_SET(&chooser->queries[query].useful);
    struct id_set chosen = ID_SET(&selection->items);

    return id_set_and(arena, &chosen, &all);
}

struct id_set
chooser_used(const struct chooser *chooser, size_t query, const struct id_set *set)
{
    const struct chooser_query *asked = &chooser->queries[query];
    struct id_set used = { 0 };

    for (size_t i = 0; i < asked->count; i++) {
        const struct known_cost *best = NULL;

        for (size_t k = 0; k < asked->instances[i].known.count; k++) {
            const struct known_cost *known = &asked->instances[i].known.items[k];

            if (id_set_is_in(&known->used, set) && (!best || known->cost < best->cost))
                best = known;
        }
        if (best)
            used = id_set_with(chooser->ctx->arena, &used, &best->used);
    }
    return used;
}
