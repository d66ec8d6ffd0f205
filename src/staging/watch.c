#include "staging/watch.h"

void
step_watch_show(const struct step_watch *watch, const char *phase, double ratio, int64_t elapsed_us,
    const char *note)
{
    if (watch && watch->show)
        watch->show(watch->data, phase, ratio, elapsed_us, note);
}
