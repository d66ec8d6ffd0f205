/* Whether statements gained what was promised, and whether others lost: two windows compared. */
#include <math.h>

#include "base/clock.h"
#include "cmd/parts/step_proof_part.h"
#include "load/result/student.h"

/* How often all looks together may be wrong by chance, for each question that they answer. */
static const double wrong_by_chance = .01;

/* Fewer calls than these tell nothing of a statement that is looked at for having got slower. */
enum { LEAST_OTHER_CALLS = 5 };

/*
 * Where no statements of other relations tell what the machine did meanwhile, a time that became less than this
 * many times as long or as short is taken for the machine's, as long as blocks per call stayed the same.
 */
static const double most_drift = 2;
static const double same_blocks = .01;

struct judging {
    struct arena *arena;
    struct step_proof *proof;
    const struct workload_window *before;
    const struct workload_window *after;
    const struct proof_case *about;
    struct proof_judgement *ret;
    struct window_pairs targets; /* what has to gain */
    struct window_pairs others;  /* of the same relations, what must not lose */
    struct window_pairs control; /* of other relations */
    double calls;                /* of the targets, after */
    bool is_lost;
    bool has_pace; /* enough statements that the step is not about were called */
    double pace;   /* what became of their time; 1: nothing */
    double chance; /* of being wrong, for each question of this look */
};

/* A statement's scope; read once, kept in arena. */
static const struct statement_scope *
proof_scope(struct arena *arena, struct map *scopes, const struct window_statement *statement)
{
    struct statement_scope *scope = map_get(scopes, statement->fingerprint);

    if (!scope) {
        scope = ARENA_NEW(arena, struct statement_scope);
        statement_scope(arena, arena_strdup(arena, statement->query), scope);
        map_set(scopes, arena_strdup(arena, statement->fingerprint), scope);
    }
    return scope;
}

static const struct window_wish *
find_wish(const struct proof_case *about, const char *fingerprint)
{
    for (size_t i = 0; i < about->wish_count; i++)
        if (text_equal(about->wishes[i].fingerprint, fingerprint))
            return &about->wishes[i];
    return NULL;
}

/* Ours, and what looks at the catalogues alone, is no workload. */
static bool
is_own(const struct step_window *window, const struct window_statement *statement,
    const struct statement_scope *scope)
{
    bool is_of_catalogue = scope->is_parsed && scope->relations.count > 0;

    for (size_t i = 0; is_of_catalogue && i < scope->relations.count; i++) {
        const struct named_relation *relation = &scope->relations.items[i];

        is_of_catalogue = text_equal(relation->schema, "pg_catalog") ||
                          text_equal(relation->schema, "pgmend") ||
                          text_equal(relation->schema, "information_schema") ||
                          (!relation->schema && text_starts_with(relation->name, "pg_"));
    }
    return is_of_catalogue || strstr(statement->query, "/* pgmend */") ||
           map_get(&window->own, statement->fingerprint);
}

static void
add_target(struct judging *judging, const struct window_statement *before,
    const struct window_statement *after, double wanted)
{
    judging->calls += after->calls;
    judging->is_lost |= after->is_lost || (before && before->is_lost);
    VEC_PUSH(judging->arena, &judging->ret->statements,
        (struct proof_statement){ .before = before, .after = after });
    if (before)
        VEC_PUSH(judging->arena, &judging->targets,
            (struct window_pair){ .before = before, .after = after, .wanted = wanted });
}

/* Puts a statement where it belongs. */
static void
place(struct judging *judging, const struct window_statement *after)
{
    const struct proof_case *about = judging->about;
    const struct window_statement *before = window_find(judging->before, after->fingerprint);
    const struct window_wish *wish = find_wish(about, after->fingerprint);
    const struct statement_scope *scope;
    const struct window_pair pair = { .before = before, .after = after };
    bool is_near;

    if (wish) {
        add_target(judging, before, after, wish->wanted);
        return;
    }
    scope = proof_scope(judging->proof->scopes.arena, &judging->proof->scopes, after);
    if (is_own(judging->proof->window, after, scope) ||
        (scope->is_parsed && scope->relations.count == 0))
        return;
    is_near = about->relations->count == 0 || statement_names(scope, about->relations);
    if (is_near && about->wish_count == 0 && !(about->writes_may_lose && scope->writes)) {
        add_target(judging, before, after, about->least_gain);
        if (!before)
            return;
        VEC_PUSH(judging->arena, &judging->others, pair);
    } else if (before && is_near) {
        VEC_PUSH(judging->arena, &judging->others, pair);
    } else if (before && before->calls >= LEAST_OTHER_CALLS && after->calls >= LEAST_OTHER_CALLS) {
        VEC_PUSH(judging->arena, &judging->control, pair);
    }
}

/* What was called before and is not called now: the record has it, for a run that comes later. */
static void
keep_before(struct judging *judging, const struct window_statement *before)
{
    const struct proof_case *about = judging->about;
    const struct statement_scope *scope;
    bool is_wished = find_wish(about, before->fingerprint) != NULL;

    if (before->calls <= 0 || window_find(judging->after, before->fingerprint))
        return;
    scope = proof_scope(judging->proof->scopes.arena, &judging->proof->scopes, before);
    if (!is_wished &&
        (about->wish_count > 0 || scope->relations.count == 0 ||
            is_own(judging->proof->window, before, scope) ||
            (about->relations->count > 0 && !statement_names(scope, about->relations))))
        return;
    VEC_PUSH(
        judging->arena, &judging->ret->statements, (struct proof_statement){ .before = before });
}

/* Others that the step is not about went slower or faster too: that much is not its doing. */
static void
find_pace(struct judging *judging)
{
    struct window_sum sum;

    window_add_up(&judging->control, &sum);
    judging->has_pace =
        sum.calls_after >= (double)judging->proof->proving->least_calls && sum.ms_before > 0;
    judging->pace = judging->has_pace ? sum.ms_after / sum.ms_before : 1;
}

static double
drift(const struct judging *judging, double blocks_before, double blocks_after)
{
    bool is_same = fabs(blocks_after - blocks_before) <= same_blocks * blocks_before;

    return is_same && !judging->has_pace ? most_drift : 1;
}

/* Half the width of a one-sided interval that is wrong this often. */
static double
margin(const struct window_difference *difference, double chance)
{
    if (!(difference->error > 0))
        return 0;
    return difference->error * load_student_quantile(2 * chance, difference->degrees);
}

/* ---- losses ---- */

struct losses {
    struct text_list told;
    double ms;       /* that they cost more since, in all */
    bool is_serious; /* one that must not lose did */
};

static void
find_losses(struct judging *judging, struct losses *ret)
{
    double chance = judging->chance / fmax((double)judging->others.count, 1);
    double pace = fmax(judging->pace, 1);

    for (size_t i = 0; i < judging->others.count; i++) {
        const struct window_pair *pair = &judging->others.items[i];
        double factor = (1 + judging->about->most_loss) * pace *
                        drift(judging, pair->before->blocks, pair->after->blocks);
        const struct window_difference difference = window_compare(pair, factor);
        const struct statement_scope *scope;

        if (pair->before->calls < LEAST_OTHER_CALLS || pair->after->calls < LEAST_OTHER_CALLS ||
            isnan(pair->before->variance) || isnan(pair->after->variance) ||
            difference.ms + margin(&difference, chance) >= 0)
            continue;
        scope = proof_scope(judging->proof->scopes.arena, &judging->proof->scopes, pair->after);
        ret->is_serious |= !(judging->about->writes_may_lose && scope->writes);
        ret->ms += (pair->after->ms - pair->before->ms * pace) * pair->after->calls;
        text_list_add(judging->arena, &ret->told,
            arena_printf(judging->arena, "%.8s %s → %s a call", pair->after->fingerprint,
                text_from_us(judging->arena, llround(1000 * pair->before->ms)),
                text_from_us(judging->arena, llround(1000 * pair->after->ms))));
        if (!find_wish(judging->about, pair->after->fingerprint) && judging->about->wish_count > 0)
            VEC_PUSH(judging->arena, &judging->ret->statements,
                (struct proof_statement){ .before = pair->before, .after = pair->after });
    }
}

/* ---- the gain ---- */

static const char *
percent(struct arena *arena, double before, double after)
{
    if (!(before > 0))
        return "";
    return arena_printf(
        arena, " (%+.*f %%)", fabs(after / before - 1) < .1 ? 1 : 0, 100 * (after / before - 1));
}

static const char *
tell_sum(struct arena *arena, const struct window_sum *sum)
{
    const char *blocks = percent(arena, sum->blocks_before, sum->blocks_after);
    const char *time = percent(arena, sum->ms_before, sum->ms_after);
    const char *blocks_before = text_from_ratio(arena, sum->blocks_before);
    const char *blocks_after = text_from_ratio(arena, sum->blocks_after);

    return arena_printf(arena, "%s → %s blocks a call%s, %s → %s%s; %.0f calls before, %.0f after",
        blocks_before, blocks_after, blocks, text_from_us(arena, llround(1000 * sum->ms_before)),
        text_from_us(arena, llround(1000 * sum->ms_after)), time, sum->calls_before,
        sum->calls_after);
}

/* Pairs of which a variance is known. */
static struct window_pairs
with_times(struct arena *arena, const struct window_pairs *pairs)
{
    struct window_pairs ret = { 0 };

    for (size_t i = 0; i < pairs->count; i++)
        if (!isnan(pairs->items[i].before->variance) && !isnan(pairs->items[i].after->variance))
            VEC_PUSH(arena, &ret, pairs->items[i]);
    return ret;
}

/* Of a step that need not gain: nothing of it got slower, as far as chance lets that be said. */
static enum proof_finding
judge_calm(
    const struct judging *judging, const struct window_sum *all, const struct window_sum *timed)
{
    double limit = (1 + judging->about->most_loss) * fmax(judging->pace, 1);
    double room = timed->ms_before * limit - timed->ms_after;

    if (all->blocks_after <= all->blocks_before * (1 + judging->about->most_loss / 2) ||
        room > margin(&timed->time, judging->chance) * limit)
        return PROOF_GAIN;
    return PROOF_UNCLEAR;
}

static enum proof_finding
judge_gain(const struct judging *judging, const struct window_pairs *pairs, double chance,
    bool is_last, struct window_sum *ret_sum)
{
    const struct window_pairs timed_pairs = with_times(judging->arena, pairs);
    struct window_sum timed;
    double saved_ms;
    double doubt_ms;
    double half;

    window_add_up(pairs, ret_sum);
    window_add_up(&timed_pairs, &timed);
    if (judging->about->least_gain <= 0 && judging->about->wish_count == 0)
        return judge_calm(judging, ret_sum, &timed);
    /* What the others gained as well is not counted. */
    saved_ms = timed.ms_before * fmin(judging->pace, 1) - timed.ms_after;
    half = margin(&timed.time, chance);
    doubt_ms = timed.ms_before * (1 - 1 / drift(judging, timed.blocks_before, timed.blocks_after));
    if (ret_sum->wanted_blocks > 0 &&
        ret_sum->blocks_before - ret_sum->blocks_after >= ret_sum->wanted_blocks &&
        -saved_ms - half < timed.ms_before * judging->about->most_loss * fmax(judging->pace, 1))
        return PROOF_GAIN;
    if (timed_pairs.count > 0 && saved_ms >= timed.wanted_ms && saved_ms > half + doubt_ms)
        return PROOF_GAIN;
    if (timed_pairs.count > 0 && saved_ms + half < timed.wanted_ms)
        return PROOF_NO_GAIN;
    return is_last && saved_ms < timed.wanted_ms ? PROOF_NO_GAIN : PROOF_UNCLEAR;
}

/* Whether one alone of the statements gained; it is then what is told. */
static enum proof_finding
judge_any(const struct judging *judging, bool is_last, struct window_sum *ret_sum)
{
    enum proof_finding finding = PROOF_NO_GAIN;
    double chance = judging->chance / fmax((double)judging->targets.count, 1);

    for (size_t i = 0; i < judging->targets.count; i++) {
        const struct window_pairs one = { .items = &judging->targets.items[i], .count = 1 };
        struct window_sum sum;
        enum proof_finding its;

        if (one.items->before->calls < LEAST_OTHER_CALLS ||
            one.items->after->calls < LEAST_OTHER_CALLS)
            continue;
        its = judge_gain(judging, &one, chance, is_last, &sum);
        if (its == PROOF_GAIN) {
            *ret_sum = sum;
            return its;
        }
        if (its == PROOF_UNCLEAR)
            finding = its;
    }
    return finding;
}

/* ---- together ---- */

/* Rows that were found before and are not found now. */
static const char *
tell_rows(const struct judging *judging)
{
    for (size_t i = 0; i < judging->targets.count; i++) {
        const struct window_pair *pair = &judging->targets.items[i];

        if (pair->after->calls < LEAST_OTHER_CALLS || pair->before->calls < LEAST_OTHER_CALLS ||
            pair->before->rows < .5)
            continue;
        if (pair->after->rows <= 0)
            return arena_printf(judging->arena,
                "; beware: %.8s gave %s rows a call before and gives none now",
                pair->after->fingerprint, text_from_ratio(judging->arena, pair->before->rows));
        if (pair->after->rows > 2 * pair->before->rows ||
            2 * pair->after->rows < pair->before->rows)
            return arena_printf(judging->arena,
                "; it was asked for other rows: %.8s gave %s a call, now %s",
                pair->after->fingerprint, text_from_ratio(judging->arena, pair->before->rows),
                text_from_ratio(judging->arena, pair->after->rows));
    }
    return "";
}

static void
decide(struct judging *judging, bool is_last)
{
    struct arena *arena = judging->arena;
    struct proof_judgement *ret = judging->ret;
    struct losses losses = { 0 };
    struct window_sum sum;
    const char *lost;
    double saved_ms;

    window_add_up(&judging->targets, &sum);
    ret->finding = judge_gain(judging, &judging->targets, judging->chance, is_last, &sum);
    if (judging->about->any_gains && ret->finding != PROOF_GAIN)
        ret->finding = judge_any(judging, is_last, &sum);
    find_losses(judging, &losses);
    saved_ms = (sum.ms_before - sum.ms_after) * sum.calls_after;
    lost = text_list_join(arena, &losses.told, ", ");
    ret->text = arena_printf(arena, "%s%s", tell_sum(arena, &sum), tell_rows(judging));
    if (losses.is_serious || (losses.told.count > 0 && losses.ms > saved_ms)) {
        ret->finding = PROOF_LOSS;
        ret->text =
            arena_printf(arena, "other statements got slower: %s (its own: %s)", lost, ret->text);
    } else if (losses.told.count > 0) {
        ret->text = arena_printf(arena, "%s; writes pay for it: %s", ret->text, lost);
    }
}

void
proof_judge(struct arena *arena, struct step_proof *proof, const struct workload_window *after,
    const struct proof_case *about, bool is_last, struct proof_judgement *ret)
{
    struct judging judging = { .arena = arena,
        .proof = proof,
        .before = &proof->window->before,
        .after = after,
        .about = about,
        .ret = ret };
    double least = (double)proof->proving->least_calls;
    struct proof_state *state = about->state;
    int32_t looks = state->looks;
    struct window_sum sum;

    *ret = (struct proof_judgement){ .finding = PROOF_EARLY };
    for (size_t i = 0; i < after->statements.count; i++)
        if (after->statements.items[i].calls > 0)
            place(&judging, &after->statements.items[i]);
        else if (find_wish(about, after->statements.items[i].fingerprint))
            judging.is_lost = true;
    for (size_t i = 0; i < judging.before->statements.count; i++)
        keep_before(&judging, &judging.before->statements.items[i]);
    ret->calls = judging.calls;
    if (judging.calls >= least && state->reached_us == 0)
        state->reached_us = clock_us();
    /* Each look is another chance to be wrong: they come when the calls have doubled, and get stricter. */
    if (judging.calls < least || (!is_last && judging.calls < ldexp(least, looks)))
        return;
    state->looks++;
    window_add_up(&judging.targets, &sum);
    find_pace(&judging);
    judging.chance = wrong_by_chance / ((looks + 1.) * (looks + 2.));
    ret->finding = PROOF_UNKNOWN;
    if (judging.is_lost)
        ret->text =
            "the counters of its statements began anew meanwhile (a reset, or no room for them)";
    else if (sum.calls_before < least || sum.calls_after < least)
        ret->text = arena_printf(arena,
            "its statements were called %.0f times in the %.0f s before; %.0f are wanted",
            sum.calls_before, judging.before->seconds, least);
    else
        decide(&judging, is_last);
    state->has_finding = true;
    state->finding = ret->finding;
    state->text = arena_strdup(proof->scopes.arena, ret->text);
}

const char *
step_proof_before(struct arena *arena, const struct step_window *window)
{
    struct proof_judgement judgement = { 0 };

    if (!window->step || window->trouble)
        return NULL;
    for (size_t i = 0; i < window->before.statements.count; i++) {
        const struct window_statement *statement = &window->before.statements.items[i];
        struct statement_scope scope;

        if (statement->calls <= 0)
            continue;
        statement_scope(arena, statement->query, &scope);
        if (!is_own(window, statement, &scope) &&
            (window->relations.count == 0 || statement_names(&scope, &window->relations)))
            VEC_PUSH(arena, &judgement.statements, (struct proof_statement){ .before = statement });
    }
    return proof_story(arena, &judgement, 1, false, window->before.seconds);
}
