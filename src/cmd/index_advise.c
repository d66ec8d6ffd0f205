#include "base/file.h"
#include "base/log.h"
#include "cli/out.h"
#include "cmd/parts/index_advice_plan.h"
#include "cmd/parts/index_advice_screen.h"
#include "cmd/parts/query_input.h"

struct options {
    struct text_list log;
    const char *log_format;
    const char *log_prefix;
    bool monitor;
    int64_t span; /* --for, which C does not allow as a name */
    const char *role;
    const char *search_path;
    struct text_list table;
    int64_t max_size;
    int32_t max_indexes;
    double max_write_cost;
    int64_t time_limit;
    const char *what_if;
    const char *bin_dir;
    bool foreign_keys;
    bool approximate;
    bool keep_redundant;
    bool explain;
    const char *output;
    const char *sql;
};

/* In the order of enum whatif_way. */
static const char *const ways[] = { "auto", "hypopg", "scratch", NULL };

static const struct field options[] = {
    FIELD(struct options, log, .momentary = true, .arg = "FILE",
        .help = "take the statements from a log of the server; may be given several times"),
    FIELD(struct options, log_format, .arg = "FORMAT", .standard = "auto",
        .choices = query_log_formats, .help = "of the logs"),
    FIELD(struct options, log_prefix, .arg = "TEXT",
        .help = "log_line_prefix of a text log, when it cannot be told from the lines"),
    FIELD(struct options, monitor, .momentary = true,
        .help = "take the statements from what \"pgmend monitor\" stored in this database"),
    { .name = "for",
        .type = FIELD_INT64,
        .unit = UNIT_US,
        .offset = offsetof(struct options, span),
        .arg = "TIME",
        .standard = "7d",
        .help = "with --monitor: what was stored over so long until now" },
    FIELD(struct options, role, .arg = "NAME",
        .help = "only what this role ran (pg_stat_statements)"),
    FIELD(struct options, search_path, .arg = "LIST",
        .help = "the application's search_path, where it is not the role's own"),
    FIELD(struct options, table, .momentary = true, .arg = "NAME",
        .help = "only indexes of this table; may be given several times"),
    FIELD(struct options, max_size, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "0",
        .help = "the new indexes together; 0: no limit"),
    FIELD(struct options, max_indexes, .arg = "N", .standard = "0",
        .help = "so many new indexes at most; 0: no limit"),
    FIELD(struct options, max_write_cost, .arg = "SHARE", .standard = "0",
        .help = "what writes may cost more, 0.2 is 20 %; 0: no limit but that it pays"),
    FIELD(struct options, time_limit, .unit = UNIT_US, .arg = "TIME", .standard = "60s",
        .help = "of the whole run, about: then the best choice found so far is taken"),
    FIELD(struct options, what_if, .arg = "WAY", .standard = "auto", .choices = ways,
        .help = "how indexes are tried: HypoPG in a session, or a scratch server here"),
    FIELD(struct options, bin_dir, .arg = "DIR",
        .help = "programs of a server, for the scratch server (default: looked for)"),
    FIELD(struct options, foreign_keys, .help = "also foreign keys that no index serves"),
    FIELD(struct options, approximate, .momentary = true,
        .help = "also vector indexes, whose answers are approximate"),
    FIELD(struct options, keep_redundant, .help = "do not name indexes that become needless"),
    FIELD(struct options, explain, .momentary = true,
        .help = "also tell how the choice was made, step by step"),
    FIELD(struct options, output, .letter = 'o', .momentary = true, .arg = "FILE",
        .help = "write a plan for \"pgmend apply FILE\", which proves what was promised"),
    FIELD(struct options, sql, .momentary = true, .arg = "FILE",
        .help = "write the statements as a script"),
};

static void
show(void *data, const char *phase, double ratio, int64_t elapsed_us)
{
    /* Steps that come again and again: one line where there is no terminal to draw over. */
    static const char *const steps[] = { "exchanging", "leaving out", "taking all",
        "starting again" };
    struct progress *progress = data;

    for (size_t i = 0; i < COUNT_OF(steps); i++)
        if (text_equal(phase, steps[i]))
            phase = "choosing";
    progress_show(progress, .what = "advising", .phase = phase, .ratio = ratio,
        .elapsed_us = elapsed_us, .left_us = -1);
}

static bool
check_options(struct ctx *ctx, const struct run *run)
{
    const struct options *opts = run->options;
    int sources = (run->operands.count > 0) + (opts->log.count > 0) + opts->monitor;

    if (sources > 1) {
        error_set(ctx, ERR_USAGE, "files of SQL, --log and --monitor cannot be given together");
        return error_hint(ctx, "Advise once for each source.");
    }
    if (opts->role && sources > 0)
        return error_set(
            ctx, ERR_USAGE, "--role looks into pg_stat_statements, and another source was given");
    if (opts->max_size < 0 || opts->max_indexes < 0)
        return error_set(ctx, ERR_USAGE, "--max-size and --max-indexes must not be below 0");
    if (!(opts->max_write_cost >= 0))
        return error_set(ctx, ERR_USAGE, "--max-write-cost must be a share, 0 or more");
    if (opts->time_limit <= 0)
        return error_set(ctx, ERR_USAGE, "--time-limit must be more than 0");
    if (text_equal(opts->output, "-") || text_equal(opts->sql, "-"))
        return error_set(ctx, ERR_USAGE, "plan and script are files: give them a name");
    if (opts->output && text_equal(opts->output, opts->sql))
        return error_set(ctx, ERR_USAGE, "--output and --sql name the same file");
    /* The plan's statements are tried on temporary tables. */
    if (opts->output && !db_require_primary(ctx, run->db))
        return error_hint(ctx, "Without -o, or with --sql FILE, a standby will do.");
    return (!opts->output || file_check_place(ctx, opts->output)) &&
           (!opts->sql || file_check_place(ctx, opts->sql));
}

static bool
take_in(struct ctx *ctx, const struct run *run, struct intake *ret)
{
    const struct options *opts = run->options;
    const struct log_options log = {
        .format = query_log_format(opts->log_format),
        .prefix = opts->log_prefix,
        .database = db_name(run->db),
        .keeps_values = true,
        .keeps_sql = true,
    };

    if (run->operands.count > 0)
        return intake_files(ctx, &run->operands, ret);
    if (opts->log.count > 0)
        return intake_logs(ctx, &opts->log, &log, ret);
    if (opts->monitor)
        return intake_monitor(ctx, run->db, db_name(run->db), opts->span, ret);
    return intake_counters(ctx, run->db, opts->role, ret);
}

static bool
advise(struct ctx *ctx, const struct run *run, const struct intake *intake, struct advice *ret)
{
    const struct options *opts = run->options;
    struct progress progress;
    struct advice_options wanted = {
        .choose = {
            .most_bytes = opts->max_size,
            .most_indexes = (size_t)opts->max_indexes,
            .most_write_cost = opts->max_write_cost,
            .time_us = opts->time_limit,
            .drops_redundant = !opts->keep_redundant,
            .progress = show,
            .data = &progress,
        },
        .bin_folder = opts->bin_dir,
        .path = opts->search_path,
        .tables = opts->table,
        .wants_references = opts->foreign_keys,
        .allows_approximate = opts->approximate,
    };
    bool is_good;

    for (size_t i = 0; ways[i]; i++)
        if (text_equal(ways[i], opts->what_if))
            wanted.way = (enum whatif_way)i;
    progress_begin(&progress);
    is_good = advice_make(ctx, run->db, intake, &wanted, ret);
    progress_end(&progress);
    return is_good;
}

static bool
write_files(struct ctx *ctx, const struct run *run, const struct advice *advice, size_t *ret_left)
{
    const struct options *opts = run->options;
    struct plan plan;

    if (opts->sql) {
        const char *script = advice_script(ctx->arena, advice);

        if (!file_write(ctx, opts->sql, script, strlen(script), 0644))
            return false;
    }
    if (!opts->output || advice->indexes.count == 0)
        return true;
    return index_advice_plan(ctx, run->db, advice, &plan, ret_left) &&
           plan_write(ctx, opts->output, &plan);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct intake intake = { 0 };
    struct advice advice;
    size_t left = 0;

    if (!check_options(ctx, run) || !take_in(ctx, run, &intake))
        return false;
    if (!advise(ctx, run, &intake, &advice) || !write_files(ctx, run, &advice, &left))
        return error_state(ctx, "Nothing was changed.");
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = advice_json(ctx->arena, &advice);

        out_json(run->out, json);
        return true;
    }

    const struct index_advice_shown shown = {
        .plan = advice.indexes.count > 0 ? opts->output : NULL,
        .script = opts->sql,
        .left = left,
        .has_trail = opts->explain,
        .is_verbose = run->global->verbose,
    };

    index_advice_print(ctx, run->out, &advice, &shown);
    return true;
}

const struct command cmd_index_advise = {
    .path = "index advise",
    .summary = "propose the indexes that pay for themselves with the real workload",
    .details =
        "The statements come from pg_stat_statements, or from files of SQL, logs of the server or "
        "the monitor's store. Their plans tell which columns are looked up, ordered by and "
        "joined; from that come candidates, also expression, partial, covering, trigram and "
        "other kinds; the planner itself says what each would save, with HypoPG where it is "
        "installed or on a scratch server with this database's schema, statistics and sizes. "
        "From these the set is chosen that saves most for its size and for what writes cost "
        "more.\n\n"
        "Nothing is changed. A plan written with -o carries what was promised for each index: "
        "after \"pgmend apply\", \"pgmend index prove\" compares it with what happened.",
    .operands = "[FILE.sql]...",
    .max_operands = SIZE_MAX,
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend index advise -o advice.plan\n"
                "pgmend index advise --max-size 500MB --sql advice.sql\n"
                "pgmend index advise --log postgresql.csv\n"
                "pgmend index advise workload.sql",
    .next = "pgmend apply advice.plan",
    .run = run,
};
