#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "migrate/alembic/parts.h"

enum { MOST_OUTPUT = 1024 * 1024 };

static void
relay_cleanup(struct relay *relay)
{
    relay_close(relay);
}

/* All of its group: "poetry run" and the like have children of their own. */
static void
process_cleanup(struct process *process)
{
    if (process->pid <= 0)
        return;
    if (!process->is_done) {
        kill(-process->pid, SIGTERM);
        process_stop(process);
    }
    kill(-process->pid, SIGKILL);
    if (process->stdout_fd >= 0)
        close(process->stdout_fd);
    if (process->stderr_fd >= 0)
        close(process->stderr_fd);
}

/* The end of what it printed says why; a migration can print without end. */
static void
bound(struct buffer *buffer)
{
    if (buffer->length <= (size_t)2 * MOST_OUTPUT)
        return;
    memmove(buffer->data, buffer->data + buffer->length - MOST_OUTPUT, MOST_OUTPUT + 1);
    buffer->length = MOST_OUTPUT;
}

static bool
start(struct ctx *ctx, const struct relay *relay, const char *const *args,
    const struct text_list *variables, struct process *ret)
{
    const struct alembic *alembic = relay->alembic;
    struct text_list all = { 0 }, env = *variables;
    const char *ini;

    if (!alembic_write_ini(ctx, alembic, &relay->address, &ini))
        return false;
    text_list_add(ctx->arena, &all, "-c");
    text_list_add(ctx->arena, &all, ini);
    if (alembic->options.section) {
        text_list_add(ctx->arena, &all, "-n");
        text_list_add(ctx->arena, &all, alembic->options.section);
    }
    for (; *args; args++)
        text_list_add(ctx->arena, &all, *args);
    text_list_add(ctx->arena, &all, NULL);
    text_list_add(ctx->arena, &env, NULL);

    struct process_options options = {
        .argv = alembic_argv(ctx, alembic, all.items),
        .env = env.items,
        .timeout_us = alembic->options.timeout_us,
        .own_group = true,
    };

    if (!process_start(ctx, &options, ret))
        return false;
    ret->name = "alembic";
    return true;
}

static bool
pass_on(struct ctx *ctx, struct relay *relay, struct process *process)
{
    int64_t watched_us = 0;

    while (!process->is_done) {
        if (!relay_step(ctx, relay, process))
            return false;
        /* The limit is for Alembic, not for who looks on. */
        if (process->deadline_us)
            process->deadline_us += relay->watched_us - watched_us;
        watched_us = relay->watched_us;
        if (!process_poll(ctx, process, 0))
            return false;
        bound(&process->out);
        bound(&process->err);
    }
    return true;
}

/* What it printed, without the password of the run. */
static const char *
readable(struct arena *arena, struct buffer *printed, const char *password)
{
    struct buffer buffer = { .arena = arena };
    const char *text = buffer_text(printed);

    for (const char *found; (found = strstr(text, password)); text = found + strlen(password)) {
        buffer_append(&buffer, text, (size_t)(found - text));
        buffer_add(&buffer, "***");
    }
    buffer_add(&buffer, text);
    return alembic_utf8(arena, buffer_text(&buffer));
}

static bool
has_arg(const char *const *args, const char *name)
{
    for (; *args; args++)
        if (strcmp(*args, name) == 0)
            return true;
    return false;
}

/* What Alembic does without a database. */
static bool
needs_database(const char *const *args)
{
    static const char *const others[] = { "heads", "history", "show", "branches", "merge",
        "revision", "edit", "list_templates", "init" };

    for (size_t i = 0; *args && i < COUNT_OF(others); i++)
        if (strcmp(*args, others[i]) == 0)
            return false;
    return *args && !has_arg(args, "--sql") && !has_arg(args, "--help");
}

bool
alembic_run(struct ctx *ctx, const struct alembic *alembic, struct db *target,
    const char *const *args, const struct alembic_watcher *watcher, struct alembic_outcome *ret)
{
    struct relay relay CLEANUP(relay_cleanup) = {
        .alembic = alembic,
        .target = target,
        .watcher = watcher,
        .outcome = ret,
        .listener = -1,
    };
    struct process process CLEANUP(process_cleanup) = { .stdout_fd = -1, .stderr_fd = -1 };
    struct text_list variables, names;
    int64_t started_us;

    *ret = (struct alembic_outcome){ 0 };
    if (!relay_open(ctx, &relay) ||
        !alembic_variables(ctx, alembic, &relay.address, &variables, &names))
        return false;
    started_us = clock_us();
    if (!start(ctx, &relay, args, &variables, &process) || !pass_on(ctx, &relay, &process))
        return false;
    ret->us = clock_us() - started_us - relay.watched_us;
    ret->status = process.status;
    ret->output = readable(ctx->arena, &process.out, relay.address.password);
    ret->errors = readable(ctx->arena, &process.err, relay.address.password);
    alembic_read_traceback(ctx, alembic, ret);
    alembic_explain(ctx, &relay, &names, ret);
    if (ret->status == 0 && ret->sessions == 0 && needs_database(args))
        return alembic_elsewhere(ctx, &relay, &names);
    return true;
}

bool
alembic_probe(struct ctx *ctx, const struct alembic *alembic, struct db *target)
{
    static const char *const args[] = { "current", NULL };
    struct alembic_outcome outcome;

    if (!alembic_run(ctx, alembic, target, args, NULL, &outcome))
        return false;
    if (outcome.status == 0)
        return true;
    alembic_failure(ctx, &outcome);
    return error_wrap(ctx, "Alembic does not start");
}
