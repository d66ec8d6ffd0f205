#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>

#include "load/engine/parts.h"

/* Beside connections: files, the database, the terminal, libraries. */
enum { SPARE_DESCRIPTORS = 100 };

/* Requests a second that the schedule asks for; who never thinks has no schedule. */
static double
scheduled_rate(const struct load_scenario *scenario)
{
    double rate = 0;

    for (size_t i = 0; i < scenario->group_count; i++) {
        const struct load_group *group = &scenario->groups[i];
        double think_us = load_group_think_us(group);

        if (group->rate > 0)
            rate += group->rate;
        else if (think_us > 0)
            rate += group->users / think_us * 1e6;
    }
    return rate;
}

static bool
check_groups(struct ctx *ctx, const struct load_scenario *scenario)
{
    for (size_t i = 0; i < scenario->group_count; i++) {
        const struct load_group *group = &scenario->groups[i];

        if (group->users > 0 && group->mix_count == 0)
            return error_set(
                ctx, ERR_USAGE, "the users of group \"%s\" have nothing to do", group->name);
    }
    if (scenario->users <= 0)
        return error_set(ctx, ERR_USAGE, "the scenario has no users");
    return true;
}

bool
load_limits_check(
    struct ctx *ctx, const struct load_scenario *scenario, const struct load_options *options)
{
    int64_t time_us = scenario->ramp_up_us + scenario->warm_up_us + scenario->duration_us;
    double rate = scheduled_rate(scenario);

    if (!check_groups(ctx, scenario))
        return false;
    if (scenario->users > LOAD_MOST_USERS)
        return error_set(ctx, ERR_USAGE, "%" PRId64 " users are too many: at most %d",
            scenario->users, LOAD_MOST_USERS);
    if (rate > LOAD_MOST_RATE) {
        error_set(ctx, ERR_USAGE, "%.0f requests a second by the schedule are too many: at most %d",
            rate, LOAD_MOST_RATE);
        return error_hint(ctx, "Give fewer users, a lower rate or longer think times.");
    }
    if (scenario->duration_us <= 0)
        return error_set(ctx, ERR_USAGE, "a run needs a duration");
    if (time_us > LOAD_LONGEST_US)
        return error_set(ctx, ERR_USAGE,
            "ramp-up, warm-up and duration are %" PRId64 " s together: at most %" PRId64 " s",
            time_us / 1000000, LOAD_LONGEST_US / 1000000);
    /* Who ends it by hand does not plan how much it will be. */
    if (!options->until_signal && rate * (double)time_us / 1e6 > (double)LOAD_MOST_REQUESTS) {
        error_set(ctx, ERR_USAGE,
            "%.0f requests a second for %" PRId64 " s are too many: at most %" PRId64 " requests",
            rate, time_us / 1000000, LOAD_MOST_REQUESTS);
        return error_hint(ctx, "Give a lower rate or a shorter duration.");
    }
    return true;
}

bool
load_limits_descriptors(struct ctx *ctx, int64_t users)
{
    rlim_t needed = (rlim_t)users + SPARE_DESCRIPTORS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return error_set_errno(ctx, "could not ask how many files may be open");
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed) {
        error_set(ctx, ERR_USAGE,
            "%" PRId64 " users need %" PRIu64
            " file descriptors, but this process may have %" PRIu64,
            users, (uint64_t)needed, (uint64_t)limit.rlim_max);
        return error_hint(ctx,
            "Raise the limit to %" PRIu64 ": \"ulimit -n %" PRIu64
            "\" in the shell (as root), LimitNOFILE=%" PRIu64
            " in a systemd unit, or \"* hard nofile %" PRIu64
            "\" in /etc/security/limits.conf; or give fewer users.",
            (uint64_t)needed, (uint64_t)needed, (uint64_t)needed, (uint64_t)needed);
    }
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed)
        return true;
    limit.rlim_cur = needed;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return error_set_errno(ctx, "could not raise how many files may be open");
    return true;
}
