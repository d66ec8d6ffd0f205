#include "cli/command.h"
#include "cli/out.h"
#include "staging/stage.h"

/* A line on the screen. */
struct line {
    const char *name;
    const char *of;
    const char *age;
    const char *size;
    const char *from;
    const char *masked;
    int64_t sessions;
};

static const struct field columns[] = {
    FIELD(struct line, name),
    FIELD(struct line, of, .help = "copy of"),
    FIELD(struct line, age),
    FIELD(struct line, size),
    FIELD(struct line, from),
    FIELD(struct line, masked),
    FIELD(struct line, sessions),
};

static json_t *
rows_json(const struct sql_staging_copies_rows *rows)
{
    json_t *array = json_array();

    for (size_t i = 0; i < rows->count; i++) {
        const struct sql_staging_copies *row = &rows->items[i];

        json_array_append_new(array,
            json_pack("{s:s, s:s, s:s?, s:s, s:I, s:s, s:I, s:o, s:I}", "name", row->name, "of",
                row->source, "cluster", text_equal(row->cluster, "?") ? NULL : row->cluster,
                "made_at", row->made_at, "age_us", (json_int_t)row->age, "from", row->way,
                "masked_columns", (json_int_t)row->masked, "bytes",
                row->bytes < 0 ? json_null() : json_integer(row->bytes), "sessions",
                (json_int_t)row->sessions));
    }
    return array;
}

/* They may hold rows that were not masked yet, and only who writes may drop them. */
static void
print_leftovers(struct ctx *ctx, struct run *run, const struct sql_staging_leftovers_rows *left)
{
    for (size_t i = 0; i < left->count; i++)
        out_mark_line(run->out, MARK_WARN,
            "scratch database %s is left of a run that is gone, with whatever rows it had",
            left->items[i].name);
    if (left->count > 0)
        out_next(run->out, "pgmend staging drop %s", text_shell(ctx->arena, left->items[0].name));
}

static json_t *
leftovers_json(const struct sql_staging_leftovers_rows *left)
{
    json_t *array = json_array();

    for (size_t i = 0; i < left->count; i++)
        json_array_append_new(array, json_string(left->items[i].name));
    return array;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    struct sql_staging_copies_rows rows;
    struct sql_staging_leftovers_rows left;
    struct line *lines;

    if (!sql_staging_copies(ctx, run->db, &rows) || !sql_staging_leftovers(ctx, run->db, &left))
        return error_wrap(ctx, "looking for staging copies");
    if (run->global->json) {
        json_t *json CLEANUP(json_release) =
            json_pack("{s:o, s:o}", "copies", rows_json(&rows), "leftovers", leftovers_json(&left));

        out_json(run->out, json);
        return true;
    }
    if (rows.count == 0) {
        fprintf(run->out, "There is no staging copy on this server.\n");
        print_leftovers(ctx, run, &left);
        if (left.count == 0)
            out_next(run->out, "pgmend staging create");
        return true;
    }
    lines = ARENA_ARRAY(ctx->arena, struct line, rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_staging_copies *row = &rows.items[i];

        lines[i] = (struct line){
            .name = row->name,
            .of = row->source,
            .age = row->age < 1000000 ? "less than 1 s"
                                      : text_from_us(ctx->arena, row->age - row->age % 1000000),
            .size = row->bytes < 0 ? "?" : text_from_bytes(ctx->arena, row->bytes),
            .from = row->way,
            .masked = row->masked == 0 ? "no"
                                       : arena_printf(ctx->arena, "%d column%s", (int)row->masked,
                                             row->masked == 1 ? "" : "s"),
            .sessions = row->sessions,
        };
    }
    out_table(run->out, columns, COUNT_OF(columns), lines, rows.count, sizeof(lines[0]));
    print_leftovers(ctx, run, &left);
    if (left.count == 0)
        out_next(run->out, "pgmend rehearse PLAN --staging %s",
            text_shell(ctx->arena, rows.items[0].name));
    return true;
}

const struct command cmd_staging_list = {
    .path = "staging list",
    .summary = "show the staging copies on this server",
    .details =
        "Scratch databases that runs which were killed have left are named too; the next command that makes or "
        "drops a copy or a backup drops them.",
    .access = ACCESS_READ,
    .examples = "pgmend staging list\n",
    .next = "pgmend rehearse PLAN --staging NAME",
    .run = run,
};
