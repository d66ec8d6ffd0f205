/* Why it was chosen, in sentences. */
#include <inttypes.h>

#include "base/clock.h"
#include "vector/tune/decide.h"

/* From here on tuning again is worth it. */
static const double tenant_growth = 2;
static const double table_growth = 1.5;

static const char *
cpu_text(struct arena *arena, const struct vector_measure *measure)
{
    return text_from_us(arena, (int64_t)measure->cpu_us_p95.value);
}

static const char *
bytes_text(struct arena *arena, double bytes)
{
    return text_from_bytes(arena, (int64_t)bytes);
}

/* "bits finds 99.95 % of the right answers (worst: 99.7 %, 10,000-99,999 rows)" */
static void
tell_recall(struct buffer *why, const struct vector_tuning *tuning,
    const struct vector_candidate *candidate)
{
    const struct vector_measure *worst = NULL;
    const char *name = "";

    for (size_t i = 0; i < candidate->buckets.count; i++) {
        const struct vector_measure *measure = &candidate->buckets.items[i];

        if (measure->queries == 0 || (worst && measure->recall.value >= worst->recall.value))
            continue;
        worst = measure;
        if (i < tuning->sizes.buckets.count)
            name = tuning->sizes.buckets.items[i].name;
    }
    buffer_printf(why, "%s finds %s of the right answers", candidate->name,
        goal_share_text(why->arena, candidate->overall.recall.value));
    if (worst && worst->recall.value < candidate->overall.recall.value)
        buffer_printf(why, " (%s in the worst bucket, %s)",
            goal_share_text(why->arena, worst->recall.value), name);
    if (candidate->overall.short_results > 0)
        buffer_printf(why, ", returns too few rows for %s of the searches",
            goal_share_text(why->arena,
                (double)candidate->overall.short_results / (double)candidate->overall.queries));
    buffer_printf(why, ", takes %s of CPU (p95) and %s", cpu_text(why->arena, &candidate->overall),
        bytes_text(why->arena, goal_bytes(tuning, candidate)));
}

/* What the base is compared with: exact search over the column, else the scan of today. */
static const struct vector_candidate *
find_reference(const struct vector_tuning *tuning, const struct vector_candidate *base)
{
    const struct vector_candidate *found = NULL;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];
        bool is_exact =
            candidate->method.family == FAMILY_EXACT && candidate->method.element == ELEMENT_COLUMN;

        if (candidate == base || candidate->overall.queries == 0)
            continue;
        if (is_exact || (!found && candidate->method.family == FAMILY_SCAN))
            found = candidate;
    }
    return found;
}

static void
tell_base(struct buffer *why, const struct vector_tuning *tuning, const struct decision *decision)
{
    const struct vector_candidate *base = decision->base;
    const struct vector_candidate *reference = find_reference(tuning, base);
    double own = base->overall.cpu_us_p95.value;

    tell_recall(why, tuning, base);
    if (reference && own > 0 && reference->overall.cpu_us_p95.value > own)
        buffer_printf(why, ", %.1f times less CPU than %s (%s)",
            reference->overall.cpu_us_p95.value / own, reference->name,
            cpu_text(why->arena, &reference->overall));
    buffer_add(why, ".");
    if (decision->cheapest)
        buffer_printf(why, " %s takes %s, which is not surely a quarter less, and asks for more.",
            decision->cheapest->name, cpu_text(why->arena, &decision->cheapest->overall));
    if (decision->outweighed)
        buffer_printf(why, " %s takes %s of CPU but %s, more than twice the room.",
            decision->outweighed->name, cpu_text(why->arena, &decision->outweighed->overall),
            bytes_text(why->arena, goal_bytes(tuning, decision->outweighed)));
}

static void
tell_specials(
    struct buffer *why, const struct vector_tuning *tuning, const struct decision *decision)
{
    for (size_t i = 0; i < decision->specials.count; i++) {
        const struct decided_special *special = &decision->specials.items[i];
        const struct vector_measure *own = &special->candidate->buckets.items[special->bucket];
        const struct vector_measure *base = &decision->base->buckets.items[special->bucket];

        buffer_printf(why,
            " %zu tenant%s of %s get%s an index of %s own (%s, %s):"
            " %s of the right answers at %s of CPU (p95)",
            special->tenants.count, special->tenants.count == 1 ? "" : "s",
            tuning->sizes.buckets.items[special->bucket].name,
            special->tenants.count == 1 ? "s" : "", special->tenants.count == 1 ? "its" : "their",
            special->candidate->name, bytes_text(why->arena, special->bytes),
            goal_share_text(why->arena, own->recall.value), cpu_text(why->arena, own));
        if (base->queries > 0)
            buffer_printf(why, " instead of %s at %s",
                goal_share_text(why->arena, base->recall.value), cpu_text(why->arena, base));
        buffer_add(why, special->is_needed ? ", without which the goal is missed." : ".");
    }
}

/* The setting that finds most of those that the plan proposes. */
static void
tell_plan(struct buffer *why, const struct vector_tuning *tuning, const struct decision *decision)
{
    const struct vector_candidate *found = NULL;

    for (size_t i = 0; i < tuning->candidates.count; i++) {
        const struct vector_candidate *candidate = &tuning->candidates.items[i];

        if (candidate->is_plan && candidate->overall.queries > 0 && candidate != decision->base &&
            (!found || candidate->method.probes > found->method.probes))
            found = candidate;
    }
    if (!found)
        return;
    buffer_add(why, " The usual IVFFlat index: ");
    tell_recall(why, tuning, found);
    buffer_add(why, ".");
}

static const char *
tell_why(struct arena *arena, const struct vector_tuning *tuning, const struct decision *decision)
{
    struct buffer why = { .arena = arena };

    if (!decision->base)
        return "Nothing could be measured.";
    if (!decision->meets_goal) {
        struct goal_gap gap = goal_gap_of(tuning, decision->base);

        buffer_printf(&why, "%s misses the goal: it %s. ", decision->base->name,
            goal_gap_text(arena, tuning, decision->base, &gap));
    }
    tell_base(&why, tuning, decision);
    tell_specials(&why, tuning, decision);
    tell_plan(&why, tuning, decision);
    return buffer_text(&why);
}

static const char *
tell_retune(struct arena *arena, const struct vector_tuning *tuning)
{
    const struct vector_sizes *sizes = &tuning->sizes;
    struct buffer text = { .arena = arena };

    buffer_add(&text, "Tune again when ");
    if (tuning->target.tenant && sizes->tenants.count > 0)
        buffer_printf(&text, "a tenant has more than %s rows (twice the largest of today), ",
            text_from_count(
                arena, (int64_t)((double)sizes->tenants.items[0].rows * tenant_growth)));
    buffer_printf(&text,
        "the table has more than %s rows (half as many again), the vectors come from another model"
        " or have other dimensions, pgvector is upgraded (now %s), or \"pgmend vector check\" finds"
        " recall below the goal.",
        text_from_count(arena, (int64_t)((double)sizes->rows * table_growth)),
        tuning->target.extension_version ? tuning->target.extension_version : "unknown");
    return buffer_text(&text);
}

static void
fill_expected(struct arena *arena, const struct vector_tuning *tuning,
    const struct decision *decision, struct vector_choice *choice)
{
    for (size_t i = 0; i < tuning->sizes.buckets.count; i++) {
        const struct vector_bucket *bucket = &tuning->sizes.buckets.items[i];
        struct vector_measure measure = decide_expected(decision, i);

        if (measure.queries == 0)
            continue;
        VEC_PUSH(arena, &choice->expected,
            (struct vector_expectation){ .bucket = bucket->name,
                .least_rows = bucket->least_rows,
                .most_rows = bucket->most_rows,
                .measure = measure });
    }
}

/* Tenants of several buckets that are served alike stand together. */
static void
add_special(
    struct arena *arena, struct vector_choice *choice, const struct decided_special *decided)
{
    const char *method = vector_method_name(arena, &decided->candidate->method);
    size_t at = 0;

    while (at < choice->specials.count &&
           !text_equal(vector_method_name(arena, &choice->specials.items[at].method), method))
        at++;
    if (at == choice->specials.count)
        VEC_PUSH(arena, &choice->specials,
            (struct vector_special){ .method = decided->candidate->method });
    for (size_t i = 0; i < decided->tenants.count; i++)
        text_list_add(arena, &choice->specials.items[at].tenants, decided->tenants.items[i]);
}

void
decide_tell(struct arena *arena, struct vector_tuning *tuning, const struct decision *decision)
{
    struct vector_choice *choice = &tuning->choice;

    *choice = (struct vector_choice){ .target = tuning->target,
        .recall = tuning->goal.recall,
        .recall_worst = tuning->goal.recall_worst,
        .vector_weight = -1,
        .chosen_at = clock_text(arena, clock_wall_us()),
        .was_measured = decision->base != NULL };
    choice->why = tell_why(arena, tuning, decision);
    choice->retune = tell_retune(arena, tuning);
    if (!decision->base) {
        vector_choice_exact(arena, &tuning->target, choice);
        return;
    }
    choice->base = decision->base->method;
    for (size_t i = 0; i < decision->specials.count; i++)
        add_special(arena, choice, &decision->specials.items[i]);
    fill_expected(arena, tuning, decision, choice);
}
