#include "cmd/parts/load_progress.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
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
    bool is_told; /* that a save failed */
    int64_t errors;
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

/* A second without a good answer has no latency. */
static const char *
time_text(struct arena *arena, const struct load_moment *moment, int64_t us)
{
    return moment->calls > 0 ? text_from_us(arena, us) : "-";
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
    const char *of = "";

    if ((phase == LOAD_RAMPS_UP || phase == LOAD_COUNTS) && whole_us > 0)
        of = arena_printf(arena, "of %s  ", text_from_us(arena, whole_us));
    progress->errors += moment->errors;
    /* What matters most stands first: a narrow terminal cuts the end. */
    progress_show(&progress->line, .what = "load", .phase = words[phase], .ratio = -1,
        .elapsed_us = elapsed_us,
        .note = arena_printf(arena, "%s%s/s  %s errors  p95 %s  p99 %s  %s open  p50 %s", of,
            text_from_count(arena, moment->calls), text_from_count(arena, progress->errors),
            time_text(arena, moment, moment->p95_us), time_text(arena, moment, moment->p99_us),
            text_from_count(arena, moment->open), time_text(arena, moment, moment->p50_us)));
}

/* Runs in a child, which holds the record as it was at the fork: the engine is not kept waiting. */
_Noreturn static void
save_and_exit(const char *path, const struct load_record *record)
{
    struct arena *arena = arena_new();
    struct ctx ctx = { .arena = arena };

    _exit(json_write_file(&ctx, path, load_record_json(record)) ? 0 : 1);
}

/* Told once, so that whoever relies on the file can still do something. */
static void
look_at_save(struct load_progress *progress, int status)
{
    progress->saver = 0;
    if (progress->is_told || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return;
    progress->is_told = true;
    progress_end(&progress->line);
    log_warn(
        "what was measured so far could not be saved in \"%s\"; the run goes on", progress->output);
}

static bool
saver_is_busy(struct load_progress *progress, int options)
{
    int status = 0;
    pid_t done;

    if (progress->saver <= 0)
        return false;
    do {
        done = waitpid(progress->saver, &status, options);
    } while (done < 0 && errno == EINTR);
    if (done == 0)
        return true;
    look_at_save(progress, done > 0 ? status : 0);
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
