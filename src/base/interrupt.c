#include "base/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"

/* Of the first signal: what tells a group of it tells each one twice or more, as timeout(1) does. */
#define SAME_US 1000000

static volatile sig_atomic_t caught;
static _Atomic int64_t first_us; /* 0: there was none */
static volatile sig_atomic_t wake_fd = -1;

/* Runs in a signal handler: keeps errno, and could do nothing about a counter that is full. */
static void
wake(void)
{
    static const uint64_t one = 1;
    int before = errno;
    ssize_t written = wake_fd >= 0 ? write((int)wake_fd, &one, sizeof(one)) : 0;

    (void)written;
    errno = before;
}

static void
note(int signal_number)
{
    static const char text[] = "\npgmend: ended at once by a second signal; "
                               "\"pgmend status\" tells what is left\n";
    int64_t now_us = clock_us();
    int64_t before_us = 0;

    if (!atomic_compare_exchange_strong(&first_us, &before_us, now_us)) {
        if (now_us - before_us < SAME_US)
            return;
        if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
            _exit(128 + signal_number);
        _exit(128 + signal_number);
    }
    caught = signal_number;
    wake();
}

void
interrupt_catch(void)
{
    /* No SA_RESTART: what waits in poll() shall return and look. */
    struct sigaction action = { .sa_handler = note };
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

int
interrupt_signal(void)
{
    return caught;
}

int
interrupt_take(void)
{
    int signal_number = caught;

    caught = 0;
    return signal_number;
}

void
interrupt_put(int signal_number)
{
    if (!signal_number)
        return;
    caught = signal_number;
    wake();
}

int
interrupt_wake(int eventfd)
{
    int before = (int)wake_fd;

    wake_fd = eventfd;
    return before;
}

bool
interrupt_error(struct ctx *ctx, int signal_number)
{
    if (signal_number == SIGTERM)
        return error_set(ctx, ERR_TERMINATED, "stopped by SIGTERM");
    return error_set(ctx, ERR_INTERRUPTED, "stopped by Ctrl-C");
}
