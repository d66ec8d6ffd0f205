#include "cmd/parts/vector_screen.h"

#include "base/clock.h"
#include "base/log.h"

enum { PROGRESS_AFTER_US = 1000000 };

static void
show_progress(void *data, const char *what, double ratio, int64_t left_us)
{
    struct vector_screen *screen = data;
    int64_t elapsed_us = clock_us() - screen->started_us;

    if (elapsed_us >= PROGRESS_AFTER_US)
        progress_show(&screen->progress, screen->what, what, ratio, elapsed_us, left_us, NULL);
}

static void
show_note(void *data, const char *text)
{
    struct vector_screen *screen = data;

    progress_end(&screen->progress);
    log_info("%s", text);
}

const struct vector_observer *
vector_screen_begin(struct vector_screen *screen, const char *what)
{
    *screen = (struct vector_screen){
        .what = what,
        .started_us = clock_us(),
        .observer = { show_progress, show_note, screen },
    };
    progress_begin(&screen->progress);
    return log_level() == LOG_QUIET ? NULL : &screen->observer;
}

void
vector_screen_end(struct vector_screen *screen)
{
    progress_end(&screen->progress);
}
