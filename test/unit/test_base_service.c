#include "support/test.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/service.h"

/* A manager of our own: a datagram socket at a path, or at a name without a file. */
static int
manager(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_true(length < sizeof(address.sun_path));
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (const struct sockaddr *)&address,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
        0);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    return fd;
}

static void
assert_heard(int fd, const char *expected)
{
    char text[256];
    ssize_t length = recv(fd, text, sizeof(text) - 1, 0);

    if (!expected) {
        assert_int_equal(length, -1);
        assert_int_equal(errno, EAGAIN);
        return;
    }
    assert_true(length >= 0);
    text[length] = '\0';
    assert_string_equal(text, expected);
}

static void
the_manager_hears_what_is_told(void **state)
{
    struct ctx *ctx = *state;
    int fd = manager(arena_printf(ctx->arena, "%s/notify", test_folder(ctx)));

    service_tell("READY=1\nSTATUS=all is well");
    service_tell("WATCHDOG=1");
    assert_heard(fd, "READY=1\nSTATUS=all is well");
    assert_heard(fd, "WATCHDOG=1");
    assert_heard(fd, NULL);
    close(fd);
}

static void
a_name_without_a_file_is_heard_too(void **state)
{
    struct ctx *ctx = *state;
    int fd = manager(arena_printf(ctx->arena, "@pgmend-test-%ld", (long)getpid()));

    service_tell("STOPPING=1");
    assert_heard(fd, "STOPPING=1");
    close(fd);
}

/* Nobody listens, no path, one that is too long: the program goes on. */
static void
without_a_manager_nothing_happens(void **state)
{
    struct ctx *ctx = *state;
    char longest[300];

    memset(longest, 'a', sizeof(longest) - 1);
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    const char *const paths[] = { "", "/", "relative", longest,
        arena_printf(ctx->arena, "%s/nobody", test_folder(ctx)) };

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        assert_int_equal(setenv("NOTIFY_SOCKET", paths[i], 1), 0);
        service_tell("READY=1");
    }
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    service_tell("READY=1");
}

static void
the_watchdog_is_for_the_process_it_names(void **state)
{
    struct ctx *ctx = *state;
    const char *own = arena_printf(ctx->arena, "%ld", (long)getpid());
    const struct {
        const char *us;
        const char *pid;
        int64_t expected;
    } cases[] = {
        { "60000000", own, 60000000 },
        { "60000000", NULL, 60000000 },
        { "60000000", "1", 0 },
        { "0", own, 0 },
        { "-5", own, 0 },
        { "1min", own, 0 },
        { "", own, 0 },
        { NULL, own, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (cases[i].us)
            setenv("WATCHDOG_USEC", cases[i].us, 1);
        if (cases[i].pid)
            setenv("WATCHDOG_PID", cases[i].pid, 1);
        assert_int_equal(service_watchdog_us(), cases[i].expected);
    }
}

static void
a_credential_is_a_file_of_that_folder_and_no_other(void **state)
{
    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_false(service_is_credential("/run/credentials/a.service/jwt"));
    setenv("CREDENTIALS_DIRECTORY", "", 1);
    assert_false(service_is_credential("/jwt"));
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/a.service", 1);
    assert_true(service_is_credential("/run/credentials/a.service/jwt"));
    assert_false(service_is_credential("/run/credentials/a.service"));
    assert_false(service_is_credential("/run/credentials/a.service/"));
    assert_false(service_is_credential("/run/credentials/a.service-2/jwt"));
    assert_false(service_is_credential("/run/credentials/a.service/../b.service/jwt"));
    assert_false(service_is_credential("/etc/jwt"));
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/a.service/", 1);
    assert_true(service_is_credential("/run/credentials/a.service/jwt"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(the_manager_hears_what_is_told),
        test_with_ctx(a_name_without_a_file_is_heard_too),
        test_with_ctx(without_a_manager_nothing_happens),
        test_with_ctx(the_watchdog_is_for_the_process_it_names),
        test_with_ctx(a_credential_is_a_file_of_that_folder_and_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
