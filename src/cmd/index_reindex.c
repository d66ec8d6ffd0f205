#include "cli/out.h"
#include "cmd/parts/index_state_bloat.h"
#include "sql.h"

struct options {
    const char *bloat_over;
    bool exact;
    int64_t exact_limit;
    int64_t min_size;
    const char *output;
    struct roll_out_options roll;
};

static const struct field options[] = {
    FIELD(struct options, bloat_over, .momentary = true, .arg = "SHARE",
        .help = "instead of names: every B-tree of which more than this is waste, as \"40%\""),
    FIELD(struct options, exact, .momentary = true,
        .help = "with --bloat-over: read the indexes by pgstattuple instead of estimating"),
    FIELD(struct options, exact_limit, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "1GB",
        .help = "with --exact: do not read bigger ones"),
    FIELD(struct options, min_size, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "1MB",
        .help = "with --bloat-over: leave smaller ones out"),
    FIELD(struct options, output, .letter = 'o', .momentary = true, .arg = "FILE",
        .help = "write the plan, for rehearse and apply, and change nothing"),
    INDEX_ROLL_FIELDS(struct options),
};

static bool
add_named(struct ctx *ctx, struct run *run, const struct index_states *states, struct plan *plan)
{
    for (size_t i = 0; i < run->operands.count; i++) {
        const struct index_state *index;
        struct change change;
        bool is_twice = false;

        if (!index_states_find(ctx, states, run->operands.items[i], &index) ||
            !index_state_require_open(ctx, index))
            return error_state(ctx, "Nothing was changed.");
        for (size_t j = 0; j < plan->count; j++)
            is_twice |= text_equal(plan->items[j].source, index->object);
        if (is_twice)
            continue;
        index_state_change(ctx->arena, index, KIND_REINDEX, NULL, &change);
        VEC_PUSH(ctx->arena, plan, change);
    }
    return true;
}

static bool
add_bloated(struct ctx *ctx, struct run *run, const struct index_states *states, struct plan *plan)
{
    const struct options *opts = run->options;
    struct index_bloats bloats;
    double least;

    if (!index_state_ratio(ctx, "--bloat-over", opts->bloat_over, &least) ||
        !index_state_bloat(
            ctx, run, states, opts->exact ? opts->exact_limit : -1, opts->min_size, &bloats))
        return false;
    if (opts->exact && bloats.why_not_exact) {
        error_set(ctx, ERR_UNSUPPORTED, "cannot read the indexes: %s", bloats.why_not_exact);
        return error_hint(ctx, "Without --exact the waste is estimated.");
    }
    for (size_t i = 0; i < bloats.count; i++) {
        const struct index_bloat *bloat = &bloats.items[i];
        struct change change;

        if (!*bloat->index->row->definition || bloat->waste < 0 || bloat->ratio < least ||
            (opts->exact && !bloat->is_exact))
            continue;
        index_state_change(ctx->arena, bloat->index, KIND_REINDEX,
            arena_printf(ctx->arena, "%s of it is waste (%s), %s",
                index_state_percent(ctx->arena, bloat->ratio),
                text_from_bytes(ctx->arena, bloat->waste),
                bloat->is_exact ? "read by pgstattuple" : "estimated"),
            &change);
        VEC_PUSH(ctx->arena, plan, change);
    }
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    static const struct text_list no_replicas;
    const struct options *opts = run->options;
    struct index_states states;
    struct roll_out_options roll = opts->roll;
    struct plan plan = { 0 };

    if ((run->operands.count > 0) == (opts->bloat_over != NULL))
        return error_set(ctx, ERR_USAGE, "name indexes, or give --bloat-over; not both");
    if (!db_require_writable(ctx, run->db) ||
        !index_states_load(ctx, run->db, &no_replicas, &states) ||
        !(opts->bloat_over ? add_bloated : add_named)(ctx, run, &states, &plan) ||
        !index_state_plan(ctx, run->db, &plan))
        return false;
    roll.plan_from = arena_printf(ctx->arena, "pgmend index reindex %s%s",
        opts->bloat_over ? "--bloat-over " : "",
        opts->bloat_over ? opts->bloat_over : text_shell_words(ctx->arena, &run->operands));
    return index_state_roll(ctx, run, &plan, &roll, opts->output);
}

const struct command cmd_index_reindex = {
    .path = "index reindex",
    .summary = "build indexes anew online, so that their waste goes and what is broken works",
    .details =
        "REINDEX INDEX CONCURRENTLY, one after the other, with gates, journal and progress as "
        "\"pgmend index apply\" has them: reads and writes go on. It needs room for a second copy of "
        "the index. Success is what the catalogue says: valid, ready, live, the same definition, in a "
        "new file.\n\n"
        "Ctrl-C cancels it and removes the half-built copy (_ccnew); after a kill or a crash the next "
        "run of pgmend does that, or notes that the server had finished. There is nothing to undo: the "
        "definition stays the same.",
    .operands = "[NAME ...]",
    .max_operands = SIZE_MAX,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend index reindex public.messages_created_at\n"
                "pgmend index reindex --bloat-over 40% --dry-run",
    .next = "pgmend index bloat",
    .run = run,
};
