/* Rows of the partitions go back into the table, in batches that nobody waits for long. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "change/kind_partition.h"
#include "db/ident.h"

enum { FIRST_ROWS = 1000, LEAST_ROWS = 100, MOST_ROWS = 100000, AIM_US = 100000 };

struct child {
    const char *name;     /* quoted */
    const char *relation; /* the table */
    const char *columns;
};

struct batch {
    int64_t rows; /* at most */
    int64_t moved;
    int64_t left; /* 0: the child is gone */
};

/*
 * Who changes rows of the child waits until the batch is through and then finds them where they are: an UPDATE that
 * found a row before it was moved would change nothing, and nobody would know. Reading and inserting go on.
 */
static bool
begin(struct ctx *ctx, struct rollout *rollout, const struct partition *made,
    const struct child *child, struct db_transaction *ret)
{
    const char *lock =
        arena_printf(ctx->arena, "LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE", child->name);

    if (!db_begin(ctx, rollout->db, NULL, ret) ||
        !db_exec(ctx, rollout->db, "SET LOCAL lock_timeout = '250ms'") ||
        !db_exec(ctx, rollout->db, "SET LOCAL row_security = off") ||
        !db_exec(ctx, rollout->db, lock))
        return false;
    if (!made->is_silent)
        return true;
    /* Without triggers nothing checks foreign keys: so nobody may delete what is referred to. */
    for (size_t i = 0; i < made->others.count; i++)
        if (!db_exec(ctx, rollout->db, made->others.items[i]))
            return false;
    return db_exec(ctx, rollout->db, "SET LOCAL session_replication_role = replica");
}

static bool
move(struct ctx *ctx, struct rollout *rollout, const struct partition *made,
    const struct child *child, int64_t rows, int64_t *ret_moved)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct result result;

    if (!rollout_check_room(ctx, rollout) || !begin(ctx, rollout, made, child, &transaction) ||
        !db_query(ctx, rollout->db,
            arena_printf(ctx->arena,
                "WITH /* pgmend */ moved AS (DELETE FROM ONLY %s WHERE ctid = ANY (ARRAY(SELECT ctid FROM ONLY %s "
                "LIMIT %lld)) RETURNING %s) INSERT INTO %s (%s) SELECT %s FROM moved",
                child->name, child->name, (long long)rows, child->columns, child->relation,
                child->columns, child->columns),
            NULL, 0, &result))
        return false;
    *ret_moved = result.affected;
    return db_commit(ctx, &transaction);
}

/* With one lock only, taken at once: who asked for more of a table it reads would be in a deadlock with clients. */
static bool
drop(struct ctx *ctx, struct rollout *rollout, const struct child *child, int64_t *ret_left)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const char *row;

    *ret_left = 1;
    if (!db_begin(ctx, rollout->db, NULL, &transaction) ||
        !db_exec(ctx, rollout->db, "SET LOCAL lock_timeout = '250ms'") ||
        !db_exec(ctx, rollout->db,
            arena_printf(ctx->arena, "LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE", child->name)) ||
        !db_value(ctx, rollout->db,
            arena_printf(ctx->arena, "SELECT 1 FROM ONLY %s LIMIT 1", child->name), NULL, 0, &row))
        return false;
    if (row)
        return true;
    *ret_left = 0;
    return db_exec(ctx, rollout->db, arena_printf(ctx->arena, "DROP TABLE %s", child->name)) &&
           db_commit(ctx, &transaction);
}

/* A batch; when there is none left, the end of the child. batch->left 0: it is gone. */
static bool
advance(struct ctx *ctx, struct rollout *rollout, const struct partition *made,
    const struct child *child, struct batch *batch)
{
    return move(ctx, rollout, made, child, batch->rows, &batch->moved) &&
           (batch->moved > 0 || drop(ctx, rollout, child, &batch->left));
}

static bool
shall_retry(struct ctx *ctx, struct rollout *rollout, int number, int64_t since_us)
{
    if (interrupt_signal())
        return false;
    if (is_lock_trouble(ctx))
        return clock_us() - since_us < rollout->limits.drop_us && rollout_pause(number + 1);
    return is_passing(ctx) && number < rollout->limits.retries &&
           (db_is_connected(rollout->db) || rollout_reconnect(ctx, rollout)) &&
           rollout_pause(number + 1);
}

static void
show(struct rollout *rollout, const struct child *child, int64_t started_us)
{
    struct rollout_progress progress = {
        .what = child->relation,
        .phase = "moving rows back",
        .ratio = -1,
        .elapsed_us = clock_us() - started_us,
        .left_us = -1,
    };

    if (rollout->observer.progress)
        rollout->observer.progress(rollout->observer.data, &progress);
}

static int64_t
adapt(int64_t rows, int64_t us)
{
    int64_t wanted = us > 0 ? rows * AIM_US / us : rows * 2;

    if (wanted > rows * 2)
        wanted = rows * 2;
    return wanted < LEAST_ROWS ? LEAST_ROWS : wanted > MOST_ROWS ? MOST_ROWS : wanted;
}

/* All rows of one child, and the child. */
static bool
empty(struct ctx *ctx, struct rollout *rollout, const struct partition *made,
    const struct child *child, int64_t *moved)
{
    int64_t started = clock_us();
    struct batch batch = { .rows = FIRST_ROWS, .left = 1 };

    while (batch.left > 0) {
        /* What a batch needs is freed with it. */
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct ctx scratch = { .arena = arena };
        int64_t began = clock_us();
        bool is_moved = advance(&scratch, rollout, made, child, &batch);

        for (int number = 0; !is_moved && shall_retry(&scratch, rollout, number, began); number++) {
            error_clear(&scratch);
            is_moved = advance(&scratch, rollout, made, child, &batch);
        }
        if (!is_moved && interrupt_signal())
            return interrupt_error(ctx, interrupt_signal());
        if (!is_moved)
            return error_set(ctx, scratch.error.kind, "moving the rows of %s back: %s", child->name,
                scratch.error.message);
        fault_point("partition");
        *moved += batch.moved;
        batch.rows = adapt(batch.rows, clock_us() - began);
        show(rollout, child, started);
    }
    return true;
}

bool
partition_move_back(
    struct ctx *ctx, struct rollout *rollout, const struct partition *made, int64_t *ret_rows)
{
    struct sql_change_partition_of_rows parts;
    struct sql_change_partition_facts_rows facts;

    *ret_rows = 0;
    if (!sql_change_partition_of(ctx, rollout->db, &parts, .table_oid = made->about.table_oid) ||
        !sql_change_partition_facts(
            ctx, rollout->db, &facts, .table_oid = made->about.table_oid, .key = made->key))
        return false;
    for (size_t i = 0; facts.count == 1 && i < parts.count; i++) {
        const struct child child = {
            .name = db_qualified(ctx->arena, parts.items[i].schema, parts.items[i].name),
            .relation = change_relation(ctx->arena, &made->about),
            .columns = facts.items[0].columns,
        };

        if (!empty(ctx, rollout, made, &child, ret_rows))
            return false;
    }
    return true;
}
