/*
 * The guard is a fork that holds nothing but the reading end of a pipe. When that ends without a word, the one who
 * paused is gone, however that came, and the guard resumes what is still paused.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "db/connection.h"
#include "db/pgbouncer_part.h"

enum { TRIES = 100, PAUSE_US = 300000 };

struct pgbouncer_guard {
    pid_t pid;
    int fd; /* the writing end */
};

static bool
is_paused(const struct pgbouncer_databases *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (text_equal(all->items[i].name, name))
            return all->items[i].is_paused;
    return false;
}

static bool
resume_all(struct ctx *ctx, struct pgbouncer *pgbouncer, const struct text_list *names)
{
    struct pgbouncer_databases all;
    bool is_good = pgbouncer_list(ctx, pgbouncer, &all);

    for (size_t i = 0; is_good && i < names->count; i++)
        if (is_paused(&all, names->items[i]))
            is_good = pgbouncer_resume(ctx, pgbouncer, names->items[i]);
    return is_good;
}

/* Only async-signal-safe calls are allowed after a fork of threads; pgmend has none here. */
static void
watch(int fd, const char *url, const struct text_list *names)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct pgbouncer pgbouncer = { .arena = arena, .url = url };
    char word;
    ssize_t length;

    do
        length = read(fd, &word, 1);
    while (length < 0 && errno == EINTR);
    if (length > 0)
        return;
    for (int i = 0; i < TRIES && !resume_all(&ctx, &pgbouncer, names); i++) {
        error_clear(&ctx);
        (void)interrupt_take();
        (void)clock_sleep_us(PAUSE_US);
    }
    db_cleanup(&pgbouncer.db);
}

/*
 * The sockets of our sessions would keep them, and their locks, alive on the server after we are gone; and who
 * reads our output shall not wait for the guard.
 */
static int
keep_only(int fd)
{
    int null_fd = open("/dev/null", O_RDWR);

    if (fd <= STDERR_FILENO || null_fd < 0)
        return -1;
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (dup2(null_fd, i) < 0)
            return -1;
    if (dup2(fd, STDERR_FILENO + 1) < 0)
        return -1;
    return close_range(STDERR_FILENO + 2, ~0U, 0) == 0 ? STDERR_FILENO + 1 : -1;
}

static void
be_guard(int fd, const char *url, const struct text_list *names)
{
    /* Ctrl-C of the terminal and the end of its session are not for the guard. */
    (void)setsid();
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    fd = keep_only(fd);
    if (fd >= 0)
        watch(fd, url, names);
    _exit(0);
}

bool
pgbouncer_guard(struct ctx *ctx, struct pgbouncer *pgbouncer, const struct text_list *names,
    struct pgbouncer_guard **ret)
{
    struct pgbouncer_guard *guard = ARENA_NEW(pgbouncer->arena, struct pgbouncer_guard);
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set_errno(ctx, "could not make a pipe to the guard of PgBouncer");
    guard->pid = fork();
    if (guard->pid == 0) {
        (void)close(ends[1]);
        be_guard(ends[0], pgbouncer->url, names);
    }
    (void)close(ends[0]);
    if (guard->pid < 0) {
        (void)close(ends[1]);
        return error_set_errno(ctx, "could not start the guard of PgBouncer");
    }
    guard->fd = ends[1];
    *ret = guard;
    return true;
}

void
pgbouncer_unguard(struct pgbouncer_guard **guard)
{
    static const char done = '.';

    if (!*guard)
        return;
    if (write((*guard)->fd, &done, 1) != 1)
        (void)kill((*guard)->pid, SIGKILL);
    (void)close((*guard)->fd);
    while (waitpid((*guard)->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    *guard = NULL;
}
