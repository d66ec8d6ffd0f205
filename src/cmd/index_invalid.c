#include "cli/out.h"
#include "cmd/parts/index_state.h"
#include "index/state/invalid.h"
#include "sql.h"

struct options {
    bool clean;
    const char *output;
    struct roll_out_options roll;
};

static const struct field options[] = {
    FIELD(struct options, clean, .momentary = true,
        .help = "drop the leftovers, online; what is being built stays"),
    FIELD(struct options, output, .letter = 'o', .momentary = true, .arg = "FILE",
        .help = "with --clean: write the plan, for rehearse and apply, and change nothing"),
    INDEX_ROLL_FIELDS(struct options),
};

static void
print_one(struct ctx *ctx, FILE *out, const struct invalid_index *invalid)
{
    enum out_mark mark = invalid->is_building    ? MARK_INFO
                         : invalid->refuses_rows ? MARK_FAIL
                                                 : MARK_WARN;

    out_mark_line(out, mark, "%s on %s, %s", invalid->index->object, invalid->index->relation,
        text_from_bytes(ctx->arena, invalid->index->bytes));
    fprintf(out, "      why   %s\n", invalid->cause);
    fprintf(out, "      cost  %s\n", invalid->cost);
    fprintf(out, "      do    %s\n", invalid->remedy);
}

static void
print_json(struct run *run, const struct invalid_indexes *found)
{
    json_t *array = json_array();

    for (size_t i = 0; i < found->count; i++) {
        const struct invalid_index *invalid = &found->items[i];

        json_array_append_new(array,
            json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:b, s:b, s:i}", "index",
                invalid->index->object, "table", invalid->index->relation, "bytes",
                (json_int_t)invalid->index->bytes, "cause", invalid->cause, "cost", invalid->cost,
                "remedy", invalid->remedy, "is_building", (int)invalid->is_building, "refuses_rows",
                (int)invalid->refuses_rows, "pid", (int)invalid->index->row->builder_pid));
    }

    json_t *json CLEANUP(json_release) = json_pack("{s:o}", "invalid", array);

    out_json(run->out, json);
}

static bool
clean(struct ctx *ctx, struct run *run, const struct invalid_indexes *found)
{
    const struct options *opts = run->options;
    struct roll_out_options roll = opts->roll;
    struct plan plan = { 0 };

    roll.plan_from = "pgmend index invalid --clean";
    for (size_t i = 0; i < found->count; i++) {
        struct change change;

        if (!found->items[i].can_be_dropped)
            continue;
        if (!index_state_require_open(ctx, found->items[i].index))
            return false;
        index_state_change(
            ctx->arena, found->items[i].index, KIND_DROP, found->items[i].cause, &change);
        VEC_PUSH(ctx->arena, &plan, change);
    }
    return index_state_plan(ctx, run->db, &plan) &&
           index_state_roll(ctx, run, &plan, &roll, opts->output);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    static const struct text_list no_replicas;
    const struct options *opts = run->options;
    struct index_states states;
    struct invalid_indexes found;
    size_t leftovers = 0;

    if (opts->output && !opts->clean)
        return error_set(ctx, ERR_USAGE, "--output is for --clean");
    if (!index_states_load(ctx, run->db, &no_replicas, &states))
        return false;
    invalid_indexes_find(ctx->arena, &states, &found);
    for (size_t i = 0; i < found.count; i++)
        leftovers += found.items[i].can_be_dropped;
    if (opts->clean && leftovers > 0)
        return clean(ctx, run, &found);
    if (run->global->json) {
        print_json(run, &found);
        return true;
    }
    for (size_t i = 0; i < found.count; i++)
        print_one(ctx, run->out, &found.items[i]);
    if (found.count == 0)
        out_mark_line(run->out, MARK_OK, "every index is valid, ready and live");
    if (opts->clean)
        fputs("There is nothing to drop.\n", run->out);
    if (leftovers > 0)
        out_next(run->out, "pgmend index invalid --clean");
    else
        out_next(run->out, "pgmend index status");
    return true;
}

const struct command cmd_index_invalid = {
    .path = "index invalid",
    .summary = "list unusable indexes, how they came to be, and drop what is left over",
    .details =
        "What a failed CREATE INDEX CONCURRENTLY, REINDEX CONCURRENTLY (_ccnew, _ccold) or DROP INDEX "
        "CONCURRENTLY leaves costs writes and is never read; a unique one may even refuse rows. What is "
        "being built at this moment is told apart, with the server process.\n\n"
        "--clean drops the leftovers with DROP INDEX CONCURRENTLY through gates and journal, as every "
        "change. Nothing is lost with them: no query could use them.",
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend index invalid\n"
                "pgmend index invalid --clean --dry-run",
    .next = "pgmend index status",
    .run = run,
};
