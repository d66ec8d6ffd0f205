/*
 * A library for LD_PRELOAD that makes the n-th fallible call of pgmend fail: allocation, file, socket, process, thread.
 *
 *   PGMEND_FAULT=call:count   nothing fails; how many calls there were is told at the end
 *   PGMEND_FAULT=call:list    the same, and a line for each call: number, name, a hash of the way to it
 *   PGMEND_FAULT=call:N       the N-th call fails, once
 *   PGMEND_FAULT_LOG=FILE     where these lines, or the call that failed and from where it came, are written
 *   PGMEND_FAULT_PROGRAM=NAME the program that is meant; "pgmend" if it is not set
 *
 * A library and no wrappers in src/base, because most calls that can fail are not made by our code: libpq, OpenSSL, jansson,
 * libcurl, libevent and libc's own streams allocate, read and send too, and what pgmend makes of their failure is what
 * counts. So the program that is tested is the one that is installed, byte by byte.
 *
 * Calls of the program and of what it forks count (together: a worker's request is reached however many workers there are);
 * programs that it executes run undisturbed. A call counts from main() on: that the loader fails is no matter of ours. Two
 * runs need not make the same calls, since what is read at once depends on time; the log says what failed.
 *
 * A socket that "loses its connection" is shut down as well, else the other end would wait for us and we for it.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EARLY_BYTES = 64 * 1024, MOST_FRAMES = 32, WAY_FRAMES = 6 };

/* Shared with what is forked. */
struct shared {
    atomic_long calls;
};

static struct shared *shared; /* NULL: this program is not meant, or main() has not begun */
static struct shared *made;
static long wanted; /* 0: only counted */
static bool is_listing;
static int log_fd = -1;
static __thread int inside; /* what a failing call itself does is not counted */

/* -- memory before dlsym() has found the real malloc() ------------------------------------------ */

static char early[EARLY_BYTES] __attribute__((aligned(16)));
static size_t early_used;

static void *
early_alloc(size_t size)
{
    size_t rounded = (size + 15) & ~(size_t)15;
    void *memory = early + early_used;

    if (rounded > sizeof(early) - early_used)
        return NULL;
    early_used += rounded;
    return memory;
}

static bool
is_early(const void *memory)
{
    const char *at = memory;

    return at >= early && at < early + sizeof(early);
}

/* -- the one decision --------------------------------------------------------------------------- */

static void
say(const char *format, ...)
{
    char line[256];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (length > 0)
        syscall(SYS_write, log_fd, line, (size_t)length);
}

/* Calls that come by the same way (the nearest callers) have the same hash within one process image. */
static void
list_call(long call, const char *name)
{
    void *frames[WAY_FRAMES + 2];
    int count = backtrace(frames, WAY_FRAMES + 2);
    uint64_t hash = 1469598103934665603u;

    for (int i = 2; i < count; i++)
        hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211u;
    say("call %ld %s %016" PRIx64 "\n", call, name, hash);
}

static bool
fails(const char *name, int error)
{
    void *frames[MOST_FRAMES];
    long call;

    if (!shared || inside)
        return false;
    call = atomic_fetch_add(&shared->calls, 1) + 1;
    if (call != wanted && !is_listing)
        return false;
    inside++;
    if (is_listing)
        list_call(call, name);
    else if (log_fd >= 0) {
        say("failed %ld %s: %s\n", call, name, strerrorname_np(error));
        backtrace_symbols_fd(frames, backtrace(frames, MOST_FRAMES), log_fd);
    }
    inside--;
    if (is_listing)
        return false;
    errno = error;
    return true;
}

/* The error of a call that moves bytes; a socket is cut off. */
static bool
moving_fails(const char *name, int fd, int error)
{
    struct stat info;
    bool is_socket;

    if (!shared || inside)
        return false;
    inside++;
    is_socket = fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
    inside--;
    if (!fails(name, is_socket ? ECONNRESET : error))
        return false;
    if (is_socket)
        shutdown(fd, SHUT_RDWR);
    errno = is_socket ? ECONNRESET : error;
    return true;
}

#define REAL(name)                 \
    static __typeof__(name) *real; \
    if (!real)                     \
    real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* -- memory ------------------------------------------------------------------------------------- */

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);
static int (*real_posix_memalign)(void **, size_t, size_t);
static bool is_finding;

static bool
is_found(void)
{
    if (real_free)
        return true;
    if (is_finding)
        return false;
    is_finding = true;
    real_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    real_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
    real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    real_posix_memalign = (int (*)(void **, size_t, size_t))dlsym(RTLD_NEXT, "posix_memalign");
    real_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    return true;
}

void *
malloc(size_t size)
{
    if (!is_found())
        return early_alloc(size);
    return fails("malloc", ENOMEM) ? NULL : real_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
    if (!is_found())
        return early_alloc(count * size);
    return fails("calloc", ENOMEM) ? NULL : real_calloc(count, size);
}

void *
realloc(void *memory, size_t size)
{
    void *larger;

    if (is_found() && !is_early(memory))
        return fails("realloc", ENOMEM) ? NULL : real_realloc(memory, size);
    larger = malloc(size);
    if (larger && memory)
        memcpy(larger, memory, size); /* of the early memory, whose end is far */
    return larger;
}

int
posix_memalign(void **memory, size_t alignment, size_t size)
{
    is_found();
    return fails("posix_memalign", ENOMEM) ? ENOMEM : real_posix_memalign(memory, alignment, size);
}

void
free(void *memory)
{
    if (!is_early(memory) && is_found())
        real_free(memory);
}

/* -- files -------------------------------------------------------------------------------------- */

#define OPEN(name)                                                  \
    int name(const char *path, int flags, ...)                      \
    {                                                               \
        va_list args;                                               \
        mode_t mode;                                                \
        REAL(name);                                                 \
        va_start(args, flags);                                      \
        mode = (mode_t)va_arg(args, int);                           \
        va_end(args);                                               \
        return fails(#name, EMFILE) ? -1 : real(path, flags, mode); \
    }
#define OPENAT(name)                                                        \
    int name(int folder, const char *path, int flags, ...)                  \
    {                                                                       \
        va_list args;                                                       \
        mode_t mode;                                                        \
        REAL(name);                                                         \
        va_start(args, flags);                                              \
        mode = (mode_t)va_arg(args, int);                                   \
        va_end(args);                                                       \
        return fails(#name, EMFILE) ? -1 : real(folder, path, flags, mode); \
    }
#define FOPEN(name)                                            \
    FILE *name(const char *path, const char *mode)             \
    {                                                          \
        REAL(name);                                            \
        return fails(#name, EMFILE) ? NULL : real(path, mode); \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
FOPEN(fopen)
FOPEN(fopen64)

#define CALL(type, name, failure, error, params, args)    \
    type name params                                      \
    {                                                     \
        REAL(name);                                       \
        return fails(#name, error) ? failure : real args; \
    }
#define MOVE(type, name, error, params, args)                   \
    type name params                                            \
    {                                                           \
        REAL(name);                                             \
        return moving_fails(#name, fd, error) ? -1 : real args; \
    }

CALL(FILE *, fdopen, NULL, ENOMEM, (int fd, const char *mode), (fd, mode))
CALL(DIR *, opendir, NULL, EMFILE, (const char *path), (path))
CALL(int, fflush, EOF, ENOSPC, (FILE * stream), (stream))
CALL(int, fsync, -1, EIO, (int fd), (fd))
CALL(int, fdatasync, -1, EIO, (int fd), (fd))
CALL(int, ftruncate, -1, EIO, (int fd, off_t length), (fd, length))
CALL(int, rename, -1, EIO, (const char *from, const char *to), (from, to))
CALL(int, link, -1, EIO, (const char *from, const char *to), (from, to))
CALL(int, unlink, -1, EIO, (const char *path), (path))
CALL(int, mkdir, -1, ENOSPC, (const char *path, mode_t mode), (path, mode))
CALL(int, fchmod, -1, EIO, (int fd, mode_t mode), (fd, mode))
CALL(int, chmod, -1, EIO, (const char *path, mode_t mode), (path, mode))
MOVE(ssize_t, read, EIO, (int fd, void *data, size_t size), (fd, data, size))
MOVE(ssize_t, pread, EIO, (int fd, void *data, size_t size, off_t at), (fd, data, size, at))
MOVE(ssize_t, write, ENOSPC, (int fd, const void *data, size_t size), (fd, data, size))
MOVE(ssize_t, pwrite, ENOSPC, (int fd, const void *data, size_t size, off_t at),
    (fd, data, size, at))

/* As code that is compiled with -D_FORTIFY_SOURCE calls it. */
ssize_t __read_chk(int fd, void *data, size_t size, size_t room);
ssize_t __recv_chk(int fd, void *data, size_t size, size_t room, int flags);
MOVE(ssize_t, __read_chk, EIO, (int fd, void *data, size_t size, size_t room),
    (fd, data, size, room))
MOVE(ssize_t, __recv_chk, EIO, (int fd, void *data, size_t size, size_t room, int flags),
    (fd, data, size, room, flags))

/* -- sockets, processes, threads ---------------------------------------------------------------- */

CALL(int, socket, -1, EMFILE, (int domain, int type, int protocol), (domain, type, protocol))
MOVE(int, connect, ECONNREFUSED, (int fd, const struct sockaddr *address, socklen_t length),
    (fd, address, length))
MOVE(ssize_t, send, ECONNRESET, (int fd, const void *data, size_t size, int flags),
    (fd, data, size, flags))
MOVE(ssize_t, recv, ECONNRESET, (int fd, void *data, size_t size, int flags),
    (fd, data, size, flags))
MOVE(ssize_t, sendmsg, ECONNRESET, (int fd, const struct msghdr *message, int flags),
    (fd, message, flags))
MOVE(
    ssize_t, recvmsg, ECONNRESET, (int fd, struct msghdr *message, int flags), (fd, message, flags))
CALL(int, accept4, -1, EMFILE, (int fd, struct sockaddr *address, socklen_t *length, int flags),
    (fd, address, length, flags))
CALL(int, bind, -1, EADDRINUSE, (int fd, const struct sockaddr *address, socklen_t length),
    (fd, address, length))
CALL(int, listen, -1, EADDRINUSE, (int fd, int backlog), (fd, backlog))
CALL(int, pipe, -1, EMFILE, (int ends[2]), (ends))
CALL(int, pipe2, -1, EMFILE, (int ends[2], int flags), (ends, flags))
CALL(int, epoll_create1, -1, EMFILE, (int flags), (flags))
CALL(int, epoll_ctl, -1, ENOMEM, (int set, int what, int fd, struct epoll_event *event),
    (set, what, fd, event))
CALL(int, eventfd, -1, EMFILE, (unsigned int value, int flags), (value, flags))
CALL(pid_t, fork, -1, EAGAIN, (void), ())
CALL(int, posix_spawn, EAGAIN, EAGAIN,
    (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,
        const posix_spawnattr_t *attributes, char *const argv[], char *const env[]),
    (pid, path, actions, attributes, argv, env))
CALL(int, posix_spawnp, EAGAIN, EAGAIN,
    (pid_t * pid, const char *file, const posix_spawn_file_actions_t *actions,
        const posix_spawnattr_t *attributes, char *const argv[], char *const env[]),
    (pid, file, actions, attributes, argv, env))
CALL(int, pthread_create, EAGAIN, EAGAIN,
    (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *data),
    (thread, attributes, start, data))

/* mmap() maps files and makes stacks; malloc() has a way of its own. */
void *
mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    REAL(mmap);
    return fails("mmap", ENOMEM) ? MAP_FAILED : real(at, length, protection, flags, fd, offset);
}

/* -- begin and end ------------------------------------------------------------------------------ */

static int (*real_main)(int, char **, char **);

static int
counted_main(int argc, char **argv, char **env)
{
    shared = made;
    return real_main(argc, argv, env);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
    void (*fini)(void), void (*end)(void), void *stack);

int
__libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
    void (*fini)(void), void (*end)(void), void *stack)
{
    REAL(__libc_start_main);
    real_main = main;
    return real(counted_main, argc, argv, init, fini, end, stack);
}

__attribute__((constructor)) static void
begin(void)
{
    const char *fault = getenv("PGMEND_FAULT");
    const char *program = getenv("PGMEND_FAULT_PROGRAM");
    const char *path = getenv("PGMEND_FAULT_LOG");
    void *frame;

    is_found();
    if (!fault || strncmp(fault, "call:", 5) != 0 ||
        strcmp(program_invocation_short_name, program ? program : "pgmend") != 0)
        return;
    wanted = strtol(fault + 5, NULL, 10);
    is_listing = strcmp(fault, "call:list") == 0;
    unsetenv("PGMEND_FAULT"); /* a pgmend that pgmend starts is another program */
    if (path)
        log_fd = (int)syscall(
            SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    backtrace(&frame, 1); /* loads what it needs */
    made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED)
        _exit(99);
}

__attribute__((destructor)) static void
end(void)
{
    if (!shared || log_fd < 0)
        return;
    say("calls %ld\n", atomic_load(&shared->calls));
    shared = NULL;
}
