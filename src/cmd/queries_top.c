#include "cli/out.h"
#include "cmd/parts/query_input.h"
#include "cmd/parts/query_top_screen.h"
#include "queries/detect/detect.h"

struct options {
    const char *by;
    int32_t limit;
    int64_t span; /* --for, which C does not allow as a name */
    const char *log_format;
    const char *log_prefix;
    const char *database;
};

static const struct field options[] = {
    FIELD(struct options, by, .arg = "ORDER", .standard = "total", .choices = query_order_names,
        .help = "which statements come first"),
    FIELD(struct options, limit, .arg = "N", .standard = "20", .help = "show at most so many"),
    { .name = "for",
        .type = FIELD_INT64,
        .unit = UNIT_US,
        .offset = offsetof(struct options, span),
        .arg = "TIME",
        .momentary = true,
        .help = "count for so long from now on, instead of since the counters' reset" },
    FIELD(struct options, log_format, .arg = "FORMAT", .standard = "auto",
        .choices = query_log_formats, .help = "of the files that are logs"),
    FIELD(struct options, log_prefix, .arg = "TEXT",
        .help = "log_line_prefix of a text log, when it cannot be told from the lines"),
    FIELD(struct options, database, .arg = "NAME", .help = "only this database's lines of a log"),
};

static bool
read_counters(struct ctx *ctx, const struct run *run, struct query_top *ret)
{
    const struct options *opts = run->options;
    struct db *db CLEANUP(db_cleanup) = NULL;
    const struct db_options wanted = {
        .url = run->global->db_url, .application = "pgmend/queries top", .access = ACCESS_READ
    };

    ret->is_counters = true;
    ret->span_us = opts->span;
    if (!db_open(ctx, &wanted, &db))
        return false;
    if (opts->span > 0 && (!workload_read(ctx, db, &ret->before) || !query_wait(ctx, opts->span)))
        return false;
    if (!workload_read(ctx, db, &ret->after))
        return false;
    query_ranking_count(
        ctx->arena, opts->span > 0 ? &ret->before : NULL, &ret->after, &ret->ranking);
    /* This session's own may be set for it alone: what the others have is the one of the start. */
    return ret->ranking.count > 0 || db_value(ctx, db,
                                         "SELECT s.reset_val FROM pg_catalog.pg_settings AS s"
                                         " WHERE s.name = 'pg_stat_statements.track'",
                                         NULL, 0, &ret->track);
}

/* Both look at the same statements: one counts, the other finds what repeats. */
struct takers {
    struct query_tally *tally;
    struct detect *detect;
};

static bool
take(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    struct takers *takers = data;

    (void)ctx;
    query_tally_add(takers->tally, statement);
    detect_take(takers->detect, statement);
    return true;
}

static void
end_session(void *data, uint64_t session)
{
    struct takers *takers = data;

    detect_end_session(takers->detect, session);
}

static bool
read_files(struct ctx *ctx, const struct run *run, struct query_top *ret)
{
    static const struct detect_options standard;
    const struct options *opts = run->options;
    struct templates *templates = templates_new(ctx->arena);
    struct takers takers = {
        .tally = query_tally_new(ctx->arena),
        .detect = detect_new(ctx->arena, &standard),
    };
    const struct query_files_options wanted = {
        .log = { .format = query_log_format(opts->log_format),
            .prefix = opts->log_prefix,
            .database = opts->database },
        .templates = templates,
        .sink = take,
        .ended = end_session,
        .data = &takers,
    };
    bool is_good = query_files_read(ctx, &run->operands, &wanted, &ret->files);

    if (is_good) {
        struct query_findings findings = { 0 };

        detect_finish(takers.detect, &findings);
        query_tally_rank(takers.tally, &findings, &ret->ranking);
    }
    detect_free(takers.detect);
    templates_free(templates);
    return is_good;
}

static enum query_order
order_of(const char *name)
{
    enum query_order order = BY_TOTAL;

    for (size_t i = 0; query_order_names[i]; i++)
        if (text_equal(query_order_names[i], name))
            order = (enum query_order)i;
    return order;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    bool has_files = run->operands.count > 0;
    struct query_top top = { 0 };

    if (opts->limit < 1)
        return error_set(ctx, ERR_USAGE, "--limit must be 1 or more");
    if (has_files && opts->span > 0)
        return error_set(ctx, ERR_USAGE, "--for counts on the server, and files were given");
    if (has_files && order_of(opts->by) == BY_BUFFERS) {
        error_set(ctx, ERR_USAGE, "neither traces nor logs tell how many buffers were touched");
        return error_hint(ctx, "\"pgmend queries top --by buffers\" asks pg_stat_statements.");
    }
    if (!(has_files ? read_files(ctx, run, &top) : read_counters(ctx, run, &top)))
        return false;
    query_ranking_sort(&top.ranking, order_of(opts->by));
    if (run->global->json)
        query_top_json(ctx, run, &top, opts->by, (size_t)opts->limit);
    else
        query_top_print(ctx, run, &top, (size_t)opts->limit);
    return true;
}

const struct command cmd_queries_top = {
    .path = "queries top",
    .summary = "rank statements by time, calls, mean, p95, rows or buffers; N+1 suspects marked",
    .details =
        "Without a file it asks pg_stat_statements of the database, which counts since its reset, "
        "or with --for only what happens from now on. These counters hold no distribution: p95 est. "
        "is reckoned from mean and deviation as if times were log-normal, and left out for fewer "
        "than 20 calls. Whose calls agree with the rows of another statement is marked as "
        "suspected.\n\n"
        "Files are traces of \"pgmend queries trace\" or logs of the server (jsonlog, csvlog, "
        "stderr; oldest first, \"-\" is standard input): p95 is measured, and what is marked was "
        "found in the sequence of the statements. Only reads; nothing is reset.",
    .operands = "[FILE]...",
    .max_operands = SIZE_MAX,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend queries top\n"
                "pgmend queries top --by p95 --for 1m\n"
                "pgmend queries top --by calls trace.jsonl",
    .next = "pgmend queries nplusone trace.jsonl",
    .run = run,
};
