#include "vector/stage/meter.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    REST_US = 5000,      /* how long the process is watched at rest */
    REST_MOST_US = 1000, /* and how much it may use then */
    SPIN_LEAST_US = 500, /* what the work below takes at least, on any machine */
    SETTLE_US = 20000,   /* how long we wait for the process to lie down */
    SETTLE_STEP_US = 20,
};

/* Work that takes some milliseconds and reads no table. */
static const char spin[] = "SELECT pg_catalog.count(pg_catalog.md5(n::pg_catalog.text))"
                           " FROM pg_catalog.generate_series(1, 20000) AS n";

static const char log_settings[] =
    "SELECT pg_catalog.set_config('client_min_messages', 'log', true),"
    " pg_catalog.set_config('log_min_messages', 'fatal', true),"
    " pg_catalog.set_config('log_statement_stats', 'on', true)";

#define METER_TEXT(kind, text) [kind] = (text),
static const char *const kind_texts[] = { METER_KINDS(METER_TEXT) };
#undef METER_TEXT

const char *
meter_kind_text(enum meter_kind kind)
{
    return kind_texts[kind];
}

static bool
read_small(int fd, char *text, size_t size)
{
    ssize_t length = fd < 0 ? -1 : pread(fd, text, size - 1, 0);

    if (length <= 0)
        return false;
    text[length] = '\0';
    return true;
}

/* Whether the process sleeps: what it has used is booked completely only then. */
static bool
is_at_rest(int stat)
{
    char text[512];

    if (!read_small(stat, text, sizeof(text)))
        return true;

    /* The name before it, in parentheses, may hold anything. */
    const char *end = strrchr(text, ')');

    return !end || end[1] == '\0' || end[2] != 'R';
}

static int64_t
process_us(const struct meter *meter)
{
    char text[128];
    int64_t limit = clock_us() + SETTLE_US;

    while (!is_at_rest(meter->stat) && clock_us() < limit)
        usleep(SETTLE_STEP_US);
    if (!read_small(meter->schedstat, text, sizeof(text)))
        return 0;
    return strtoll(text, NULL, 10) / 1000;
}

/*
 * "! system usage stats:\n!\t0.000123 s user, 0.000045 s system, 0.000200 s elapsed\n…": one for
 * parsing, one for planning, one for running the statement.
 */
static void
hear(void *data, const char *message, const char *detail)
{
    struct meter *meter = data;
    const char *numbers = detail ? strstr(detail, "!\t") : NULL;
    char *end;
    double seconds;

    (void)message;
    if (!numbers)
        return;
    seconds = strtod(numbers + 2, &end);
    if (text_starts_with(end, " s user, "))
        seconds += strtod(end + strlen(" s user, "), NULL);
    meter->heard_us += (int64_t)(seconds * 1e6 + .5);
}

void
meter_start(struct meter *meter)
{
    meter->heard_us = 0;
    meter->since_us = meter->kind == METER_SCHEDSTAT ? process_us(meter) : clock_us();
}

int64_t
meter_end_us(struct meter *meter)
{
    if (meter->kind == METER_STATEMENT_LOG)
        return meter->heard_us;
    return (meter->kind == METER_SCHEDSTAT ? process_us(meter) : clock_us()) - meter->since_us;
}

const char *
meter_settings(const struct meter *meter)
{
    return meter->kind == METER_STATEMENT_LOG ? log_settings : NULL;
}

static int
open_of_process(int pid, const char *file)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static bool
is_server_name(int pid)
{
    char text[64];
    int fd = open_of_process(pid, "comm");
    bool is_read = read_small(fd, text, sizeof(text));

    if (fd >= 0)
        close(fd);
    return is_read && text_starts_with(text, "postgres");
}

static bool
is_local(const char *host)
{
    return !host || !*host || *host == '/' || *host == '@' || text_equal(host, "localhost") ||
           text_starts_with(host, "127.") || text_equal(host, "::1");
}

static void
close_files(struct meter *meter)
{
    if (meter->schedstat >= 0)
        close(meter->schedstat);
    if (meter->stat >= 0)
        close(meter->stat);
    meter->schedstat = -1;
    meter->stat = -1;
}

/* The process id can be that of another process: the server may live in a container of its own. */
static bool
is_seen(struct meter *meter)
{
    int pid = db_backend_pid(meter->db);

    if (!is_local(db_host(meter->db)) || !is_server_name(pid))
        return false;
    meter->schedstat = open_of_process(pid, "schedstat");
    meter->stat = open_of_process(pid, "stat");
    return meter->schedstat >= 0 && meter->stat >= 0;
}

static bool
try_schedstat(struct ctx *ctx, struct meter *meter, bool *ret_works)
{
    int64_t rest_us;

    if (!is_seen(meter))
        return true;
    meter_start(meter);
    if (!clock_sleep_us(REST_US))
        return true;
    rest_us = meter_end_us(meter);
    meter_start(meter);
    if (!db_exec(ctx, meter->db, spin))
        return error_wrap(ctx, "trying how CPU time can be measured");
    *ret_works = meter_end_us(meter) >= SPIN_LEAST_US && rest_us <= REST_MOST_US;
    return true;
}

/* Only those who may set log_statement_stats can do this: superusers, and from 15 on others. */
static bool
is_told(struct meter *meter)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    if (!db_begin(&ctx, meter->db, "READ ONLY", &transaction) ||
        !db_exec(&ctx, meter->db, log_settings))
        return false;
    meter_start(meter);
    return db_exec(&ctx, meter->db, spin) && meter_end_us(meter) >= SPIN_LEAST_US;
}

bool
meter_try(struct ctx *ctx, struct db *db, enum meter_kind kind, struct meter *ret, bool *ret_works)
{
    bool is_good = true;

    *ret = (struct meter){ .kind = kind, .db = db, .schedstat = -1, .stat = -1 };
    *ret_works = kind == METER_WALL;
    if (kind == METER_SCHEDSTAT)
        is_good = try_schedstat(ctx, ret, ret_works);
    if (kind == METER_STATEMENT_LOG) {
        ret->notices = (struct db_notices){ .hear = hear, .data = ret };
        db_notices_begin(db, &ret->notices);
        *ret_works = is_told(ret);
    }
    if (!*ret_works)
        meter_close(ret);
    return is_good;
}

bool
meter_open(struct ctx *ctx, struct db *db, struct meter *ret)
{
    bool works = false;

    for (enum meter_kind kind = METER_SCHEDSTAT; kind < METER_KIND_COUNT && !works; kind++)
        if (!meter_try(ctx, db, kind, ret, &works))
            return false;
    return true;
}

void
meter_close(struct meter *meter)
{
    close_files(meter);
    db_notices_end(&meter->notices);
}
