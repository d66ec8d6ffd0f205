/* Waking up when it was asked for: what the kernel saves by waking a thread late, it shall not save here. */
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "load/engine/parts.h"

/*
 * Who asks for short turns gets them sooner: the same share of the processors, no right needed. Linux 6.12
 * and later; others take no notice.
 */
#define TURN_NS 100000
/*
 * Who may (root, or by RLIMIT_NICE) goes first: what the generator takes of the processors is little, and each
 * delay of its own would be told as the server's. Not a real-time priority, which could keep all others out.
 */
#define NICE (-10)

void
load_punctual_begin(struct load_punctual *ret)
{
    struct sched_attr attributes = { .size = sizeof(attributes) };

    *ret = (struct load_punctual){ .slack_ns = prctl(PR_GET_TIMERSLACK) };
    /* Else a thread sleeps 50 us longer than it asked for. */
    prctl(PR_SET_TIMERSLACK, 1UL);
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) < 0 ||
        attributes.sched_policy != SCHED_NORMAL)
        return;
    ret->turn_ns = attributes.sched_runtime;
    ret->nice = attributes.sched_nice;
    attributes.sched_runtime = TURN_NS;
    if (attributes.sched_nice > NICE)
        attributes.sched_nice = NICE;
    ret->has_turn = syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
    if (ret->has_turn)
        return;
    attributes.sched_nice = ret->nice;
    ret->has_turn = syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

void
load_punctual_end(const struct load_punctual *punctual)
{
    struct sched_attr attributes = { .size = sizeof(attributes) };

    if (punctual->slack_ns > 0)
        prctl(PR_SET_TIMERSLACK, (unsigned long)punctual->slack_ns);
    if (!punctual->has_turn ||
        syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) < 0)
        return;
    attributes.sched_runtime = punctual->turn_ns;
    attributes.sched_nice = punctual->nice;
    /* What it was before; and if that is refused, short turns take nothing from anybody. */
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) < 0)
        return;
}
