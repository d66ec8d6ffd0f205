/* replyx-api: the reference back end of ReplyX. */
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "replyx/process/parent.h"

/*
 * What cli/ looks for secrets and help in: none of pgmend's commands are in this program. Weak, so that
 * it can also be linked with the whole library.
 */
#define WEAK __attribute__((weak))
WEAK const struct command *const commands[] = { NULL };
WEAK const struct command_line command_lines[] = { { 0 } };
WEAK const size_t command_line_count = 0;

static int
report(const struct error *error)
{
    fprintf(stderr, "replyx-api: %s\n", error->message);
    if (error->detail)
        fprintf(stderr, "%s\n", error->detail);
    if (error->hint)
        fprintf(stderr, "hint: %s\n", error->hint);
    return error_exit_status(error->kind);
}

int
main(int argc, char **argv)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct program_call call = { .argc = argc, .argv = command_take_arguments(arena, argc, argv) };
    struct settings settings;
    int status = 0;

    json_guard_memory();
    crypto_guard_memory();
    if (argc < 1 || !settings_read(&ctx, argc - 1, call.argv + 1, &settings))
        return report(&ctx.error);
    if (settings.help || settings.man || settings.version) {
        if (settings.help)
            settings_help(stdout);
        else if (settings.man)
            settings_man(stdout);
        else
            puts("replyx-api " PGMEND_VERSION);
        return fflush(stdout) == 0 ? 0 : error_exit_status(ERR_IO);
    }
    if (settings.verbose)
        log_set_level(LOG_VERBOSE);
    settings_warn(arena);
    return parent_run(&ctx, &settings, &call, &status) ? status : report(&ctx.error);
}
