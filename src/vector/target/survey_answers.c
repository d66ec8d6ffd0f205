/* What searches by approximate indexes return, against what they should. */
#include "vector/target/survey_trial.h"

/* The search that was worst in one respect. */
struct worst {
    const struct asked *asked; /* NULL: none yet */
    struct trial_answer answer;
    double share; /* of what was due */
};

struct answers {
    int64_t searches;
    int64_t short_results;
    double recall; /* sum of the shares */
    struct worst emptiest;
    struct worst wrongest;
};

static void
keep_worst(
    struct worst *worst, const struct asked *asked, const struct trial_answer *answer, int64_t good)
{
    double share = answer->due > 0 ? (double)good / (double)answer->due : 1;

    if (worst->asked && worst->share <= share)
        return;
    *worst = (struct worst){ .asked = asked, .answer = *answer, .share = share };
}

static void
count_answer(struct answers *answers, const struct asked *asked, const struct trial_answer *answer)
{
    answers->searches++;
    answers->short_results += answer->rows < answer->due;
    answers->recall += answer->due > 0 ? (double)answer->right / (double)answer->due : 1;
    keep_worst(&answers->emptiest, asked, answer, answer->rows);
    keep_worst(&answers->wrongest, asked, answer, answer->right);
}

static void
tell_answers(struct surveyed *column, struct finding *finding, const struct answers *answers,
    const struct worst *worst)
{
    struct arena *arena = column->ctx->arena;

    survey_number(column, finding, "searches", answers->searches);
    survey_number(column, finding, "short", answers->short_results);
    survey_evidence(column, finding, "recall",
        arena_printf(arena, "%.3f", answers->recall / (double)answers->searches));
    survey_evidence(column, finding, "worst", trying_tenant(arena, worst->asked->tenant));
    survey_number(column, finding, "worst_due", worst->answer.due);
    survey_number(column, finding, "worst_rows", worst->answer.rows);
    survey_number(column, finding, "worst_right", worst->answer.right);
}

static void
report_answers(struct trying *trying, const struct answers *answers)
{
    enum { GOOD_PERCENT = 95 };
    struct surveyed *column = trying->column;
    struct arena *arena = column->ctx->arena;
    const struct worst *worst = &answers->emptiest;

    if (answers->short_results > 0 && !survey_is_told(column, RULE_SHORT))
        tell_answers(column,
            survey_add(column, RULE_SHORT, NULL,
                "%s: of the searches that were tried %lld of %lld returned too few rows; %s: %lld "
                "of %lld",
                survey_name(column), (long long)answers->short_results,
                (long long)answers->searches, trying_tenant(arena, worst->asked->tenant),
                (long long)worst->answer.rows, (long long)worst->answer.due),
            answers, worst);
    worst = &answers->wrongest;
    if (answers->recall * 100 < GOOD_PERCENT * (double)answers->searches &&
        !survey_is_told(column, RULE_RECALL))
        tell_answers(column,
            survey_add(column, RULE_RECALL, NULL,
                "%s: the searches that were tried (%lld) found %.0f %% of the right rows; %s: %lld "
                "of %lld",
                survey_name(column), (long long)answers->searches,
                100 * answers->recall / (double)answers->searches,
                trying_tenant(arena, worst->asked->tenant), (long long)worst->answer.right,
                (long long)worst->answer.due),
            answers, worst);
}

/* Only where an approximate index is used: the others are exact. */
bool
trying_judge_answers(struct trying *trying)
{
    struct surveyed *column = trying->column;
    struct answers answers = { 0 };

    for (size_t i = 0; i < trying->count; i++) {
        const struct asked *asked = &trying->items[i];
        struct trial_answer answer;

        if (!asked->plan.ann)
            continue;
        if (!trial_search(
                column, asked->plan.ann->key, asked->tenant->value, asked->vector, &answer)) {
            /* One that takes too long is enough: the others would, too. */
            if (!survey_goes_on(column, "searching exactly, to compare"))
                return false;
            break;
        }
        count_answer(&answers, asked, &answer);
    }
    if (answers.searches > 0)
        report_answers(trying, &answers);
    return true;
}
