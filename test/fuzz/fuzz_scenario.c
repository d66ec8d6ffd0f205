/*
 * Any bytes as a scenario file, without files and databases behind it: no crash, no leak, and what is refused
 * has a message. What is accepted can be asked for every request of its first user.
 */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "load/scenario/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ask(struct ctx *ctx, const struct load_scenario *scenario)
{
    struct load_scope *scope = load_scope_new(ctx->arena, scenario, 0, 1);
    struct buffer buffer = { .arena = ctx->arena };

    assert(scenario->group_count > 0 && scenario->step_count > 0);
    assert(scenario->users > 0 && scenario->users <= LOAD_MOST_USERS);
    for (size_t i = 0; i < scenario->step_count; i++) {
        const struct load_step *step = &scenario->steps[i];

        load_scope_begin(scope, step);
        for (size_t j = 0; j < step->take_count; j++)
            load_scope_take(scope, step->takes[j].slot, "taken", strlen("taken"));
        if (step->path)
            (void)load_template_write(step->path, scope, &buffer);
        if (step->headers)
            (void)load_template_write(step->headers, scope, &buffer);
        if (step->body)
            (void)load_template_write(step->body, scope, &buffer);
    }
    load_scope_renew(scope);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    const struct load_scenario_options options = { .scale = 1 };
    const char *folder = getenv("TMPDIR");
    const char *path =
        arena_printf(arena, "%s/pgmend-fuzz-%d.ini", folder ? folder : "/tmp", (int)getpid());
    struct load_scenario scenario;

    assert(file_write(&ctx, path, data, size, 0600));
    if (load_scenario_read(&ctx, path, &options, &scenario))
        ask(&ctx, &scenario);
    else
        assert(ctx.error.message && *ctx.error.message);
    (void)unlink(path);
    return 0;
}
