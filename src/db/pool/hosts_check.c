/*
 * Asks each host who it is and how far it is. The primary is asked first and its standbys a moment
 * later, so that one that follows within that moment is found to have all of it.
 */
#include "base/clock.h"
#include "base/log.h"
#include "db/pool/hosts_part.h"

enum {
    LEAST_LIMIT_US = 1000000,
    MOST_AFTER_US = 20000, /* what a healthy standby needs to replay is far less */
    COLUMNS = 7,
};

/*
 * Nothing of it needs a right that not everybody has. Through a pooler another session may answer each
 * time, so everything is qualified. The details of pg_stat_wal_receiver are shown to members of
 * pg_read_all_stats only; others see that there is one. Then the timeline of a standby is that of its
 * control file, which follows a promotion at the next restart point.
 */
static const char check_sql[] =
    "SELECT r.is_standby,"
    " CASE WHEN r.is_standby THEN"
    "   pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0')"
    "  ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0') END,"
    " CASE WHEN r.is_standby THEN"
    "   COALESCE(w.received_tli, (SELECT GREATEST(c.min_recovery_end_timeline, k.timeline_id)"
    "     FROM pg_catalog.pg_control_recovery() AS c, pg_catalog.pg_control_checkpoint() AS k))"
    "   ::pg_catalog.int8"
    "  ELSE ('x' OPERATOR(pg_catalog.||) pg_catalog.left(pg_catalog.pg_walfile_name("
    "     pg_catalog.pg_current_wal_lsn()), 8))::pg_catalog.bit(32)::pg_catalog.int8 END,"
    " w.pid IS NOT NULL AND COALESCE(w.status, 'streaming') OPERATOR(pg_catalog.=) 'streaming',"
    " pg_catalog.trunc(pg_catalog.date_part('epoch', COALESCE("
    "   pg_catalog.pg_last_xact_replay_timestamp(), 'epoch'))::pg_catalog.numeric"
    "   OPERATOR(pg_catalog.*) 1000000),"
    " pg_catalog.trunc(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())"
    "   ::pg_catalog.numeric OPERATOR(pg_catalog.*) 1000000),"
    " (SELECT s.system_identifier FROM pg_catalog.pg_control_system() AS s)"
    " FROM (SELECT pg_catalog.pg_is_in_recovery() AS is_standby) AS r"
    " LEFT JOIN pg_catalog.pg_stat_wal_receiver AS w ON true";

static void
close_check(struct host *host)
{
    evented_close(host->evented);
    host->evented = NULL;
}

static void
leave(struct host *host, const char *why)
{
    if (!host->is_complained)
        log_warn("%s: %s%s", host->label, why,
            host->is_standby ? "; its reads go elsewhere until it answers" : "");
    host->is_complained = true;
    host->is_up = false;
    hosts_judge(host->hosts, host);
}

static bool
read_number(const struct result *result, size_t column, int64_t *ret)
{
    const char *cell = result_cell(result, 0, column);

    return cell && text_to_int64(cell, ret);
}

static bool
read_answer(struct host *host, const struct result *result, int64_t *ret_wall_us)
{
    int64_t position = 0;

    if (result->rows != 1 || result->columns != COLUMNS || !read_number(result, 1, &position) ||
        !read_number(result, 2, &host->timeline) ||
        !read_number(result, 4, &host->replayed_wall_us) || !read_number(result, 5, ret_wall_us) ||
        !read_number(result, 6, &host->family))
        return false;
    host->is_standby = text_equal(result_cell(result, 0, 0), "t");
    host->is_streaming = text_equal(result_cell(result, 0, 3), "t");
    host->position = (uint64_t)position;
    return true;
}

/* What is written while the answer is on its way is not in it: the time of asking counts. */
static void
add_sample(struct hosts *hosts, const struct host *host, int64_t wall_us)
{
    struct host_sample *last =
        hosts->sample_count > 0 ? &hosts->samples[hosts->sample_count - 1] : NULL;

    hosts->wall_us = wall_us;
    hosts->wall_at_us = host->asked_us;
    if (last && last->position >= host->position) {
        last->at_us = host->asked_us;
        return;
    }
    if (hosts->sample_count == HOSTS_SAMPLES) {
        memmove(
            hosts->samples, hosts->samples + 1, (HOSTS_SAMPLES - 1) * sizeof(struct host_sample));
        hosts->sample_count--;
    }
    hosts->samples[hosts->sample_count++] =
        (struct host_sample){ .at_us = host->asked_us, .position = host->position };
}

static void
answered(void *data, struct evented_reply *replies, size_t count)
{
    struct host *host = data;
    struct hosts *hosts = host->hosts;
    int64_t wall_us = 0;

    (void)count;
    if (!replies[0].is_good || !read_answer(host, &replies[0].result, &wall_us)) {
        leave(
            host, replies[0].is_good ? "it does not say how far it is" : replies[0].error.message);
        if (!evented_is_open(host->evented))
            close_check(host);
        return;
    }
    if (host->is_complained)
        log_info("%s: it answers again", host->label);
    host->is_complained = false;
    host->is_up = true;
    hosts_judge(hosts, host);
    if (!host->is_standby && host == &hosts->items[hosts->primary])
        add_sample(hosts, host, wall_us);
}

static void
ask(struct host *host)
{
    static const struct evented_request request = { .sql = check_sql };
    int64_t limit_us = host->hosts->check_us;

    arena_reset(host->arena);
    host->asked_us = clock_us();
    evented_send(host->evented, &request, 1, limit_us > LEAST_LIMIT_US ? limit_us : LEAST_LIMIT_US,
        host->arena, answered, host);
}

static void
opened(void *data, const struct error *error)
{
    struct host *host = data;

    if (!error) {
        ask(host);
        return;
    }
    leave(host, error->message);
    close_check(host);
}

static void
lost(void *data, const struct error *error)
{
    struct host *host = data;

    leave(host, error->message);
    close_check(host);
}

static void
connect_check(struct host *host)
{
    struct evented_events events = { .opened = opened, .lost = lost, .data = host };
    struct ctx ctx = { .arena = host->arena };

    arena_reset(host->arena);
    if (!evented_open_plain(&ctx, host->hosts->loop, &host->db, &events, &host->evented))
        leave(host, ctx.error.message);
}

static void
tried(void *data, const struct pool_outcome *outcome)
{
    struct host *host = data;

    (void)outcome;
    host->trial = NULL;
}

/* The server answers, but requests get no connection: whether they would is not for them to find out. */
static void
try_pool(struct host *host)
{
    static const struct pool_statement statement = { .sql = "SELECT 1" };
    struct pool_work work = {
        .statements = &statement,
        .count = 1,
        .is_repeatable = true,
        .limit_us = LEAST_LIMIT_US,
        .arena = host->trial_arena,
        .done = tried,
        .data = host,
    };

    if (!host->is_up || host->trial || pool_is_up(host->pool))
        return;
    arena_reset(host->trial_arena);

    struct pool_ticket *ticket = pool_run(host->pool, &work);

    if (ticket)
        host->trial = ticket;
}

static void
ask_if_idle(struct host *host)
{
    if (host->evented && evented_is_open(host->evented) && !evented_is_busy(host->evented))
        ask(host);
}

static void
ask_standbys(void *data)
{
    struct hosts *hosts = data;

    for (size_t i = 0; i < hosts->count; i++)
        if (hosts->items[i].is_up && hosts->items[i].is_standby)
            ask_if_idle(&hosts->items[i]);
}

static void
ask_all(void *data)
{
    struct hosts *hosts = data;
    int64_t after_us = hosts->check_us / 10;

    loop_timer_set(hosts->tick, hosts->check_us);
    for (size_t i = 0; i < hosts->count; i++) {
        struct host *host = &hosts->items[i];

        if (!host->evented)
            connect_check(host);
        else if (host->is_up && evented_is_open(host->evented) && evented_is_busy(host->evented) &&
                 clock_us() - host->asked_us > hosts->check_us / 2)
            leave(host, "it does not answer");
        else if (!host->is_up || !host->is_standby)
            ask_if_idle(host);
        try_pool(host);
    }
    loop_timer_set(hosts->after, after_us < MOST_AFTER_US ? after_us : MOST_AFTER_US);
}

void
hosts_check_start(struct hosts *hosts)
{
    hosts->tick = loop_timer_new(hosts->loop, ask_all, hosts);
    hosts->after = loop_timer_new(hosts->loop, ask_standbys, hosts);
    loop_timer_set(hosts->tick, 0);
}

void
hosts_check_stop(struct hosts *hosts)
{
    loop_timer_free(hosts->tick);
    loop_timer_free(hosts->after);
    hosts->tick = NULL;
    hosts->after = NULL;
    for (size_t i = 0; i < hosts->count; i++) {
        struct host *host = &hosts->items[i];

        if (host->trial)
            pool_drop(host->trial);
        host->trial = NULL;
        close_check(host);
    }
}
