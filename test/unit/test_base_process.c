#include "support/test.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/process.h"

/* Runs a script of the shell to its end. */
static bool
run_script(struct ctx *ctx, const char *script, struct process *ret)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    struct process_options options = { .argv = argv, .timeout_us = 20000000 };

    return process_run(ctx, &options, ret);
}

static void
both_streams_are_captured_whole(void **state)
{
    struct ctx *ctx = *state;
    struct process process;

    /* More than a pipe holds, on both at once: whoever reads one after the other hangs. */
    assert_true(run_script(ctx,
        "i=0; while [ $i -lt 3000 ]; do printf '%0100d' $i; printf '%0100d' $i >&2; "
        "i=$((i+1)); done",
        &process));
    assert_int_equal(process.status, 0);
    assert_true(process.is_done);
    assert_int_equal(process.out.length, 300000);
    assert_int_equal(process.err.length, 300000);
    assert_string_equal(process.out.data + 300000 - 4, "2999");
}

static void
a_failure_shows_the_last_lines_of_its_words(void **state)
{
    struct ctx *ctx = *state;
    struct process process;

    assert_false(
        run_script(ctx, "for i in 1 2 3 4 5 6 7 8 9; do echo line $i >&2; done; exit 3", &process));
    assert_error(ctx, ERR_FAILED, "sh failed with status 3");
    assert_int_equal(process.status, 3);
    assert_string_equal(ctx->error.detail, "line 4\nline 5\nline 6\nline 7\nline 8\nline 9\n");
}

static void
a_signal_of_the_child_is_told(void **state)
{
    struct ctx *ctx = *state;
    struct process process;

    assert_false(run_script(ctx, "kill -KILL $$", &process));
    assert_error(ctx, ERR_FAILED, "killed by signal 9");
    assert_int_equal(process.status, 128 + SIGKILL);
}

static void
a_program_that_is_not_there_is_named(void **state)
{
    static const char *const argv[] = { "pgmend-no-such-program", NULL };
    struct ctx *ctx = *state;
    struct process_options options = { .argv = argv };
    struct process process;

    assert_false(process_start(ctx, &options, &process));
    assert_error(ctx, ERR_FAILED, "pgmend-no-such-program: No such file");
    assert_non_null(strstr(ctx->error.hint, "PATH"));
}

static void
arguments_reach_the_program_as_they_are(void **state)
{
    static const char *const argv[] = { "printf", "%s|", "a b", "$(id)", "'\"\\", "", NULL };
    struct ctx *ctx = *state;
    struct process_options options = { .argv = argv };
    struct process process;

    assert_true(process_run(ctx, &options, &process));
    assert_string_equal(buffer_text(&process.out), "a b|$(id)|'\"\\||");
}

static void
the_environment_is_ours_with_some_names_replaced(void **state)
{
    static const char *const argv[] = { "sh", "-c", "echo $PGMEND_A:$PGMEND_B:$PGMEND_AB", NULL };
    static const char *const env[] = { "PGMEND_A=new", NULL };
    struct ctx *ctx = *state;
    struct process_options options = { .argv = argv, .env = env };
    struct process process;

    setenv("PGMEND_A", "old", 1);
    setenv("PGMEND_B", "kept", 1);
    setenv("PGMEND_AB", "longer", 1);
    assert_true(process_run(ctx, &options, &process));
    assert_string_equal(buffer_text(&process.out), "new:kept:longer\n");
}

static void
standard_output_can_go_to_a_private_file(void **state)
{
    static const char *const argv[] = { "sh", "-c", "echo out; echo err >&2", NULL };
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct process_options options = { .argv = argv,
        .stdout_path = file_join(ctx->arena, folder, "out") };
    struct process process;
    const char *text;
    size_t length;

    assert_true(process_run(ctx, &options, &process));
    assert_true(file_read(ctx, options.stdout_path, &text, &length));
    assert_true(text_starts_with(text, "out\n"));
    assert_string_equal(buffer_text(&process.out), "");
    assert_string_equal(buffer_text(&process.err), "err\n");
    assert_true(file_remove(ctx, folder));
}

static void
a_time_limit_stops_it(void **state)
{
    static const char *const argv[] = { "sleep", "600", NULL };
    struct ctx *ctx = *state;
    struct process_options options = { .argv = argv, .timeout_us = 50000 };
    struct process process;
    int64_t start = clock_us();

    assert_false(process_run(ctx, &options, &process));
    assert_error(ctx, ERR_TIMEOUT, "sleep");
    assert_true(process.is_done);
    assert_int_equal(kill(process.pid, 0), -1);
    assert_true(clock_us() - start < 30000000);
}

static void
a_signal_to_us_stops_it(void **state)
{
    static const char *const argv[] = { "sleep", "600", NULL };
    struct ctx *ctx = *state;
    struct process_options options = { .argv = argv };
    struct process process;

    assert_true(process_start(ctx, &options, &process));
    assert_true(process_poll(ctx, &process, 0));
    assert_false(process.is_done);
    interrupt_put(SIGINT);
    assert_false(process_wait(ctx, &process));
    assert_error(ctx, ERR_INTERRUPTED, "Ctrl-C");
    assert_int_equal(interrupt_take(), SIGINT);
    assert_int_equal(process.status, 128 + SIGTERM);
}

static void
standard_input_is_empty(void **state)
{
    struct ctx *ctx = *state;
    struct process process;

    assert_true(run_script(ctx, "cat; echo end", &process));
    assert_string_equal(buffer_text(&process.out), "end\n");
}

static void
output_ends_with_the_child_though_a_grandchild_holds_the_pipe(void **state)
{
    struct ctx *ctx = *state;
    struct process process;
    int64_t start = clock_us();

    assert_true(run_script(ctx, "sleep 15 & echo started", &process));
    assert_string_equal(buffer_text(&process.out), "started\n");
    assert_true(clock_us() - start < 14000000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(both_streams_are_captured_whole),
        test_with_ctx(a_failure_shows_the_last_lines_of_its_words),
        test_with_ctx(a_signal_of_the_child_is_told),
        test_with_ctx(a_program_that_is_not_there_is_named),
        test_with_ctx(arguments_reach_the_program_as_they_are),
        test_with_ctx(the_environment_is_ours_with_some_names_replaced),
        test_with_ctx(standard_output_can_go_to_a_private_file),
        test_with_ctx(a_time_limit_stops_it),
        test_with_ctx(a_signal_to_us_stops_it),
        test_with_ctx(standard_input_is_empty),
        test_with_ctx(output_ends_with_the_child_though_a_grandchild_holds_the_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
