#include "cmd/parts/rollback_release.h"

#include <signal.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/process.h"
#include "change/change.h"
#include "change/journal.h"
#include "monitor/plain.h"

enum { MOST_LINES = 10 };

/* The last lines, without what would move the cursor. */
static const char *
last_lines(struct arena *arena, struct buffer *output)
{
    const char *text = buffer_text(output);
    size_t length = strlen(text);
    size_t lines = 0;
    struct buffer plain = { .arena = arena };

    while (length > 0 && text[length - 1] == '\n')
        length--;

    size_t start = length;

    while (start > 0 && (text[start - 1] != '\n' || ++lines < MOST_LINES))
        start--;
    while (start < length) {
        size_t line = strcspn(text + start, "\n");

        if (line > length - start)
            line = length - start;
        buffer_printf(&plain, "%s%s", plain.length ? "\n" : "",
            plain_text(arena, arena_strndup(arena, text + start, line)));
        start += line + 1;
    }
    return buffer_text(&plain);
}

/* Output and errors in the order in which they came. */
static bool
execute(struct ctx *ctx, struct rollback_release *release)
{
    const char *script = arena_printf(ctx->arena, "exec 2>&1\n%s", release->command);
    const char *const argv[] = { "/bin/sh", "-c", script, NULL };
    const struct process_options options = {
        .argv = argv,
        .timeout_us = release->timeout_us,
        .own_group = true,
    };
    struct process process;
    int64_t started_us = clock_us();
    bool is_good;

    if (!process_start(ctx, &options, &process))
        return false;
    is_good = process_wait(ctx, &process);
    release->us = clock_us() - started_us;
    release->status = is_good ? process.status : -1;
    release->last = last_lines(ctx->arena, &process.out);
    if (!is_good)
        (void)kill(-process.pid, SIGKILL);
    if (is_good && process.status != 0) {
        error_set(ctx, ERR_FAILED, "the release command ended with status %d", process.status);
        ctx->error.detail = release->last;
        return false;
    }
    return is_good || error_wrap(ctx, "the release command");
}

static bool
begin_journal(struct ctx *ctx, struct run *run, const struct rollback_release *release,
    struct journal *journal, struct journal_entry *entry)
{
    const struct journal_run about = {
        .command = "rollback --level code",
        .state_dir = run->global->state_dir,
    };

    *entry = (struct journal_entry){
        .kind = KIND_RELEASE,
        .object = "release",
        .statement = release->command,
    };
    return journal_begin(ctx, run->db, &about, journal) && journal_start(ctx, journal, entry);
}

static bool
end_journal(struct ctx *ctx, const struct rollback_release *release, const struct journal *journal,
    struct journal_entry *entry, bool is_good)
{
    const char *why = ctx->error.message;
    json_t *detail CLEANUP(json_release) = json_pack("{s:i, s:I, s:s?}", "status", release->status,
        "us", (json_int_t)release->us, "output", release->last);

    return journal_update(ctx, journal, entry, is_good ? ENTRY_DONE : ENTRY_FAILED,
               json_text(ctx->arena, detail)) &&
           journal_end(ctx, journal, is_good ? RUN_DONE : RUN_FAILED, is_good ? NULL : why);
}

/* A journal that cannot be written must not keep the release before from coming back. */
bool
rollback_release_run(struct ctx *ctx, struct run *run, struct rollback_release *release)
{
    struct journal journal;
    struct journal_entry entry;
    struct error error;
    bool is_journaled = begin_journal(ctx, run, release, &journal, &entry);
    bool is_good;

    if (!is_journaled)
        log_warn("the journal could not be written: %s", ctx->error.message);
    error_clear(ctx);
    is_good = execute(ctx, release);
    error = ctx->error;

    int signal_number = interrupt_take();

    if (is_journaled && !end_journal(ctx, release, &journal, &entry, is_good))
        log_warn("the journal could not be written: %s", ctx->error.message);
    ctx->error = error;
    interrupt_put(signal_number);
    return is_good;
}
