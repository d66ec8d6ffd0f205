#include <inttypes.h>

#include "cmd/parts/bluegreen_desk.h"

struct options {
    const char *other_url;
    int64_t chunk_rows;
    int32_t rounds;
    int64_t max_wait;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, other_url, .secret = true, .arg = "URL",
        .help = "the other side, when it is not where it was"),
    FIELD(struct options, chunk_rows, .arg = "N", .standard = "10000",
        .help = "rows of a table that are summed up at once"),
    FIELD(struct options, rounds, .arg = "N", .standard = "4",
        .help = "how often rows that change meanwhile are looked at again"),
    FIELD(struct options, max_wait, .unit = UNIT_US, .arg = "TIME", .standard = "1m",
        .help = "how long the other side may take to come after"),
};
/* clang-format on */

static const struct field columns[] = {
    FIELD(struct bluegreen_table, name, .help = "table"),
    FIELD(struct bluegreen_table, rows),
    FIELD(struct bluegreen_table, chunks, .help = "ranges"),
    FIELD(struct bluegreen_table, equal),
    FIELD(struct bluegreen_table, moving),
};

static void
print(struct ctx *ctx, FILE *out, const struct bluegreen *pair,
    const struct bluegreen_comparison *found)
{
    out_table(out, columns, COUNT_OF(columns), found->tables.items, found->tables.count,
        sizeof(struct bluegreen_table));
    for (size_t i = 0; i < found->tables.count; i++)
        if (found->tables.items[i].difference)
            out_mark_line(out, MARK_FAIL, "%s: %s", found->tables.items[i].name,
                found->tables.items[i].difference);
    if (found->different > 0)
        return;
    out_mark_line(out, MARK_OK, "%zu tables, %s rows: no difference (%s)", found->tables.count,
        text_from_count(ctx->arena, found->rows), text_from_us(ctx->arena, found->us));
    if (found->moving > 0)
        out_mark_line(out, MARK_INFO,
            "%zu tables have rows that changed whenever they were looked at: the switch compares "
            "them while nothing is written",
            found->moving);
    out_next(out, "%s", bluegreen_switch_command(pair));
}

static void
print_json(FILE *out, const struct bluegreen_comparison *found)
{
    json_t *document CLEANUP(json_release) = json_object();
    json_t *tables = out_json_rows(columns, COUNT_OF(columns), found->tables.items,
        found->tables.count, sizeof(struct bluegreen_table));

    for (size_t i = 0; i < found->tables.count; i++)
        json_object_set_new(json_array_get(tables, i), "difference",
            found->tables.items[i].difference ? json_string(found->tables.items[i].difference)
                                              : json_null());
    json_object_set_new(document, "tables", tables);
    json_object_set_new(document, "different", json_integer((json_int_t)found->different));
    json_object_set_new(document, "moving", json_integer((json_int_t)found->moving));
    json_object_set_new(document, "rows", json_integer(found->rows));
    json_object_set_new(document, "us", json_integer(found->us));
    out_json(out, document);
}

static bool
compare(struct ctx *ctx, struct run *run, struct bluegreen *pair)
{
    const struct options *opts = run->options;
    struct bluegreen_progress progress;
    struct bluegreen_comparison found;
    struct text_list drift;
    bool is_good;

    if (bluegreen_step_of(&pair->state) != BG_FOLLOWING)
        return error_set(ctx, ERR_CONFLICT, "the pair is not complete: a run was cut off at \"%s\"",
            pair->state.step);
    if (!bluegreen_drift(ctx, pair, &drift))
        return false;
    if (drift.count > 0) {
        error_set(ctx, ERR_GATE, "the schema was changed since the replication began: %s",
            drift.items[0]);
        return error_hint(ctx, "\"pgmend bluegreen status\" names every change.");
    }
    bluegreen_progress_begin(&progress, "bluegreen verify");

    const struct bluegreen_verify_options how = { .chunk_rows = opts->chunk_rows,
        .rounds = opts->rounds,
        .limit_us = opts->max_wait,
        .watch = &progress.watch };

    is_good = bluegreen_verify(ctx, pair, &how, &found);
    bluegreen_progress_end(&progress);
    if (!is_good || !bluegreen_record(ctx, pair, BG_FOLLOWING))
        return false;
    if (run->global->json)
        print_json(run->out, &found);
    else
        print(ctx, run->out, pair, &found);
    return found.different == 0 || error_set(ctx, ERR_VERIFICATION,
                                       "%zu tables differ between blue and green", found.different);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct bluegreen_entrance entrance = {
        .other_url = opts->other_url, .access = ACCESS_WRITE, .need_both = true
    };
    struct bluegreen pair;
    bool is_good;

    if (opts->chunk_rows < 1 || opts->rounds < 1)
        return error_set(ctx, ERR_USAGE, "--chunk-rows and --rounds are 1 or more");
    is_good = bluegreen_enter(ctx, run, &entrance, &pair) && compare(ctx, run, &pair);
    bluegreen_close(&pair);
    return is_good;
}

const struct command cmd_bluegreen_verify = {
    .path = "bluegreen verify",
    .summary = "compare blue and green table by table, under writes",
    .details =
        "Sums up each table in ranges of its primary key, on the live side first and, as soon as "
        "everything committed up to then has come over, on the other. A range that differs although "
        "the live side has not changed meanwhile is a difference, and is named with its keys. A "
        "range that changes whenever it is looked at is kept for the switch, which compares it while "
        "nothing is written. Nobody is locked out.",
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend bluegreen verify\n",
    .next = "pgmend bluegreen switch",
    .run = run,
};
