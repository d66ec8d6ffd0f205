#include "cli/out.h"
#include "cmd/parts/index_state_drop.h"
#include "sql.h"

struct options {
    int64_t watch_for;
    bool now;
    bool list;
    struct text_list replica;
    bool ignore_standbys;
    const char *output;
    struct roll_out_options roll;
};

static const struct field options[] = {
    FIELD(struct options, watch_for, .unit = UNIT_US, .arg = "TIME", .standard = "7d",
        .help = "how long nobody may have used an index before it is dropped"),
    FIELD(struct options, now, .momentary = true,
        .help = "drop without watching first; asks you to type the word, or takes --yes"),
    FIELD(struct options, list, .momentary = true, .help = "list what is watched, change nothing"),
    FIELD(struct options, replica, .arg = "URL",
        .help = "a standby whose use counts too; may be given several times"),
    FIELD(struct options, ignore_standbys, .momentary = true,
        .help = "what connected standbys use that were not named does not matter"),
    FIELD(struct options, output, .letter = 'o', .momentary = true, .arg = "FILE",
        .help = "write the plan of the drops, for rehearse and apply; not for needless ones"),
    INDEX_ROLL_FIELDS(struct options),
};

static const struct field watch_columns[] = {
    FIELD(struct index_watch, schema),
    FIELD(struct index_watch, index),
    FIELD(struct index_watch, since, .help = "watched since"),
    FIELD(struct index_watch, definition),
};

static bool
list_watches(struct ctx *ctx, struct run *run)
{
    struct index_watches watches CLEANUP(index_watches_release) = { 0 };

    if (!index_watches_load(ctx, run->db, &watches))
        return false;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = json_pack("{s:o}", "watches",
            out_json_rows(watch_columns, COUNT_OF(watch_columns), watches.items, watches.count,
                sizeof(struct index_watch)));

        out_json(run->out, json);
        return true;
    }
    if (watches.count == 0)
        fputs("No index is watched.\n", run->out);
    else
        out_table(run->out, watch_columns, COUNT_OF(watch_columns), watches.items, watches.count,
            sizeof(struct index_watch));
    out_next(run->out, watches.count > 0 ? "pgmend index drop NAME" : "pgmend index unused");
    return true;
}

static const char *
verdict_word(const struct index_drop *drop)
{
    if (drop->is_due)
        return "due";
    switch (drop->verdict) {
    case WATCH_NONE:
        return "begun";
    case WATCH_GOES_ON:
        return "goes on";
    case WATCH_OVER:
        return "due";
    case WATCH_USED:
        return "used";
    case WATCH_ANEW:
        return "begun anew";
    }
    return "";
}

static void
print_watch(struct ctx *ctx, FILE *out, const struct index_drop *drop)
{
    const char *object = drop->index->object;

    switch (drop->verdict) {
    case WATCH_NONE:
        out_mark_line(out, MARK_INFO, "%s  watched from now on (%s scans so far)", object,
            text_from_count(ctx->arena, drop->index->scans));
        break;
    case WATCH_ANEW:
        out_mark_line(out, MARK_WARN, "%s  watched anew from now on: %s", object, drop->why);
        break;
    case WATCH_USED:
        out_mark_line(out, MARK_FAIL, "%s  stays: %s; its watch is ended", object, drop->why);
        return;
    case WATCH_GOES_ON:
        out_mark_line(out, MARK_INFO, "%s  not used since %s", object, drop->since);
        break;
    case WATCH_OVER:
        return;
    }
    fprintf(out, "      come back after %s\n", drop->due);
}

static void
print_json(struct run *run, const struct index_drops *drops)
{
    json_t *array = json_array();

    for (size_t i = 0; i < drops->count; i++) {
        const struct index_drop *drop = &drops->items[i];

        json_array_append_new(array,
            json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:I}", "index", drop->index->object,
                "table", drop->index->relation, "watch", verdict_word(drop), "why", drop->why,
                "since", drop->since, "due", drop->due, "scans", (json_int_t)drop->index->scans));
    }

    json_t *json CLEANUP(json_release) = json_pack("{s:o}", "indexes", array);

    out_json(run->out, json);
}

/* What is watched from now on, and what is watched no longer. */
static bool
keep_watches(struct ctx *ctx, struct run *run, const struct index_states *states,
    const struct index_drops *drops)
{
    struct plan plan = { 0 };

    for (size_t i = 0; i < drops->count; i++) {
        const struct index_drop *drop = &drops->items[i];
        struct change change;

        if (drop->is_due || drop->verdict == WATCH_GOES_ON)
            continue;
        if (drop->verdict == WATCH_USED)
            index_watch_end(ctx->arena, drop->index, "used", &change);
        else
            index_watch_begin(ctx->arena, states, drop->index, &change);
        VEC_PUSH(ctx->arena, &plan, change);
    }
    return plan.count == 0 ||
           (index_state_plan(ctx, run->db, &plan) && index_state_record(ctx, run, &plan));
}

static bool
drop_due(struct ctx *ctx, struct run *run, const struct index_drops *drops)
{
    const struct options *opts = run->options;
    struct roll_out_options roll = opts->roll;
    struct plan plan = { 0 };

    roll.plan_from = arena_printf(ctx->arena, "pgmend index drop %s%s",
        text_shell_words(ctx->arena, &run->operands), opts->now ? " --now" : "");
    for (size_t i = 0; i < drops->count; i++) {
        const struct index_drop *drop = &drops->items[i];
        struct change change;

        if (!drop->is_due)
            continue;
        if (drop->is_duplicate)
            roll.plan_from = ""; /* a file of it is refused */
        index_state_change(ctx->arena, drop->index, KIND_DROP,
            drop->why ? drop->why
                      : arena_printf(ctx->arena, "no server used it since %s", drop->since),
            &change);
        VEC_PUSH(ctx->arena, &plan, change);
        if (drop->verdict != WATCH_OVER && !drop->is_watched)
            continue;
        index_watch_end(ctx->arena, drop->index, "dropped", &change);
        VEC_PUSH(ctx->arena, &plan, change);
    }
    return index_state_plan(ctx, run->db, &plan) &&
           index_state_roll(ctx, run, &plan, &roll, opts->output);
}

/* What DROP INDEX takes along and no definition holds is told before it is gone. */
static void
print_losses(FILE *out, const struct index_drops *drops)
{
    for (size_t i = 0; i < drops->count; i++) {
        const struct index_drop *drop = &drops->items[i];
        const struct sql_index_state_indexes *row = drop->index->row;

        if (drop->is_due && (row->has_comment || row->has_targets))
            out_mark_line(out, MARK_WARN, "%s  a rollback builds it again without its %s%s%s",
                drop->index->object, row->has_comment ? "comment" : "",
                row->has_comment && row->has_targets ? " and " : "",
                row->has_targets ? "statistics targets (SET STATISTICS)" : "");
    }
}

/* One that was used meanwhile fails the run, when everything else is done. */
static bool
check_used(struct ctx *ctx, const struct index_drops *drops)
{
    for (size_t i = 0; i < drops->count; i++) {
        if (drops->items[i].is_due || drops->items[i].verdict != WATCH_USED)
            continue;
        error_set(ctx, ERR_CONFLICT, "%s is not dropped: %s", drops->items[i].index->object,
            drops->items[i].why);
        error_hint(ctx, "Somebody needs it. To watch it once more, run the same command again.");
        return error_state(ctx, "It stays; its watch is ended.");
    }
    return true;
}

static bool
check_options(struct ctx *ctx, const struct run *run)
{
    const struct options *opts = run->options;

    if (opts->list && run->operands.count > 0)
        return error_set(ctx, ERR_USAGE, "--list takes no names");
    if (!opts->list && run->operands.count == 0)
        return error_set(ctx, ERR_USAGE, "name the indexes to be dropped, or give --list");
    if (opts->watch_for <= 0) {
        error_set(ctx, ERR_USAGE, "--watch-for must be more than nothing");
        return error_hint(ctx, "--now drops without a watch.");
    }
    return true;
}

static bool
work(struct ctx *ctx, struct run *run, const struct index_states *states)
{
    const struct options *opts = run->options;
    const struct index_drop_wish wish = {
        .names = &run->operands,
        .watch_us = opts->watch_for,
        .is_now = opts->now,
        .is_for_file = opts->output != NULL,
        .standbys =
            opts->ignore_standbys ? 0 : index_state_unknown_standbys(states, opts->replica.count),
    };
    struct index_drops drops;
    size_t due = 0;

    if (!index_drops_decide(ctx, run->db, states, &wish, &drops))
        return false;
    for (size_t i = 0; i < drops.count; i++)
        due += drops.items[i].is_due;
    if (!run->global->json)
        print_losses(run->out, &drops);
    if (opts->now && !opts->roll.dry_run && !opts->output &&
        !confirm_typed(ctx, run->global,
            "The indexes are dropped without having been watched; \"pgmend rollback\" builds them "
            "again.",
            "drop"))
        return false;
    if (!opts->roll.dry_run && !opts->output && !keep_watches(ctx, run, states, &drops))
        return false;
    for (size_t i = 0; i < drops.count && !run->global->json; i++)
        if (!drops.items[i].is_due)
            print_watch(ctx, run->out, &drops.items[i]);
    if (due > 0)
        return drop_due(ctx, run, &drops) && check_used(ctx, &drops);
    if (run->global->json)
        print_json(run, &drops);
    else if (opts->roll.dry_run || opts->output)
        fputs("Nothing was changed; nothing is to be dropped yet.\n", run->out);
    else
        out_next(run->out, "pgmend index drop --list");
    return opts->roll.dry_run || opts->output || check_used(ctx, &drops);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct index_states states;

    if (!check_options(ctx, run))
        return false;
    if (opts->list)
        return list_watches(ctx, run);
    return db_require_writable(ctx, run->db) &&
           index_states_load(ctx, run->db, &opts->replica, &states) && work(ctx, run, &states);
}

const struct command cmd_index_drop = {
    .path = "index drop",
    .summary = "drop indexes in two steps: watched first, dropped when nobody used them",
    .details =
        "The first run changes nothing but a note in schema pgmend: when the watch began and how often "
        "each server had used the index. After --watch-for the same command looks again: when no "
        "counter moved, the index is dropped with DROP INDEX CONCURRENTLY, through gates and journal; "
        "when one did, it stays and the watch ends. Counters that were reset or lost in between begin "
        "the watch anew.\n\n"
        "An index that another one makes needless (pgmend index duplicate) is dropped at once. What "
        "enforces something, or what a foreign key rests on, is refused. \"pgmend rollback\" builds a "
        "dropped index again from its definition.",
    .operands = "[NAME ...]",
    .max_operands = SIZE_MAX,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend index drop public.messages_old_key\n"
                "pgmend index drop --list\n"
                "pgmend index drop public.messages_old_key --replica postgresql://standby/app",
    .next = "pgmend history",
    .run = run,
};
