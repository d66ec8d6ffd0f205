#include <math.h>

#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/vector_screen.h"
#include "cmd/parts/vector_wish.h"
#include "db/ident.h"
#include "vector/judge/judge.h"

struct options {
    struct vector_wish wish;
};

/* clang-format off */
static const struct field options[] = {
    VECTOR_WISH_FIELDS(struct options),
};

/* A line of the table. */
struct line {
    const char *way;
    const char *ndcg;
    const char *mrr;
    const char *recall;
    const char *empty;
    const char *mark;
};

static const struct field columns[] = {
    FIELD(struct line, way),
    FIELD(struct line, ndcg, .help = "nDCG@10 (95 %)"),
    FIELD(struct line, mrr, .help = "MRR@10 (95 %)"),
    FIELD(struct line, recall, .help = "recall@10 (95 %)"),
    FIELD(struct line, empty, .help = "empty answers"),
    FIELD(struct line, mark, .help = ""),
};
/* clang-format on */

/* ---- progress ---- */

static bool
judge(struct ctx *ctx, struct run *run, const struct vector_choice *choice,
    const struct judged_queries *queries, struct judgement *ret)
{
    struct vector_screen screen;
    bool is_good;

    is_good = judge_run(ctx, run->db, choice, queries, vector_screen_begin(&screen, "judge"), ret);
    vector_screen_end(&screen);
    if (!is_good && ctx->error.kind == ERR_INPUT)
        return error_wrap(ctx, "%s", run->operands.items[0]);
    return is_good;
}

/* ---- what is printed ---- */

static const char *
interval_text(struct arena *arena, const struct vector_interval *interval)
{
    if (isnan(interval->value))
        return "-";
    return arena_printf(arena, "%.3f (%.3f-%.3f)", interval->value, interval->low, interval->high);
}

/* The way with the best mean; NULL when not all were asked the same questions. */
static const struct judge_scores *
best_way(const struct judgement *judgement)
{
    const struct judge_scores *best = NULL;

    for (size_t i = 0; i < judgement->ways.count; i++) {
        const struct judge_scores *way = &judgement->ways.items[i];

        if (way->questions != judgement->questions)
            return NULL;
        if (!best || way->ndcg.value > best->ndcg.value)
            best = way;
    }
    return best;
}

static void
print_ways(struct ctx *ctx, FILE *out, const struct judgement *judgement)
{
    const struct judge_scores *best = best_way(judgement);
    struct line *lines = ARENA_ARRAY(ctx->arena, struct line, judgement->ways.count);

    for (size_t i = 0; i < judgement->ways.count; i++) {
        const struct judge_scores *way = &judgement->ways.items[i];

        lines[i] = (struct line){ .way = way->way,
            .ndcg = interval_text(ctx->arena, &way->ndcg),
            .mrr = interval_text(ctx->arena, &way->mrr),
            .recall = interval_text(ctx->arena, &way->recall),
            .empty = arena_printf(ctx->arena, "%s of %s", text_from_count(ctx->arena, way->empty),
                text_from_count(ctx->arena, way->questions)),
            .mark = way == best ? "best" : "" };
    }
    out_table(out, columns, COUNT_OF(columns), lines, judgement->ways.count, sizeof(*lines));
}

static void
print_missing(struct ctx *ctx, FILE *out, const struct judgement *judgement)
{
    int64_t more = judgement->missing - (int64_t)judgement->missing_names.count;

    if (judgement->missing == 0)
        return;
    out_mark_line(out, MARK_WARN,
        "relevant keys that are not among the rows that a search can find: %s; they count as not "
        "found",
        text_from_count(ctx->arena, judgement->missing));
    for (size_t i = 0; i < judgement->missing_names.count; i++)
        fprintf(out, "      %s\n", judgement->missing_names.items[i]);
    if (more > 0)
        fprintf(out, "      and %s more\n", text_from_count(ctx->arena, more));
}

/* The call with the proposal in it. */
static const char *
proposal_sql(struct ctx *ctx, const struct vector_choice *choice, const struct judgement *judgement)
{
    const char *tenant = choice->target.tenant;

    return arena_printf(ctx->arena,
        "SELECT * FROM %s(%s%squery_vector, query_text, 10, vector_weight => %s);",
        judgement->function, text_is_empty(tenant) ? "" : db_ident(ctx->arena, tenant),
        text_is_empty(tenant) ? "" : ", ",
        judgement->proposed_weight < 0
            ? "NULL"
            : arena_printf(ctx->arena, "%.1f", judgement->proposed_weight));
}

static void
print_text(struct ctx *ctx, struct run *run, const struct vector_choice *choice,
    const struct judgement *judgement)
{
    fprintf(run->out, "%s questions of %s, asked by %s.\n\n",
        text_from_count(ctx->arena, judgement->questions), run->operands.items[0],
        judgement->function);
    print_ways(ctx, run->out, judgement);
    fputc('\n', run->out);
    print_missing(ctx, run->out, judgement);
    if (judgement->proposed_weight < 0)
        out_mark_line(run->out, MARK_OK, "Proposed: reciprocal ranks, the default.");
    else
        out_mark_line(
            run->out, MARK_OK, "Proposed: vector_weight %.1f.", judgement->proposed_weight);
    fprintf(run->out, "      %s\n      %s\n", judgement->why, proposal_sql(ctx, choice, judgement));
    out_next(run->out, "pgmend vector check");
}

static json_t *
interval_json(const struct vector_interval *interval)
{
    return json_pack("{s:o, s:o, s:o}", "value", json_number(interval->value), "low",
        json_number(interval->low), "high", json_number(interval->high));
}

static json_t *
way_json(const struct judge_scores *way)
{
    return json_pack("{s:s, s:o, s:b, s:I, s:I, s:o, s:o, s:o}", "way", way->way, "vector_weight",
        json_number(way->weight < 0 ? (double)NAN : way->weight), "is_reciprocal_ranks",
        way->weight < 0, "questions", (json_int_t)way->questions, "empty", (json_int_t)way->empty,
        "ndcg_at_10", interval_json(&way->ndcg), "mrr_at_10", interval_json(&way->mrr),
        "recall_at_10", interval_json(&way->recall));
}

static void
print_json(struct ctx *ctx, struct run *run, const struct vector_choice *choice,
    const struct judgement *judgement)
{
    json_t *ways = json_array();
    json_t *missing = json_array();
    const struct judge_scores *best = best_way(judgement);
    json_t *document CLEANUP(json_release) = json_pack(
        "{s:s, s:s, s:I, s:o, s:s?, s:I, s:o, s:o, s:s, s:s}", "file", run->operands.items[0],
        "function", judgement->function, "questions", (json_int_t)judgement->questions, "ways",
        ways, "best", best ? best->way : NULL, "missing", (json_int_t)judgement->missing,
        "missing_names", missing, "proposed_vector_weight",
        json_number(judgement->proposed_weight < 0 ? (double)NAN : judgement->proposed_weight),
        "why", judgement->why, "sql", proposal_sql(ctx, choice, judgement));

    for (size_t i = 0; i < judgement->ways.count; i++)
        json_array_append_new(ways, way_json(&judgement->ways.items[i]));
    for (size_t i = 0; i < judgement->missing_names.count; i++)
        json_array_append_new(missing, json_string(judgement->missing_names.items[i]));
    out_json(run->out, document);
}

/* ---- the command ---- */

/* What is installed for the column, else exact search over it. */
static bool
find_choice(struct ctx *ctx, struct run *run, struct vector_choice *ret)
{
    const struct options *opts = run->options;
    struct vector_target target;
    bool is_found;

    if (!vector_target_find(ctx, run->db, &opts->wish, &target) ||
        !vector_choice_load(ctx, run->db, &target, ret, &is_found))
        return false;
    if (!is_found)
        vector_choice_exact(ctx->arena, &target, ret);
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    struct vector_choice choice;
    struct judged_queries queries;
    struct judgement judgement;

    if (!find_choice(ctx, run, &choice) ||
        !judged_read(ctx, run->operands.items[0], &choice.target, &queries) ||
        !judge(ctx, run, &choice, &queries, &judgement))
        return false;
    if (run->global->json)
        print_json(ctx, run, &choice, &judgement);
    else
        print_text(ctx, run, &choice, &judgement);
    return true;
}

const struct command cmd_vector_judge = {
    .path = "vector judge",
    .summary = "score text, vector and hybrid search by questions with known answers",
    .details =
        "FILE holds one JSON object a line: \"query\" (text), \"embedding\" (numbers), \"tenant\" "
        "(when searches filter by one) and \"relevant\": keys of rows with grades, {\"12\": 3}, or "
        "just keys, [12, 13]. A question without text is asked of the vectors only, one without "
        "an embedding of the text only.\n\n"
        "Each question is asked by the installed search_embeddings_hybrid: text alone, vector "
        "alone, both fused by reciprocal ranks, and both by weights from 0.1 to 0.9. Shown are "
        "nDCG@10 (gain 2^grade - 1), MRR@10 and recall@10 with the 95 % interval of the mean. A "
        "weight is proposed only when weights that were chosen on one half of the questions beat "
        "reciprocal ranks on the other half by more than chance. Nothing is written.",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend vector judge questions.jsonl\n"
                "pgmend vector judge questions.jsonl --table public.knowledge_embeddings --json",
    .next = "pgmend vector check",
    .run = run,
};
