/* A pool on a loop, queries for it, and a blocking session beside it that looks on and makes faults. */
#pragma once

#include "support/test.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/pool/pool.h"

/* However busy the machine is: what takes longer hangs. */
enum { DESK_LIMIT_US = 120000000, DESK_MOST = 1200 };

struct one_text {
    const char *text;
};

struct one_number {
    int64_t number;
};

/* clang-format off */
static const struct field text_fields[] = { FIELD(struct one_text, text) };
static const struct field number_fields[] = { FIELD(struct one_number, number) };
static const char *const text_types[] = { "text" };
static const char *const number_types[] = { "int8" };

/* A query with a number as argument, whose rows are of a text or a number. */
#define DESK_QUERY(of, sql)                                                  \
    {                                                                        \
        .name = "test/" #of, .variants = &(const struct query_variant){ 0, sql }, \
        .variant_count = 1, .args = number_fields, .arg_count = 1,           \
        .arg_types = number_types, .columns = of##_fields, .column_count = 1, \
        .column_types = of##_types, .row_size = sizeof(struct one_##of),     \
    }
/* clang-format on */

static const struct query ask_number = DESK_QUERY(number, "SELECT $1::pg_catalog.int8");
static const struct query ask_sleep = DESK_QUERY(text,
    "SELECT pg_catalog.pg_sleep($1::pg_catalog.int8::pg_catalog.float8 / 1000)::pg_catalog.text");
static const struct query ask_pid =
    DESK_QUERY(number, "SELECT ($1::pg_catalog.int8 * 0 + pg_catalog.pg_backend_pid())");
static const struct query ask_division = DESK_QUERY(number, "SELECT 1 / $1::pg_catalog.int8");
static const struct query ask_write =
    DESK_QUERY(number, "INSERT INTO public.done VALUES ($1) RETURNING number");

/* Both wait as long as somebody holds the lock. */
static const struct query ask_locked = DESK_QUERY(number,
    "SELECT $1::pg_catalog.int8 FROM (SELECT pg_catalog.pg_advisory_xact_lock_shared(42)) AS l");
static const struct query ask_locked_write = DESK_QUERY(number,
    "INSERT INTO public.done SELECT $1::pg_catalog.int8 "
    "FROM (SELECT pg_catalog.pg_advisory_xact_lock_shared(42)) AS l RETURNING number");

/* What was asked for, and what came of it. */
struct asked {
    struct desk *desk;
    struct one_number args[2];
    struct pool_ticket *ticket;
    struct pool_lease *lease;
    int32_t times; /* it was called back */
    int32_t order; /* among all that were */
    bool is_good;
    struct error error;
    const char *text;
    int64_t number;
    int64_t last_number; /* of the last statement */
    int32_t statements;
    int64_t waited_us;
    int64_t ran_us;
};

struct desk {
    struct ctx ctx;
    struct loop *loop;
    struct loop_timer *guard; /* ends a test that hangs */
    struct loop_timer *poll;
    struct db *admin;
    struct pool *pool;
    struct pool_options options;
    int32_t answered;
    int32_t wanted;
    bool is_drained;
    bool (*until)(struct desk *desk);
};

static inline void
desk_must(struct desk *desk, bool is_good)
{
    if (!is_good)
        fail_msg("%s", desk->ctx.error.message);
}

static inline const char *
desk_value(struct desk *desk, const char *sql)
{
    const char *cell = NULL;

    desk_must(desk, db_value(&desk->ctx, desk->admin, sql, NULL, 0, &cell));
    return cell;
}

static inline int64_t
desk_number(struct desk *desk, const char *sql)
{
    int64_t number = 0;

    if (!text_to_int64(desk_value(desk, sql), &number))
        fail_msg("%s: not a number", sql);
    return number;
}

static inline void
desk_do(struct desk *desk, const char *sql)
{
    desk_must(desk, db_exec(&desk->ctx, desk->admin, sql));
}

static inline void
desk_hangs(void *data)
{
    (void)data;
    fail_msg("the loop waits for what does not come");
}

static inline void
desk_looks(void *data)
{
    struct desk *desk = data;

    if (desk->until && desk->until(desk))
        loop_stop(desk->loop);
    else
        loop_timer_set(desk->poll, 5000);
}

/* Runs the loop until the condition holds; it is looked at again and again. */
static inline void
desk_run_until(struct desk *desk, bool (*until)(struct desk *desk))
{
    desk->until = until;
    loop_timer_set(desk->poll, 0);
    loop_run(desk->loop);
    loop_timer_stop(desk->poll);
    desk->until = NULL;
}

/* Runs it until at least so many callbacks have come since the last time. */
static inline void
desk_run_some(struct desk *desk, int32_t wanted)
{
    desk->wanted = wanted;
    if (desk->answered < wanted)
        loop_run(desk->loop);
    desk->wanted = 0;
}

/* The same with exactly as many. */
static inline void
desk_run(struct desk *desk, int32_t wanted)
{
    desk_run_some(desk, wanted);
    assert_int_equal(desk->answered, wanted);
    desk->answered = 0;
}

static inline void
desk_count(struct desk *desk)
{
    if (++desk->answered == desk->wanted)
        loop_stop(desk->loop);
}

static inline void
desk_answered(void *data, const struct pool_outcome *outcome)
{
    struct asked *asked = data;

    asked->times++;
    asked->ticket = NULL;
    asked->order = asked->desk->answered;
    asked->is_good = outcome->is_good;
    asked->error = outcome->error;
    asked->statements = outcome->statements;
    asked->waited_us = outcome->waited_us;
    asked->ran_us = outcome->ran_us;
    if (outcome->is_good && outcome->count > 0 && outcome->rows[0].count > 0) {
        asked->text = ((const struct one_text *)outcome->rows[0].items)->text;
        asked->number = ((const struct one_number *)outcome->rows[0].items)->number;
    }
    if (outcome->is_good && outcome->count > 1 && outcome->rows[outcome->count - 1].count > 0)
        asked->last_number =
            ((const struct one_number *)outcome->rows[outcome->count - 1].items)->number;
    desk_count(asked->desk);
}

static inline struct asked *
desk_new_asked(struct desk *desk, int64_t number)
{
    struct asked *asked = ARENA_NEW(desk->ctx.arena, struct asked);

    asked->desk = desk;
    asked->args[0].number = number;
    return asked;
}

/* One query, asked of the pool; is_repeatable as in pool.h. */
static inline struct asked *
desk_ask(struct desk *desk, enum pool_lane lane, const struct query *query, int64_t number,
    bool is_repeatable, int64_t limit_us)
{
    struct asked *asked = desk_new_asked(desk, number);
    struct pool_statement statement = { .query = query, .args = &asked->args[0] };
    struct pool_work work = {
        .statements = &statement,
        .count = 1,
        .lane = lane,
        .is_repeatable = is_repeatable,
        .limit_us = limit_us,
        .arena = desk->ctx.arena,
        .done = desk_answered,
        .data = asked,
    };
    struct pool_ticket *ticket = pool_run(desk->pool, &work);

    if (asked->times == 0)
        asked->ticket = ticket;
    return asked;
}

static inline struct asked *
desk_read(struct desk *desk, enum pool_lane lane, int64_t number)
{
    return desk_ask(desk, lane, &ask_number, number, true, 0);
}

static inline void
assert_good(const struct asked *asked)
{
    assert_int_equal(asked->times, 1);
    if (!asked->is_good)
        fail_msg("%s", asked->error.message);
}

static inline void
assert_bad(const struct asked *asked, enum error_kind kind)
{
    assert_int_equal(asked->times, 1);
    assert_false(asked->is_good);
    if (asked->error.kind != kind)
        fail_msg("%s: %s", error_kind_name(asked->error.kind), asked->error.message);
    assert_non_null(asked->error.message);
}

static inline void
desk_open(struct desk *desk)
{
    desk_must(desk, pool_new(&desk->ctx, desk->loop, &desk->options, &desk->pool));
}

static inline int
desk_set_up_at(void **state, const char *url)
{
    struct arena *arena = arena_new();
    struct desk *desk = ARENA_NEW(arena, struct desk);
    struct db_options options = { .url = url, .application = "test_pool", .access = ACCESS_WRITE };

    desk->ctx.arena = arena;
    desk_must(desk, loop_new(&desk->ctx, &desk->loop));
    desk_must(desk, db_open(&desk->ctx, &options, &desk->admin));
    desk->guard = loop_timer_new(desk->loop, desk_hangs, desk);
    desk->poll = loop_timer_new(desk->loop, desk_looks, desk);
    loop_timer_set(desk->guard, DESK_LIMIT_US);
    pool_options_set_defaults(&desk->options);
    desk->options.db = options;
    desk->options.name = "t";
    *state = desk;
    return 0;
}

static inline int
desk_tear_down(void **state)
{
    struct desk *desk = *state;

    pool_free(desk->pool);
    db_close(desk->admin);
    loop_timer_free(desk->poll);
    loop_timer_free(desk->guard);
    loop_free(desk->loop);
    arena_free(desk->ctx.arena);
    return 0;
}

#ifdef DESK_DATABASE /* of the test's own, on the common server */

static inline int
desk_make_database(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct db *own CLEANUP(db_cleanup) = NULL;
    struct db_options options = { .application = "test_pool", .access = ACCESS_WRITE };

    (void)state;
    if (!db_open(&ctx, &options, &db) ||
        !db_exec(&ctx, db, "DROP DATABASE IF EXISTS " DESK_DATABASE " WITH (FORCE)") ||
        !db_exec(&ctx, db, "CREATE DATABASE " DESK_DATABASE))
        fail_msg("%s", ctx.error.message);
    options.url = "dbname=" DESK_DATABASE;
    if (!db_open(&ctx, &options, &own) ||
        !db_exec(&ctx, own, "CREATE TABLE public.done (number int8)"))
        fail_msg("%s", ctx.error.message);
    return 0;
}

static inline int
desk_drop_database(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct db_options options = { .application = "test_pool", .access = ACCESS_WRITE };

    (void)state;
    if (!db_open(&ctx, &options, &db) ||
        !db_exec(&ctx, db, "DROP DATABASE IF EXISTS " DESK_DATABASE " WITH (FORCE)"))
        fail_msg("%s", ctx.error.message);
    return 0;
}

static inline int
desk_set_up(void **state)
{
    return desk_set_up_at(state, "dbname=" DESK_DATABASE);
}

#    define test_at_desk(test) cmocka_unit_test_setup_teardown(test, desk_set_up, desk_tear_down)

#    define SLEEPING                                                                       \
        "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = '" DESK_DATABASE \
        "' AND "                                                                           \
        "state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_catalog.pg_backend_pid()"

static inline bool
one_sleeps(struct desk *desk)
{
    return desk_number(desk, SLEEPING) == 1;
}

static inline bool
two_sleep(struct desk *desk)
{
    return desk_number(desk, SLEEPING) == 2;
}

static inline bool
some_sleep(struct desk *desk)
{
    return desk_number(desk, SLEEPING) > 0;
}

static inline bool
none_sleeps(struct desk *desk)
{
    return desk_number(desk, SLEEPING) == 0;
}

static inline void
lease_taken(void *data, struct pool_lease *lease, const struct error *error)
{
    struct asked *asked = data;

    asked->times++;
    asked->lease = lease;
    asked->ticket = NULL;
    asked->is_good = lease;
    asked->order = asked->desk->answered;
    if (error)
        asked->error = *error;
    desk_count(asked->desk);
}

static inline struct asked *
take_lease(struct desk *desk)
{
    struct asked *asked = desk_new_asked(desk, 0);
    struct pool_ticket *ticket = pool_lease(desk->pool, 0, lease_taken, asked);

    if (asked->times == 0)
        asked->ticket = ticket;
    return asked;
}

#endif
