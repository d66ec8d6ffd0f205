#include "cmd/parts/load_screen.h"

#include <inttypes.h>
#include <math.h>

#include "base/term.h"
#include "cli/out.h"

/* clang-format off */
struct request_line {
    const char *request;
    int64_t calls;
    const char *rate;
    const char *mean;
    const char *p50;
    const char *p95;
    const char *p99;
    const char *max;
    int64_t errors;
    const char *statements;
};

static const struct field request_columns[] = {
    FIELD(struct request_line, request),
    FIELD(struct request_line, calls),
    FIELD(struct request_line, rate, .help = "a second"),
    FIELD(struct request_line, mean),
    FIELD(struct request_line, p50),
    FIELD(struct request_line, p95),
    FIELD(struct request_line, p99),
    FIELD(struct request_line, max),
    FIELD(struct request_line, errors),
    FIELD(struct request_line, statements, .help = "sql"),
};

/* Where the terminal is narrow: times without their ends cut off are worth more than all of them. */
static const struct field narrow_columns[] = {
    FIELD(struct request_line, request),
    FIELD(struct request_line, calls),
    FIELD(struct request_line, rate, .help = "a second"),
    FIELD(struct request_line, p50),
    FIELD(struct request_line, p95),
    FIELD(struct request_line, p99),
    FIELD(struct request_line, errors),
    FIELD(struct request_line, statements, .help = "sql"),
};
enum { NARROW = 110 };

struct group_line {
    const char *group;
    int64_t users;
    int64_t calls;
    const char *p95;
    const char *good;
};

static const struct field group_columns[] = {
    FIELD(struct group_line, group),
    FIELD(struct group_line, users),
    FIELD(struct group_line, calls),
    FIELD(struct group_line, p95),
    FIELD(struct group_line, good),
};

struct fact_line {
    const char *fact;
    const char *value;
};

static const struct field fact_columns[] = {
    FIELD(struct fact_line, fact, .help = "server's side"),
    FIELD(struct fact_line, value),
};

struct message_line {
    int64_t count;
    const char *message;
};

static const struct field message_columns[] = {
    FIELD(struct message_line, count, .help = "times"),
    FIELD(struct message_line, message, .help = "what went wrong"),
};
/* clang-format on */

static const char *
rate_text(struct arena *arena, double rate)
{
    return rate < 100 ? arena_printf(arena, "%.1f", rate) : text_from_count(arena, llround(rate));
}

static int64_t
errors_of(const int64_t *outcomes)
{
    int64_t errors = 0;

    for (size_t i = LOAD_GOOD + 1; i < LOAD_OUTCOME_COUNT; i++)
        errors += outcomes[i];
    return errors;
}

/* "≤" where the generator itself was late. */
static const char *
time_text(struct arena *arena, const struct load_record *record, const struct histogram *latency,
    int64_t us)
{
    if (latency->count == 0)
        return "-";
    return arena_printf(
        arena, "%s%s", load_record_is_bottleneck(record) ? "≤ " : "", text_from_us(arena, us));
}

static struct request_line
request_line(struct arena *arena, const struct load_record *record, const struct histogram *latency,
    const char *name, const int64_t *outcomes)
{
    double all = (double)load_record_count(record, LOAD_GOOD);

    return (struct request_line){
        .request = name,
        .calls = latency->count,
        .rate =
            rate_text(arena, all > 0 ? load_record_rate(record) * (double)latency->count / all : 0),
        .mean = time_text(arena, record, latency, llround(histogram_mean_us(latency))),
        .p50 = time_text(arena, record, latency, histogram_quantile_us(latency, 0.50)),
        .p95 = time_text(arena, record, latency, histogram_quantile_us(latency, 0.95)),
        .p99 = time_text(arena, record, latency, histogram_quantile_us(latency, 0.99)),
        .max = time_text(arena, record, latency, latency->max_us),
        .errors = errors_of(outcomes),
        .statements = "",
    };
}

static void
print_requests(struct arena *arena, FILE *out, const struct load_record *record)
{
    struct request_line *lines = ARENA_ARRAY(arena, struct request_line, record->step_count + 1);
    int64_t outcomes[LOAD_OUTCOME_COUNT];
    bool has_statements = false;
    size_t count = 0;

    for (size_t i = 0; i < record->step_count; i++) {
        const struct load_step_record *step = &record->steps[i];

        lines[count] = request_line(arena, record, step->latency, step->name, step->outcomes);
        if (step->statements >= 0 && step->latency->count > 0) {
            lines[count].statements = arena_printf(
                arena, "%.1f", (double)step->statements / (double)step->latency->count);
            has_statements |= record->kind == LOAD_HTTP;
        }
        count++;
    }
    for (size_t i = 0; i < LOAD_OUTCOME_COUNT; i++)
        outcomes[i] = load_record_count(record, (enum load_outcome)i);
    if (record->step_count > 1)
        lines[count++] =
            request_line(arena, record, load_record_latency(arena, record), "all", outcomes);
    if (term_is_terminal(out) && term_width(out) < NARROW)
        out_table(out, narrow_columns, COUNT_OF(narrow_columns) - (has_statements ? 0 : 1), lines,
            count, sizeof(lines[0]));
    else
        out_table(out, request_columns, COUNT_OF(request_columns) - (has_statements ? 0 : 1), lines,
            count, sizeof(lines[0]));
}

/* With as many digits as are needed to see that it is not all. */
static const char *
share_text(struct arena *arena, int64_t part, int64_t whole)
{
    double share = whole > 0 ? 100 * (double)part / (double)whole : 0;

    if (whole == 0)
        return "-";
    return part == whole || share < 99 ? arena_printf(arena, "%.1f %%", share)
                                       : arena_printf(arena, "%.3f %%", share - 0.0005);
}

static void
print_groups(struct arena *arena, FILE *out, const struct load_record *record)
{
    struct group_line *lines = ARENA_ARRAY(arena, struct group_line, record->group_count);

    if (record->group_count < 2)
        return;
    for (size_t i = 0; i < record->group_count; i++) {
        const struct load_group_record *group = &record->groups[i];
        int64_t good = group->outcomes[LOAD_GOOD];

        lines[i] = (struct group_line){
            .group = group->name,
            .users = group->users,
            .calls = good,
            .p95 = time_text(
                arena, record, group->latency, histogram_quantile_us(group->latency, 0.95)),
            .good = share_text(arena, good, good + errors_of(group->outcomes)),
        };
    }
    fputc('\n', out);
    out_table(
        out, group_columns, COUNT_OF(group_columns), lines, record->group_count, sizeof(lines[0]));
}

static const char *
fact_text(struct arena *arena, const struct load_fact *fact)
{
    if (text_equal(fact->unit, "share"))
        return arena_printf(arena, "%.1f %%", fact->value * 100);
    if (text_equal(fact->unit, "us"))
        return text_from_us(arena, llround(fact->value));
    if (text_equal(fact->unit, "bytes"))
        return text_from_bytes(arena, llround(fact->value));
    return text_from_ratio(arena, fact->value);
}

static void
print_facts(struct arena *arena, FILE *out, const struct load_record *record)
{
    struct fact_line *lines = ARENA_ARRAY(arena, struct fact_line, record->fact_count + 1);

    for (size_t i = 0; i < record->fact_count; i++)
        lines[i] = (struct fact_line){
            .fact = record->facts[i].label,
            .value = fact_text(arena, &record->facts[i]),
        };
    if (record->fact_count + record->fact_notes.count > 0)
        fputc('\n', out);
    if (record->fact_count > 0)
        out_table(
            out, fact_columns, COUNT_OF(fact_columns), lines, record->fact_count, sizeof(lines[0]));
    for (size_t i = 0; i < record->fact_notes.count; i++)
        out_mark_line(out, MARK_INFO, "%s", record->fact_notes.items[i]);
}

static void
print_generator(struct arena *arena, FILE *out, const struct load_record *record)
{
    int64_t all = load_record_count(record, LOAD_GOOD) + load_record_errors(record);
    const char *late = "";

    /* A closed loop without think times has no schedule that it could be late for. */
    if (record->lag->count > 0)
        late = arena_printf(arena, "%s late (p99), ",
            text_from_us(arena, histogram_quantile_us(record->lag, 0.99)));

    fprintf(out, "\n%s requests of %s users in %s; pgmend itself: %s%s of CPU each, %s\n",
        text_from_count(arena, all), text_from_count(arena, record->users),
        text_from_us(arena, record->elapsed_us), late,
        text_from_us(arena, all > 0 ? record->cpu_us / all : 0),
        text_from_bytes(arena, record->rss_bytes));
    if (record->is_stopped)
        out_mark_line(out, MARK_INFO, "stopped by a signal: this is what was measured till then");
    if (load_record_is_bottleneck(record))
        out_mark_line(out, MARK_WARN,
            "pgmend itself was the bottleneck (it sent p99 %s late): latencies are upper bounds",
            text_from_us(arena, histogram_quantile_us(record->lag, 0.99)));
}

static void
print_errors(struct arena *arena, FILE *out, const struct load_record *record)
{
    struct message_line *lines = ARENA_ARRAY(arena, struct message_line, record->message_count + 1);
    int64_t errors = load_record_errors(record);

    out_mark_line(out, errors + record->unanswered == 0 ? MARK_OK : MARK_FAIL,
        "%s errors under load", text_from_count(arena, errors));
    for (size_t i = LOAD_GOOD + 1; i < LOAD_OUTCOME_COUNT; i++) {
        int64_t count = load_record_count(record, (enum load_outcome)i);

        if (count > 0)
            fprintf(out, "      %s %s\n", text_from_count(arena, count), load_outcome_words[i]);
    }
    if (record->lost > 0)
        fprintf(out, "      %s connections ended and were opened anew\n",
            text_from_count(arena, record->lost));
    if (record->unanswered > 0)
        fprintf(out,
            "      %s requests that were due had no answer 5 s after the end: no latency has them\n",
            text_from_count(arena, record->unanswered));
    for (size_t i = 0; i < record->message_count; i++)
        lines[i] = (struct message_line){
            .count = record->messages[i].count,
            .message = record->messages[i].text,
        };
    if (record->message_count > 0)
        out_table(out, message_columns, COUNT_OF(message_columns), lines, record->message_count,
            sizeof(lines[0]));
}

/* "stats.p95 < 200ms" → p95. */
static const char *
measure_of(struct arena *arena, const struct load_goal_result *goal)
{
    const char *name = arena_strndup(arena, goal->text, strcspn(goal->text, " <>="));
    const char *dot = strrchr(name, '.');

    return dot ? dot + 1 : name;
}

static const char *
goal_value(struct arena *arena, const struct load_goal_result *goal)
{
    switch (load_measure_unit(measure_of(arena, goal))) {
    case MEASURE_TIME:
        return text_from_us(arena, llround(goal->value));
    case MEASURE_SHARE:
        return arena_printf(arena, "%.3f %%", goal->value * 100);
    case MEASURE_NUMBER:
    case MEASURE_NONE:
        break;
    }
    return text_from_ratio(arena, goal->value);
}

static void
print_goals(struct arena *arena, FILE *out, const struct load_record *record)
{
    for (size_t i = 0; i < record->goal_count; i++) {
        const struct load_goal_result *goal = &record->goals[i];

        if (!goal->is_known)
            out_mark_line(out, MARK_WARN, "%s: not known", goal->text);
        else
            out_mark_line(out, goal->is_met ? MARK_OK : MARK_FAIL, "%s: %s", goal->text,
                goal_value(arena, goal));
    }
}

void
load_screen_print(struct ctx *ctx, FILE *out, const struct load_record *record)
{
    print_requests(ctx->arena, out, record);
    print_groups(ctx->arena, out, record);
    print_facts(ctx->arena, out, record);
    print_generator(ctx->arena, out, record);
    print_errors(ctx->arena, out, record);
    print_goals(ctx->arena, out, record);
}

/* ---- a scenario ---- */

static const char *
pace_text(struct arena *arena, const struct load_group *group)
{
    static const char *const shapes[] = {
        [THINK_NONE] = "",
        [THINK_FIXED] = " each time",
        [THINK_UNIFORM] = "",
        [THINK_EXPONENTIAL] = " on average",
    };

    if (group->rate > 0)
        return arena_printf(arena, "%.6g requests a second%s", group->rate,
            group->burst > 1 ? arena_printf(arena, ", %.6g at once", group->burst) : "");
    if (group->think == THINK_NONE)
        return "the next request after each answer";
    if (group->think == THINK_UNIFORM)
        return arena_printf(arena, "thinks %s to %s%s", text_from_us(arena, group->think_us),
            text_from_us(arena, group->think_most_us),
            group->is_closed ? " after each answer" : "");
    return arena_printf(arena, "thinks %s%s%s", text_from_us(arena, group->think_us),
        shapes[group->think], group->is_closed ? ", after each answer" : "");
}

void
load_screen_scenario(struct ctx *ctx, FILE *out, const struct load_scenario *scenario)
{
    struct arena *arena = ctx->arena;

    fprintf(out, "%s: %s", scenario->name, load_kind_names[scenario->kind]);
    if (scenario->target)
        fprintf(out, " at %s", scenario->target);
    fprintf(out, ", %s users, counted for %s after %s of ramp-up and %s of warm-up; limit %s\n",
        text_from_count(arena, scenario->users), text_from_us(arena, scenario->duration_us),
        text_from_us(arena, scenario->ramp_up_us), text_from_us(arena, scenario->warm_up_us),
        text_from_us(arena, scenario->limit_us));
    if (!text_is_empty(scenario->about))
        fprintf(out, "%s\n", scenario->about);
    for (size_t i = 0; i < scenario->group_count; i++) {
        const struct load_group *group = &scenario->groups[i];
        double before = 0;

        fprintf(out, "\n%s: %d users, %s\n", group->name, group->users, pace_text(arena, group));
        for (size_t j = 0; j < group->start_count; j++)
            fprintf(out, "  first  %s\n", scenario->steps[group->start[j]].name);
        for (size_t j = 0; j < group->mix_count; j++) {
            if (group->mix_until)
                fprintf(out, "  %4.1f%%  %s\n", 100 * (group->mix_until[j] - before),
                    scenario->steps[group->mix[j]].name);
            else
                fprintf(out, "  then   %s\n", scenario->steps[group->mix[j]].name);
            before = group->mix_until ? group->mix_until[j] : 0;
        }
    }
    if (scenario->goal_count > 0)
        fputc('\n', out);
    for (size_t i = 0; i < scenario->goal_count; i++)
        fprintf(out, "goal: %s\n", scenario->goals[i].text);
}
