/* Time-outs of the roles that applications connect with. */
#include <math.h>

#include "monitor/doctor/advise.h"

static const double least_statement_s = 30;
static const int64_t least_calls = 100;

/* The longest statement of the role so far, and how many there were. */
static double
longest_statement(const struct advisor *advisor, const char *role, int64_t *ret_calls)
{
    const struct reading *reading = &advisor->patient.server->now[COLLECT_STATEMENT];
    const struct sql_monitor_statement *items = READING_ROWS(reading, struct sql_monitor_statement);
    double longest = 0;

    *ret_calls = 0;
    for (size_t i = 0; reading->is_good && i < reading->rows.count; i++) {
        if (!text_equal(items[i].user, role))
            continue;
        *ret_calls += items[i].calls;
        longest = fmax(longest, items[i].max_seconds);
    }
    return longest;
}

/* Of the sessions of the role at this moment. */
static double
longest_idle(const struct advisor *advisor, const char *role)
{
    const struct reading *reading = &advisor->patient.server->now[COLLECT_SESSION];
    const struct sql_monitor_session *items = READING_ROWS(reading, struct sql_monitor_session);
    double longest = 0;

    for (size_t i = 0; reading->is_good && i < reading->rows.count; i++)
        if (text_equal(items[i].usename, role) && items[i].state &&
            text_starts_with(items[i].state, "idle in transaction"))
            longest = fmax(longest, items[i].state_seconds);
    return longest;
}

static bool
is_unset(const struct advisor *advisor, const char *own, const char *name)
{
    return !own && doctor_setting_number(advisor->patient.server, name, 0) <= 0;
}

/* Three times what was ever needed, in round numbers. */
static const char *
round_seconds(const struct advisor *advisor, double seconds)
{
    double minutes = ceil(seconds / 60);

    if (seconds <= 60)
        return arena_printf(advisor->patient.arena, "%.0fs", ceil(seconds / 10) * 10);
    return arena_printf(advisor->patient.arena, "%.0fmin", minutes);
}

static void
advise_statement(const struct advisor *advisor, const struct sql_monitor_doctor_role *role)
{
    const struct patient *patient = &advisor->patient;
    int64_t calls;
    double longest = longest_statement(advisor, role->name, &calls);
    double limit = fmax(longest * 3, least_statement_s);

    if (calls < least_calls)
        return;
    if (is_unset(advisor, role->statement_timeout, "statement_timeout"))
        advise_role(advisor, role->name, "statement_timeout", role->statement_timeout,
            round_seconds(advisor, limit),
            arena_printf(patient->arena,
                "the longest of %s statements of this role took %s: what takes three times that "
                "long goes wrong",
                text_from_count(patient->arena, calls), say_seconds(patient, longest)));
    if (is_unset(advisor, role->lock_timeout, "lock_timeout"))
        advise_role(advisor, role->name, "lock_timeout", role->lock_timeout,
            round_seconds(advisor, limit / 3),
            arena_printf(patient->arena,
                "its statements took %s at most: one that waits for a lock for %s holds up others",
                say_seconds(patient, longest), round_seconds(advisor, limit / 3)));
}

void
advise_on_roles(const struct advisor *advisor)
{
    const struct patient *patient = &advisor->patient;
    const struct reading *reading = patient->facts ? &patient->facts->answers[DOCTOR_ROLE] : NULL;
    const struct sql_monitor_doctor_role *roles;

    if (!reading || !reading->is_good)
        return;
    roles = READING_ROWS(reading, struct sql_monitor_doctor_role);
    for (size_t i = 0; i < reading->rows.count; i++) {
        double idle = longest_idle(advisor, roles[i].name);

        /* A superuser is for people and for maintenance, which take long. */
        if (roles[i].is_superuser)
            continue;
        advise_statement(advisor, &roles[i]);
        if (roles[i].sessions == 0 ||
            !is_unset(advisor, roles[i].idle_timeout, "idle_in_transaction_session_timeout"))
            continue;
        advise_role(advisor, roles[i].name, "idle_in_transaction_session_timeout",
            roles[i].idle_timeout, idle < 60 ? "5min" : round_seconds(advisor, idle * 3),
            arena_printf(patient->arena,
                "%s of this role are open and the longest one idle in a transaction is so for %s: "
                "one that is forgotten keeps locks and dead rows",
                say_count(patient, (size_t)roles[i].sessions, "session", "sessions"),
                idle > 0 ? say_seconds(patient, idle) : "no time"));
    }
}
