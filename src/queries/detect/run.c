#include <stdlib.h>

#include "base/memory.h"
#include "queries/detect/detect_part.h"

#define LEAST_COVERAGE 0.5

enum { MOST_GROUPS = 256, LONG_RUN = 6 };

static struct run *
find_run(const struct session *session, const struct known *known)
{
    for (size_t i = 0; i < session->run_count; i++)
        if (session->runs[i]->known == known)
            return session->runs[i];
    return NULL;
}

static void
leave_candidates(struct detect *detect, struct run *run)
{
    for (size_t i = 0; i < run->candidate_count; i++)
        result_leave(detect, run->candidates[i].result);
    run->candidate_count = 0;
}

static void
free_run(struct detect *detect, struct run *run)
{
    leave_candidates(detect, run);
    if (run->last != run->first)
        step_free(run->last);
    step_free(run->first);
    free(run->candidates);
    free(run);
}

static void
add_candidate(struct run *run, const struct candidate *candidate)
{
    if (!run->candidates)
        run->candidates = calloc(MOST_CANDIDATES, sizeof(*run->candidates));
    if (!run->candidates)
        memory_exhausted(0);
    if (run->candidate_count == MOST_CANDIDATES)
        return;
    run->candidates[run->candidate_count++] = *candidate;
    candidate->result->users++;
}

/* ---- groups ---- */

/* Different values of the column between two rows, without NULLs. */
static size_t
count_values(const struct answer *result, size_t column, size_t first, size_t last)
{
    const uint64_t *hashes = result->columns[column].hashes;
    size_t count = 0;

    for (size_t i = first; i <= last; i++) {
        size_t j = first;

        /* Long columns are not compared with all that stands before. */
        if (i - first > 64)
            j = i - 64;
        while (j < i && hashes[j] != hashes[i])
            j++;
        count += j == i && hashes[i] != 0;
    }
    return count;
}

static double
coverage_of(const struct run *run, const struct candidate *candidate)
{
    size_t first = candidate->is_unordered ? 0 : candidate->first;
    size_t last = candidate->is_unordered ? candidate->result->rows - 1 : candidate->at;
    size_t values = count_values(candidate->result, candidate->column, first, last);
    double coverage = values > 0 ? (double)run->calls / (double)values : 0;

    return coverage > 1 ? 1 : coverage;
}

/* Whether nothing but NULLs stands before the first value and behind the last. */
static bool
is_whole(const struct candidate *candidate)
{
    const struct answer *result = candidate->result;
    const uint64_t *hashes = result->columns[candidate->column].hashes;
    uint64_t last = hashes[candidate->at];

    for (size_t i = 0; i < candidate->first; i++)
        if (hashes[i] != 0 && hashes[i] != hashes[candidate->first])
            return false;
    for (size_t i = candidate->at; i < result->rows; i++)
        if (hashes[i] != 0 && hashes[i] != last)
            return false;
    return result->is_whole && !candidate->is_unordered;
}

static double
score_of(const struct run *run, const struct candidate *candidate)
{
    const struct answer *result = candidate->result;
    double score = coverage_of(run, candidate);

    score += candidate->is_unordered ? 0 : 4;
    score += is_whole(candidate) ? 1 : 0;
    score += known_is_named(run->known, candidate->slot, result->columns[candidate->column].name)
                 ? 1.5
                 : 0;
    return score;
}

static const struct candidate *
best_candidate(const struct run *run)
{
    const struct candidate *best = NULL;
    double highest = -1;

    for (size_t i = 0; i < run->candidate_count; i++) {
        double score = score_of(run, &run->candidates[i]);

        if (score > highest && !run->candidates[i].is_side) {
            highest = score;
            best = &run->candidates[i];
        }
    }
    return best;
}

static void
forget_group(struct detect *detect, struct group *group)
{
    result_leave(detect, group->result);
    step_free(group->first);
}

/* A request of very many groups: the inner loop of a long loop. */
static bool
merge_group(struct session *session, const struct group *group)
{
    for (size_t i = session->group_count; i > 0 && session->group_count >= MOST_GROUPS; i--) {
        struct group *other = &session->groups[i - 1];

        if (other->known != group->known || other->column != group->column ||
            other->slot != group->slot || other->result->step->known != group->result->step->known)
            continue;
        other->calls += group->calls;
        other->rows = other->rows < 0 || group->rows < 0 ? -1 : other->rows + group->rows;
        other->elapsed_us = other->elapsed_us < 0 || group->elapsed_us < 0
                                ? -1
                                : other->elapsed_us + group->elapsed_us;
        other->last_place = group->last_place;
        for (size_t slot = 0; slot < MOST_SLOTS; slot++)
            other->fits[slot] &= group->fits[slot];
        return true;
    }
    return false;
}

/* Each slot may come from a column of its own: which ones hold its values. */
static void
set_fits(const struct run *run, const struct candidate *best, struct group *group)
{
    for (size_t i = 0; i < run->candidate_count; i++) {
        const struct candidate *candidate = &run->candidates[i];

        if (candidate->result == best->result && candidate->slot < MOST_SLOTS &&
            candidate->is_unordered <= best->is_unordered)
            group->fits[candidate->slot] |= UINT32_C(1) << candidate->column;
    }
}

static void
add_group(struct detect *detect, struct session *session, const struct run *run)
{
    const struct candidate *best = best_candidate(run);
    struct group group;

    if (!best)
        return;
    group = (struct group){
        .known = run->known,
        .result = best->result,
        .first = step_use(run->first),
        .serial = run->serial,
        .second_place = run->second_place,
        .last_place = run->last->place,
        .column = best->column,
        .slot = best->slot,
        .varying = run->varying,
        .calls = run->calls,
        .elapsed_us = run->elapsed_us,
        .rows = run->rows,
        .coverage = coverage_of(run, best),
        .is_whole = is_whole(best),
        .is_unordered = best->is_unordered,
        .is_slow = run->gaps - best->result->gaps > 1 + (uint64_t)run->calls / 8,
        .changes_settings = run->calls > 1 && run->changes + 1 >= (uint64_t)run->calls,
    };
    set_fits(run, best, &group);
    group.result->users++;
    if (merge_group(session, &group)) {
        forget_group(detect, &group);
        return;
    }
    if (session->group_count == session->group_capacity) {
        size_t capacity = session->group_capacity ? session->group_capacity * 2 : 16;

        session->groups = realloc(session->groups, capacity * sizeof(struct group));
        if (!session->groups)
            memory_exhausted(0);
        session->group_capacity = capacity;
    }
    session->groups[session->group_count++] = group;
}

/* ---- runs ---- */

/* Steps of this statement, from this place on, belong to the run. */
static void
mark_steps(const struct session *session, const struct run *run, uint64_t from)
{
    for (size_t i = session->step_count; i > 0; i--) {
        struct step *step = session->steps[i - 1];

        if (step->place < from)
            return;
        if (step->known == run->known)
            step->run = run->serial;
    }
}

static void
set_last(struct run *run, const struct step *step)
{
    if (run->last != run->first)
        step_free(run->last);
    run->last = step_use(step);
}

static void
begin_run(struct detect *detect, struct session *session, struct run *run, struct step *step)
{
    leave_candidates(detect, run);
    if (run->last != run->first)
        step_free(run->last);
    step_free(run->first);
    run->serial = ++session->serial;
    run->first = step_use(step);
    run->last = run->first;
    run->second_place = 0;
    run->calls = 1;
    run->elapsed_us = step->elapsed_us;
    run->rows = step->rows;
    run->varying = 0;
    run->changes = 0;
    run->gaps = session->gaps;
    step->run = run->serial;
}

static void
close_run(struct detect *detect, struct session *session, struct run *run)
{
    if (run->candidate_count > 0)
        add_group(detect, session, run);
}

static struct run *
new_run(struct detect *detect, struct session *session, struct step *step)
{
    struct run *run;

    if (session->run_count == MOST_RUNS) {
        close_run(detect, session, session->runs[0]);
        free_run(detect, session->runs[0]);
        memmove(&session->runs[0], &session->runs[1], (MOST_RUNS - 1) * sizeof(struct run *));
        session->run_count--;
    }
    run = calloc(1, sizeof(*run));
    if (!run)
        memory_exhausted(0);
    run->known = step->known;
    session->runs[session->run_count++] = run;
    begin_run(detect, session, run, step);
    return run;
}

static void
add_call(const struct session *session, struct run *run, struct step *step)
{
    run->gaps = session->gaps;
    run->calls++;
    run->elapsed_us =
        run->elapsed_us < 0 || step->elapsed_us < 0 ? -1 : run->elapsed_us + step->elapsed_us;
    run->rows = run->rows < 0 || step->rows < 0 ? -1 : run->rows + step->rows;
    run->varying |= step_differ(run->first, step);
    run->changes += step->changes != run->last->changes;
    if (run->second_place == 0)
        run->second_place = step->place;
    step->run = run->serial;
    set_last(run, step);
}

/* Where the column holds the last value and, if it can be behind it, the next one. */
static bool
find_pair(struct candidate *candidate, uint64_t last, uint64_t next)
{
    const struct answer *result = candidate->result;
    size_t first = result_find(result, candidate->column, last, 0);
    size_t second = first == SIZE_MAX ? SIZE_MAX : result_find(result, candidate->column, next, 0);

    if (second == SIZE_MAX)
        return false;
    if (second < first) {
        size_t behind = result_find(result, candidate->column, next, first + 1);

        candidate->is_unordered = behind == SIZE_MAX;
        second = candidate->is_unordered ? second : behind;
    }
    candidate->first = (uint32_t)first;
    candidate->at = (uint32_t)second;
    return true;
}

/* The columns of a result for each of these slots. */
static void
look_in_result(
    struct run *run, struct answer *result, const struct step *step, uint32_t varying, bool is_side)
{
    const struct step *last = run->last;

    for (size_t column = 0; column < result->column_count; column++)
        for (uint16_t slot = 0; slot < step->count && slot < last->count; slot++) {
            struct candidate candidate = {
                .result = result, .column = (uint16_t)column, .slot = slot, .is_side = is_side
            };

            if ((varying & UINT32_C(1) << slot) && last->hashes[slot] != 0 &&
                find_pair(&candidate, last->hashes[slot], step->hashes[slot]))
                add_candidate(run, &candidate);
        }
}

/* Places where the last value and, behind it, this one stand. */
static void
look_for_pair(const struct session *session, struct run *run, const struct step *step)
{
    uint32_t varying = step_differ(run->last, step);

    for (size_t i = 0; i < session->result_count; i++) {
        struct answer *result = session->results[i];

        if (result->step->place < run->first->place && result->step->known != run->known &&
            result->rows >= 2)
            look_in_result(run, result, step, varying, false);
    }
    /* What did not vary between these two may do so later, in step with what did. */
    for (size_t i = 0, known = run->candidate_count; i < known; i++) {
        struct answer *result = run->candidates[i].result;

        if (i == 0 || result != run->candidates[i - 1].result)
            look_in_result(run, result, step, ~varying, true);
    }
}

static bool
was_asked(const struct session *session, const struct run *run, size_t slot, uint64_t hash)
{
    for (size_t i = session->step_count; i > 0; i--) {
        const struct step *step = session->steps[i - 1];

        if (step->place < run->first->place)
            return false;
        if (step->known == run->known && step->run == run->serial && slot < step->count &&
            step->hashes[slot] == hash)
            return true;
    }
    return false;
}

/*
 * Whether what went on in order so far was so by chance, now that it goes back: to a value that it has left
 * out, after few values or many left out. Else it begins anew: the same rows once more, or other rows.
 */
static bool
is_by_chance(const struct session *session, const struct run *run,
    const struct candidate *candidate, uint64_t hash)
{
    return (run->calls < LONG_RUN || coverage_of(run, candidate) < LEAST_COVERAGE) &&
           !was_asked(session, run, candidate->slot, hash);
}

/* Drops the candidates that do not hold the next value. */
static bool
narrow(
    struct detect *detect, const struct session *session, struct run *run, const struct step *step)
{
    struct candidate kept[MOST_CANDIDATES];
    size_t count = 0;
    bool goes_on = false;
    bool is_near = step->place - run->last->place <= (uint64_t)detect->options.most_period;
    bool is_shuffled = run->calls < detect->options.min_repeats || run->candidates[0].is_unordered;

    for (size_t i = 0; i < run->candidate_count; i++) {
        struct candidate next = run->candidates[i];
        const struct result_column *column = &next.result->columns[next.column];
        uint64_t hash = next.slot < step->count ? step->hashes[next.slot] : 0;
        size_t at = result_find(next.result, next.column, hash, next.at + 1);

        if (at == SIZE_MAX && column->hashes[next.at] == hash)
            at = next.at;
        if (at == SIZE_MAX && is_near && (is_shuffled || is_by_chance(session, run, &next, hash))) {
            at = result_find(next.result, next.column, hash, 0);
            next.is_unordered = true;
        }
        if (at == SIZE_MAX || hash == 0)
            continue;
        next.at = (uint32_t)at;
        kept[count++] = next;
        goes_on |= !next.is_side;
    }
    if (!goes_on)
        return false;
    for (size_t i = 0; i < count; i++)
        kept[i].result->users++;
    leave_candidates(detect, run);
    memcpy(run->candidates, kept, count * sizeof(kept[0]));
    run->candidate_count = count;
    return true;
}

/* The newest result of the statement; NULL: dropped. */
static struct answer *
newest_of(const struct session *session, const struct known *known)
{
    for (size_t i = 0; i < session->result_count; i++)
        if (session->results[i]->step->known == known)
            return session->results[i];
    return NULL;
}

/*
 * The parent was run again since, and its new result holds the value (or, if it goes back, the old
 * one): the run begins anew with the places that were known of the old one.
 */
static bool
move_to(struct detect *detect, struct session *session, struct run *run, struct step *step,
    bool goes_back)
{
    struct candidate moved[MOST_CANDIDATES];
    size_t count = 0;
    bool goes_on = false;

    for (size_t i = 0; i < run->candidate_count; i++) {
        const struct candidate *old = &run->candidates[i];
        struct answer *result = newest_of(session, old->result->step->known);
        size_t at;

        if (!result || (result->step->place <= run->last->place) != goes_back ||
            old->column >= result->column_count || old->slot >= step->count)
            continue;
        at = result_find(result, old->column, step->hashes[old->slot], 0);
        if (at == SIZE_MAX)
            continue;
        moved[count++] = (struct candidate){
            .result = result,
            .column = old->column,
            .slot = old->slot,
            .first = (uint32_t)at,
            .at = (uint32_t)at,
            .is_side = old->is_side,
        };
        goes_on |= !old->is_side;
    }
    if (!goes_on)
        return false;
    close_run(detect, session, run);
    begin_run(detect, session, run, step);
    for (size_t i = 0; i < count; i++)
        add_candidate(run, &moved[i]);
    return true;
}

/* So far no result holds the values: the last one and this one may be the first two. */
static void
try_pair(struct detect *detect, struct session *session, struct run *run, struct step *step)
{
    bool is_same = step_differ(run->last, step) == 0;

    if (is_same && run->varying == 0) {
        add_call(session, run, step);
        return;
    }
    look_for_pair(session, run, step);
    if (run->candidate_count == 0) {
        begin_run(detect, session, run, step);
        return;
    }
    mark_steps(session, run, run->first->place);
    add_call(session, run, step);
}

void
runs_take(struct detect *detect, struct session *session, struct step *step)
{
    struct run *run = find_run(session, step->known);

    if (!run) {
        (void)new_run(detect, session, step);
        return;
    }
    if (run->candidate_count == 0) {
        try_pair(detect, session, run, step);
        return;
    }
    if (move_to(detect, session, run, step, false))
        return;
    if (narrow(detect, session, run, step)) {
        add_call(session, run, step);
        return;
    }
    if (step->place - run->last->place <= (uint64_t)detect->options.most_period &&
        move_to(detect, session, run, step, true))
        return;
    close_run(detect, session, run);
    begin_run(detect, session, run, step);
}

void
runs_close(struct detect *detect, struct session *session)
{
    for (size_t i = 0; i < session->run_count; i++) {
        close_run(detect, session, session->runs[i]);
        free_run(detect, session->runs[i]);
    }
    session->run_count = 0;
}

void
runs_keep(struct detect *detect, struct session *session)
{
    size_t kept = 0;

    for (size_t i = 0; i < session->run_count; i++) {
        struct run *run = session->runs[i];

        if (run->candidate_count == 0) {
            free_run(detect, run);
            continue;
        }
        for (size_t j = 0; j < session->step_count; j++)
            if (session->steps[j]->known == run->known && session->steps[j]->run == run->serial)
                session->steps[j]->is_explained = true;
        session->runs[kept++] = run;
    }
    session->run_count = kept;
}
