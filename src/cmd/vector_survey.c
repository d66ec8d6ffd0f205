#include "base/term.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cli/page.h"
#include "cmd/parts/vector_screen.h"
#include "cmd/parts/vector_wish.h"
#include "db/ident.h"
#include "finding/render.h"
#include "vector/target/survey.h"

enum { STATUS_FINDINGS = 3, LABEL_COLUMN = 2, TEXT_COLUMN = 13, WIDEST = 100 };

struct options {
    struct vector_wish wish;
    const char *format;
    bool exit_code;
};

static const char *const formats[] = { "text", "json", "markdown", "sarif", NULL };

/* clang-format off */
static const struct field options[] = {
    VECTOR_WISH_FIELDS(struct options),
    FIELD(struct options, format, .arg = "FORMAT", .choices = formats, .standard = "text",
        .help = "what to write"),
    FIELD(struct options, exit_code, .momentary = true,
        .help = "exit with 3 when there is a warning or an error"),
};

static const struct field bucket_columns[] = {
    FIELD(struct vector_bucket, name, .help = "tenants with"),
    FIELD(struct vector_bucket, tenants, .help = "tenants"),
    FIELD(struct vector_bucket, rows, .help = "rows"),
};

struct index_line {
    const char *name;
    const char *kind;
    const char *health;
    int64_t scans;
    int64_t bytes;
};

static const struct field index_columns[] = {
    FIELD(struct index_line, name, .help = "index"),
    FIELD(struct index_line, kind, .help = "kind"),
    FIELD(struct index_line, bytes, .unit = UNIT_BYTES, .help = "size"),
    FIELD(struct index_line, scans, .help = "scans"),
    FIELD(struct index_line, health, .help = "state"),
};
/* clang-format on */

struct sheet {
    struct ctx *ctx;
    FILE *out;
    size_t width;
    bool has_color;
};

static void
put(const struct sheet *sheet, const char *label, const char *text)
{
    fprintf(sheet->out, "%*s%-*s", LABEL_COLUMN, "", TEXT_COLUMN - LABEL_COLUMN, label);
    page_wrap(
        sheet->out, render_clean(sheet->ctx->arena, text), TEXT_COLUMN, TEXT_COLUMN, sheet->width);
}

static const char *
rows_text(struct arena *arena, const struct vector_facts *facts)
{
    const struct vector_sizes *sizes = &facts->sizes;
    struct buffer text = { .arena = arena };

    buffer_printf(&text, "%s with a vector", text_from_count(arena, sizes->rows));
    if (facts->target.tenant && sizes->tenants.count > 0)
        buffer_printf(&text, ", of %s %s by %s; the largest has %s",
            text_from_count(arena, (int64_t)sizes->tenants.count),
            sizes->tenants.count == 1 ? "tenant" : "tenants", db_ident(arena, facts->target.tenant),
            text_from_count(arena, sizes->tenants.items[0].rows));
    if (sizes->null_rows > 0)
        buffer_printf(&text, "; %s belong to none", text_from_count(arena, sizes->null_rows));
    return buffer_text(&text);
}

static const char *
bytes_text(struct arena *arena, const struct vector_target *target)
{
    return arena_printf(arena, "table %s, TOAST %s; the vectors stand %s (storage %s)",
        text_from_bytes(arena, target->table_bytes), text_from_bytes(arena, target->toast_bytes),
        target->is_toasted ? "in the TOAST table" : "inside the rows", target->storage);
}

/* As one would write it: a number without quotes. */
static const char *
value_text(struct arena *arena, const char *value)
{
    double number;

    return value && text_to_double(value, &number) ? value : db_literal(arena, value ? value : "");
}

/* The search as the survey understands it. */
static const char *
search_text(struct arena *arena, const struct vector_facts *facts)
{
    const struct vector_target *target = &facts->target;
    struct buffer text = { .arena = arena };
    const char *word = "WHERE";

    if (target->tenant) {
        buffer_printf(&text, "WHERE %s = … ", db_ident(arena, target->tenant));
        word = "AND";
    }
    for (size_t i = 0; i < target->filters.count; i++) {
        const struct vector_filter *filter = &target->filters.items[i];

        buffer_printf(&text, "%s %s %s %s ", word, db_ident(arena, filter->column),
            filter->operator, value_text(arena, filter->value));
        word = "AND";
    }
    buffer_printf(&text, "ORDER BY %s %s … LIMIT %d", db_ident(arena, target->column),
        vector_metric_operator(target->metric), target->limit);
    if (facts->searches > 0)
        buffer_printf(&text, " (all searches so far: %s)", text_from_count(arena, facts->searches));
    return buffer_text(&text);
}

static const char *
sample_text(struct arena *arena, const struct vector_facts *facts)
{
    struct buffer text = { .arena = arena };

    buffer_printf(&text, "%s rows: %s without a vector, %s of length zero, %s that repeat a vector",
        text_from_count(arena, facts->looked_at), text_from_count(arena, facts->nulls),
        text_from_count(arena, facts->zeros), text_from_count(arena, facts->value_duplicates));
    if (facts->hash_duplicates >= 0)
        buffer_printf(&text, "; of all rows %s repeat %s",
            text_from_count(arena, facts->hash_duplicates),
            db_ident(arena, facts->target.chunk_hash));
    return buffer_text(&text);
}

static void
put_indexes(const struct sheet *sheet, const struct vector_facts *facts)
{
    struct arena *arena = sheet->ctx->arena;
    struct index_line *lines = ARENA_ARRAY(arena, struct index_line, facts->indexes.count + 1);

    if (facts->indexes.count == 0)
        return;
    for (size_t i = 0; i < facts->indexes.count; i++) {
        const struct vector_index *index = &facts->indexes.items[i];

        lines[i] = (struct index_line){
            .name = index->name,
            .kind = index->lists > 0 ? arena_printf(arena, "%s %s, %d lists", index->method,
                                           index->opclass, index->lists)
                                     : arena_printf(arena, "%s %s", index->method, index->opclass),
            .health = index->is_valid ? "valid" : "NOT VALID",
            .scans = index->scans,
            .bytes = index->bytes,
        };
    }
    fputc('\n', sheet->out);
    out_table(sheet->out, index_columns, COUNT_OF(index_columns), lines, facts->indexes.count,
        sizeof(lines[0]));
}

static void
put_column(const struct sheet *sheet, const struct vector_facts *facts)
{
    struct arena *arena = sheet->ctx->arena;
    const struct vector_target *target = &facts->target;
    const char *dims =
        target->dims > 0 ? arena_printf(arena, "(%d)", target->dims) : " without a dimension";

    fprintf(sheet->out, "%s%s.%s%s  %s%s, %s\n", sheet->has_color ? "\033[1m" : "",
        render_clean(arena, vector_table(arena, target)),
        render_clean(arena, db_ident(arena, target->column)), sheet->has_color ? "\033[0m" : "",
        target->type, dims, vector_metric_name(target->metric));
    put(sheet, "rows", rows_text(arena, facts));
    put(sheet, "bytes", bytes_text(arena, target));
    put(sheet, "search", search_text(arena, facts));
    put(sheet, "known from", target->found_in);
    put(sheet, "looked at", sample_text(arena, facts));
    if (target->tenant && facts->sizes.buckets.count > 0) {
        fputc('\n', sheet->out);
        out_table(sheet->out, bucket_columns, COUNT_OF(bucket_columns), facts->sizes.buckets.items,
            facts->sizes.buckets.count, sizeof(facts->sizes.buckets.items[0]));
    }
    put_indexes(sheet, facts);
    fputc('\n', sheet->out);
}

static void
print_text(struct ctx *ctx, const struct run *run, const struct vector_survey *survey,
    const struct render *render)
{
    struct sheet sheet = {
        .ctx = ctx,
        .out = run->out,
        .width = term_is_terminal(run->out) ? (size_t)term_width(run->out) : WIDEST,
        .has_color = term_has_color(run->out),
    };

    if (sheet.width > WIDEST)
        sheet.width = WIDEST;
    for (size_t i = 0; i < survey->columns.count; i++)
        put_column(&sheet, &survey->columns.items[i]);
    for (size_t i = 0; i < survey->notes.count; i++)
        put(&sheet, "note", survey->notes.items[i]);
    if (survey->notes.count > 0)
        fputc('\n', run->out);
    render_text(run->out, render);
    out_next(run->out, "pgmend vector tune");
}

static void
print(struct ctx *ctx, const struct run *run, const struct vector_survey *survey)
{
    const struct options *opts = run->options;
    struct render render = {
        .findings = &survey->findings,
        .subject = arena_printf(ctx->arena, "%zu vector %s, pgvector %s", survey->columns.count,
            survey->columns.count == 1 ? "column" : "columns", survey->pgvector),
        .more = "--verbose shows each",
        .is_verbose = run->global->verbose,
    };

    if (run->global->json || strcmp(opts->format, "json") == 0)
        out_json(run->out, vector_survey_json(survey));
    else if (strcmp(opts->format, "sarif") == 0)
        render_sarif(run->out, &render);
    else if (strcmp(opts->format, "markdown") == 0)
        render_markdown(run->out, &render);
    else
        print_text(ctx, run, survey, &render);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct vector_screen screen;
    struct vector_survey survey;
    bool is_good;

    if (run->global->json && strcmp(opts->format, "text") != 0 && strcmp(opts->format, "json") != 0)
        return error_set(ctx, ERR_USAGE, "--json and --format %s are two formats", opts->format);
    is_good =
        vector_survey(ctx, run->db, &opts->wish, vector_screen_begin(&screen, "survey"), &survey);
    vector_screen_end(&screen);
    if (!is_good)
        return false;
    print(ctx, run, &survey);
    if (opts->exit_code && findings_count(&survey.findings, SEVERITY_WARNING) > 0)
        run->status = STATUS_FINDINGS;
    return true;
}

const struct command cmd_vector_survey = {
    .path = "vector survey",
    .summary = "show the vector columns, how they are searched, and which traps they are in",
    .details =
        "Finds the vector columns, how the workload searches them (pg_stat_statements), how many "
        "rows each tenant has, where the vectors are stored, and what is wrong: operators that no "
        "index is built for, searches that return too few rows, plans that change when a tenant "
        "grows or a statement is prepared, and more. What can be tried is tried: plans are asked "
        "of the server, and a few searches are run both ways and compared.\n\n"
        "It only reads, in short transactions with a time-out: every tenant's rows are counted, "
        "vectors are read from a sample of 20,000 rows. The options say what it could not find "
        "out, or what should be taken instead.",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend vector survey\n"
                "pgmend vector survey --table knowledge_embeddings --tenant assistant_id "
                "--filter \"importance >= 5\"\n"
                "pgmend vector survey --json --exit-code",
    .next = "pgmend vector tune",
    .run = run,
};
