#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "event/edge.h"

/* One side of a pair of sockets, watched; peer is the other one. */
struct end {
    struct edge edge;
    struct edge_set *set;
    int peer;
    int calls;
    unsigned events;
    struct end *victim; /* removed from the set when this one is called back */
};

static void
note(struct edge *edge, unsigned events)
{
    struct end *end = (struct end *)edge;

    end->calls++;
    end->events |= events;
    if (end->victim)
        edge_remove(end->set, &end->victim->edge);
}

static struct edge_set *
new_set(struct ctx *ctx)
{
    struct edge_set *set;

    assert_true(edge_set_new(ctx, &set));
    return set;
}

static void
make_end(struct edge_set *set, struct end *ret, int *ret_socket)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    *ret = (struct end){ .edge = { .callback = note, .socket = -1 }, .set = set, .peer = pair[1] };
    *ret_socket = pair[0];
}

static void
open_end(struct edge_set *set, struct end *ret)
{
    int socket;

    make_end(set, ret, &socket);
    assert_true(edge_add(set, &ret->edge, socket));
    assert_int_equal(ret->edge.socket, socket);
}

static void
close_end(struct end *end)
{
    int socket = end->edge.socket;

    edge_remove(end->set, &end->edge);
    assert_int_equal(end->edge.socket, -1);
    if (socket >= 0)
        close(socket);
    if (end->peer >= 0)
        close(end->peer);
}

static void
drain(const struct end *end)
{
    char data[16];

    while (read(end->edge.socket, data, sizeof(data)) > 0)
        continue;
}

static void
test_each_change_is_told_once(void **state)
{
    struct edge_set *set = new_set(*state);
    struct end end;

    open_end(set, &end);
    assert_int_equal(edge_wait(set, 0), 1);
    assert_int_equal(end.events, EDGE_WRITE);
    assert_int_equal(edge_wait(set, 0), 0);

    end.events = 0;
    assert_int_equal(write(end.peer, "x", 1), 1);
    assert_int_equal(edge_wait(set, -1), 1);
    assert_true(end.events & EDGE_READ);
    assert_false(end.events & EDGE_ENDED);
    /* Nobody has read it, and still it is not told again. */
    assert_int_equal(edge_wait(set, 0), 0);

    assert_int_equal(write(end.peer, "y", 1), 1);
    assert_int_equal(edge_wait(set, -1), 1);
    drain(&end);

    end.events = 0;
    close(end.peer);
    end.peer = -1;
    assert_int_equal(edge_wait(set, -1), 1);
    assert_true(end.events & EDGE_ENDED);
    assert_int_equal(end.calls, 4);
    close_end(&end);
    edge_set_free(set);
}

static void
test_levels_are_told_until_they_are_gone(void **state)
{
    struct edge_set *set = new_set(*state);
    struct end end;
    int socket;

    make_end(set, &end, &socket);
    assert_true(edge_level(set, &end.edge, socket, EDGE_READ));
    assert_int_equal(edge_wait(set, 0), 0);
    assert_int_equal(write(end.peer, "x", 1), 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(edge_wait(set, -1), 1);
    assert_int_equal(end.events, EDGE_READ);

    drain(&end);
    assert_int_equal(edge_wait(set, 0), 0);
    assert_true(edge_level(set, &end.edge, socket, EDGE_READ | EDGE_WRITE));
    end.events = 0;
    assert_int_equal(edge_wait(set, -1), 1);
    assert_int_equal(end.events, EDGE_WRITE);
    assert_true(edge_level(set, &end.edge, socket, EDGE_READ));
    assert_int_equal(edge_wait(set, 0), 0);

    /* A library that opens its socket anew under the edge: the new one is watched. */
    close_end(&end);
    make_end(set, &end, &socket);
    assert_true(edge_level(set, &end.edge, socket, EDGE_WRITE));
    assert_int_equal(edge_wait(set, -1), 1);
    close_end(&end);
    edge_set_free(set);
}

/* Both happen in one wait; whoever is called back first removes, and frees, the other one. */
static void
test_removed_edges_are_not_called(void **state)
{
    struct edge_set *set = new_set(*state);
    struct end first;
    struct end second;

    open_end(set, &first);
    open_end(set, &second);
    edge_wait(set, 0);
    first.calls = 0;
    second.calls = 0;
    first.victim = &second;
    second.victim = &first;
    assert_int_equal(write(first.peer, "x", 1), 1);
    assert_int_equal(write(second.peer, "x", 1), 1);
    assert_int_equal(edge_wait(set, -1), 1);
    assert_int_equal(first.calls + second.calls, 1);
    assert_int_equal(edge_wait(set, 0), 0);
    close_end(&first);
    close_end(&second);
    edge_set_free(set);
}

/* More than are told by one wait. */
static void
test_many_sockets(void **state)
{
    enum { MANY = 300 };
    struct edge_set *set = new_set(*state);
    struct end *ends = ARENA_ARRAY(((struct ctx *)*state)->arena, struct end, MANY);
    int called = 0;

    for (int i = 0; i < MANY; i++)
        open_end(set, &ends[i]);
    while (called < MANY) {
        int now = edge_wait(set, 0);

        assert_true(now > 0);
        called += now;
    }
    assert_int_equal(edge_wait(set, 0), 0);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(ends[i].calls, 1);
        close_end(&ends[i]);
    }
    edge_set_free(set);
}

static void
test_socket_that_cannot_be_watched(void **state)
{
    struct edge_set *set = new_set(*state);
    struct edge edge = { .callback = note, .socket = -1 };

    assert_false(edge_add(set, &edge, -1));
    assert_int_equal(errno, EBADF);
    assert_int_equal(edge.socket, -1);
    edge_remove(set, &edge);
    edge_set_free(set);
}

/* The shortest of many waits of half a millisecond; 0: one was shorter than it was to be. */
static int64_t
shortest_wait(struct edge_set *set)
{
    int64_t shortest_us = INT64_MAX;

    for (int i = 0; i < 200; i++) {
        int64_t before_us = clock_us();
        int64_t took_us;

        edge_wait(set, 500);
        took_us = clock_us() - before_us;
        /* The clock is cut to microseconds at both ends. */
        if (took_us < 499)
            return 0;
        if (took_us < shortest_us)
            shortest_us = took_us;
    }
    return shortest_us;
}

static void
test_waits_are_exact(void **state)
{
    struct edge_set *set = new_set(*state);

    assert_in_range(shortest_wait(set), 499, 999);
    edge_set_free(set);
}

/* A kernel that does not know the exact call: made by a filter that refuses it, in another process. */
static int
without_exact_wait(struct ctx *ctx, unsigned error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { .len = COUNT_OF(code), .filter = code };
    struct edge_set *set;
    struct end end;
    int64_t shortest_us;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        return 77;
    if (!edge_set_new(ctx, &set))
        return 1;
    shortest_us = shortest_wait(set);
    if (shortest_us < 499 || shortest_us > 999)
        return 2;
    open_end(set, &end);
    if (edge_wait(set, 1000000) != 1 || end.events != EDGE_WRITE)
        return 3;
    if (write(end.peer, "x", 1) != 1 || edge_wait(set, -1) != 1 || !(end.events & EDGE_READ))
        return 4;
    return 0;
}

static void
test_older_kernels(void **state)
{
    static const unsigned errors[] = { ENOSYS, EPERM };

    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0)
            _exit(without_exact_wait(*state, errors[i]));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77)
            skip();
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static void *
send_signal(void *data)
{
    (void)data;
    /* To a thread that does not wait: it is the counter that must wake the other one. */
    raise(SIGTERM);
    return NULL;
}

static void
test_signal_ends_a_wait(void **state)
{
    struct edge_set *set = new_set(*state);
    pthread_t thread;
    sigset_t term;

    interrupt_catch();
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    assert_int_equal(pthread_create(&thread, NULL, send_signal, NULL), 0);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &term, NULL), 0);
    while (!interrupt_signal())
        edge_wait(set, -1);
    /* From now on it does not wait, until somebody has taken the signal. */
    assert_int_equal(edge_wait(set, -1), 0);
    assert_int_equal(interrupt_take(), SIGTERM);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_in_range(shortest_wait(set), 499, 999);
    edge_set_free(set);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_each_change_is_told_once),
        test_with_ctx(test_levels_are_told_until_they_are_gone),
        test_with_ctx(test_removed_edges_are_not_called),
        test_with_ctx(test_many_sockets),
        test_with_ctx(test_socket_that_cannot_be_watched),
        test_with_ctx(test_waits_are_exact),
        test_with_ctx(test_older_kernels),
        test_with_ctx(test_signal_ends_a_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
