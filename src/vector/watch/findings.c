/* What the measured answers and the counted rows say. */
#include "vector/watch/findings.h"

/* Growth beyond this asks for measuring again: twice the largest tenant, half as many rows again. */
enum { TENANT_GROWN = 2 };
#define ROWS_GROWN_RATIO 1.5

static void
find_in_bucket(
    struct arena *arena, const struct vector_check_bucket *bucket, struct vector_check *check)
{
    const struct vector_measure *measure = &bucket->measure;
    double goal = check->choice.recall_worst;

    if (measure->short_results > 0)
        check_find(arena, check, SHORT_RESULTS, bucket->name,
            "%lld of %lld searches of tenants with %s returned fewer rows than there are and were "
            "asked for",
            (long long)measure->short_results, (long long)measure->queries, bucket->name);
    if (inquiry_is_below(measure, goal, 0))
        check_find(arena, check, RECALL_BELOW_GOAL, bucket->name,
            "tenants with %s: %.3f of the right answers are found (%.3f to %.3f by %lld "
            "questions), the goal is %.3f",
            bucket->name, measure->recall.value, measure->recall.low, measure->recall.high,
            (long long)measure->queries, goal);
    if (bucket->expected >= 0 && inquiry_is_below(measure, bucket->expected, RECALL_TOLERANCE))
        check_find(arena, check, RECALL_BELOW_PREDICTION, bucket->name,
            "tenants with %s: %.3f of the right answers are found (%.3f to %.3f by %lld "
            "questions), %.3f was predicted",
            bucket->name, measure->recall.value, measure->recall.low, measure->recall.high,
            (long long)measure->queries, bucket->expected);
}

static void
find_growth(struct arena *arena, const struct inquiry *inquiry, struct vector_check *check)
{
    const struct vector_choice *choice = &inquiry->choice;
    const struct vector_sizes *sizes = &inquiry->sizes;
    int64_t largest = sizes->tenants.count > 0 ? sizes->tenants.items[0].rows : 0;

    if (choice->largest_rows > 0 && largest > choice->largest_rows * TENANT_GROWN)
        check_find(arena, check, TENANTS_OUTGROWN, NULL,
            "the largest tenant has %s rows, %s when the search was chosen",
            text_from_count(arena, largest), text_from_count(arena, choice->largest_rows));
    for (size_t i = 0; choice->expected.count > 0 && i < sizes->buckets.count; i++) {
        const struct vector_bucket *bucket = &sizes->buckets.items[i];

        if (!inquiry_expected(choice, bucket))
            check_find(arena, check, TENANTS_OUTGROWN, bucket->name,
                "%s tenants have %s now: none of this size was measured",
                text_from_count(arena, bucket->tenants), bucket->name);
    }
    if (choice->target.rows > 0 &&
        (double)sizes->rows > (double)choice->target.rows * ROWS_GROWN_RATIO)
        check_find(arena, check, ROWS_GROWN, NULL,
            "the table has %s rows with a vector, %s when the search was chosen",
            text_from_count(arena, sizes->rows), text_from_count(arena, choice->target.rows));
}

void
check_find_measured(struct arena *arena, const struct inquiry *inquiry, struct vector_check *check)
{
    for (size_t i = 0; i < check->buckets.count; i++)
        find_in_bucket(arena, &check->buckets.items[i], check);
    if (inquiry_is_below(&check->overall, check->choice.recall, 0))
        check_find(arena, check, RECALL_BELOW_GOAL, NULL,
            "%.3f of the right answers are found (%.3f to %.3f), the goal is %.3f",
            check->overall.recall.value, check->overall.recall.low, check->overall.recall.high,
            check->choice.recall);
    find_growth(arena, inquiry, check);
}
