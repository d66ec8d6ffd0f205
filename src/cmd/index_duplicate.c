#include "cli/out.h"
#include "cmd/parts/index_state.h"
#include "index/state/duplicate.h"
#include "sql.h"

struct options {
    const char *table;
};

static const struct field options[] = {
    FIELD(struct options, table, .momentary = true, .arg = "TABLE",
        .help = "only the indexes of this table (\"table\" or \"schema.table\")"),
};

static void
print_one(struct ctx *ctx, FILE *out, const struct index_duplicate *duplicate)
{
    const struct index_state *needless = duplicate->needless;
    const struct index_state *stays = duplicate->stays;

    out_mark_line(out, MARK_WARN, "%s  %s, %s scans: needless beside %s (%s)", needless->object,
        text_from_bytes(ctx->arena, needless->bytes), text_from_count(ctx->arena, needless->scans),
        stays->object, text_from_bytes(ctx->arena, stays->bytes));
    fprintf(out, "      why   %s\n", duplicate->why);
    fprintf(out, "      goes  %s%s\n", needless->row->is_unique ? "UNIQUE " : "",
        needless->row->definition);
    fprintf(
        out, "      stays %s%s\n", stays->row->is_unique ? "UNIQUE " : "", stays->row->definition);
    if (stays->bytes > 2 * needless->bytes && needless->scans > 0)
        fprintf(out, "      note  the one that stays is %s times as big: its scans read more\n",
            text_from_ratio(ctx->arena, (double)stays->bytes / (double)needless->bytes));
    if (needless->row->kind[0] == 'I')
        fprintf(out,
            "      note  of a partitioned table: it goes only all at once, under an exclusive "
            "lock (DROP INDEX %s)\n",
            needless->object);
}

static void
print_json(struct run *run, const struct index_duplicates *found, int64_t bytes)
{
    json_t *array = json_array();

    for (size_t i = 0; i < found->count; i++) {
        const struct index_duplicate *duplicate = &found->items[i];

        json_array_append_new(
            array, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "needless",
                       duplicate->needless->object, "stays", duplicate->stays->object, "table",
                       duplicate->needless->relation, "kind", duplicate->kind, "why",
                       duplicate->why, "bytes", (json_int_t)duplicate->needless->bytes, "scans",
                       (json_int_t)duplicate->needless->scans, "definition",
                       duplicate->needless->row->definition));
    }

    json_t *json CLEANUP(json_release) =
        json_pack("{s:I, s:o}", "bytes", (json_int_t)bytes, "duplicates", array);

    out_json(run->out, json);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    static const struct text_list no_replicas;
    const struct options *opts = run->options;
    struct index_states states;
    struct index_duplicates all;
    struct index_duplicates found = { 0 };
    int64_t bytes = 0;

    if (!index_states_load(ctx, run->db, &no_replicas, &states))
        return false;
    index_duplicates_find(ctx->arena, &states, &all);
    for (size_t i = 0; i < all.count; i++) {
        if (!index_state_is_of(all.items[i].needless, opts->table))
            continue;
        VEC_PUSH(ctx->arena, &found, all.items[i]);
        bytes += all.items[i].needless->bytes;
    }
    if (run->global->json) {
        print_json(run, &found, bytes);
        return true;
    }
    for (size_t i = 0; i < found.count; i++)
        print_one(ctx, run->out, &found.items[i]);
    if (found.count == 0) {
        out_mark_line(run->out, MARK_OK, "no index is needless beside another one");
        out_next(run->out, "pgmend index unused");
        return true;
    }
    fprintf(run->out, "\n%zu index%s, %s.\n", found.count, found.count == 1 ? "" : "es",
        text_from_bytes(ctx->arena, bytes));
    out_next(
        run->out, "pgmend index drop %s", text_shell(ctx->arena, found.items[0].needless->object));
    return true;
}

const struct command cmd_index_duplicate = {
    .path = "index duplicate",
    .summary = "list indexes that another one of the same table makes needless, with the reason",
    .details =
        "The same columns, the first ones of a longer index, the same keys with fewer included "
        "columns, the other direction, or a plain index beside that of a constraint. Operator classes, "
        "collations, predicate and NULLS order have to agree; what enforces something stays, unless "
        "the other one enforces the very same. Such an index may be read often: the other one does its "
        "work, so it need not be watched before it is dropped.",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend index duplicate\n"
                "pgmend index duplicate --table messages --json",
    .next = "pgmend index drop NAME",
    .run = run,
};
