#include <math.h>

#include "base/term.h"
#include "cli/out.h"
#include "cli/page.h"
#include "cmd/parts/partition_planning.h"
#include "cmd/parts/roll_out.h"
#include "db/ident.h"
#include "partition/advice.h"

enum { LABEL_COLUMN = 2, TEXT_COLUMN = 13, WIDEST = 100, QUERY_CHARS = 120 };

struct options {
    const char *output;
    const char *column;
    const char *by;
    int32_t ahead;
    int64_t keep;
    int64_t least;
    struct text_list give_up_foreign_key;
};

static const char *const units[] = { "auto", "month", "week", NULL };

static const struct field options[] = {
    FIELD(struct options, output, .letter = 'o', .arg = "FILE", .momentary = true,
        .help = "also write a plan that partitions TABLE, for \"pgmend apply FILE\""),
    FIELD(struct options, column, .arg = "NAME", .momentary = true,
        .help = "the column of time (default: the one whose order the rows stand in)"),
    FIELD(struct options, by, .choices = units, .standard = "auto",
        .help = "a partition a month or a week; auto: by how many rows come"),
    FIELD(struct options, ahead, .arg = "N", .standard = "3",
        .help = "partitions that are made beforehand"),
    FIELD(struct options, keep, .unit = UNIT_US, .arg = "TIME", .standard = "0",
        .help = "how long rows are kept; then dropping a partition counts as gain"),
    FIELD(struct options, least, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "100MB",
        .help = "without TABLE: tables smaller than this are not looked at"),
    FIELD(struct options, give_up_foreign_key, .arg = "NAME", .momentary = true,
        .help = "a foreign key to TABLE that may go, as nothing can refer to a partitioned table "
                "without its time; may be given several times"),
};

struct sheet {
    struct arena *arena;
    FILE *out;
    size_t width;
};

static void
put(const struct sheet *sheet, const char *label, const char *text)
{
    fprintf(sheet->out, "%*s%-*s", LABEL_COLUMN, "", TEXT_COLUMN - LABEL_COLUMN, label);
    page_wrap(sheet->out, text, TEXT_COLUMN, TEXT_COLUMN, sheet->width);
}

static const char *
growth_text(struct arena *arena, const struct partition_advice *advice)
{
    if (isnan(advice->rows_per_day))
        return "not known: the counters are younger than a day";
    return arena_printf(arena,
        "%s rows a day since the counters were reset; in half a year about %s",
        text_from_count(arena, (int64_t)advice->rows_per_day),
        advice->later_bytes >= 0 ? text_from_bytes(arena, advice->later_bytes) : "an unknown size");
}

static void
put_statements(const struct sheet *sheet, const struct partition_advice *advice)
{
    if (isnan(advice->filtered_share)) {
        put(sheet, "statements", "pg_stat_statements shows none that reads it");
        return;
    }
    put(sheet, "statements",
        arena_printf(sheet->arena,
            "%.0f %% of the time of those that read it has a condition on %s",
            100 * advice->filtered_share, db_ident(sheet->arena, advice->key)));
    for (size_t i = 0; i < advice->everywhere.count; i++)
        put(sheet, i == 0 ? "everywhere" : "",
            arena_printf(sheet->arena, "%4.1f %%  %.*s%s", 100 * advice->everywhere.items[i].share,
                QUERY_CHARS, advice->everywhere.items[i].query,
                strlen(advice->everywhere.items[i].query) > QUERY_CHARS ? "…" : ""));
}

static void
put_advice(const struct sheet *sheet, const struct partition_advice *advice)
{
    struct arena *arena = sheet->arena;

    fprintf(sheet->out, "%s by %s of %s\n", advice->qualified, advice->unit,
        db_ident(arena, advice->key));
    put(sheet, "verdict", advice->verdict);
    put(sheet, "size",
        arena_printf(arena, "%s, %s rows%s", text_from_bytes(arena, advice->bytes),
            advice->rows < 0 ? "unknown" : text_from_count(arena, advice->rows),
            isnan(advice->correlation) ? ""
                                       : arena_printf(arena, ", correlation of %s %.2f",
                                             db_ident(arena, advice->key), advice->correlation)));
    put(sheet, "growth", growth_text(arena, advice));
    put_statements(sheet, advice);
    for (size_t i = 0; i + 1 < advice->obstacles.count; i += 2) {
        put(sheet, "in the way", advice->obstacles.items[i]);
        if (advice->obstacles.items[i + 1])
            put(sheet, "  remedy", advice->obstacles.items[i + 1]);
    }
    put(sheet, "price",
        arena_printf(arena,
            "its primary key gets %s as well, so the old columns alone are unique "
            "within a partition only",
            db_ident(arena, advice->key)));
    fputc('\n', sheet->out);
}

static json_t *
advice_json(const struct partition_advice *advice)
{
    json_t *statements = json_array();
    json_t *obstacles = json_array();

    for (size_t i = 0; i < advice->everywhere.count; i++)
        json_array_append_new(
            statements, json_pack("{s:s, s:f}", "query", advice->everywhere.items[i].query, "share",
                            advice->everywhere.items[i].share));
    for (size_t i = 0; i + 1 < advice->obstacles.count; i += 2)
        json_array_append_new(
            obstacles, json_pack("{s:s, s:s?}", "problem", advice->obstacles.items[i], "remedy",
                           advice->obstacles.items[i + 1]));
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:s, s:o, s:o, s:o, s:o, s:o}", "schema",
        advice->schema, "table", advice->table, "column", advice->key, "by", advice->unit, "rows",
        (json_int_t)advice->rows, "bytes", (json_int_t)advice->bytes, "is_worth",
        (int)advice->is_worth, "verdict", advice->verdict, "correlation",
        json_number(advice->correlation), "rows_per_day", json_number(advice->rows_per_day),
        "filtered_share", json_number(advice->filtered_share), "everywhere", statements,
        "obstacles", obstacles);
}

static void
print_json(struct run *run, const struct partition_advices *advices, const struct plan *plan)
{
    json_t *tables = json_array();
    json_t *json CLEANUP(json_release) =
        json_pack("{s:o, s:s?}", "tables", tables, "no_statements", advices->no_statements);

    for (size_t i = 0; i < advices->count; i++)
        json_array_append_new(tables, advice_json(&advices->items[i]));
    if (plan->count > 0)
        json_object_set_new(json, "plan", plan_json(plan));
    out_json(run->out, json);
}

static void
print(struct ctx *ctx, struct run *run, const struct partition_advices *advices,
    const struct plan *plan)
{
    const struct options *opts = run->options;
    struct sheet sheet = {
        .arena = ctx->arena,
        .out = run->out,
        .width = term_is_terminal(run->out) ? (size_t)term_width(run->out) : WIDEST,
    };

    if (sheet.width > WIDEST)
        sheet.width = WIDEST;
    for (size_t i = 0; i < advices->count; i++)
        put_advice(&sheet, &advices->items[i]);
    if (advices->no_statements)
        put(&sheet, "note",
            arena_printf(ctx->arena, "statements were not looked at: %s", advices->no_statements));
    if (advices->count == 0)
        fprintf(run->out, "No table of %s or more has a column of time that is never NULL.\n",
            text_from_bytes(ctx->arena, opts->least));
    if (plan->count > 0)
        print_plan(ctx, run->out, plan, false);
    if (plan_pending(plan) > 0)
        out_next(run->out, "pgmend rehearse %s, then pgmend apply %s",
            text_shell(ctx->arena, opts->output), text_shell(ctx->arena, opts->output));
    else if (advices->count > 0)
        out_next(run->out, "pgmend partition advise %s -o partition.plan",
            text_shell(ctx->arena, advices->items[0].qualified));
    else
        out_next(run->out, "pgmend partition advise --least 10MB");
}

static bool
find_table(struct ctx *ctx, struct run *run, const char **ret)
{
    const char *schema;
    const char *table;

    if (!partition_planning_find(ctx, run->db, run->operands.items[0], &schema, &table))
        return false;
    *ret = db_qualified(ctx->arena, schema, table);
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct partition_question question = {
        .key = opts->column,
        .unit = text_equal(opts->by, "auto") ? NULL : opts->by,
        .least_bytes = opts->least,
        .keep_us = opts->keep,
        .give_up = opts->give_up_foreign_key,
    };
    struct partition_advices advices;
    struct plan plan = { 0 };

    if (run->operands.count > 0 && !find_table(ctx, run, &question.table))
        return false;
    if (opts->output && !question.table)
        return error_set(ctx, ERR_USAGE, "-o needs a TABLE");
    if (opts->ahead < 1 || opts->ahead > PARTITION_MOST_AHEAD)
        return error_set(ctx, ERR_USAGE, "so many partitions cannot be made: %d", opts->ahead);
    if (!partition_advise(ctx, run->db, &question, &advices))
        return false;
    if (question.table && advices.count != 1) {
        error_set(ctx, ERR_NOT_FOUND,
            "%s is not a plain table with a column of time that is never NULL", question.table);
        return error_hint(ctx, "A table that is partitioned already: pgmend partition extend.");
    }
    if (opts->output) {
        const struct partition_wish wish = { .schema = advices.items[0].schema,
            .table = advices.items[0].table,
            .key = advices.items[0].key,
            .unit = advices.items[0].unit,
            .ahead = opts->ahead,
            .give_up = opts->give_up_foreign_key };

        if (!partition_planning_table(ctx, run->db, &wish, &plan) ||
            !plan_write(ctx, opts->output, &plan))
            return false;
    }
    if (run->global->json)
        print_json(run, &advices, &plan);
    else
        print(ctx, run, &advices, &plan);
    return true;
}

const struct command cmd_partition_advise = {
    .path = "partition advise",
    .summary = "say which tables would gain from partitions by time, and plan one of them",
    .details =
        "Looks at sizes, at how fast rows come, at whether they stand in the order of a column of time, "
        "and at how statements filter: those without a condition on that column look into every "
        "partition afterwards, and are named with their share. Honest about what is too small: below "
        "10 GB (now or in half a year) one table is easier; where old rows are to go (--keep) below "
        "1 GB.\n\n"
        "With -o a plan is written that does it online: the old rows stay where they are, as the "
        "partition of all the past; the next periods get partitions of their own, and one partition "
        "takes what fits nowhere. Undone by \"pgmend rollback\", without losing a row.",
    .operands = "[TABLE]",
    .min_operands = 0,
    .max_operands = 1,
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend partition advise\n"
                "pgmend partition advise dialog_messages --keep 365d -o partition.plan",
    .next = "pgmend apply",
    .run = run,
};
