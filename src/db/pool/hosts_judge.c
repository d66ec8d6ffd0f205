/* Who is the primary, and which standbys are fresh enough. */
#include "base/clock.h"
#include "base/log.h"
#include "db/pool/hosts_part.h"

/*
 * A list that names servers of two replications is a mistake; the server named first is right. False: it
 * has not said anything yet.
 */
static bool
knows_family(struct hosts *hosts)
{
    for (size_t i = 0; hosts->family == 0 && i < hosts->count; i++) {
        const struct host *host = &hosts->items[i];

        if (!host->is_up && !host->is_complained)
            return false;
        if (host->is_up)
            hosts->family = host->family;
    }
    return hosts->family != 0;
}

static bool
is_stranger(const struct hosts *hosts, struct host *host)
{
    bool was_stranger = host->is_stranger;

    host->is_stranger = host->family != hosts->family;
    if (host->is_stranger && !was_stranger)
        log_warn(
            "%s: it is not of the same replication as the others; it is not used", host->label);
    if (host->is_stranger)
        host->is_up = false;
    return host->is_stranger;
}

static bool
says_primary(const struct hosts *hosts, size_t number)
{
    const struct host *host = &hosts->items[number];

    return host->is_up && !host->is_standby && host->family == hosts->family;
}

/*
 * A server that was promoted has a higher timeline than the one it followed, so the highest is the
 * latest. One below the highest that was ever seen is of the past, even when it answers alone.
 */
static size_t
find_primary(const struct hosts *hosts)
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < hosts->count; i++) {
        if (!says_primary(hosts, i) || hosts->items[i].timeline < hosts->timeline)
            continue;
        if (best == SIZE_MAX || hosts->items[i].timeline > hosts->items[best].timeline ||
            (hosts->items[i].timeline == hosts->items[best].timeline && i == hosts->primary))
            best = i;
    }
    return best;
}

static void
tell_of_rivals(struct hosts *hosts, size_t primary)
{
    size_t rival = SIZE_MAX;

    for (size_t i = 0; i < hosts->count; i++)
        if (i != primary && says_primary(hosts, i))
            rival = i;
    if (rival == hosts->rival)
        return;
    hosts->rival = rival;
    if (rival == SIZE_MAX)
        return;

    const struct host *other = &hosts->items[rival];

    if (primary == SIZE_MAX)
        log_warn("%s says that it is the primary, on timeline %lld; there was one on timeline %lld "
                 "already, so nothing is sent to it",
            other->label, (long long)other->timeline, (long long)hosts->timeline);
    else
        log_warn("two servers say that they are the primary: %s, on timeline %lld, and %s, on "
                 "timeline %lld; only the former is used",
            hosts->items[primary].label, (long long)hosts->items[primary].timeline, other->label,
            (long long)other->timeline);
}

/* What was known of the one before tells nothing of how far the standbys of the new one are. */
static void
follow(struct hosts *hosts, size_t primary)
{
    const struct host *host = &hosts->items[primary];
    bool is_other = primary != hosts->primary || host->timeline != hosts->timeline;

    if (is_other && (hosts->timeline != 0 || primary != 0))
        log_info("the primary is %s, on timeline %lld", host->label, (long long)host->timeline);
    hosts->primary = primary;
    hosts->timeline = host->timeline;
    if (!is_other)
        return;
    hosts->sample_count = 0;
    for (size_t i = 0; i < hosts->count; i++) {
        hosts->items[i].is_fresh = false;
        hosts->items[i].lag_us = -1;
    }
}

/* The latest moment of which the standby has all, by where the primary was when it was asked. */
static int64_t
lag_by_position(const struct hosts *hosts, const struct host *host, int64_t now)
{
    for (size_t i = hosts->sample_count; i > 0; i--) {
        const struct host_sample *sample = &hosts->samples[i - 1];

        if (sample->position > host->position)
            continue;
        /* All that was written at the last look, which is not older than looks are apart. */
        if (i == hosts->sample_count && now - sample->at_us <= hosts->check_us)
            return 0;
        return now - sample->at_us;
    }
    return -1;
}

/* The same by the time that its last transaction was committed, by the primary's clock all through. */
static int64_t
lag_by_time(const struct hosts *hosts, const struct host *host, int64_t now)
{
    if (host->replayed_wall_us == 0 || hosts->wall_us == 0)
        return -1;

    int64_t lag = hosts->wall_us + (now - hosts->wall_at_us) - host->replayed_wall_us;

    return lag > 0 ? lag : 0;
}

/* Each of the two is an upper bound, so the lesser one counts. */
static int64_t
lag_of(const struct hosts *hosts, const struct host *host)
{
    int64_t now = clock_us();
    int64_t by_position = lag_by_position(hosts, host, now);
    int64_t by_time = lag_by_time(hosts, host, now);

    if (by_position < 0 || by_time < 0)
        return by_position < 0 ? by_time : by_position;
    return by_position < by_time ? by_position : by_time;
}

static void
judge_standby(struct hosts *hosts, struct host *host)
{
    bool is_comparable = host->is_up && host->is_standby && host->family == hosts->family &&
                         hosts->sample_count > 0 && host->timeline == hosts->timeline;
    bool was_fresh = host->is_fresh;

    host->lag_us = is_comparable ? lag_of(hosts, host) : -1;
    host->is_fresh = host->lag_us >= 0 && host->lag_us <= hosts->most_lag_us && host->is_streaming;
    if (was_fresh == host->is_fresh || !host->is_up)
        return;
    log_debug("%s: %s", host->label,
        host->is_fresh        ? "fresh enough for reads"
        : !host->is_streaming ? "receives nothing; no reads until it does"
                              : "too far behind for reads");
}

void
hosts_judge(struct hosts *hosts, struct host *host)
{
    if (knows_family(hosts) && (!host->is_up || !is_stranger(hosts, host))) {
        size_t primary = find_primary(hosts);

        tell_of_rivals(hosts, primary);
        if (primary != SIZE_MAX)
            follow(hosts, primary);
    }
    judge_standby(hosts, host);
}
