#include <errno.h>
#include <signal.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "replyx/process/parent_part.h"

/* For the new program: everything that it has to wait for is there already. */
enum { PATIENCE_US = 60 * 1000 * 1000 };

static const char variable[] = "REPLYX_PREDECESSOR";

static void
set_number(const char *name, long number)
{
    char text[24];

    snprintf(text, sizeof(text), "%ld", number);
    setenv(name, text, 1);
}

/* In the child. The socket is handed over as systemd does it. */
static _Noreturn void
run_again(const struct parent *parent)
{
    pid_t before = getppid();
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* Never closed on exec, since dup() makes a new descriptor without that flag. */
    if (parent->socket == SD_LISTEN_FDS_START) {
        int other = dup(parent->socket);

        if (other < 0 || dup2(other, SD_LISTEN_FDS_START) < 0)
            _exit(127);
        close(other);
    } else if (dup2(parent->socket, SD_LISTEN_FDS_START) < 0) {
        _exit(127);
    }
    set_number("LISTEN_FDS", 1);
    set_number("LISTEN_PID", getpid());
    set_number(variable, before);
    unsetenv("LISTEN_FDNAMES");
    execvp(parent->call->argv[0], parent->call->argv);
    log_warn("could not run \"%s\": %s", parent->call->argv[0], strerror(errno));
    _exit(127);
}

void
successor_start(struct parent *parent)
{
    pid_t pid;

    if (parent->successor || parent->is_draining || !parent->is_serving) {
        log_warn("replyx-api: no take-over now: %s",
            parent->is_draining ? "it is ending" : "another start is under way");
        return;
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        run_again(parent);
    if (pid < 0) {
        log_warn("replyx-api: could not start the program that takes over: %s", strerror(errno));
        return;
    }
    log_info("replyx-api: process %ld is to take over", (long)pid);
    parent->successor = pid;
    parent->successor_by_us = clock_us() + PATIENCE_US;
}

pid_t
successor_find_predecessor(void)
{
    const char *text = getenv(variable);
    int64_t pid = 0;

    if (text && (!text_to_int64(text, &pid) || pid != getppid()))
        pid = 0; /* it has ended meanwhile, or this is somebody else's variable */
    unsetenv(variable);
    return (pid_t)pid;
}

void
successor_take_over(const struct parent *parent)
{
    if (!parent->predecessor || getppid() != parent->predecessor)
        return;
    log_info("replyx-api: takes over from process %ld", (long)parent->predecessor);
    kill(parent->predecessor, SIGTERM);
}
