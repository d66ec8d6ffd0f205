#include "monitor/watch/gap.h"

#include <math.h>

#include "base/text.h"

/* Clocks that are disciplined are slewed; a difference of so much in a tick is a jump. */
enum { CLOCK_JUMP_US = 2000000 };

/* Seconds with microseconds, printed and read again: a hundredth is no difference. */
static bool
is_changed(double before, double now)
{
    return !isnan(before) && !isnan(now) && fabs(now - before) > 0.01;
}

/* The wall clock against the monotonic one, which does not run while the machine sleeps. */
static int64_t
clock_jump(const struct gap_marks *before, const struct gap_marks *now)
{
    return (now->at_wall_us - before->at_wall_us) - (now->at_us - before->at_us);
}

static const char *
whole_gap(struct arena *arena, const struct gap_marks *before, const struct gap_marks *now)
{
    int64_t jump = clock_jump(before, now);

    if (*before->system_identifier && *now->system_identifier &&
        !text_equal(before->system_identifier, now->system_identifier))
        return "another server answers here (its system identifier is another one)";
    if (before->in_recovery && !now->in_recovery)
        return "the standby was promoted";
    if (!before->in_recovery && now->in_recovery)
        return "the server became a standby, or another one took its place";
    if (before->timeline && now->timeline && before->timeline != now->timeline)
        return "failover: the timeline changed";
    if (is_changed(before->started, now->started))
        return "the server was restarted";
    if (is_changed(before->checkpoint_reset, now->checkpoint_reset))
        return "the server's statistics were reset, by a crash or by command";
    if (jump > CLOCK_JUMP_US || jump < -CLOCK_JUMP_US)
        return arena_printf(arena, "the clock of this machine jumped %s %s, or it slept",
            jump > 0 ? "ahead by" : "back by", text_from_us(arena, jump > 0 ? jump : -jump));
    return NULL;
}

unsigned
gap_between(struct arena *arena, const struct gap_marks *before, const struct gap_marks *now,
    const char **ret_why)
{
    unsigned scope = GAP_NONE;

    *ret_why = NULL;
    if (!before->is_known || !now->is_known)
        return GAP_NONE;
    *ret_why = whole_gap(arena, before, now);
    if (*ret_why)
        return GAP_ALL;
    if (is_changed(before->statement_reset, now->statement_reset)) {
        *ret_why = "pg_stat_statements was reset";
        scope |= GAP_STATEMENT;
    }
    if (is_changed(before->database_reset, now->database_reset)) {
        *ret_why = scope ? "the statistics of the database and of pg_stat_statements were reset"
                         : "the statistics of the database were reset";
        scope |= GAP_DATABASE;
    }
    return scope;
}
