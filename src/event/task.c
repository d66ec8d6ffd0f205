#include "event/task.h"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/memory.h"

#ifdef __SANITIZE_ADDRESS__
#    include <sanitizer/asan_interface.h>
#    include <sanitizer/common_interface_defs.h>
#endif

enum {
    STACK_SIZE = 256 * 1024, /* address space: only what is touched is memory */
    MOST_KEPT = 16,          /* stacks that wait to be used again; more go back to the system */
};

/* What the sanitizer must know of a stack that is left and come back to. */
struct fiber {
    void *fake;
    const void *bottom;
    size_t size;
};

struct task {
    struct tasks *tasks;
    struct task *next; /* of those that wait to be used again */
    char *map;         /* the guard page, then the stack */
    size_t guard;
    task_body *body;
    void *data;
    ucontext_t here; /* where it waits */
    ucontext_t back; /* who made it go on: the loop, or another task */
    struct fiber here_fiber;
    struct fiber back_fiber;
    bool is_waiting;
    bool is_woken; /* before it waited */
    bool is_done;
};

struct tasks {
    int32_t most;
    int32_t count;
    int32_t kept;
    struct task *idle;
};

struct tasks *
tasks_new(int32_t most)
{
    struct tasks *tasks = calloc(1, sizeof(*tasks));

    if (!tasks)
        memory_exhausted(sizeof(*tasks));
    tasks->most = most;
    return tasks;
}

static void
free_task(struct task *task)
{
    munmap(task->map, task->guard + STACK_SIZE);
    free(task);
}

void
tasks_free(struct tasks *tasks)
{
    struct task *next;

    if (!tasks)
        return;
    /* Its stack may hold what others point to: going on would be worse than ending here. */
    if (tasks->count > 0)
        abort();
    for (struct task *at = tasks->idle; at; at = next) {
        next = at->next;
        free_task(at);
    }
    free(tasks);
}

/* The stack grows down, so the page below it is the one that too deep a recursion runs into. */
static bool
map_stack(struct task *task)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    long page = sysconf(_SC_PAGESIZE);
    void *map;

    task->guard = page > 0 ? (size_t)page : 4096;
    /* cppcheck-suppress invalidFunctionArg ; an anonymous map has no file */
    map = mmap(NULL, task->guard + STACK_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (map == MAP_FAILED)
        return false;
    if (mprotect(map, task->guard, PROT_NONE) < 0) {
        munmap(map, task->guard + STACK_SIZE);
        return false;
    }
    task->map = map;
    return true;
}

static struct task *
take_task(struct tasks *tasks)
{
    struct task *task = tasks->idle;

    if (task) {
        tasks->idle = task->next;
        tasks->kept--;
        return task;
    }
    task = calloc(1, sizeof(*task));
    if (task && !map_stack(task)) {
        free(task);
        return NULL;
    }
    return task;
}

static void
put_back(struct tasks *tasks, struct task *task)
{
    tasks->count--;
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(task->map + task->guard, STACK_SIZE);
#endif
    if (tasks->kept >= MOST_KEPT) {
        free_task(task);
        return;
    }
    task->next = tasks->idle;
    tasks->idle = task;
    tasks->kept++;
}

static void
leave(struct fiber *left, const struct fiber *entered)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(left ? &left->fake : NULL, entered->bottom, entered->size);
#else
    (void)left;
    (void)entered;
#endif
}

/* left: what is known of the stack that we come from is written there, unless it is NULL. */
static void
arrive(struct fiber *here, struct fiber *left)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(
        here ? here->fake : NULL, left ? &left->bottom : NULL, left ? &left->size : NULL);
#else
    (void)here;
    (void)left;
#endif
}

static void
switch_to(ucontext_t *from, const ucontext_t *to)
{
    /* It fails only for want of memory, of which it needs none. */
    /* cppcheck-suppress swapcontextCalled ; threads would need locks everywhere */
    if (swapcontext(from, to) < 0)
        abort();
}

/* The first function of a stack. makecontext() hands over ints alone, so the pointer comes in two. */
static void
begin(unsigned high, unsigned low)
{
    struct task *task = (struct task *)(uintptr_t)((uint64_t)high << 32 | low);

    arrive(NULL, &task->back_fiber);
    task->body(task, task->data);
    task->is_done = true;
    leave(NULL, &task->back_fiber);
    switch_to(&task->here, &task->back);
}

/* Runs the task until it waits or ends; from the loop, or from a task that has woken it. */
static void
go_on(struct task *task)
{
    struct fiber mine = { 0 };

    task->is_waiting = false;
    leave(&mine, &task->here_fiber);
    switch_to(&task->back, &task->here);
    arrive(&mine, NULL);
    if (task->is_done)
        put_back(task->tasks, task);
}

/* A fresh stack with begin() on it. */
static void
prepare(struct task *task)
{
    uint64_t address = (uintptr_t)task;

    task->here_fiber = (struct fiber){ .bottom = task->map + task->guard, .size = STACK_SIZE };
    /* cppcheck-suppress getcontextCalled */
    if (getcontext(&task->here) < 0)
        abort();
    task->here.uc_stack.ss_sp = task->map + task->guard;
    task->here.uc_stack.ss_size = STACK_SIZE;
    task->here.uc_link = NULL;
    makecontext(&task->here, (void (*)(void))begin, 2, (unsigned)(address >> 32),
        (unsigned)(address & UINT32_MAX));
}

bool
task_start(struct tasks *tasks, task_body *body, void *data)
{
    struct task *task;

    if (tasks->count >= tasks->most)
        return false;
    task = take_task(tasks);
    if (!task)
        return false;
    tasks->count++;
    task->tasks = tasks;
    task->next = NULL;
    task->body = body;
    task->data = data;
    task->is_woken = false;
    task->is_done = false;
    prepare(task);
    go_on(task);
    return true;
}

void
task_wait(struct task *task)
{
    if (task->is_woken) {
        task->is_woken = false;
        return;
    }
    task->is_waiting = true;
    leave(&task->here_fiber, &task->back_fiber);
    switch_to(&task->here, &task->back);
    arrive(&task->here_fiber, &task->back_fiber);
}

void
task_wake(struct task *task)
{
    if (task->is_waiting)
        go_on(task);
    else
        task->is_woken = true;
}
