/*
 * Following the table of the flags on a loop: a connection that listens, and looks now and then in case
 * a message was lost. What cannot be read changes nothing.
 */
#include <string.h>

#include "base/clock.h"
#include "base/vec.h"
#include "flags/flags.h"
#include "flags/reading.h"
#include "sql.h"

enum {
    CHECK_US = 5000000,
    POLL_US = 500000, /* where LISTEN is refused, as a standby does */
    LIMIT_US = 5000000,
    FIRST_PAUSE_US = 100000,
    LONGEST_PAUSE_US = 5000000,
};

/* A flag that this process has turned off, until the database knows. */
struct off {
    const char *name;
    const char *reason;
};

struct flag_follower {
    struct arena *arena;
    struct loop *loop;
    struct flag_follower_options options;
    struct loop_timer *timer;
    struct evented *evented; /* NULL: between two attempts */
    struct arena *flight;    /* of what is under way, or NULL */
    struct arena *held;      /* of the list */
    struct flag_list list;
    bool has_read;
    bool is_stale; /* a message came: look at once */
    bool is_listening;
    bool sent_listen; /* of the flight, before the table */
    int64_t pause_us;
    struct arena *error_arena;
    const char *error;
    VEC(struct off) offs;
    size_t sent_offs; /* of the flight, from the front */
};

static void connect_again(struct flag_follower *follower);

static void
set_error(struct flag_follower *follower, const char *message)
{
    /* The message may live in the arena itself. */
    struct arena *arena = arena_new();

    follower->error = message ? arena_strdup(arena, message) : NULL;
    arena_free(follower->error_arena);
    follower->error_arena = arena;
}

static void
tell_change(struct flag_follower *follower)
{
    if (follower->options.changed)
        follower->options.changed(follower->options.data, &follower->list);
}

static void
zero(struct flag *flag, const char *reason)
{
    flag->percent = 0;
    flag->fallback = 0;
    flag->until_us = 0;
    flag->shadow_ratio = 0;
    flag->reason = reason;
}

/* Pauses grow, and differ between the processes of a machine that have all lost the same server. */
static void
lose(struct flag_follower *follower, const char *why)
{
    int64_t jitter = clock_us() % (follower->pause_us / 4);

    set_error(follower, why);
    evented_close(follower->evented);
    follower->evented = NULL;
    follower->is_listening = false;
    arena_free(follower->flight);
    follower->flight = NULL;
    loop_timer_set(follower->timer, follower->pause_us + jitter);
    follower->pause_us *= 2;
    if (follower->pause_us > LONGEST_PAUSE_US)
        follower->pause_us = LONGEST_PAUSE_US;
}

static void
wait_for_more(struct flag_follower *follower)
{
    int64_t check_us = follower->options.check_us ? follower->options.check_us : CHECK_US;

    if (!follower->is_listening && check_us > POLL_US)
        check_us = POLL_US;
    loop_timer_set(follower->timer, follower->is_stale ? 0 : check_us);
}

/* Takes over what was read; the list before lives until those who used it have been told. */
static void
take_rows(struct flag_follower *follower, const struct evented_reply *reply)
{
    const struct sql_flags_flags *rows = reply->rows.items;
    struct arena *arena = arena_new();
    struct arena *before = follower->held;
    const char *problem;
    struct flag_list list = flags_read(arena, rows, reply->rows.count, &follower->list, &problem);

    set_error(follower, problem);
    for (size_t i = 0; i < list.count; i++)
        for (size_t j = 0; j < follower->offs.count; j++)
            if (text_equal(list.items[i].name, follower->offs.items[j].name))
                zero(&list.items[i], arena_strdup(arena, follower->offs.items[j].reason));
    if (follower->has_read && flags_are_same(&list, &follower->list)) {
        arena_free(arena);
        return;
    }
    follower->list = list;
    follower->held = arena;
    follower->has_read = true;
    tell_change(follower);
    arena_free(before);
}

/* Those that the database knows now are its own matter again. */
static void
take_offs(struct flag_follower *follower, const struct evented_reply *replies, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < follower->offs.count; i++) {
        if (i < count && replies[i].is_good)
            continue;
        if (i < count)
            set_error(follower, replies[i].error.message);
        follower->offs.items[kept++] = follower->offs.items[i];
    }
    follower->offs.count = kept;
}

/*
 * The flight is: what was turned off, LISTEN if this session does not listen yet, the table. The offs are
 * taken first, and with them the reading that follows them shows what they have done.
 */
static void
looked(void *data, struct evented_reply *replies, size_t count)
{
    struct flag_follower *follower = data;
    const struct evented_reply *table = &replies[count - 1];

    if (!evented_is_open(follower->evented)) {
        lose(follower, table->error.message);
        return;
    }
    follower->pause_us = FIRST_PAUSE_US;
    if (follower->sent_listen)
        follower->is_listening = replies[count - 2].is_good;
    set_error(follower, NULL);
    if (table->is_good)
        take_rows(follower, table);
    else
        set_error(follower, table->error.message);
    take_offs(follower, replies, follower->sent_offs);
    follower->sent_offs = 0;
    arena_free(follower->flight);
    follower->flight = NULL;
    wait_for_more(follower);
}

static void
look(struct flag_follower *follower)
{
    struct arena *arena = arena_new();
    size_t offs = follower->offs.count;
    size_t count;
    struct evented_request *requests = ARENA_ARRAY(arena, struct evented_request, offs + 2);

    for (size_t i = 0; i < offs; i++) {
        struct sql_flags_off_args *args = ARENA_NEW(arena, struct sql_flags_off_args);

        args->name = follower->offs.items[i].name;
        args->reason = follower->offs.items[i].reason;
        requests[i] = (struct evented_request){ .query = &query_flags_off, .args = args };
    }
    follower->sent_offs = offs;
    follower->sent_listen = !follower->is_listening;
    count = offs;
    if (follower->sent_listen)
        requests[count++].sql = "LISTEN pgmend_flag";
    requests[count++].query = &query_flags_flags;
    follower->is_stale = false;
    follower->flight = arena;
    loop_timer_stop(follower->timer);
    evented_send(follower->evented, requests, count, LIMIT_US, arena, looked, follower);
}

static void
opened(void *data, const struct error *error)
{
    struct flag_follower *follower = data;

    if (error)
        lose(follower, error->message);
    else
        look(follower);
}

static void
lost(void *data, const struct error *error)
{
    lose(data, error->message);
}

/* A callback of the connection: the look itself comes from the timer. */
static void
notified(void *data, const char *channel, const char *payload)
{
    struct flag_follower *follower = data;

    (void)channel;
    (void)payload;
    follower->is_stale = true;
    if (!follower->flight)
        loop_timer_set(follower->timer, 0);
}

static bool
begin(struct ctx *ctx, struct flag_follower *follower)
{
    const struct evented_events events = {
        .opened = opened,
        .lost = lost,
        .notified = notified,
        .data = follower,
    };

    return evented_open(ctx, follower->loop, &follower->options.db, &events, &follower->evented);
}

static void
connect_again(struct flag_follower *follower)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };

    if (!begin(&ctx, follower))
        lose(follower, ctx.error.message);
}

static void
time_has_come(void *data)
{
    struct flag_follower *follower = data;

    if (!follower->evented)
        connect_again(follower);
    else if (evented_is_open(follower->evented) && !follower->flight)
        look(follower);
}

bool
flag_follow(struct ctx *ctx, struct loop *loop, const struct flag_follower_options *options,
    struct flag_follower **ret)
{
    struct arena *arena = arena_new();
    struct flag_follower *follower = ARENA_NEW(arena, struct flag_follower);

    *follower = (struct flag_follower){
        .arena = arena,
        .loop = loop,
        .options = *options,
        .timer = loop_timer_new(loop, time_has_come, follower),
        .pause_us = FIRST_PAUSE_US,
    };
    /* flag_turn_off() writes, by way of a function that is allowed to. */
    follower->options.db.access = ACCESS_WRITE;
    if (!begin(ctx, follower)) {
        flag_follow_end(follower);
        return error_wrap(ctx, "following the flags");
    }
    *ret = follower;
    return true;
}

void
flag_follow_end(struct flag_follower *follower)
{
    if (!follower)
        return;
    evented_close(follower->evented);
    loop_timer_free(follower->timer);
    arena_free(follower->flight);
    arena_free(follower->held);
    arena_free(follower->error_arena);
    arena_free(follower->arena);
}

const struct flag_list *
flag_follow_list(const struct flag_follower *follower)
{
    return &follower->list;
}

const char *
flag_follow_error(const struct flag_follower *follower)
{
    return follower->error;
}

void
flag_turn_off(struct flag_follower *follower, const char *name, const char *reason)
{
    struct off off = {
        .name = arena_strdup(follower->arena, name),
        .reason = arena_strdup(follower->arena, reason),
    };

    for (size_t i = 0; i < follower->offs.count; i++)
        if (text_equal(follower->offs.items[i].name, name))
            return;
    VEC_PUSH(follower->arena, &follower->offs, off);
    for (size_t i = 0; i < follower->list.count; i++)
        if (text_equal(follower->list.items[i].name, name))
            zero(&follower->list.items[i], off.reason);
    follower->is_stale = true;
    tell_change(follower);
    if (follower->evented && evented_is_open(follower->evented) && !follower->flight)
        loop_timer_set(follower->timer, 0);
}
