#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "queries/detect/detect_part.h"

/* The same statement so many times, one behind the other. */
struct token {
    struct known *known; /* NULL: nothing goes across here */
    size_t first;        /* in the list of steps */
    size_t count;
    bool is_used;
};

struct cycles {
    struct detect *detect;
    struct session *session;
    struct step **steps; /* those that nothing explains so far */
    size_t step_count;
    struct token *tokens;
    size_t token_count;
    size_t folded_at; /* in steps; SIZE_MAX: nothing was folded */
    bool is_soft;
};

static void
add_token(struct cycles *cycles, struct step *step, size_t at)
{
    struct token *last = cycles->token_count ? &cycles->tokens[cycles->token_count - 1] : NULL;

    if (step && last && last->known == step->known)
        last->count++;
    else
        cycles->tokens[cycles->token_count++] =
            (struct token){ step ? step->known : NULL, at, 1, false };
}

/* Where a loop that is explained begins, another request may: nothing goes on across. */
static void
make_tokens(struct cycles *cycles)
{
    struct session *session = cycles->session;
    uint64_t highest = 0;

    for (size_t i = 0; i < session->step_count; i++) {
        struct step *step = session->steps[i];

        if (step->is_explained) {
            if (step->run > highest)
                add_token(cycles, NULL, 0);
            highest = step->run > highest ? step->run : highest;
            continue;
        }
        if (session->folded.period > 0 && i == session->folded.at)
            cycles->folded_at = cycles->step_count;
        add_token(cycles, step, cycles->step_count);
        cycles->steps[cycles->step_count++] = step;
    }
}

/* ---- what a loop consists of ---- */

struct loop {
    const struct step *const *steps;
    size_t first; /* in cycles->steps */
    size_t count;
    int64_t repeats;
    size_t period;
    bool needs_parent; /* it may as well be requests one after the other */
};

static struct sighted_child *
child_of(struct sighting *sighting, const struct step *step)
{
    struct sighted_child *child;

    for (size_t i = 0; i < sighting->child_count; i++)
        if (sighting->children[i].known == step->known)
            return &sighting->children[i];
    if (sighting->child_count == MOST_CHILDREN)
        return NULL;
    child = &sighting->children[sighting->child_count++];
    *child = (struct sighted_child){ .known = step->known, .first = step };
    for (size_t i = 0; i < step->count; i++)
        child->columns[i] = -1;
    return child;
}

static void
add_step(struct sighted_child *child, const struct step *step, uint32_t *varying)
{
    uint32_t differ = step_differ(child->first, step);

    child->calls++;
    child->elapsed_us =
        child->elapsed_us < 0 || step->elapsed_us < 0 ? -1 : child->elapsed_us + step->elapsed_us;
    child->rows = child->rows < 0 || step->rows < 0 ? -1 : child->rows + step->rows;
    *varying |= differ;
    for (uint32_t i = 0; i < child->first->count; i++)
        if (differ & UINT32_C(1) << i)
            child->origins[i] = SLOT_VARIES;
}

static void
drop_child(struct sighting *sighting, uint32_t *varying, size_t index)
{
    sighting->child_count--;
    for (size_t i = index; i < sighting->child_count; i++) {
        sighting->children[i] = sighting->children[i + 1];
        varying[i] = varying[i + 1];
    }
}

/* The statements before the loop, the nearest first. */
static void
set_before(const struct cycles *cycles, struct sighting *sighting, const struct step *first)
{
    const struct session *session = cycles->session;

    for (size_t i = session->step_count; i > 0; i--) {
        const struct step *step = session->steps[i - 1];
        bool is_child = false;

        if (step->place >= first->place || !step->known->is_read)
            continue;
        for (size_t j = 0; j < sighting->child_count; j++)
            is_child |= sighting->children[j].known == step->known;
        if (is_child || sighting->before_count == SAMPLE_BEFORE)
            break;
        sighting->before[sighting->before_count++] = step;
    }
}

/* In requests that only time tells apart, statements of one turn must have a value in common. */
static bool
has_common_value(const struct sighting *sighting)
{
    for (size_t i = 1; i < sighting->child_count; i++) {
        const struct step *a = sighting->children[0].first;
        const struct step *b = sighting->children[i].first;
        bool is_common = false;

        for (uint32_t j = 0; j < a->count; j++)
            for (uint32_t k = 0; k < b->count; k++)
                is_common |= a->hashes[j] == b->hashes[k] && a->hashes[j] != 0;
        if (!is_common)
            return false;
    }
    return true;
}

static bool
changes_settings(const struct loop *loop)
{
    int64_t changes = 0;

    for (size_t i = 1; i < loop->count; i++)
        changes += loop->steps[i]->changes != loop->steps[i - 1]->changes;
    return changes + 1 >= loop->repeats;
}

/* Each was asked after a pause that would end a request: it waits for something. */
static bool
is_polling(const struct cycles *cycles, const struct loop *loop)
{
    for (size_t i = 1; i < loop->count; i++) {
        const struct step *last = loop->steps[i - 1];
        const struct step *step = loop->steps[i];

        if (last->started_us == 0 || step->started_us == 0 ||
            step->started_us - last->started_us <=
                cycles->detect->options.idle_gap_us + (last->elapsed_us > 0 ? last->elapsed_us : 0))
            return false;
    }
    return true;
}

static void
mark(const struct cycles *cycles, const struct loop *loop)
{
    for (size_t i = 0; i < loop->count; i++)
        cycles->steps[loop->first + i]->is_explained = true;
}

static void
add_folded(const struct cycles *cycles, const struct loop *loop, struct sighting *sighting)
{
    const struct folded *folded = &cycles->session->folded;

    if (folded->period != loop->period || cycles->folded_at < loop->first ||
        cycles->folded_at >= loop->first + loop->count)
        return;
    sighting->repeats += folded->cycles;
    for (size_t i = 0; i < sighting->child_count && i < folded->period; i++) {
        struct sighted_child *child = &sighting->children[i];

        child->calls += folded->cycles;
        child->elapsed_us = child->elapsed_us < 0 ? -1 : child->elapsed_us + folded->elapsed_us[i];
        child->rows = child->rows < 0 ? -1 : child->rows + folded->rows[i];
    }
}

/* The reads of it that are no pages and no batches. */
static bool
keep_children(const struct cycles *cycles, struct sighting *sighting, uint32_t *varying)
{
    bool varies = false;

    for (size_t i = sighting->child_count; i > 0; i--) {
        const struct known *known = sighting->children[i - 1].known;

        if (!known->is_read || (varying[i - 1] && known_is_paging(known, varying[i - 1])))
            drop_child(sighting, varying, i - 1);
    }
    for (size_t i = 0; i < sighting->child_count; i++)
        varies |= varying[i] != 0;
    sighting->kind = varies ? FOUND_LOOP : FOUND_DUPLICATE;
    return sighting->child_count > 0 && (!cycles->is_soft || has_common_value(sighting));
}

static void
sight_loop(struct cycles *cycles, const struct loop *loop)
{
    struct sighting sighting = {
        .repeats = loop->repeats,
        .trust = 0.8,
        .is_soft = cycles->is_soft,
        .needs_parent = loop->needs_parent,
        .period = loop->period,
        .members = loop->steps,
        .member_count = loop->count,
    };
    uint32_t varying[MOST_CHILDREN] = { 0 };
    size_t children;

    for (size_t i = 0; i < loop->count; i++) {
        struct sighted_child *child =
            loop->steps[i]->is_explained ? NULL : child_of(&sighting, loop->steps[i]);

        if (child)
            add_step(child, loop->steps[i], &varying[child - sighting.children]);
    }
    children = sighting.child_count;
    mark(cycles, loop);
    if (changes_settings(loop) || !keep_children(cycles, &sighting, varying))
        return;
    if (sighting.kind == FOUND_DUPLICATE && is_polling(cycles, loop))
        return;
    /* Such a list of requests, one after the other, looks the same. */
    if (cycles->is_soft && loop->period > 1 && sighting.child_count < children)
        return;
    add_folded(cycles, loop, &sighting);
    set_before(cycles, &sighting, loop->steps[0]);
    detected_add(cycles->detect, cycles->session, &sighting);
}

/* ---- one statement again and again ---- */

/* How many of the first steps have the same values. */
static size_t
same_from(const struct step *const *steps, size_t count)
{
    size_t same = 1;

    while (same < count && step_differ(steps[0], steps[same]) == 0)
        same++;
    return same;
}

/* Where the list of values begins anew: the same request once more. SIZE_MAX: nowhere. */
static size_t
begins_anew(const struct step *const *steps, size_t count, size_t least)
{
    for (size_t i = least; i + 1 < count; i++)
        if (step_differ(steps[0], steps[i]) == 0 && step_differ(steps[1], steps[i + 1]) == 0)
            return i;
    return SIZE_MAX;
}

static void
sight_run(struct cycles *cycles, size_t first, size_t count)
{
    const struct step *const *steps = (const struct step *const *)&cycles->steps[first];
    size_t least = (size_t)cycles->detect->options.min_repeats;
    size_t same = same_from(steps, count);

    if (count < least)
        return;
    if (same >= least && count - same >= least && same_from(steps + same, count - same) >= least) {
        sight_run(cycles, first, same);
        sight_run(cycles, first + same, count - same);
        return;
    }
    if (cycles->is_soft && same == 1) {
        size_t anew = begins_anew(steps, count, least);

        if (anew != SIZE_MAX && count - anew >= least) {
            sight_run(cycles, first, anew);
            sight_run(cycles, first + anew, count - anew);
            return;
        }
    }
    sight_loop(cycles, &(struct loop){ steps, first, count, (int64_t)count, 1, false });
}

static bool
is_alone(const struct cycles *cycles, const struct known *known)
{
    size_t tokens = 0;

    for (size_t i = 0; i < cycles->token_count; i++)
        tokens += cycles->tokens[i].known == known;
    return tokens == 1;
}

/* A loop that one other statement interrupts is one loop. */
static void
join_interrupted(struct cycles *cycles)
{
    size_t kept = 0;

    for (size_t i = 0; i < cycles->token_count; i++) {
        struct token *token = &cycles->tokens[i];

        if (!cycles->is_soft && kept > 0 && i + 1 < cycles->token_count && token->count == 1 &&
            token->known && cycles->tokens[i + 1].known == cycles->tokens[kept - 1].known &&
            cycles->tokens[kept - 1].known &&
            cycles->tokens[kept - 1].count + cycles->tokens[i + 1].count > 3 &&
            is_alone(cycles, token->known)) {
            /* What interrupts stands behind the loop from now on. */
            struct step *other = cycles->steps[token->first];
            size_t more = cycles->tokens[i + 1].count;

            memmove(&cycles->steps[token->first], &cycles->steps[token->first + 1],
                more * sizeof(struct step *));
            cycles->steps[token->first + more] = other;
            cycles->tokens[kept - 1].count += more;
            cycles->tokens[i + 1] = (struct token){ token->known, token->first + more, 1, false };
            continue;
        }
        cycles->tokens[kept++] = *token;
    }
    cycles->token_count = kept;
}

/* ---- several in turns ---- */

/* How often the tokens from here repeat with this period. */
static size_t
turns_at(const struct cycles *cycles, size_t at, size_t period)
{
    const struct token *tokens = cycles->tokens;
    size_t same = 0;

    assert(period > 0);
    for (size_t i = at; i < cycles->token_count; i++) {
        if (!tokens[i].known || tokens[i].is_used)
            break;
        if (i >= at + period && tokens[i].known != tokens[i - period].known)
            break;
        same++;
    }
    return same / period;
}

static bool
holds_loop(const struct cycles *cycles, size_t at, size_t count)
{
    for (size_t i = at; i < at + count; i++)
        if (cycles->tokens[i].count >= (size_t)cycles->detect->options.min_repeats)
            return true;
    return false;
}

static void
find_turns(struct cycles *cycles, size_t period)
{
    size_t least = (size_t)cycles->detect->options.min_repeats;

    for (size_t at = 0; at + period * least <= cycles->token_count; at++) {
        size_t turns = turns_at(cycles, at, period);
        const struct token *last = &cycles->tokens[at + turns * period - (turns > 0 ? 1 : 0)];
        size_t first = cycles->tokens[at].first;

        bool needs_parent;

        if (turns < least)
            continue;
        needs_parent = cycles->is_soft && holds_loop(cycles, at, turns * period);
        sight_loop(
            cycles, &(struct loop){ (const struct step *const *)&cycles->steps[first], first,
                        last->first + last->count - first, (int64_t)turns, period, needs_parent });
        for (size_t i = at; i < at + turns * period; i++)
            cycles->tokens[i].is_used = true;
        at += turns * period - 1;
    }
}

/* ---- the very same again, not one behind the other ---- */

static int
by_values(const void *left, const void *right)
{
    const struct step *a = *(struct step *const *)left;
    const struct step *b = *(struct step *const *)right;

    if (a->known != b->known)
        return a->known->template->number < b->known->template->number ? -1 : 1;
    if (a->all != b->all)
        return a->all < b->all ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

static void
find_duplicates(struct cycles *cycles)
{
    size_t least = (size_t)cycles->detect->options.min_repeats;
    uint64_t near = (uint64_t)cycles->detect->options.most_period;
    size_t count = 0;

    for (size_t i = 0; i < cycles->step_count; i++)
        if (!cycles->steps[i]->is_explained && cycles->steps[i]->known->is_read)
            cycles->steps[count++] = cycles->steps[i];
    cycles->step_count = count;
    cycles->folded_at = SIZE_MAX;
    if (count < least)
        return;
    qsort(cycles->steps, count, sizeof(struct step *), by_values);
    for (size_t i = 0, next; i < count; i = next) {
        struct step *const *steps = cycles->steps;

        for (next = i + 1; next < count && steps[next]->known == steps[i]->known &&
                           steps[next]->all == steps[i]->all &&
                           steps[next]->place - steps[next - 1]->place <= near;)
            next++;
        if (next - i >= least)
            sight_loop(cycles, &(struct loop){ (const struct step *const *)&steps[i], i, next - i,
                                   (int64_t)(next - i), 1, false });
    }
}

void
judge_cycles(struct detect *detect, struct session *session)
{
    struct cycles cycles = {
        .detect = detect,
        .session = session,
        .folded_at = SIZE_MAX,
        .is_soft = !session->was_explicit && !session->is_tagged,
    };

    if (session->step_count < (size_t)detect->options.min_repeats)
        return;
    cycles.steps = malloc(session->step_count * sizeof(struct step *));
    cycles.tokens = malloc(session->step_count * 2 * sizeof(struct token));
    if (!cycles.steps || !cycles.tokens)
        memory_exhausted(0);
    make_tokens(&cycles);
    join_interrupted(&cycles);
    for (size_t i = 0; i < cycles.token_count; i++) {
        struct token *token = &cycles.tokens[i];

        if (token->known)
            sight_run(&cycles, token->first, token->count);
    }
    for (size_t period = 2; period <= (size_t)detect->options.most_period; period++)
        find_turns(&cycles, period);
    find_duplicates(&cycles);
    free(cycles.steps);
    free(cycles.tokens);
}

/* ---- requests of very many statements ---- */

static size_t
cyclic_tail(const struct session *session, size_t period)
{
    size_t length = 0;

    while (length + period < session->step_count &&
           session->steps[session->step_count - 1 - length]->known ==
               session->steps[session->step_count - 1 - length - period]->known)
        length++;
    return length;
}

static void
fold_tail(struct detect *detect, struct session *session, size_t period, size_t tail)
{
    struct folded *folded = &session->folded;
    size_t keep = 2 * period * (size_t)detect->options.min_repeats;
    size_t cycles = (tail - 2 * keep) / period;
    size_t start = session->step_count - tail + keep;

    if (folded->period != period || folded->at < session->step_count - tail)
        *folded = (struct folded){ .period = period };
    folded->at = start;
    folded->cycles += (int64_t)cycles;
    for (size_t i = start; i < start + cycles * period; i++) {
        size_t phase = (i - start) % period;
        struct step *step = session->steps[i];

        folded->elapsed_us[phase] += step->elapsed_us > 0 ? step->elapsed_us : 0;
        folded->rows[phase] += step->rows > 0 ? step->rows : 0;
        step_free(step);
    }
    session->step_count -= cycles * period;
    memmove(&session->steps[start], &session->steps[start + cycles * period],
        (session->step_count - start) * sizeof(struct step *));
}

bool
cycle_shorten(struct detect *detect, struct session *session)
{
    for (size_t period = 1; period <= (size_t)detect->options.most_period; period++) {
        size_t tail = cyclic_tail(session, period);

        if (tail >= session->step_count / 2 &&
            tail > 6 * period * (size_t)detect->options.min_repeats) {
            fold_tail(detect, session, period, tail);
            return true;
        }
    }
    return false;
}

void
cycle_fold(struct detect *detect, struct session *session)
{
    if (!cycle_shorten(detect, session))
        judge_request(detect, session);
}
