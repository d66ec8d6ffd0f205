#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/query_findings.h"
#include "cmd/parts/query_logging.h"
#include "cmd/parts/query_proxy.h"
#include "db/target.h"

enum { HAS_FINDINGS = 3, LEAST_BUFFER = 1024 * 1024 };

struct options {
    const char *listen;
    bool enable_logging;
    int64_t for_us;
    const char *output;
    int64_t output_size;
    const char *findings;
    bool keep_values;
    const char *database;
    int32_t min_repeats;
    const char *tls_cert;
    const char *tls_key;
    const char *verifiers;
    int32_t max_connections;
    int64_t buffer;
    double sample_rate;
    const char *log_file;
    bool exit_code;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, listen, .arg = "ADDRESS",
        .help = "where applications connect instead of the server: 127.0.0.1:6432, :6432 (every "
                "address), or the folder of a socket, /run/pgmend:6432"),
    FIELD(struct options, enable_logging, .momentary = true,
        .help = "read the server's own log instead: the few settings that it needs are set for the "
                "time and put back"),
    { .name = "for", .type = FIELD_INT64, .unit = UNIT_US, .offset = offsetof(struct options, for_us),
        .momentary = true, .arg = "TIME", .help = "end after that time; else with Ctrl-C" },
    FIELD(struct options, output, .momentary = true, .arg = "FILE",
        .help = "write the statements there, for \"queries nplusone\" and \"queries check\""),
    FIELD(struct options, output_size, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "1GB",
        .help = "that file's size: what comes after it is looked at and not written"),
    FIELD(struct options, findings, .momentary = true, .arg = "FILE",
        .help = "write the findings there as JSON, for \"queries rewrite\""),
    FIELD(struct options, keep_values, .momentary = true,
        .help = "keep values of parameters, constants and results; else only keyed hashes of them"),
    FIELD(struct options, database, .arg = "NAME",
        .help = "only look at sessions with this database (all pass)"),
    FIELD(struct options, min_repeats, .arg = "N", .standard = "3",
        .help = "how often at least a statement comes again in a request that is a finding"),
    FIELD(struct options, tls_cert, .arg = "FILE",
        .help = "certificate that clients are shown (PEM with its chain); without it TLS is refused"),
    FIELD(struct options, tls_key, .arg = "FILE", .help = "its private key"),
    FIELD(struct options, verifiers, .arg = "FILE",
        .help = "lines \"user\" \"SCRAM-SHA-256$...\": clients are signed in here, as channel binding "
                "wants it where both sides have TLS"),
    FIELD(struct options, max_connections, .arg = "N", .standard = "2000",
        .help = "clients at a time; others are refused"),
    FIELD(struct options, buffer, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "64MB",
        .help = "memory for messages that wait to be looked at; what does not fit is not looked at "
                "and counted"),
    FIELD(struct options, sample_rate, .arg = "RATIO", .standard = "1",
        .help = "with --enable-logging: the share of transactions that is logged, above 0 to 1"),
    FIELD(struct options, log_file, .arg = "FILE",
        .help = "with --enable-logging: the server's log as it can be read here; else the server is "
                "asked"),
    FIELD(struct options, exit_code, .momentary = true,
        .help = "exit with 3 when there are findings"),
};
/* clang-format on */

static bool
check_options(struct ctx *ctx, const struct options *opts)
{
    if (!opts->listen == !opts->enable_logging) {
        error_set(ctx, ERR_USAGE, "%s of --listen and --enable-logging is needed",
            opts->listen ? "only one" : "one");
        return error_hint(ctx, "--listen 127.0.0.1:6432 is a proxy that applications are pointed "
                               "to; --enable-logging reads the server's log and needs the rights "
                               "to set what is logged.");
    }
    if (opts->for_us < 0)
        return error_set(ctx, ERR_USAGE, "--for is not below 0");
    if (opts->min_repeats < 2)
        return error_set(ctx, ERR_USAGE, "--min-repeats is at least 2");
    if (opts->max_connections < 1)
        return error_set(ctx, ERR_USAGE, "--max-connections is at least 1");
    if (opts->buffer < LEAST_BUFFER || opts->output_size < LEAST_BUFFER)
        return error_set(ctx, ERR_USAGE, "%s is at least 1MB",
            opts->buffer < LEAST_BUFFER ? "--buffer" : "--output-size");
    if (!(opts->sample_rate > 0 && opts->sample_rate <= 1))
        return error_set(ctx, ERR_USAGE, "--sample-rate is above 0 and at most 1");
    if (!opts->tls_cert != !opts->tls_key)
        return error_set(ctx, ERR_USAGE, "--tls-cert and --tls-key belong together");
    if (opts->output && text_equal(opts->output, opts->findings))
        return error_set(ctx, ERR_USAGE, "--output and --findings are the same file");
    if (opts->listen && (opts->sample_rate < 1 || opts->log_file))
        log_warn(
            "--sample-rate and --log-file are for --enable-logging; all that passes a proxy is "
            "looked at.");
    return true;
}

/* What is found at the end of a long trace must have a place then. */
static bool
check_findings_file(struct ctx *ctx, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *folder = !slash          ? "."
                         : slash == path ? "/"
                                         : arena_strndup(ctx->arena, path, (size_t)(slash - path));

    if (!path)
        return true;
    if (access(folder, W_OK | X_OK) != 0)
        return error_set_errno(ctx, "--findings %s cannot be written", path);
    if (file_exists(path))
        log_warn("%s is there: these findings will replace it.", path);
    return true;
}

/* ---- the two sources ---- */

/* What was not looked at, for the end of the screen; NULL: nothing. */
static const char *
tell_missed(struct ctx *ctx, const struct query_proxy_result *result)
{
    struct buffer text = { .arena = ctx->arena };

    if (result->lost > 0)
        buffer_printf(&text,
            "%s messages were not looked at, because the buffer was full (all "
            "passed): --buffer is its size. ",
            text_from_count(ctx->arena, (int64_t)result->lost));
    if (result->follow.unknown > 0)
        buffer_printf(&text, "%s statements were prepared before they could be seen. ",
            text_from_count(ctx->arena, result->follow.unknown));
    if (result->proxy.refused > 0)
        buffer_printf(&text,
            "%s connections did not get as far as a session: refused by the server (a wrong "
            "password, pg_hba.conf), over --max-connections or without a file descriptor, or "
            "the server was not there; each client was told which. ",
            text_from_count(ctx->arena, (int64_t)result->proxy.refused));
    if (text.length == 0)
        return NULL;
    text.data[text.length - 1] = '\0';
    return text.data;
}

static bool
trace_wire(struct ctx *ctx, const struct run *run, struct query_desk *desk, int64_t *ret_lost,
    const char **ret_missed)
{
    const struct options *opts = run->options;
    struct query_proxy_result result;
    struct db_target target;

    if (!db_target_read(ctx, run->global->db_url, &target))
        return false;

    const struct query_proxy_options wanted = {
        .proxy = {
            .listen = opts->listen,
            .host = target.host,
            .port = target.port,
            .server_ssl_mode = target.ssl_mode,
            .server_ca_file = target.ca_file,
            .certificate_file = opts->tls_cert,
            .key_file = opts->tls_key,
            .verifier_file = opts->verifiers,
            .most_connections = opts->max_connections,
        },
        .follow = { .keeps_values = opts->keep_values, .database = opts->database },
        .for_us = opts->for_us,
        .buffer_bytes = opts->buffer,
    };

    if (!query_proxy_run(ctx, &wanted, desk, &result))
        return false;
    log_info("%s connections, %s to the server and %s to the clients in %s.",
        text_from_count(ctx->arena, (int64_t)result.proxy.accepted),
        text_from_bytes(ctx->arena, (int64_t)result.proxy.bytes_to_server),
        text_from_bytes(ctx->arena, (int64_t)result.proxy.bytes_to_client),
        text_from_us(ctx->arena, result.elapsed_us));
    query_desk_set_span(desk, result.elapsed_us);
    *ret_lost = (int64_t)result.lost + result.follow.unknown;
    *ret_missed = tell_missed(ctx, &result);
    return true;
}

/* What was written is not to wait for what comes next: nothing may come. */
static void
write_waiting(void *data)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx own = { .arena = arena };

    query_desk_tick(&own, data);
}

static bool
trace_log(struct ctx *ctx, const struct run *run, struct query_desk *desk, int64_t *ret_lost,
    const char **ret_missed)
{
    const struct options *opts = run->options;
    const struct query_logging_options wanted = {
        .sample_rate = opts->sample_rate,
        .for_us = opts->for_us,
        .log_file = opts->log_file,
        .database = opts->database,
        .keeps_values = opts->keep_values,
        .keeps_sql = opts->keep_values,
    };
    const struct query_logging_sink sink = {
        .templates = query_desk_templates(desk),
        .take = query_desk_take,
        .ended = query_desk_end_session,
        .idle = write_waiting,
        .data = desk,
    };
    struct query_logging_result result;
    bool is_good = query_logging_run(ctx, run, &wanted, &sink, &result);

    query_desk_set_span(desk, result.elapsed_us);
    *ret_lost = result.lost;
    if (result.lost > 0)
        *ret_missed = arena_printf(ctx->arena, "%s lines of the log could not be read.",
            text_from_count(ctx->arena, result.lost));
    return is_good;
}

static bool
finish(struct ctx *ctx, struct run *run, struct query_desk *desk, int64_t lost, const char *missed)
{
    const struct options *opts = run->options;
    struct query_findings findings = { 0 };
    struct query_findings_screen screen = { .file = opts->findings, .more = missed };

    if (!query_desk_finish(ctx, desk, lost, &findings))
        return false;
    if (opts->findings && !query_findings_write(ctx, opts->findings, &findings)) {
        struct error unwritten = ctx->error;

        /* Whatever became of the file, they are shown. */
        error_clear(ctx);
        screen.file = NULL;
        if (query_findings_show(ctx, run, &findings, &screen))
            ctx->error = unwritten;
        return false;
    }
    if (opts->output)
        log_info(
            "The statements are in %s: pgmend queries nplusone %s", opts->output, opts->output);
    if (!query_findings_show(ctx, run, &findings, &screen))
        return false;
    if (opts->exit_code && findings.count > 0)
        run->status = HAS_FINDINGS;
    return true;
}

/* The trace failed on its way: what it saw before is worth having, and then why it ended is told. */
static void
keep_what_was_seen(
    struct ctx *ctx, struct run *run, struct query_desk *desk, int64_t lost, const char *missed)
{
    struct error why = ctx->error;

    if (query_desk_statements(desk) == 0)
        return;
    error_clear(ctx);
    if (!finish(ctx, run, desk, lost, missed))
        log_warn("%s", ctx->error.message);
    ctx->error = why;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct query_desk *desk CLEANUP(query_desk_cleanup) = NULL;
    const char *missed = NULL;
    int64_t lost = 0;
    bool is_good;

    if (!check_options(ctx, opts) || !check_findings_file(ctx, opts->findings))
        return false;
    if (opts->output && file_exists(opts->output))
        log_warn("%s is there: this trace will replace it at the end.", opts->output);

    const struct query_desk_options wanted = {
        .detect = { .min_repeats = opts->min_repeats },
        .output = opts->output,
        .most_bytes = opts->output_size,
        .keeps_values = opts->keep_values,
        .source = opts->listen ? "wire" : "log",
    };

    if (!query_desk_open(ctx, &wanted, &desk))
        return false;
    is_good = opts->listen ? trace_wire(ctx, run, desk, &lost, &missed)
                           : trace_log(ctx, run, desk, &lost, &missed);
    if (is_good)
        return finish(ctx, run, desk, lost, missed);
    keep_what_was_seen(ctx, run, desk, lost, missed);
    return false;
}

const struct command cmd_queries_trace = {
    .path = "queries trace",
    .summary = "look at statements in the order in which they come, and find N+1 among them",
    .details =
        "With --listen it is a proxy for one server: applications connect to it instead, and all "
        "bytes pass unchanged, one connection to the server for each of theirs. Copies of the "
        "messages are looked at in a second thread; when that cannot keep up, messages are left out "
        "of the copy and counted, and the traffic is never held up.\n\n"
        "Server and TLS towards it are those of --db-url, DATABASE_URL or PGHOST, PGPORT, PGSSLMODE "
        "and PGSSLROOTCERT. User and password of the URL are not used: each client brings its own, and "
        "the server checks them. docs/queries.md tells the three ways of SCRAM where both sides have "
        "TLS.\n\n"
        "With --enable-logging the server writes the statements into its log for a while, which this "
        "program reads. The settings before are in the journal and are put back in each case.\n\n"
        "Values of parameters, constants and results are hashed with random bytes of this run, which "
        "are not stored, unless --keep-values is given. \"queries rewrite\" needs values.\n\n"
        "The first Ctrl-C ends it, with the connections that go through it, and prints the findings. "
        "It is safe to point the application back before.\n\n"
        "Exit status: 0 it ended, by time or Ctrl-C; 1 the address is in use or a file cannot be "
        "written; 2 wrong options; 3 with --exit-code: there are findings; 8 (--enable-logging) no "
        "connection, or not enough rights.",
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples =
        "pgmend queries trace --listen 127.0.0.1:6432 --db-url postgresql://db:5432/\n"
        "pgmend queries trace --listen :6432 --for 10m --output app.trace --findings app.json "
        "--keep-values\n"
        "pgmend queries trace --enable-logging --for 5m --sample-rate 0.05",
    .next = "pgmend queries rewrite FINDINGS.json",
    .run = run,
};
