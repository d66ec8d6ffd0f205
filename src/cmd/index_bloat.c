#include "cli/out.h"
#include "cmd/parts/index_state_bloat.h"

struct options {
    const char *over;
    int64_t min_size;
    bool exact;
    int64_t exact_limit;
};

static const struct field options[] = {
    FIELD(struct options, over, .arg = "SHARE", .standard = "20%",
        .help = "list those of which more than this is waste"),
    FIELD(struct options, min_size, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "1MB",
        .help = "leave smaller ones out"),
    FIELD(struct options, exact, .momentary = true,
        .help = "read every page by the extension pgstattuple, instead of estimating"),
    FIELD(struct options, exact_limit, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "1GB",
        .help = "with --exact: do not read bigger ones"),
};

struct row {
    const char *index;
    int64_t size;
    int64_t waste;
    const char *share;
    const char *how;
    const char *note;
};

static const struct field columns[] = {
    FIELD(struct row, index),
    FIELD(struct row, size, .unit = UNIT_BYTES),
    FIELD(struct row, waste, .unit = UNIT_BYTES),
    FIELD(struct row, share),
    FIELD(struct row, how, .help = "how known"),
    FIELD(struct row, note),
};

struct rows {
    struct row *items;
    size_t count;
    size_t capacity;
    int64_t waste;
    size_t unknown; /* that nothing is known of */
};

static struct rows
make_rows(struct ctx *ctx, const struct index_bloats *bloats, double least)
{
    struct rows rows = { 0 };

    for (size_t i = 0; i < bloats->count; i++) {
        const struct index_bloat *bloat = &bloats->items[i];
        const struct row row = {
            .index = bloat->index->object,
            .size = bloat->index->bytes,
            .waste = bloat->waste,
            .share = index_state_percent(ctx->arena, bloat->ratio),
            .how = bloat->is_exact ? "read" : "estimate",
            .note = bloat->note ? bloat->note : "",
        };

        if (bloat->waste < 0)
            rows.unknown++;
        if (bloat->waste < 0 || bloat->ratio < least)
            continue;
        rows.waste += bloat->waste;
        VEC_PUSH(ctx->arena, &rows, row);
    }
    return rows;
}

static void
print_json(struct run *run, const struct index_bloats *bloats)
{
    json_t *array = json_array();

    for (size_t i = 0; i < bloats->count; i++) {
        const struct index_bloat *bloat = &bloats->items[i];

        json_array_append_new(
            array, json_pack("{s:s, s:s, s:I, s:o, s:o, s:b, s:s?}", "index", bloat->index->object,
                       "table", bloat->index->relation, "bytes", (json_int_t)bloat->index->bytes,
                       "waste_bytes", bloat->waste < 0 ? json_null() : json_integer(bloat->waste),
                       "waste_ratio", bloat->waste < 0 ? json_null() : json_real(bloat->ratio),
                       "is_exact", (int)bloat->is_exact, "note", bloat->note));
    }

    json_t *json CLEANUP(json_release) =
        json_pack("{s:o, s:s?}", "indexes", array, "why_not_exact", bloats->why_not_exact);

    out_json(run->out, json);
}

static void
print_text(struct ctx *ctx, struct run *run, const struct index_bloats *bloats, double least)
{
    const struct options *opts = run->options;
    struct rows rows = make_rows(ctx, bloats, least);

    if (bloats->why_not_exact)
        out_mark_line(run->out, MARK_WARN, "estimated only: %s", bloats->why_not_exact);
    if (rows.count == 0)
        out_mark_line(run->out, MARK_OK, "of none of %zu B-trees more than %s is waste",
            bloats->count - rows.unknown, index_state_percent(ctx->arena, least));
    else {
        out_table(run->out, columns, COUNT_OF(columns), rows.items, rows.count, sizeof(struct row));
        fprintf(run->out, "\n%zu of %zu B-trees, about %s of waste.\n", rows.count, bloats->count,
            text_from_bytes(ctx->arena, rows.waste));
    }
    if (rows.unknown > 0)
        fprintf(run->out,
            "Of %zu nothing is known without --exact: on expressions, never analysed, or on columns\n"
            "that the role may not read (pg_stats hides their statistics).\n",
            rows.unknown);
    if (!opts->exact)
        fputs("Estimated from statistics, as of the last VACUUM or ANALYZE; --exact reads the "
              "indexes.\n",
            run->out);
    if (rows.count > 0)
        out_next(run->out, opts->exact ? "pgmend index reindex %s" : "pgmend index bloat --exact",
            text_shell(ctx->arena, rows.items[0].index));
    else
        out_next(run->out, "pgmend index status");
}

static bool
run(struct ctx *ctx, struct run *run)
{
    static const struct text_list no_replicas;
    const struct options *opts = run->options;
    struct index_states states;
    struct index_bloats bloats;
    double least;

    if (!index_state_ratio(ctx, "--over", opts->over, &least) ||
        !index_states_load(ctx, run->db, &no_replicas, &states) ||
        !index_state_bloat(
            ctx, run, &states, opts->exact ? opts->exact_limit : -1, opts->min_size, &bloats))
        return false;
    if (run->global->json)
        print_json(run, &bloats);
    else
        print_text(ctx, run, &bloats, least);
    return true;
}

const struct command cmd_index_bloat = {
    .path = "index bloat",
    .summary = "tell how much of the B-trees is waste that a rebuild would give back",
    .details =
        "Estimated from the planner's statistics without any lock: what the entries need at the fill "
        "factor, against the pages there are. Deduplication makes an index smaller than the estimate "
        "expects, so that waste may be hidden; a share of 10 % is ordinary.\n\n"
        "--exact reads every page of every B-tree up to --exact-limit with pgstattuple, one after the "
        "other. That takes time and cache, but a lock that stops nobody; what another session holds "
        "exclusively is left out and told.",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend index bloat\n"
                "pgmend index bloat --exact --exact-limit 10GB --over 40%",
    .next = "pgmend index reindex --bloat-over 40%",
    .run = run,
};
