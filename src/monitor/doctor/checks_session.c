/* Sessions: long ones, idle ones, those that wait for each other, and how many there may be. */
#include <math.h>

#include "monitor/doctor/check.h"

static const double long_warning_s = 300;
static const double long_critical_s = 3600;
static const double idle_warning_s = 60;
static const double idle_critical_s = 600;
static const double blocked_warning_s = 1;
static const double blocked_critical_s = 60;
static const double prepared_warning_s = 300;
static const double prepared_critical_s = 3600;
static const double connections_warning = 0.8;
static const double connections_critical = 0.95;

static enum health
judge_seconds(double seconds, double warning, double critical)
{
    return seconds >= critical  ? HEALTH_CRITICAL
           : seconds >= warning ? HEALTH_WARNING
                                : HEALTH_GOOD;
}

static const char *
text_or(const char *text, const char *otherwise)
{
    return text && *text ? text : otherwise;
}

static bool
is_idle_in_transaction(const struct sql_monitor_session *session)
{
    return session->state && text_starts_with(session->state, "idle in transaction");
}

/* Of clients: a walsender or autovacuum is long by nature. */
static bool
is_client(const struct sql_monitor_session *session)
{
    return !session->backend_type || text_equal(session->backend_type, "client backend") ||
           text_equal(session->backend_type, "parallel worker");
}

static void
show_session(const struct patient *patient, struct checkup_item *item,
    const struct sql_monitor_session *session, const char *what, double seconds)
{
    item_show(patient, item, "pid %d, %s of %s, %s %s: %.120s", session->pid,
        text_or(session->application_name, "an unnamed application"),
        text_or(session->usename, "an unknown role"), what, say_seconds(patient, seconds),
        text_or(session->query, "its statement is not known"));
}

/*
 * Of sessions of other roles a role without rights sees that they are there, and not what they do: not
 * even what kind they are of.
 */
static void
hide_sessions(const struct patient *patient, struct checkup_item *item,
    const struct sql_monitor_session *sessions, size_t count)
{
    size_t hidden = 0;

    for (size_t i = 0; i < count; i++)
        hidden += !sessions[i].backend_type;
    if (hidden == 0)
        return;
    item_hide(patient, item, "role %s may not see what %s", patient_role(patient),
        say_count(patient, hidden, "session of another role does", "sessions of other roles do"));
    item_mend(patient, item, "GRANT pg_read_all_stats TO %s;", patient_role(patient));
}

static void
look_at_long(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    double worst = 0;
    const struct sql_monitor_session *sessions =
        patient_rows(patient, COLLECT_SESSION, item, &count);

    if (!sessions)
        return;
    for (size_t i = 0; i < count; i++) {
        enum health health =
            judge_seconds(sessions[i].xact_seconds, long_warning_s, long_critical_s);

        if (!is_client(&sessions[i]) || isnan(sessions[i].xact_seconds))
            continue;
        if (sessions[i].xact_seconds > worst)
            worst = sessions[i].xact_seconds;
        if (health == HEALTH_GOOD)
            continue;
        item_worsen(item, health);
        show_session(
            patient, item, &sessions[i], "in its transaction for", sessions[i].xact_seconds);
        item_mend(patient, item, "SELECT pg_terminate_backend(%d);", sessions[i].pid);
    }
    if (worst > 0)
        item_say(patient, item, "the longest transaction is %s old", say_seconds(patient, worst));
    else
        item_say(patient, item, "no transaction is open");
    hide_sessions(patient, item, sessions, count);
}

static void
look_at_idle(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    size_t idle = 0;
    const struct sql_monitor_session *sessions =
        patient_rows(patient, COLLECT_SESSION, item, &count);

    if (!sessions)
        return;
    for (size_t i = 0; i < count; i++) {
        if (!is_idle_in_transaction(&sessions[i]))
            continue;

        enum health health =
            judge_seconds(sessions[i].state_seconds, idle_warning_s, idle_critical_s);

        idle++;
        if (health == HEALTH_GOOD)
            continue;
        item_worsen(item, health);
        show_session(patient, item, &sessions[i], "idle for", sessions[i].state_seconds);
        item_mend(patient, item, "SELECT pg_terminate_backend(%d);", sessions[i].pid);
        if (sessions[i].usename)
            item_mend(patient, item,
                "ALTER ROLE %s SET idle_in_transaction_session_timeout = '5min';",
                db_ident(patient->arena, sessions[i].usename));
    }
    item_say(patient, item, "%s idle in a transaction",
        idle == 0 ? "no session is" : say_count(patient, idle, "session is", "sessions are"));
    hide_sessions(patient, item, sessions, count);
}

/* One that blocks and is not blocked. */
static bool
is_root(const struct sql_monitor_session *session)
{
    return session->blocks > 0 && text_is_empty(session->blocked_by);
}

/* Who holds up the most, in the end. */
static const struct sql_monitor_session *
find_root(const struct sql_monitor_session *sessions, size_t count)
{
    const struct sql_monitor_session *root = NULL;

    for (size_t i = 0; i < count; i++)
        if (is_root(&sessions[i]) && (!root || sessions[i].blocks > root->blocks))
            root = &sessions[i];
    return root;
}

/* A cancel ends a statement: one that is idle in its transaction keeps its locks. */
static void
mend_root(const struct patient *patient, struct checkup_item *item,
    const struct sql_monitor_session *root)
{
    if (!root->state)
        return;
    item_mend(patient, item, "SELECT pg_%s_backend(%d);",
        is_idle_in_transaction(root) ? "terminate" : "cancel", root->pid);
}

/* pg_blocking_pids() calls it 0. */
static bool
is_blocked_by_prepared(const struct sql_monitor_session *session)
{
    return text_equal(session->blocked_by, "0") ||
           (session->blocked_by && (text_starts_with(session->blocked_by, "0,") ||
                                       text_ends_with(session->blocked_by, ",0") ||
                                       strstr(session->blocked_by, ",0,")));
}

static void
mend_prepared(const struct patient *patient, struct checkup_item *item)
{
    const struct reading *reading =
        patient->facts ? &patient->facts->answers[DOCTOR_PREPARED] : NULL;
    const struct sql_monitor_doctor_prepared *items;

    item_show(patient, item, "pid 0 is a prepared transaction");
    if (!reading || !reading->is_good)
        return;
    items = READING_ROWS(reading, struct sql_monitor_doctor_prepared);
    for (size_t i = 0; i < reading->rows.count; i++)
        if (text_equal(items[i].database, patient->server->database))
            item_mend(patient, item, "ROLLBACK PREPARED %s; -- or COMMIT PREPARED",
                db_literal(patient->arena, items[i].gid));
}

static void
look_at_blocked(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    size_t blocked = 0;
    const struct sql_monitor_session *sessions =
        patient_rows(patient, COLLECT_SESSION, item, &count);
    const struct sql_monitor_session *root;

    if (!sessions)
        return;
    for (size_t i = 0; i < count; i++) {
        if (text_is_empty(sessions[i].blocked_by))
            continue;
        blocked++;
        item_worsen(
            item, judge_seconds(sessions[i].query_seconds, blocked_warning_s, blocked_critical_s));
        item_show(patient, item, "pid %d waits for pid %s since %s: %.100s", sessions[i].pid,
            sessions[i].blocked_by, say_seconds(patient, sessions[i].query_seconds),
            text_or(sessions[i].query, "its statement is not known"));
    }
    item_say(patient, item, "%s blocked",
        blocked == 0 ? "no session is" : say_count(patient, blocked, "session is", "sessions are"));
    root = find_root(sessions, count);
    if (item->health != HEALTH_GOOD && root)
        item_say(patient, item, "%s, in the end by pid %d (%s, %s)", item->says, root->pid,
            text_or(root->application_name, "unnamed"), text_or(root->state, "state not known"));
    for (size_t i = 0; item->health != HEALTH_GOOD && i < count; i++) {
        if (is_root(&sessions[i]))
            mend_root(patient, item, &sessions[i]);
        if (is_blocked_by_prepared(&sessions[i]))
            mend_prepared(patient, item);
    }
    hide_sessions(patient, item, sessions, count);
}

/* What uses the connections: the largest groups of the collector. */
static void
show_activity(const struct patient *patient, struct checkup_item *item)
{
    const struct reading *reading = &patient->server->now[COLLECT_ACTIVITY];
    const struct sql_monitor_activity *items = READING_ROWS(reading, struct sql_monitor_activity);

    for (size_t i = 0; reading->is_good && i < reading->rows.count; i++)
        if (text_equal(items[i].backend_type, "client backend") && items[i].count > 1)
            item_show(patient, item, "%s of %s, %s: %s",
                text_or(items[i].application_name, "unnamed"), text_or(items[i].usename, "?"),
                text_or(items[i].state, "state not known"),
                text_from_count(patient->arena, items[i].count));
}

static void
look_at_connections(const struct patient *patient, struct checkup_item *item)
{
    const struct sql_monitor_server *server = patient_server(patient, item);
    double limit;
    double ratio;

    if (!server)
        return;
    limit = server->max_connections - server->reserved_connections;
    ratio = limit > 0 ? server->connections / limit : 0;
    item_worsen(item, judge_seconds(ratio, connections_warning, connections_critical));
    item_say(patient, item, "%d of %.0f (max_connections %d, %d reserved)", server->connections,
        limit, server->max_connections, server->reserved_connections);
    if (item->health == HEALTH_GOOD)
        return;
    show_activity(patient, item);
    item_mend(patient, item, "-- put a pooler in front, or raise max_connections and restart");
}

static void
look_at_prepared(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    const struct sql_monitor_doctor_prepared *items =
        patient_facts(patient, DOCTOR_PREPARED, item, &count);

    if (!items)
        return;
    for (size_t i = 0; i < count; i++) {
        enum health health =
            judge_seconds(items[i].seconds, prepared_warning_s, prepared_critical_s);

        if (health == HEALTH_GOOD)
            continue;
        item_worsen(item, health);
        item_show(patient, item, "%s of %s in %s, since %s", items[i].gid, items[i].owner,
            items[i].database, say_seconds(patient, items[i].seconds));
        item_mend(patient, item, "ROLLBACK PREPARED %s;%s",
            db_literal(patient->arena, items[i].gid),
            text_equal(items[i].database, patient->server->database)
                ? ""
                : arena_printf(patient->arena, " -- in database %s", items[i].database));
    }
    item_say(patient, item, "%s",
        count == 0 ? "none is open" : say_count(patient, count, "is open", "are open"));
}

const struct check checks_session[] = {
    { "long-transactions", "long transactions", look_at_long },
    { "prepared-transactions", "prepared transactions", look_at_prepared },
    { "blocked-sessions", "blocked sessions", look_at_blocked },
    { "idle-in-transaction", "idle in transaction", look_at_idle },
    { "connections", "connections", look_at_connections },
};
const size_t checks_session_count = COUNT_OF(checks_session);
