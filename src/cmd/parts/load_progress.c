#include "cmd/parts/load_progress.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/out.h"

#define SAVE_EVERY_US INT64_C(10000000)

enum load_phase { LOAD_RAMPS_UP, LOAD_WARMS_UP, LOAD_COUNTS, LOAD_DRAINS };

struct load_progress {
    const struct load_scenario *scenario;
    const char *output;
    struct load_watch *watch;
    struct progress line;
    int64_t begun_us;
    int64_t counting_us; /* when it began to count */
    int64_t saved_us;
    pid_t saver; /* 0: none */
    bool is_over;
};

struct load_progress *
load_progress_new(struct ctx *ctx, const struct load_scenario *scenario, const char *output,
    struct load_watch *watch)
{
    struct load_progress *progress = ARENA_NEW(ctx->arena, struct load_progress);

    progress->scenario = scenario;
    progress->output = output;
    progress->watch = watch;
    progress->begun_us = progress->saved_us = clock_us();
    progress_begin(&progress->line);
    return progress;
}

static enum load_phase
phase_of(const struct load_progress *progress, int64_t now_us)
{
    if (progress->is_over)
        return LOAD_DRAINS;
    if (progress->counting_us)
        return LOAD_COUNTS;
    if (now_us - progress->begun_us < progress->scenario->ramp_up_us)
        return LOAD_RAMPS_UP;
    return LOAD_WARMS_UP;
}

static void
draw(struct load_progress *progress, const struct load_moment *moment)
{
    static const char *const words[] = {
        [LOAD_RAMPS_UP] = "users come",
        [LOAD_WARMS_UP] = "warming up",
        [LOAD_COUNTS] = "counting",
        [LOAD_DRAINS] = "waiting for the last answers",
    };
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    int64_t now_us = clock_us();
    enum load_phase phase = phase_of(progress, now_us);
    int64_t elapsed_us =
        now_us - (progress->counting_us ? progress->counting_us : progress->begun_us);
    int64_t whole_us =
        phase == LOAD_COUNTS ? progress->scenario->duration_us : progress->scenario->ramp_up_us;
    bool is_known = phase == LOAD_RAMPS_UP || phase == LOAD_COUNTS;

    progress_show(&progress->line, .what = "load", .phase = words[phase],
        .ratio = is_known && whole_us > 0 ? (double)elapsed_us / (double)whole_us : -1,
        .elapsed_us = elapsed_us, .left_us = is_known ? whole_us - elapsed_us : 0,
        .note = arena_printf(arena, "%s/s  p50 %s  p95 %s  p99 %s  %s errors  %s open",
            text_from_count(arena, moment->calls), text_from_us(arena, moment->p50_us),
            text_from_us(arena, moment->p95_us), text_from_us(arena, moment->p99_us),
            text_from_count(arena, moment->errors), text_from_count(arena, moment->open)));
}

/* Runs in a child, which holds the record as it was at the fork: the engine is not kept waiting. */
_Noreturn static void
save_and_exit(const char *path, const struct load_record *record)
{
    struct arena *arena = arena_new();
    struct ctx ctx = { .arena = arena };

    _exit(json_write_file(&ctx, path, load_record_json(record)) ? 0 : 1);
}

static bool
saver_is_busy(struct load_progress *progress, int options)
{
    pid_t done;

    if (progress->saver <= 0)
        return false;
    do {
        done = waitpid(progress->saver, NULL, options);
    } while (done < 0 && errno == EINTR);
    if (done == 0)
        return true;
    progress->saver = 0;
    return false;
}

void
load_progress_tell(void *data, const struct load_record *record, const struct load_moment *moment)
{
    struct load_progress *progress = data;
    int64_t now_us = clock_us();

    draw(progress, moment);
    if (!progress->output || !progress->counting_us ||
        now_us - progress->saved_us < SAVE_EVERY_US || saver_is_busy(progress, WNOHANG))
        return;
    progress->saved_us = now_us;
    progress->saver = fork();
    if (progress->saver == 0)
        save_and_exit(progress->output, record);
}

void
load_progress_count(void *data, bool is_begin)
{
    struct load_progress *progress = data;

    if (is_begin) {
        progress->counting_us = clock_us();
        load_watch_begin(progress->watch);
    } else {
        progress->is_over = true;
        load_watch_end(progress->watch);
    }
}

void
load_progress_end(struct load_progress *progress)
{
    progress_end(&progress->line);
    (void)saver_is_busy(progress, 0);
}
