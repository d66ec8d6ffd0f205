/* What searches by approximate indexes return, against what they should. */
#include "vector/target/survey_trial.h"

struct answers {
    int64_t searches;
    int64_t short_results;
    int64_t due; /* rows, of all searches */
    int64_t rows;
    double recall; /* sum */
    const struct asked *worst;
    struct trial_answer worst_answer;
};

static void
count_answer(struct answers *answers, const struct asked *asked, const struct trial_answer *answer)
{
    double recall = answer->due > 0 ? (double)answer->right / (double)answer->due : 1;

    if (answers->searches == 0 || answer->right * (answers->worst_answer.due + 1) <
                                      answers->worst_answer.right * (answer->due + 1)) {
        answers->worst = asked;
        answers->worst_answer = *answer;
    }
    answers->searches++;
    answers->short_results += answer->rows < answer->due;
    answers->recall += recall;
    answers->due += answer->due;
    answers->rows += answer->rows;
}

static void
tell_answers(struct surveyed *column, struct finding *finding, const struct answers *answers)
{
    survey_number(column, finding, "searches", answers->searches);
    survey_number(column, finding, "short", answers->short_results);
    survey_evidence(column, finding, "recall",
        arena_printf(column->ctx->arena, "%.3f", answers->recall / (double)answers->searches));
    survey_evidence(
        column, finding, "worst_tenant", trying_tenant(column->ctx->arena, answers->worst->tenant));
    survey_number(column, finding, "worst_rows", answers->worst_answer.rows);
    survey_number(column, finding, "worst_right", answers->worst_answer.right);
    survey_number(column, finding, "worst_due", answers->worst_answer.due);
}

static void
report_answers(struct trying *trying, const struct answers *answers)
{
    enum { GOOD_PERCENT = 95 };
    struct surveyed *column = trying->column;
    struct arena *arena = column->ctx->arena;
    const struct trial_answer *worst = &answers->worst_answer;

    if (answers->short_results > 0 && !survey_is_told(column, RULE_SHORT))
        tell_answers(column,
            survey_add(column, RULE_SHORT, NULL,
                "%s: %lld of %lld searches that were tried returned too few rows; %s: %lld "
                "of %lld",
                survey_name(column), (long long)answers->short_results,
                (long long)answers->searches, trying_tenant(arena, answers->worst->tenant),
                (long long)worst->rows, (long long)worst->due),
            answers);
    if (answers->recall * 100 < GOOD_PERCENT * (double)answers->searches &&
        !survey_is_told(column, RULE_RECALL))
        tell_answers(column,
            survey_add(column, RULE_RECALL, NULL,
                "%s: %lld searches that were tried found %.0f %% of the right rows; %s: "
                "%lld of %lld",
                survey_name(column), (long long)answers->searches,
                100 * answers->recall / (double)answers->searches,
                trying_tenant(arena, answers->worst->tenant), (long long)worst->right,
                (long long)worst->due),
            answers);
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
            if (!survey_goes_on(column, "searching exactly, to compare"))
                return false;
            continue;
        }
        count_answer(&answers, asked, &answer);
    }
    if (answers.searches > 0)
        report_answers(trying, &answers);
    return true;
}
