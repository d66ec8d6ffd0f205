#include "cli/out.h"
#include "cmd/parts/index_state.h"
#include "index/state/unused.h"
#include "sql.h"

/* Nothing could be concluded: neither that all are used nor that some are not. */
enum { TOO_EARLY = 3 };

struct options {
    int64_t min_age;
    struct text_list replica;
    bool kept;
};

static const struct field options[] = {
    FIELD(struct options, min_age, .unit = UNIT_US, .arg = "TIME", .standard = "7d",
        .help = "how long every server has to have counted before anything is said"),
    FIELD(struct options, replica, .arg = "URL",
        .help = "a standby whose use counts too; may be given several times"),
    FIELD(struct options, kept, .momentary = true,
        .help = "list also those that stay although nobody reads them, and why"),
};

struct row {
    const char *index;
    const char *table;
    const char *why;
    int64_t size;
    int64_t table_rows;
};

static const struct field columns[] = {
    FIELD(struct row, index),
    FIELD(struct row, table),
    FIELD(struct row, size, .unit = UNIT_BYTES),
};

static const struct field kept_columns[] = {
    FIELD(struct row, index),
    FIELD(struct row, size, .unit = UNIT_BYTES),
    FIELD(struct row, why, .help = "stays because"),
};

static json_t *
items_json(const struct unused_index *items, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct index_state *index = items[i].index;

        json_array_append_new(
            array, json_pack("{s:s, s:s, s:I, s:s?, s:s?, s:s}", "index", index->object, "table",
                       index->relation, "bytes", (json_int_t)index->bytes, "why_kept", items[i].why,
                       "caution", items[i].caution, "definition", index->row->definition));
    }
    return array;
}

static void
print_json(struct ctx *ctx, struct run *run, const struct index_states *states,
    const struct unused *unused)
{
    json_t *json CLEANUP(json_release) = json_pack("{s:o, s:b, s:s?, s:I, s:o, s:o}", "servers",
        index_state_servers_json(ctx, states), "is_concluded", !unused->early, "too_early",
        unused->early, "bytes", (json_int_t)unused->bytes, "unused",
        items_json(unused->items.items, unused->items.count), "kept",
        items_json(unused->kept.items, unused->kept.count));

    out_json(run->out, json);
}

static void
print_kept(struct ctx *ctx, struct run *run, const struct unused *unused)
{
    const struct options *opts = run->options;
    struct row *rows = ARENA_ARRAY(ctx->arena, struct row, unused->kept.count + 1);

    if (unused->kept.count == 0)
        return;
    if (!opts->kept) {
        fprintf(run->out, "\n%zu more %s not read either and %s needed all the same (--kept).\n",
            unused->kept.count, unused->kept.count == 1 ? "is" : "are",
            unused->kept.count == 1 ? "is" : "are");
        return;
    }
    for (size_t i = 0; i < unused->kept.count; i++)
        rows[i] = (struct row){ .index = unused->kept.items[i].index->object,
            .size = unused->kept.items[i].index->bytes,
            .why = unused->kept.items[i].why };
    fputs("\nNot read either, and needed all the same:\n", run->out);
    out_table(
        run->out, kept_columns, COUNT_OF(kept_columns), rows, unused->kept.count, sizeof(rows[0]));
}

static void
print_unused(struct ctx *ctx, struct run *run, const struct index_states *states,
    const struct unused *unused)
{
    struct row *rows = ARENA_ARRAY(ctx->arena, struct row, unused->items.count + 1);
    size_t count = unused->items.count;

    for (size_t i = 0; i < count; i++)
        rows[i] = (struct row){ .index = unused->items.items[i].index->object,
            .table = unused->items.items[i].index->relation,
            .size = unused->items.items[i].index->bytes };
    if (count == 0)
        out_mark_line(run->out, MARK_OK, "every index that may go was used within %s",
            text_from_us(ctx->arena, unused->window_us));
    else {
        fprintf(run->out, "%zu index%s (%s) not used once within %s on %zu server%s:\n", count,
            count == 1 ? "" : "es", text_from_bytes(ctx->arena, unused->bytes),
            text_from_us(ctx->arena, unused->window_us), states->servers.count,
            states->servers.count == 1 ? "" : "s");
        out_table(run->out, columns, COUNT_OF(columns), rows, count, sizeof(rows[0]));
    }
    for (size_t i = 0; i < count; i++)
        if (unused->items.items[i].caution)
            out_mark_line(
                run->out, MARK_WARN, "%s: %s", rows[i].index, unused->items.items[i].caution);
    print_kept(ctx, run, unused);
    if (count > 0)
        out_next(run->out, "pgmend index drop %s", text_shell(ctx->arena, rows[0].index));
    else
        out_next(run->out, "pgmend index duplicate");
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct index_states states;
    struct unused unused;

    if (!index_states_load(ctx, run->db, &opts->replica, &states))
        return false;
    unused_find(ctx->arena, &states, opts->min_age, &unused);
    if (unused.early)
        run->status = TOO_EARLY;
    if (run->global->json) {
        print_json(ctx, run, &states, &unused);
        return true;
    }
    index_state_print_servers(ctx, run->out, &states, opts->replica.count);
    fputc('\n', run->out);
    if (!unused.early) {
        print_unused(ctx, run, &states, &unused);
        return true;
    }
    out_mark_line(run->out, MARK_WARN, "too early to tell: %s", unused.early);
    out_next(run->out, "the same command later, or with --min-age");
    return true;
}

const struct command cmd_index_unused = {
    .path = "index unused",
    .summary = "list the indexes that no server reads, and that nothing else rests on",
    .details =
        "Counts are worth something only over time: while one of the servers has been counting for "
        "less than --min-age (after pg_stat_reset(), a crash, or a new standby), nothing is said and "
        "the exit status is 3. A standby counts for itself: give all of them with --replica; one that "
        "cannot be reached, or that is no copy of this server, means no answer.\n\n"
        "Never listed: what enforces something (primary keys, constraints, unique and exclusion), what "
        "a foreign key rests on from either side, the replica identity, the one that CLUSTER uses, "
        "parts of a partitioned index (the whole tree counts), indexes known to be younger than "
        "--min-age, and unusable ones (pgmend index invalid).",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend index unused\n"
                "pgmend index unused --replica postgresql://standby/app --min-age 30d",
    .next = "pgmend index drop NAME",
    .run = run,
};
