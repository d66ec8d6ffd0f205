#include "support/test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

static void
the_first_signal_is_kept_until_it_is_taken(void **state)
{
    (void)state;
    interrupt_catch();
    assert_int_equal(interrupt_signal(), 0);
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(interrupt_signal(), SIGTERM);
    assert_int_equal(interrupt_take(), SIGTERM);
    assert_int_equal(interrupt_signal(), 0);
    interrupt_put(SIGTERM);
    assert_int_equal(interrupt_signal(), SIGTERM);
    interrupt_put(0);
    assert_int_equal(interrupt_take(), SIGTERM);
    assert_int_equal(interrupt_take(), 0);
}

/* The exit status of a child that gets both signals, so far apart; its words are not shown. */
static int
status_after(int first, int second, int64_t apart_us)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        interrupt_catch();
        close(STDERR_FILENO);
        raise(first);
        for (int64_t start_us = clock_us(); clock_us() - start_us < apart_us;)
            usleep(10000);
        raise(second);
        _exit(interrupt_signal() == first ? 0 : 1);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
the_second_signal_ends_the_program_at_once(void **state)
{
    (void)state;
    assert_int_equal(status_after(SIGINT, SIGINT, 1100000), 130);
    assert_int_equal(status_after(SIGINT, SIGTERM, 1100000), 143);
}

/* As timeout(1) does: to its child, and then to the whole group. */
static void
the_same_signal_told_twice_is_one(void **state)
{
    (void)state;
    /* Where the machine is so busy that a second goes by in between, they are two. */
    for (int64_t took_us = 1000000, tries = 0; took_us >= 1000000; tries++) {
        int64_t start_us = clock_us();
        int status = status_after(SIGINT, SIGINT, 0);

        took_us = clock_us() - start_us;
        assert_true(tries < 50);
        if (took_us < 1000000)
            assert_int_equal(status, 0);
    }
}

static void
a_closed_pipe_is_an_error_and_no_signal(void **state)
{
    int ends[2];

    (void)state;
    interrupt_catch();
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    close(ends[1]);
}

static void
the_error_tells_which_signal(void **state)
{
    struct ctx *ctx = *state;

    assert_false(interrupt_error(ctx, SIGINT));
    assert_error(ctx, ERR_INTERRUPTED, "Ctrl-C");
    assert_false(interrupt_error(ctx, SIGTERM));
    assert_error(ctx, ERR_TERMINATED, "SIGTERM");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        /* First those with children: a caught signal is counted for ever. */
        test_with_ctx(the_second_signal_ends_the_program_at_once),
        test_with_ctx(the_same_signal_told_twice_is_one),
        test_with_ctx(the_first_signal_is_kept_until_it_is_taken),
        test_with_ctx(a_closed_pipe_is_an_error_and_no_signal),
        test_with_ctx(the_error_tells_which_signal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
