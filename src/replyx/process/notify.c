#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/service.h"
#include "replyx/process/parent_part.h"

enum { BARRIER_US = 5 * 1000 * 1000 };

static const char *
status_text(const struct parent *parent, struct arena *arena)
{
    return arena_printf(arena, "%d %s on %s", (int)parent->count,
        parent->count == 1 ? "worker answers" : "workers answer",
        listener_address(arena, parent->socket));
}

void
notify_ready(const struct parent *parent)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    service_tell(arena_printf(
        arena, "MAINPID=%ld\nREADY=1\nSTATUS=%s", (long)getpid(), status_text(parent, arena)));
    /* Who takes over lets the old one go only when systemd knows who is the new one. */
    if (parent->predecessor && getenv("NOTIFY_SOCKET") && sd_notify_barrier(0, BARRIER_US) < 0)
        log_debug("systemd does not answer");
}

void
notify_reloading(void)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    service_tell(arena_printf(arena, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_us()));
}

void
notify_reloaded(const struct parent *parent)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    service_tell(arena_printf(arena, "READY=1\nSTATUS=%s", status_text(parent, arena)));
}

void
notify_stopping(void)
{
    service_tell("STOPPING=1\nSTATUS=Requests under way are answered");
}

void
notify_feed(void)
{
    service_tell("WATCHDOG=1");
}
