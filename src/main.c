/* Finds the command, runs it, prints the error, exits. */

#include <unistd.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/term.h"
#include "cli/command.h"
#include "cli/report.h"

/* The arguments as they were: command_scrub() overwrites passwords in the ones ps(1) shows. */
static char **
copy_arguments(struct arena *arena, int argc, char **argv)
{
    char **copy = ARENA_ARRAY(arena, char *, (size_t)argc + 1);

    for (int i = 0; i < argc; i++)
        copy[i] = arena_strdup(arena, argv[i]);
    command_scrub(argc, argv);
    return copy;
}

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
    bool is_done;

    if (command->access != ACCESS_NONE && !db_open(ctx, &options, &db))
        return false;
    run->db = db;
    is_done = command->run(ctx, run);
    if (is_done && (fflush(run->out) != 0 || ferror(run->out)))
        return error_set_errno(ctx, "could not write the result");
    return is_done;
}

/* No command: the group's or program's help, on standard error when nobody asked for it. */
static int
show_help(const struct invocation *asked)
{
    FILE *out = asked->asks_help ? stdout : stderr;

    if (asked->asks_version && !asked->asks_help) {
        puts("pgmend " PGMEND_VERSION);
        return 0;
    }
    if (*asked->words)
        help_print_group(out, asked->words);
    else if (asked->asks_help)
        help_print(out, NULL);
    else
        help_print_short(out);
    return asked->asks_help ? 0 : error_exit_status(ERR_USAGE);
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
        return show_help(&asked);

    void *options = arena_alloc(ctx->arena, asked.command->options_size);

    if (!command_parse(ctx, asked.command, asked.argc, asked.argv, &global, options, &run.operands))
        return report_error(ctx, asked.command, NULL, global.json);
    if (global.help || global.version) {
        if (global.help)
            help_print(stdout, asked.command);
        else
            puts("pgmend " PGMEND_VERSION);
        return 0;
    }
    use_global_options(&global);
    run.command = asked.command;
    run.options = options;
    run.failure_status = asked.command->failure_status;
    return run_command(ctx, &run) ? run.status
                                  : report_error(ctx, asked.command, &run, global.json);
}

int
main(int argc, char **argv)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };

    interrupt_catch();
    argv = copy_arguments(arena, argc, argv);
    return run_program(&ctx, argc > 0 ? argc - 1 : 0, argc > 0 ? argv + 1 : argv);
}
