/* What a roll-out shows while it runs. */
#include "base/log.h"
#include "cli/out.h"
#include "cmd/parts/roll_out.h"

struct screen {
    struct progress progress;
    bool is_drawing;
};

struct screen *
screen_new(struct arena *arena)
{
    struct screen *screen = ARENA_NEW(arena, struct screen);

    progress_begin(&screen->progress);
    return screen;
}

static void
show(void *data, const struct rollout_progress *progress)
{
    struct screen *screen = data;

    if (log_level() == LOG_QUIET)
        return;
    screen->is_drawing = true;
    progress_show(&screen->progress, progress->what, progress->phase, progress->ratio,
        progress->elapsed_us, progress->left_us, progress->blocker);
}

static void
note(void *data, const char *text)
{
    screen_end(data);
    log_info("%s", text);
}

struct rollout_observer
screen_observer(struct screen *screen)
{
    return (struct rollout_observer){ .progress = show, .note = note, .data = screen };
}

void
screen_end(struct screen *screen)
{
    if (!screen->is_drawing)
        return;
    progress_end(&screen->progress);
    progress_begin(&screen->progress);
    screen->is_drawing = false;
}
