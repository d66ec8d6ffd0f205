#include "support/test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "event/loop.h"
#include "event/task.h"

enum { MOST = 8 };

/* What tasks write down, in the order in which they run. */
struct notes {
    char text[128];
    size_t length;
    struct task *tasks[MOST];
    struct tasks *all;
};

struct part {
    struct notes *notes;
    int number;
};

static void
note(struct notes *notes, char letter)
{
    assert_true(notes->length + 1 < sizeof(notes->text));
    notes->text[notes->length++] = letter;
}

static void
wait_twice(struct task *task, void *data)
{
    struct part *part = data;

    part->notes->tasks[part->number] = task;
    note(part->notes, (char)('a' + part->number));
    task_wait(task);
    note(part->notes, (char)('A' + part->number));
    task_wait(task);
    note(part->notes, (char)('0' + part->number));
}

static void
tasks_run_until_they_wait_and_go_on_when_woken(void **state)
{
    struct notes notes = { .all = tasks_new(MOST) };
    struct part parts[] = { { &notes, 0 }, { &notes, 1 }, { &notes, 2 } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        assert_true(task_start(notes.all, wait_twice, &parts[i]));
        note(&notes, '.');
    }
    task_wake(notes.tasks[2]);
    task_wake(notes.tasks[0]);
    task_wake(notes.tasks[0]);
    note(&notes, '.');
    task_wake(notes.tasks[1]);
    task_wake(notes.tasks[2]);
    task_wake(notes.tasks[1]);
    assert_string_equal(notes.text, "a.b.c.CA0.B21");
    tasks_free(notes.all);
}

static void
end_at_once(struct task *task, void *data)
{
    (void)task;
    note(data, 'e');
}

static void
wake_before_waiting(struct task *task, void *data)
{
    struct notes *notes = data;

    task_wake(task);
    note(notes, '1');
    task_wait(task);
    note(notes, '2');
    notes->tasks[0] = task;
    task_wait(task);
    note(notes, '3');
}

static void
a_wake_before_the_wait_is_not_lost_and_counts_once(void **state)
{
    struct notes notes = { .all = tasks_new(MOST) };

    (void)state;
    assert_true(task_start(notes.all, end_at_once, &notes));
    assert_true(task_start(notes.all, wake_before_waiting, &notes));
    assert_string_equal(notes.text, "e12");
    task_wake(notes.tasks[0]);
    assert_string_equal(notes.text, "e123");
    tasks_free(notes.all);
}

/* Wakes the one before it in the middle of its own work, as who returns a connection does. */
static void
wake_the_one_before(struct task *task, void *data)
{
    struct part *part = data;
    struct notes *notes = part->notes;

    notes->tasks[part->number] = task;
    if (part->number == 0) {
        task_wait(task);
        note(notes, 'x');
        task_wake(notes->tasks[1]); /* it is at work, further out */
        note(notes, 'y');
        return;
    }
    note(notes, '(');
    task_wake(notes->tasks[part->number - 1]);
    note(notes, ')');
    task_wait(task);
    note(notes, '!');
}

static void
a_task_can_wake_another_which_wakes_it(void **state)
{
    struct notes notes = { .all = tasks_new(MOST) };
    struct part first = { &notes, 0 }, second = { &notes, 1 };

    (void)state;
    assert_true(task_start(notes.all, wake_the_one_before, &first));
    assert_true(task_start(notes.all, wake_the_one_before, &second));
    assert_string_equal(notes.text, "(xy)!");
    tasks_free(notes.all);
}

/* Starts another like it from its own stack, and each waits within. */
static void
start_the_next(struct task *task, void *data)
{
    struct part *part = data;
    struct part next = { part->notes, part->number + 1 };

    part->notes->tasks[part->number] = task;
    if (next.number < MOST) {
        assert_true(task_start(part->notes->all, start_the_next, &next));
        /* next is on our stack: it must be there still when the inner one goes on. */
        task_wait(task);
    } else {
        assert_false(task_start(part->notes->all, end_at_once, part->notes));
        task_wait(task);
    }
    note(part->notes, (char)('0' + part->number));
}

static void
there_are_as_many_as_there_may_be_and_no_more(void **state)
{
    struct notes notes = { .all = tasks_new(MOST) };
    struct part first = { &notes, 0 };

    (void)state;
    assert_true(task_start(notes.all, start_the_next, &first));
    assert_false(task_start(notes.all, end_at_once, &notes));
    for (int i = MOST - 1; i >= 0; i--)
        task_wake(notes.tasks[i]);
    assert_string_equal(notes.text, "76543210");
    assert_true(task_start(notes.all, end_at_once, &notes));
    tasks_free(notes.all);
}

/* Registers, floating point and a stack well used are as they were after others have run. */
struct sum {
    struct task *task;
    struct test_random random;
    double wanted;
    double got;
};

static double
sum_deeply(struct task *task, struct sum *sum, int depth)
{
    volatile double mine[100];
    double total = 0;

    for (size_t i = 0; i < COUNT_OF(mine); i++)
        mine[i] = (double)test_random_below(&sum->random, 1000);
    for (size_t i = 0; i < COUNT_OF(mine); i++)
        sum->wanted += mine[i];
    task_wait(task);
    if (depth > 0)
        total = sum_deeply(task, sum, depth - 1);
    task_wait(task);
    for (size_t i = 0; i < COUNT_OF(mine); i++)
        total += mine[i];
    return total;
}

static void
sum_up(struct task *task, void *data)
{
    struct sum *sum = data;

    sum->task = task;
    sum->got = sum_deeply(task, sum, 30);
    sum->task = NULL;
}

static void
a_stack_is_as_it_was_left(void **state)
{
    struct tasks *all = tasks_new(200);
    struct test_random random = test_random_new();
    struct sum sums[200];
    size_t left = COUNT_OF(sums);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sums); i++) {
        sums[i] = (struct sum){ .random = { .state = test_random_next(&random) | 1 } };
        assert_true(task_start(all, sum_up, &sums[i]));
    }
    while (left > 0) {
        struct sum *sum = &sums[test_random_below(&random, COUNT_OF(sums))];

        if (!sum->task)
            continue;
        task_wake(sum->task);
        if (!sum->task)
            left--;
    }
    for (size_t i = 0; i < COUNT_OF(sums); i++)
        assert_true(sums[i].got == sums[i].wanted && sums[i].got > 0);
    tasks_free(all);
}

static int64_t
address_space_pages(struct ctx *ctx)
{
    const char *text;
    size_t length;

    assert_true(file_read(ctx, "/proc/self/statm", &text, &length));
    return strtoll(text, NULL, 10);
}

static void
stacks_are_used_again_and_most_are_given_back(void **state)
{
    struct tasks *all = tasks_new(200);
    struct notes notes = { .all = all };
    int64_t before = address_space_pages(*state), after;
    struct sum sums[200] = { 0 };

    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < COUNT_OF(sums); i++) {
            sums[i] = (struct sum){ .random = { .state = i + 1 } };
            assert_true(task_start(all, sum_up, &sums[i]));
        }
        for (size_t i = 0; i < COUNT_OF(sums); i++) {
            while (sums[i].task)
                task_wake(sums[i].task);
        }
    }
    after = address_space_pages(*state);
    tasks_free(all);
    (void)notes;
    /* 200 stacks are 51 MB; of 10,000 that were used, less than 20 are kept. Pages have 4 kB here. */
    assert_true(after - before < 20 * (1 + 256 / 4) + 4096);
}

/* 4 MB: more than a task has, less than a process. */
static int
recurse(const volatile char *above, int depth)
{
    volatile char mine[4096];

    mine[0] = (char)(above[0] + 1);
    return depth > 0 ? recurse(mine, depth - 1) + mine[0] : 0;
}

static void
overflow(struct task *task, void *data)
{
    volatile char start = 0;

    (void)task;
    *(int *)data = recurse(&start, 1000);
}

/* Into the guard page, and not into the stack of somebody else. */
static void
a_stack_that_overflows_ends_the_program(void **state)
{
    pid_t pid = fork();
    int status = 0;

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0) {
        struct tasks *all = tasks_new(2);
        struct notes notes = { .all = all };
        struct part part = { &notes, 0 };
        struct rlimit no_core = { 0 };
        int depth = 0;

        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGSEGV, SIG_DFL);
        if (task_start(all, wait_twice, &part) && task_start(all, overflow, &depth))
            _exit(0);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

struct on_loop {
    struct loop *loop;
    struct loop_timer *timer;
    struct task *task;
    int ticks;
};

static void
tick(void *data)
{
    struct on_loop *on = data;

    task_wake(on->task);
}

static void
sleep_on_the_loop(struct task *task, void *data)
{
    struct on_loop *on = data;

    on->task = task;
    for (; on->ticks < 5; on->ticks++) {
        loop_timer_set(on->timer, 1000);
        task_wait(task);
    }
    loop_stop(on->loop);
}

static void
a_task_waits_for_timers_of_a_loop(void **state)
{
    struct tasks *all = tasks_new(1);
    struct on_loop on = { 0 };

    assert_true(loop_new(*state, &on.loop));
    on.timer = loop_timer_new(on.loop, tick, &on);
    assert_true(task_start(all, sleep_on_the_loop, &on));
    assert_int_equal(on.ticks, 0);
    loop_run(on.loop);
    assert_int_equal(on.ticks, 5);
    loop_timer_free(on.timer);
    loop_free(on.loop);
    tasks_free(all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_run_until_they_wait_and_go_on_when_woken),
        cmocka_unit_test(a_wake_before_the_wait_is_not_lost_and_counts_once),
        cmocka_unit_test(a_task_can_wake_another_which_wakes_it),
        cmocka_unit_test(there_are_as_many_as_there_may_be_and_no_more),
        cmocka_unit_test(a_stack_is_as_it_was_left),
        test_with_ctx(stacks_are_used_again_and_most_are_given_back),
        cmocka_unit_test(a_stack_that_overflows_ends_the_program),
        test_with_ctx(a_task_waits_for_timers_of_a_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
