#include "base/clock.h"

#include <errno.h>

#include "base/interrupt.h"

static int64_t
read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
clock_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t
clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

static const char format[] = "%Y-%m-%dT%H:%M:%SZ";

const char *
clock_text(struct arena *arena, int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm parts;
    char text[32];

    gmtime_r(&seconds, &parts);
    strftime(text, sizeof(text), format, &parts);
    return arena_strdup(arena, text);
}

bool
clock_parse(const char *text, int64_t *ret_wall_us)
{
    struct tm parts = { 0 };
    time_t seconds;
    char again[32];

    if (!strptime(text, format, &parts))
        return false;
    seconds = timegm(&parts);
    /* strptime() lets pass 30 February, missing zeros and spaces in front. */
    gmtime_r(&seconds, &parts);
    strftime(again, sizeof(again), format, &parts);
    if (strcmp(again, text) != 0)
        return false;
    *ret_wall_us = (int64_t)seconds * 1000000;
    return true;
}

bool
clock_sleep_us(int64_t us)
{
    int64_t end = clock_us() + us;

    while (!interrupt_signal()) {
        int64_t left = end - clock_us();

        if (left <= 0)
            return true;

        /* Short naps: a signal that comes just before the sleep is seen soon. */
        int64_t nap = left < 200000 ? left : 200000;
        struct timespec time = { .tv_sec = 0, .tv_nsec = (long)(nap * 1000) };

        nanosleep(&time, NULL);
    }
    return false;
}
