/*
 * Straight code on a loop: a task is a function with a stack of its own that can wait without anything
 * else waiting. It is for work of many round trips, each of which needs the answer of the one before;
 * what is a single round trip is better off with a callback. One thread; tasks give way only in
 * task_wait().
 */
#pragma once

#include "base/base.h"

struct tasks;
struct task;

typedef void task_body(struct task *task, void *data);

/* Stacks that are used again and again, each with a guard page; at most so many tasks at a time. */
struct tasks *tasks_new(int32_t most);
/* There must be no task left. */
void tasks_free(struct tasks *tasks);

/*
 * Runs body now, until it waits for the first time or ends. False, without running it, when there are
 * as many tasks as there may be or no memory for a stack.
 */
bool task_start(struct tasks *tasks, task_body *body, void *data) MUST_CHECK;

/* Within the task: gives way until task_wake(); at once when that was called already. */
void task_wait(struct task *task);
/* From a callback of the loop: the task goes on inside of this call, until it waits again or ends. */
void task_wake(struct task *task);
