#include "support/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "cli/report.h"
#include "support/cli_table.h"

/* The error of ctx as it is printed to standard error. */
static const char *
print_failure(
    struct ctx *ctx, const struct command *command, const struct run *run, int *ret_status)
{
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "err");
    int saved = dup(STDERR_FILENO);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    const char *text;
    size_t length;

    dup2(file, STDERR_FILENO);
    *ret_status = report_error(ctx, command, run, false);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(file);
    assert_true(file_read(ctx, path, &text, &length));
    assert_true(file_remove(ctx, folder));
    return text;
}

static void
message_detail_hint_and_state_stand_in_this_order(void **state)
{
    struct ctx *ctx = *state;
    int status;

    error_set(ctx, ERR_ATTENTION, "building \"ix\": canceling statement");
    ctx->error.detail = "first line\nsecond line";
    error_hint(ctx, "Drop it.");
    error_state(ctx, "Index \"ix\" is invalid.");
    assert_string_equal(print_failure(ctx, &sample_apply, NULL, &status),
        "pgmend index apply: building \"ix\": canceling statement\n"
        "first line\nsecond line\n"
        "hint: Drop it.\n"
        "Index \"ix\" is invalid.\n");
    assert_int_equal(status, 6);
}

static void
a_command_that_only_reads_has_changed_nothing(void **state)
{
    struct ctx *ctx = *state;
    /* Only whether there was a session matters, so any pointer will do. */
    struct run run = { .command = &sample_unused, .db = (struct db *)ctx };
    int status;

    error_set(ctx, ERR_TIMEOUT, "too slow");
    assert_string_equal(print_failure(ctx, &sample_unused, &run, &status),
        "pgmend index unused: too slow\nNothing was changed.\n");
    assert_int_equal(status, 1);
    run.command = &sample_apply;
    assert_string_equal(
        print_failure(ctx, &sample_apply, &run, &status), "pgmend index apply: too slow\n");
    run = (struct run){ .command = &sample_plan_show };
    assert_string_equal(
        print_failure(ctx, &sample_plan_show, &run, &status), "pgmend plan show: too slow\n");
}

static void
a_plug_in_has_one_status_for_every_failure_but_signals(void **state)
{
    struct ctx *ctx = *state;
    struct run run = { .command = &sample_plan_show, .failure_status = 3 };
    int status;

    error_set(ctx, ERR_USAGE, "wrong");
    print_failure(ctx, &sample_plan_show, &run, &status);
    assert_int_equal(status, 3);
    error_set(ctx, ERR_CONNECTION, "gone");
    print_failure(ctx, &sample_plan_show, &run, &status);
    assert_int_equal(status, 3);
    error_set(ctx, ERR_INTERRUPTED, "stopped");
    print_failure(ctx, &sample_plan_show, &run, &status);
    assert_int_equal(status, 130);
    error_set(ctx, ERR_CONNECTION, "gone");
    print_failure(ctx, NULL, NULL, &status);
    assert_int_equal(status, 8);
}

/* A command may be a plug-in with one of its options only. */
static void
the_status_of_a_plug_in_depends_on_its_option(void **state)
{
    static const struct command always = { .failure_status = 3 };
    static const struct command at_times = { .failure_status = 3, .failure_option = "--once" };
    char *without[] = { (char[]){ "--nonsense" }, (char[]){ "--" }, (char[]){ "--once" } };
    char *with[] = { (char[]){ "--nonsense" }, (char[]){ "--once" } };

    (void)state;
    assert_int_equal(command_failure_status(&(struct invocation){ &always, "", 3, without }), 3);
    assert_int_equal(command_failure_status(&(struct invocation){ &at_times, "", 3, without }), 0);
    assert_int_equal(command_failure_status(&(struct invocation){ &at_times, "", 2, with }), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(message_detail_hint_and_state_stand_in_this_order),
        test_with_ctx(a_command_that_only_reads_has_changed_nothing),
        test_with_ctx(a_plug_in_has_one_status_for_every_failure_but_signals),
        test_with_ctx(the_status_of_a_plug_in_depends_on_its_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
