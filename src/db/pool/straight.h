/*
 * The pool for tasks (event/task.h): calls that return when the answer is there. ERR_INTERRUPTED: the
 * client has gone (straight_drop()); a task then unwinds like after any other error.
 */
#pragma once

#include "db/pool/pool.h"
#include "event/task.h"

/* What a task works with; { .task = …, .pool = … } starts one. */
struct straight {
    struct task *task;
    struct pool *pool;
    struct pool_ticket *ticket;
    struct pool_lease *lease; /* NULL: none is held */
    bool is_dropped;
    int32_t statements; /* that were sent so far */
    int64_t until_us;   /* the limit as given, for waiting and all statements; 0: none */
};

bool straight_begin(struct ctx *ctx, struct straight *straight, int64_t limit_us) MUST_CHECK;
/* One query; rows live in the context's arena. ret_rows NULL: of a statement without columns. */
bool straight_ask(struct ctx *ctx, struct straight *straight, const struct query *query,
    const void *args, void *ret_rows) MUST_CHECK;
/* A text without arguments and rows. */
bool straight_do(struct ctx *ctx, struct straight *straight, const char *sql) MUST_CHECK;
/* Gives the connection back; nothing happens without one. */
void straight_end(struct straight *straight);
/* From outside of the task: the client has gone. The task is woken and its calls fail from now on. */
void straight_drop(struct straight *straight);
