/* Finds the command, runs it, prints the error, exits. */

#include <errno.h>

#include "base/crypto.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/term.h"
#include "cli/command.h"
#include "cli/report.h"

static void
use_global_options(const struct global_options *global)
{
    log_set_level(global->quiet ? LOG_QUIET : global->verbose ? LOG_VERBOSE : LOG_NORMAL);
    if (global->no_color)
        term_disable_color();
}

static bool
run_command(struct ctx *ctx, struct run *run)
{
    const struct command *command = run->command;
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct db_options options = {
        .url = run->global->db_url,
        .application = arena_printf(ctx->arena, "pgmend/%s", command->path),
        .access = command->access,
    };

    if (command->access != ACCESS_NONE && !db_open(ctx, &options, &db))
        return false;
    run->db = db;
    return command->run(ctx, run);
}

static int
run_program(struct ctx *ctx, int argc, char **argv)
{
    struct global_options global = { 0 };
    struct invocation asked;
    struct run run = { .out = stdout, .global = &global };

    if (!command_select(ctx, argc, argv, &asked))
        return report_error(ctx, NULL, NULL, command_asks_json(argc, argv));
    if (!asked.command)
        return help_answer(&asked);

    void *options = arena_alloc(ctx->arena, asked.command->options_size);

    run.command = asked.command;
    run.failure_status = command_failure_status(&asked);
    if (run.failure_status)
        memory_set_exit_status(run.failure_status);
    if (!command_parse(ctx, &asked, &global, options, &run.operands))
        return report_error(ctx, asked.command, &run, global.json);
    if (global.help || global.version) {
        asked.asks_help = global.help;
        asked.asks_version = global.version;
        return help_answer(&asked);
    }
    use_global_options(&global);
    run.options = options;
    return run_command(ctx, &run) ? run.status
                                  : report_error(ctx, asked.command, &run, global.json);
}

/* A result that did not arrive is a failure, but "| head" is nothing to talk about. */
static int
finish_output(int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (errno != EPIPE)
        fprintf(stderr, "pgmend: could not write the result%s%s\n", errno ? ": " : "",
            errno ? strerror(errno) : "");
    return status ? status : error_exit_status(ERR_IO);
}

int
main(int argc, char **argv)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };

    json_guard_memory();
    crypto_guard_memory();
    interrupt_catch();
    argv = command_take_arguments(arena, argc, argv);
    return finish_output(run_program(&ctx, argc > 0 ? argc - 1 : 0, argc > 0 ? argv + 1 : argv));
}
