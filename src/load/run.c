#include "load/run.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "load/pgbench_log.h"
#include "workload/script.h"

enum {
    SIGNAL_SLICE_US = 5000000, /* a signal is answered after at most this */
    SLICE_US = 60000000,       /* bounds the log file */
    SPARE_US = 60000000,       /* beyond its duration, before a pgbench counts as stuck */
    MOST_THREADS = 4,
    MOST_MESSAGES = 10,
    MOST_BROKEN_IN_A_ROW = 10,
    PAUSE_US = 500000,
};

/* What a slice needs beside its result. */
struct runner {
    struct db_child_env env;
    struct temporary folder; /* for the logs */
    struct text_list argv;
    int64_t broken_in_a_row;
    bool is_stopped; /* by a signal, in a run that ends so */
};

static void
runner_end(struct runner *runner)
{
    db_child_env_end(&runner->env);
    temporary_end(&runner->folder);
}

bool
load_host_is_local(const char *host)
{
    if (text_is_empty(host) || host[0] == '/' || host[0] == '@')
        return true;
    /* 127.0.0.1 and its like, not 127.example.com. */
    if (text_starts_with(host, "127."))
        return strspn(host, "0123456789.") == strlen(host);
    return text_equal(host, "localhost") || text_equal(host, "::1");
}

static bool
check_options(struct ctx *ctx, const struct db *db, const struct load_options *options)
{
    if (options->clients < 1 || options->clients > LOAD_MOST_CLIENTS)
        return error_set(
            ctx, ERR_USAGE, "the number of clients must be 1 to %d", LOAD_MOST_CLIENTS);
    if (options->duration_us < 1000000 || options->duration_us > LOAD_LONGEST_US)
        return error_set(ctx, ERR_USAGE, "the duration must be one second to one hour");
    if (!(options->rate >= 0))
        return error_set(ctx, ERR_USAGE, "the rate must not be negative");
    if (options->allow_remote || load_host_is_local(db_host(db)))
        return true;
    error_set(ctx, ERR_USAGE, "the server is not on this machine: \"%s\"", db_host(db));
    return error_hint(ctx, "A load run slows a server down for all who use it. Use --allow-remote "
                           "if that is wanted.");
}

static void
add_argument(struct ctx *ctx, struct runner *runner, const char *option, const char *value)
{
    text_list_add(ctx->arena, &runner->argv, option);
    if (value)
        text_list_add(ctx->arena, &runner->argv, value);
}

/* All but the duration, which each slice has its own of. */
static void
make_arguments(struct ctx *ctx, const struct load_options *options, const struct scripts *scripts,
    struct runner *runner)
{
    int32_t threads = options->clients < MOST_THREADS ? options->clients : MOST_THREADS;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (cores > 0 && cores < threads)
        threads = (int32_t)cores;
    add_argument(ctx, runner, options->pgbench, NULL);
    add_argument(ctx, runner, "--no-vacuum", NULL);
    add_argument(ctx, runner, "--log", NULL);
    add_argument(ctx, runner, "--log-prefix", file_join(ctx->arena, runner->folder.path, "log"));
    add_argument(ctx, runner, "--protocol", "prepared");
    add_argument(ctx, runner, "--client", arena_printf(ctx->arena, "%d", options->clients));
    add_argument(ctx, runner, "--jobs", arena_printf(ctx->arena, "%d", threads));
    if (options->rate > 0)
        add_argument(ctx, runner, "--rate", arena_printf(ctx->arena, "%.3f", options->rate));
    for (size_t i = 0; i < options->defines.count; i++)
        add_argument(ctx, runner, "--define", options->defines.items[i]);
    for (size_t i = 0; i < scripts->count; i++)
        add_argument(ctx, runner, "--file", scripts->items[i].path);
}

static void
make_result(struct ctx *ctx, const struct load_options *options, const struct scripts *scripts,
    struct load_result *ret)
{
    *ret = (struct load_result){
        .options = options,
        .started_us = clock_wall_us(),
        .scripts = ARENA_ARRAY(ctx->arena, struct load_script, scripts->count),
        .script_count = scripts->count,
    };
    for (size_t i = 0; i < scripts->count; i++) {
        const struct script *script = &scripts->items[i];
        struct load_script *item = &ret->scripts[i];

        item->name = script->name;
        item->latency = histogram_new(ctx->arena);
        for (size_t j = 0; j < script->count; j++)
            text_list_add(ctx->arena, &item->fingerprints,
                script->items[j].fingerprint ? script->items[j].fingerprint : "");
    }
}

/* "pgbench: error: client 1 script 0 aborted in command 1 query 0: ERROR:  …" */
static void
count_messages(struct ctx *ctx, const char *text, struct load_result *result)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        const char *line = arena_strndup(ctx->arena, text, length);

        if (strstr(line, "client ") && strstr(line, " aborted"))
            result->aborted++;
        if (strstr(line, "error") && result->messages.count < MOST_MESSAGES)
            text_list_add(ctx->arena, &result->messages, line);
        text += length + (text[length] == '\n');
    }
}

static bool
collect_logs(struct ctx *ctx, const char *folder, struct load_result *result)
{
    struct text_list names;

    if (!file_list(ctx, folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *path = file_join(ctx->arena, folder, names.items[i]);

        if (!pgbench_log_read(ctx, path, result) || !file_remove(ctx, path))
            return false;
    }
    return true;
}

/*
 * Waits for pgbench. In a run that a signal ends, the signal must not end pgbench itself: what it
 * measured so far would be lost. So signals are held back until the slice is over.
 */
static bool
wait_for(struct ctx *ctx, struct runner *runner, bool until_signal, struct process *process)
{
    sigset_t held;
    sigset_t before;

    if (!until_signal)
        return process_wait(ctx, process);
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &held, &before);
    runner->is_stopped |= interrupt_take() != 0;

    bool is_good = process_wait(ctx, process);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    runner->is_stopped |= interrupt_take() != 0;
    return is_good;
}

/* One pgbench from start to end. A failure under load is counted; the first slice must work. */
static bool
run_slice(struct ctx *ctx, struct runner *runner, int64_t duration_us, struct load_result *result)
{
    struct text_list argv = { 0 };
    struct process process;

    for (size_t i = 0; i < runner->argv.count; i++)
        text_list_add(ctx->arena, &argv, runner->argv.items[i]);
    text_list_add(ctx->arena, &argv, "--time");
    text_list_add(ctx->arena, &argv,
        arena_printf(ctx->arena, "%lld", (long long)((duration_us + 999999) / 1000000)));
    text_list_add(ctx->arena, &argv, NULL);

    const struct process_options options = {
        .argv = argv.items,
        .env = runner->env.env,
        .timeout_us = duration_us + SPARE_US,
        .own_group = true,
    };
    int64_t start = clock_us();

    if (!process_start(ctx, &options, &process) ||
        !wait_for(ctx, runner, result->options->until_signal, &process) ||
        !collect_logs(ctx, runner->folder.path, result))
        return false;
    result->elapsed_us += clock_us() - start;
    result->slices++;

    const char *said = buffer_text(&process.err);
    int64_t aborted = result->aborted;

    if (process.status != 0)
        count_messages(ctx, said, result);
    if (process.status == 0 || result->aborted > aborted) {
        runner->broken_in_a_row = 0;
        return true;
    }
    result->broken++;
    runner->broken_in_a_row++;
    if (result->slices > 1 && runner->broken_in_a_row < MOST_BROKEN_IN_A_ROW)
        return true;
    error_set(ctx, ERR_FAILED, "pgbench failed with status %d", process.status);
    ctx->error.detail = text_is_empty(said) ? NULL : said;
    return error_hint(ctx, "Scripts may need their variables: --define users=2000");
}

static bool
run_slices(struct ctx *ctx, struct runner *runner, struct load_result *result)
{
    const struct load_options *options = result->options;
    int64_t slice_us = options->until_signal ? SIGNAL_SLICE_US : SLICE_US;
    int64_t end = clock_us() + options->duration_us;

    for (;;) {
        int64_t left = end - clock_us();

        /* pgbench counts in whole seconds: what is left of one is not worth a run. */
        if (runner->is_stopped || (result->slices > 0 && left < 500000))
            return true;
        if (!run_slice(ctx, runner, left < slice_us ? left : slice_us, result))
            return false;
        if (runner->broken_in_a_row > 0 && !clock_sleep_us(PAUSE_US)) {
            if (!options->until_signal)
                return interrupt_error(ctx, interrupt_signal());
            runner->is_stopped = interrupt_take() != 0;
        }
    }
}

static bool
find_version(struct ctx *ctx, const char *pgbench, const char **ret)
{
    const char *const argv[] = { pgbench, "--version", NULL };
    const struct process_options options = { .argv = argv, .timeout_us = SPARE_US };
    struct process process;

    if (!process_run(ctx, &options, &process)) {
        error_hint(ctx, "pgbench comes with the PostgreSQL server package; --pgbench names the "
                        "program.");
        return error_wrap(ctx, "looking for pgbench");
    }

    const char *text = buffer_text(&process.out);

    *ret = arena_strndup(ctx->arena, text, strcspn(text, "\n"));
    return true;
}

bool
load_run(
    struct ctx *ctx, struct db *db, const struct load_options *options, struct load_result *ret)
{
    struct runner runner CLEANUP(runner_end) = { 0 };
    struct scripts scripts;
    const char *version = NULL;

    if (!check_options(ctx, db, options) ||
        !script_read_folder(ctx, options->folder, &options->defines, &scripts) ||
        !find_version(ctx, options->pgbench, &version) ||
        !temporary_folder(ctx, "load", &runner.folder) ||
        !db_child_env_begin(ctx, db, NULL, &runner.env))
        return error_wrap(ctx, "running load");
    make_arguments(ctx, options, &scripts, &runner);
    make_result(ctx, options, &scripts, ret);
    ret->version = version;
    if (!run_slices(ctx, &runner, ret))
        return error_wrap(ctx, "running load");
    return true;
}
