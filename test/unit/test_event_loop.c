#include "support/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "event/loop.h"

/* What a callback writes down, in the order of the calls. */
struct notes {
    struct loop *loop;
    struct loop_timer *timers[4];
    struct loop_watch *watch;
    char text[64];
    size_t length;
    int64_t at_us;
    int peer;
    int mine;
};

static void
note(struct notes *notes, char letter)
{
    assert_true(notes->length + 1 < sizeof(notes->text));
    notes->text[notes->length++] = letter;
}

static struct loop *
new_loop(void **state)
{
    struct loop *loop;

    if (!loop_new(*state, &loop))
        fail_msg("%s", ((struct ctx *)*state)->error.message);
    return loop;
}

static void
note_a(void *data)
{
    note(data, 'a');
}

static void
note_b(void *data)
{
    note(data, 'b');
}

static void
stop(void *data)
{
    struct notes *notes = data;

    note(notes, '.');
    notes->at_us = clock_us();
    loop_stop(notes->loop);
}

static void
timers_come_in_the_order_of_their_times(void **state)
{
    struct loop *loop CLEANUP(loop_cleanup) = new_loop(state);
    struct notes notes = { .loop = loop };
    struct loop_timer *end = loop_timer_new(loop, stop, &notes);
    struct loop_timer *b = loop_timer_new(loop, note_b, &notes);
    struct loop_timer *a = loop_timer_new(loop, note_a, &notes);

    loop_timer_set(end, 30000);
    loop_timer_set(b, 20000);
    loop_timer_set(a, 1000);
    loop_run(loop);
    assert_string_equal(notes.text, "ab.");

    /* Each came once only; one that is stopped does not come at all, one set again comes later. */
    loop_timer_set(a, 1000);
    loop_timer_set(b, 1000);
    loop_timer_stop(b);
    loop_timer_set(a, 20000);
    loop_timer_set(end, 10000);
    loop_run(loop);
    assert_string_equal(notes.text, "ab..");
    loop_timer_free(a);
    loop_timer_free(b);
    loop_timer_free(end);
}

static void
a_timer_never_comes_early(void **state)
{
    struct loop *loop CLEANUP(loop_cleanup) = new_loop(state);
    struct notes notes = { .loop = loop };
    struct loop_timer *end = loop_timer_new(loop, stop, &notes);

    for (int64_t us = 0; us < 9000; us += 700) {
        int64_t start = clock_us();

        loop_timer_set(end, us);
        loop_run(loop);
        assert_true(notes.at_us - start >= us);
    }
    loop_timer_free(end);
}

static void
sleep_then_set(void *data)
{
    struct notes *notes = data;
    struct timespec time = { .tv_nsec = 30000000 };

    nanosleep(&time, NULL);
    notes->at_us = -clock_us();
    loop_timer_set(notes->timers[1], 20000);
}

static void
stop_and_tell_how_long(void *data)
{
    struct notes *notes = data;

    notes->at_us += clock_us();
    loop_stop(notes->loop);
}

static void
a_slow_callback_does_not_shorten_what_it_sets(void **state)
{
    struct loop *loop CLEANUP(loop_cleanup) = new_loop(state);
    struct notes notes = { .loop = loop };

    notes.timers[0] = loop_timer_new(loop, sleep_then_set, &notes);
    notes.timers[1] = loop_timer_new(loop, stop_and_tell_how_long, &notes);
    loop_timer_set(notes.timers[0], 0);
    loop_run(loop);
    assert_true(notes.at_us >= 20000);
    loop_timer_free(notes.timers[0]);
    loop_timer_free(notes.timers[1]);
}

static void
free_all_timers(void *data)
{
    struct notes *notes = data;

    note(notes, 'f');
    for (size_t i = 0; i < COUNT_OF(notes->timers); i++) {
        loop_timer_free(notes->timers[i]);
        notes->timers[i] = NULL;
    }
}

static void
a_callback_may_free_itself_and_others_that_are_due(void **state)
{
    struct loop *loop CLEANUP(loop_cleanup) = new_loop(state);
    struct notes notes = { .loop = loop };
    struct loop_timer *end = loop_timer_new(loop, stop, &notes);

    for (size_t i = 0; i < COUNT_OF(notes.timers); i++) {
        notes.timers[i] = loop_timer_new(loop, free_all_timers, &notes);
        loop_timer_set(notes.timers[i], 0);
    }
    loop_timer_set(end, 20000);
    loop_run(loop);
    assert_string_equal(notes.text, "f.");
    loop_timer_free(end);
}

static void
socket_callback(void *data, bool can_read, bool can_write)
{
    struct notes *notes = data;
    char byte;

    if (can_write) {
        note(notes, 'w');
        loop_watch_set(notes->watch, true, false);
        assert_int_equal(write(notes->peer, "x", 1), 1);
    }
    if (can_read) {
        note(notes, 'r');
        assert_int_equal(read(notes->mine, &byte, 1), 1);
        loop_watch_free(notes->watch);
        notes->watch = NULL;
        loop_stop(notes->loop);
    }
}

static void
a_socket_is_watched_for_what_was_asked(void **state)
{
    struct loop *loop CLEANUP(loop_cleanup) = new_loop(state);
    struct notes notes = { .loop = loop };
    struct loop_timer *end = loop_timer_new(loop, stop, &notes);
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    notes.peer = pair[0];
    notes.mine = pair[1];
    notes.watch = loop_watch_new(loop, pair[1], socket_callback, &notes);

    /* There is a byte to be read and room to write, but nothing is asked for. */
    assert_int_equal(write(pair[0], "y", 1), 1);
    loop_timer_set(end, 10000);
    loop_run(loop);
    assert_string_equal(notes.text, ".");

    assert_int_equal(recv(pair[1], &(char){ 0 }, 1, 0), 1);
    loop_watch_set(notes.watch, false, true);
    loop_run(loop);
    assert_string_equal(notes.text, ".wr");
    loop_timer_free(end);
    close(pair[0]);
    close(pair[1]);
}

static void
a_stop_from_before_the_run_counts(void **state)
{
    struct loop *loop CLEANUP(loop_cleanup) = new_loop(state);
    struct notes notes = { .loop = loop };
    struct loop_timer *end = loop_timer_new(loop, stop, &notes);

    loop_stop(loop);
    loop_run(loop);
    loop_timer_set(end, 1000);
    loop_run(loop); /* the stop is used up: this one waits for the timer */
    assert_string_equal(notes.text, ".");
    loop_timer_free(end);
}

static void *
send_signal(void *data)
{
    struct timespec time = { .tv_nsec = 50000000 };

    /* The signal comes to this thread, not to the one that waits. */
    (void)data;
    nanosleep(&time, NULL);
    /* It is caught. NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread) */
    pthread_kill(pthread_self(), SIGTERM);
    return NULL;
}

static int
run_until_a_signal_in_another_thread(void)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct loop *loop;
    pthread_t thread;

    interrupt_catch();
    if (!loop_new(&ctx, &loop) || pthread_create(&thread, NULL, send_signal, NULL) != 0)
        return 10;
    alarm(60);
    loop_run(loop);
    pthread_join(thread, NULL);
    if (interrupt_signal() != SIGTERM)
        return 11;
    loop_run(loop); /* does not wait while the signal stands */
    loop_free(loop);
    if (interrupt_wake(-1) != -1)
        return 12;
    return 0;
}

static void
a_signal_ends_the_run_whatever_thread_it_comes_to(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        _exit(run_until_a_signal_in_another_thread());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
put_signal(void *data)
{
    (void)data;
    interrupt_put(SIGINT);
}

static void
a_signal_put_back_ends_the_run_too(void **state)
{
    struct loop *loop CLEANUP(loop_cleanup) = new_loop(state);
    struct loop_timer *timer = loop_timer_new(loop, put_signal, NULL);

    loop_timer_set(timer, 1000);
    loop_run(loop);
    assert_int_equal(interrupt_take(), SIGINT);
    loop_timer_free(timer);
}

static void
waiting_costs_nothing(void **state)
{
    struct loop *loop CLEANUP(loop_cleanup) = new_loop(state);
    struct notes notes = { .loop = loop };
    struct loop_timer *end = loop_timer_new(loop, stop, &notes);
    struct rusage before, after;

    /* How often it went to sleep by itself; what a busy machine does to it is counted apart. */
    loop_timer_set(end, 300000);
    getrusage(RUSAGE_THREAD, &before);
    loop_run(loop);
    getrusage(RUSAGE_THREAD, &after);
    assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 0, 5);
    loop_timer_free(end);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(timers_come_in_the_order_of_their_times),
        test_with_ctx(a_timer_never_comes_early),
        test_with_ctx(a_slow_callback_does_not_shorten_what_it_sets),
        test_with_ctx(a_callback_may_free_itself_and_others_that_are_due),
        test_with_ctx(a_socket_is_watched_for_what_was_asked),
        test_with_ctx(a_stop_from_before_the_run_counts),
        test_with_ctx(a_signal_ends_the_run_whatever_thread_it_comes_to),
        test_with_ctx(a_signal_put_back_ends_the_run_too),
        test_with_ctx(waiting_costs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
