#include <signal.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "base/temporary.h"
#include "monitor/notify/sink.h"

#define POLL_US       20000
#define MOST_POLL_US  200000
#define TIMEOUT_US    INT64_C(30000000)
#define KILL_AFTER_US INT64_C(3000000)
enum { MOST_TALK = 256 * 1024 };

struct program {
    struct ctx ctx;
    const struct setup_sink *sink;
    struct process process;
    struct temporary document;
    struct loop_timer *timer;
    int64_t started_us;
    int64_t poll_us;
    const char *why; /* it was ended by us; NULL: it was not */
    program_done *done;
    void *data;
};

static void
signal_it(const struct program *program, int number)
{
    /* The whole group: what it started goes too. */
    kill(-program->process.pid, number);
}

static void
end_it(struct program *program, int number, const char *why)
{
    if (!program->why)
        signal_it(program, number);
    program->why = why;
}

/* The last line that it wrote to standard error. */
static const char *
last_line(struct arena *arena, const char *text)
{
    size_t end = strlen(text);
    size_t start;

    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' '))
        end--;
    start = end;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    return arena_strndup(arena, text + start, end - start);
}

static void
tell(struct program *program)
{
    struct arena *arena = program->ctx.arena;
    const struct process *process = &program->process;
    struct outcome outcome = { .kind = OUTCOME_LATER, .after_us = -1 };
    struct buffer err = process->err;
    const char *said = last_line(arena, buffer_text(&err));

    if (program->why) {
        outcome.answer = program->why;
    } else if (process->status == 0) {
        outcome.kind = OUTCOME_SENT;
        outcome.answer = "exit status 0";
    } else {
        outcome.answer = process->status > 128
                             ? arena_printf(arena, "killed by signal %d", process->status - 128)
                             : arena_printf(arena, "exit status %d", process->status);
        if (*said)
            outcome.answer = arena_printf(arena, "%s: %s", outcome.answer, said);
    }
    outcome.answer = sink_redact(arena, program->sink, outcome.answer);
    if (program->why)
        signal_it(program, SIGKILL);
    program->done(program->data, &outcome);
}

static void
look(void *data)
{
    struct program *program = data;
    int64_t age_us = clock_us() - program->started_us;

    /* A signal to us is the loop's business: process_poll() would wait for the program's end. */
    if (!interrupt_signal() && !process_poll(&program->ctx, &program->process, 0))
        program->why = program->ctx.error.message;
    if (program->process.is_done) {
        tell(program);
        return;
    }
    if (program->process.err.length > MOST_TALK)
        end_it(program, SIGKILL, "it wrote too much to standard error and was stopped");
    else if (age_us > TIMEOUT_US + KILL_AFTER_US)
        signal_it(program, SIGKILL);
    else if (age_us > TIMEOUT_US)
        end_it(program, SIGTERM, "it took longer than 30 s and was stopped");
    if (program->poll_us < MOST_POLL_US)
        program->poll_us += POLL_US;
    loop_timer_set(program->timer, program->poll_us);
}

bool
program_start(struct ctx *ctx, struct loop *loop, const struct setup_sink *sink,
    const char *document, struct program **ret)
{
    struct program *program = ARENA_NEW(ctx->arena, struct program);
    const char *const argv[] = { sink->program, NULL };
    struct process_options options = {
        .argv = argv,
        .stdout_path = "/dev/null",
        .own_group = true,
    };

    *program = (struct program){
        .ctx = { .arena = ctx->arena },
        .sink = sink,
        .started_us = clock_us(),
        .poll_us = POLL_US,
    };
    if (text_is_empty(sink->program))
        return error_set(ctx, ERR_CONFIG, "a program sink needs the path of a program");
    if (!temporary_file(ctx, "alert", document, &program->document))
        return false;
    options.stdin_path = program->document.path;
    if (!process_start(ctx, &options, &program->process)) {
        temporary_end(&program->document);
        return false;
    }
    program->timer = loop_timer_new(loop, look, program);
    loop_timer_set(program->timer, program->poll_us);
    *ret = program;
    return true;
}

void
program_listen(struct program *program, program_done *done, void *data)
{
    program->done = done;
    program->data = data;
}

void
program_free(struct program *program)
{
    loop_timer_free(program->timer);
    if (!program->process.is_done) {
        signal_it(program, SIGKILL);
        process_stop(&program->process);
    }
    temporary_end(&program->document);
}
