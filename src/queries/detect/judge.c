#include <stdlib.h>

#include "queries/detect/detect_part.h"

/* Below it a parent must be named like what its values are compared with, or the run be long. */
static const double least_coverage = 0.5;
enum { LONG_RUN = 6 };

/* The group's result came out of a loop itself: which one. */
static const struct group *
outer_of(const struct detect *detect, const struct session *session, const struct group *group)
{
    const struct step *parent = group->result->step;

    for (size_t i = 0; i < session->group_count; i++) {
        const struct group *outer = &session->groups[i];

        if (outer->known == parent->known && outer->calls >= detect->options.min_repeats &&
            parent->place >= outer->first->place && parent->place <= outer->last_place &&
            outer != group)
            return outer;
    }
    return NULL;
}

static bool
is_named(const struct group *group)
{
    return known_is_named(group->known, group->slot, group->result->columns[group->column].name);
}

/* Whether the values fit well enough to be more than chance. */
static bool
is_convincing(const struct group *group)
{
    if (group->is_unordered)
        return group->calls >= LONG_RUN - 1 && group->coverage >= 0.8;
    return group->calls == 1 || group->coverage >= least_coverage || is_named(group) ||
           group->calls >= LONG_RUN;
}

/* Rows that are copied one by one, tenant by tenant, page by page are no N+1. */
static bool
is_of_interest(const struct group *group)
{
    const struct slot_use *slot = &group->known->slots[group->slot];

    if (group->changes_settings || group->is_slow ||
        (slot->place == PLACE_RANGE && group->known->has_limit))
        return false;
    return group->known->is_read || group->known->is_update;
}

static double
trust_of(const struct group *group)
{
    double trust = group->is_unordered ? 0.7 : group->is_whole ? 0.95 : 0.85;

    if (!group->is_whole && !group->is_unordered)
        trust += group->coverage >= 0.99 ? 0.05 : 0;
    if (is_named(group))
        trust += 0.03;
    if (group->calls >= 10)
        trust += 0.01;
    return trust;
}

static void
explain(const struct session *session, const struct group *group)
{
    for (size_t i = 0; i < session->step_count; i++)
        if (session->steps[i]->known == group->known && session->steps[i]->run == group->serial)
            session->steps[i]->is_explained = true;
}

/* Of the columns that hold the values of a slot, the one that is named like it, or the first. */
static int32_t
column_of(const struct group *group, uint32_t slot)
{
    int32_t first = -1;

    for (size_t i = group->result->column_count; i-- > 0;) {
        if (!(group->fits[slot] & UINT32_C(1) << i))
            continue;
        if (known_is_named(group->known, slot, group->result->columns[i].name))
            return (int32_t)i;
        first = (int32_t)i;
    }
    return first;
}

/* What the slots of a child are: the key, what stays the same, what else changes. */
static void
set_slots(struct sighted_child *child, const struct group *group)
{
    for (uint32_t i = 0; i < child->first->count; i++) {
        bool varies = group && (group->varying & UINT32_C(1) << i);

        child->columns[i] = -1;
        child->origins[i] = varies ? SLOT_VARIES : SLOT_CONSTANT;
        if (!group || (i != group->slot && (!varies || group->fits[i] == 0)))
            continue;
        child->origins[i] = SLOT_KEY;
        child->columns[i] = i == group->slot ? group->column : column_of(group, i);
        child->fits[i] = group->fits[i];
    }
}

/* The value of the child that the parent was asked with, too. */
static void
set_params(struct sighted_child *child, const struct step *parent)
{
    const struct step *first = child->first;

    for (uint32_t i = 0; i < first->count; i++)
        for (uint32_t j = 0; child->origins[i] == SLOT_CONSTANT && j < parent->count; j++)
            if (j < parent->params && i < first->params && first->hashes[i] != 0 &&
                parent->hashes[j] == first->hashes[i]) {
                child->origins[i] = SLOT_PARAM;
                child->columns[i] = (int32_t)j;
            }
}

static void
add_group_child(struct sighting *sighting, const struct group *group)
{
    struct sighted_child *child = &sighting->children[sighting->child_count++];

    *child = (struct sighted_child){
        .known = group->known,
        .first = group->first,
        .calls = group->calls,
        .elapsed_us = group->elapsed_us,
        .rows = group->rows,
    };
    set_slots(child, group);
    set_params(child, group->result->step);
}

/* Adds up the statements from here on that are the same; false when one has other values. */
static bool
add_constant(const struct detect *detect, const struct session *session, const struct group *group,
    size_t from, struct sighted_child *child, uint64_t *ret_last)
{
    uint64_t near = (uint64_t)detect->options.most_period;
    uint64_t last = 0;

    for (size_t i = from; i < session->step_count; i++) {
        const struct step *step = session->steps[i];

        if (step->known != child->known)
            continue;
        if (step->place > group->last_place + near)
            break;
        if (step_differ(step, child->first) != 0 || (last > 0 && step->place - last > near))
            return false;
        last = step->place;
        child->calls++;
        child->elapsed_us += step->elapsed_us > 0 ? step->elapsed_us : 0;
        child->rows += step->rows > 0 ? step->rows : 0;
    }
    *ret_last = last;
    return child->calls >= group->calls - 1 && child->calls >= detect->options.min_repeats;
}

/*
 * Statements that are in each turn of the cycle, and always with the same values: the owner of each
 * row, who is the same for all of them.
 */
static void
add_constant_children(const struct detect *detect, struct session *session,
    const struct group *group, struct sighting *sighting)
{
    uint64_t near = (uint64_t)detect->options.most_period;
    uint64_t before = group->first->place > near ? group->first->place - near : 0;

    if (before <= group->result->step->place)
        before = group->result->step->place + 1;
    for (size_t i = 0; i < session->step_count && sighting->child_count < MOST_CHILDREN; i++) {
        const struct step *step = session->steps[i];
        struct sighted_child child = { .known = step->known, .first = step };
        uint64_t last;

        if (step->place > group->second_place)
            break;
        if (step->place < before || step->is_explained || !step->known->is_read ||
            !add_constant(detect, session, group, i, &child, &last))
            continue;
        for (size_t j = i; j < session->step_count; j++)
            if (session->steps[j]->known == step->known && session->steps[j]->place <= last)
                session->steps[j]->is_explained = true;
        set_slots(&child, NULL);
        set_params(&child, group->result->step);
        sighting->children[sighting->child_count++] = child;
    }
}

static int
by_place(const void *left, const void *right)
{
    const struct sighted_child *a = left;
    const struct sighted_child *b = right;

    return a->first->place < b->first->place ? -1 : a->first->place > b->first->place;
}

/* Other groups of the same rows, in turns with this one. */
static void
add_siblings(const struct detect *detect, struct session *session, struct group *group,
    struct sighting *sighting)
{
    for (size_t i = 0; i < session->group_count; i++) {
        struct group *other = &session->groups[i];

        if (other == group || other->is_done || other->result != group->result ||
            !is_of_interest(other) || !is_convincing(other) ||
            other->calls < detect->options.min_repeats || other->calls * 2 < group->calls ||
            other->first->place > group->second_place ||
            other->second_place < group->first->place || sighting->child_count == MOST_CHILDREN)
            continue;
        other->is_done = true;
        explain(session, other);
        add_group_child(sighting, other);
        if (other->calls > sighting->repeats)
            sighting->repeats = other->calls;
    }
}

static void
sight(struct detect *detect, struct session *session, struct group *group)
{
    struct sighting sighting = {
        .kind = FOUND_N_PLUS_ONE,
        .parent = group->result,
        .column = group->column,
        .repeats = group->calls,
        .trust = trust_of(group),
        .is_soft = !session->was_explicit && !session->is_tagged,
    };

    group->is_done = true;
    explain(session, group);
    add_group_child(&sighting, group);
    add_siblings(detect, session, group, &sighting);
    add_constant_children(detect, session, group, &sighting);
    qsort(sighting.children, sighting.child_count, sizeof(sighting.children[0]), by_place);
    detected_add(detect, session, &sighting);
}

/* The inner loop of a loop: all its runs in the request are one. */
static void
sight_nested(
    struct detect *detect, struct session *session, struct group *group, const struct group *outer)
{
    struct sighting sighting = {
        .kind = FOUND_N_PLUS_ONE,
        .parent = group->result,
        .column = group->column,
        .trust = trust_of(group),
        .is_nested = true,
    };
    struct group all = *group;

    all.calls = all.elapsed_us = all.rows = 0;
    for (size_t i = 0; i < session->group_count; i++) {
        struct group *other = &session->groups[i];

        if (other->is_done || other->known != group->known || other->column != group->column ||
            other->slot != group->slot || outer_of(detect, session, other) != outer)
            continue;
        other->is_done = true;
        all.calls += other->calls;
        all.rows = all.rows < 0 || other->rows < 0 ? -1 : all.rows + other->rows;
        all.elapsed_us =
            all.elapsed_us < 0 || other->elapsed_us < 0 ? -1 : all.elapsed_us + other->elapsed_us;
        all.varying |= other->varying;
        for (size_t slot = 0; slot < MOST_SLOTS; slot++)
            all.fits[slot] &= other->fits[slot];
        explain(session, other);
    }
    sighting.repeats = all.calls;
    if (all.calls < detect->options.min_repeats)
        return;
    add_group_child(&sighting, &all);
    detected_add(detect, session, &sighting);
}

static void
judge_groups(struct detect *detect, struct session *session)
{
    /* First all that are loops by themselves, so that they are known as outer ones. */
    for (size_t i = 0; i < session->group_count; i++) {
        struct group *group = &session->groups[i];

        if (group->changes_settings)
            explain(session, group);
        if (!group->is_done && group->calls >= detect->options.min_repeats &&
            is_of_interest(group) && is_convincing(group) && !outer_of(detect, session, group))
            sight(detect, session, group);
    }
    for (size_t i = 0; i < session->group_count; i++) {
        struct group *group = &session->groups[i];
        const struct group *outer = group->is_done ? NULL : outer_of(detect, session, group);

        if (outer && is_of_interest(group) && is_convincing(group))
            sight_nested(detect, session, group, outer);
    }
}

static void
judge(struct detect *detect, struct session *session)
{
    if (session->step_count > 0)
        detect->requests++;
    judge_groups(detect, session);
    judge_cycles(detect, session);
    for (size_t i = 0; i < session->group_count; i++) {
        result_leave(detect, session->groups[i].result);
        step_free(session->groups[i].first);
    }
    session->group_count = 0;
    for (size_t i = 0; i < session->step_count; i++)
        step_free(session->steps[i]);
    session->step_count = 0;
    session->folded = (struct folded){ 0 };
}

void
judge_request(struct detect *detect, struct session *session)
{
    runs_close(detect, session);
    judge(detect, session);
    results_drop(detect, session);
}

void
judge_pause(struct detect *detect, struct session *session)
{
    session->gaps++;
    runs_keep(detect, session);
    judge(detect, session);
}
