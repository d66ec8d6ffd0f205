/* How a long step tells what it does. */
#pragma once

#include "base/base.h"

/* Told again and again what a long step does; ratio is below 0 when it is unknown. */
struct step_watch {
    void (*show)(void *data, const char *phase, double ratio, int64_t elapsed_us, const char *note);
    void *data;
};

/* Calls show, if there is one. */
void step_watch_show(const struct step_watch *watch, const char *phase, double ratio,
    int64_t elapsed_us, const char *note);
