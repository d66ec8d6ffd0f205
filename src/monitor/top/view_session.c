/* Sessions, and as a tree those that hold up others. */
#include <math.h>
#include <stdlib.h>

#include "monitor/plain.h"
#include "monitor/top/frame.h"
#include "sql.h"

enum { TREE_DEPTH = 12 };

static const double long_s = 300;
static const double slow_s = 60;

static const char *
text_or(const char *text, const char *otherwise)
{
    return text && *text ? text : otherwise;
}

/* How long it does what it does: its statement, else its idle time, else its transaction. */
static double
duration_of(const struct sql_monitor_session *session)
{
    return isfinite(session->query_seconds) ? session->query_seconds : session->state_seconds;
}

static const char *
short_state(const struct sql_monitor_session *session)
{
    if (session->state && text_starts_with(session->state, "idle in transaction"))
        return text_ends_with(session->state, "(aborted)") ? "idle tx!" : "idle tx";
    if (session->leader_pid != 0)
        return "worker";
    return text_or(session->state, text_or(session->backend_type, "?"));
}

static const char *
wait_of(struct arena *arena, const struct sql_monitor_session *session)
{
    bool is_client = session->wait_event_type && text_equal(session->wait_event_type, "Client");

    if (!session->wait_event_type || is_client)
        return "";
    return arena_printf(
        arena, "%s:%s", session->wait_event_type, text_or(session->wait_event, "?"));
}

static enum top_tone
tone_of(const struct sql_monitor_session *session)
{
    bool is_idle = text_equal(session->state, "idle");

    if (!text_is_empty(session->blocked_by) || session->blocks > 0)
        return TONE_BAD;
    if (session->xact_seconds >= long_s || (!is_idle && duration_of(session) >= slow_s))
        return TONE_WARN;
    return is_idle ? TONE_DIM : TONE_PLAIN;
}

static void
fill_common(struct frame *frame, struct top_row *row, const struct sql_monitor_session *session)
{
    row->pid = session->pid;
    row->tone = tone_of(session);
    row->has_right = session->state != NULL;
    row->detail = plain_text(frame->arena, text_or(session->query, "its statement is not known"));
}

enum { S_PID, S_USER, S_DATABASE, S_APP, S_CLIENT, S_STATE, S_TIME, S_TX, S_WAIT, S_BY, S_QUERY };

static const struct top_column session_columns[] = {
    [S_PID] = { "pid", 0, 0, true },
    [S_USER] = { "user", 14, 0, false },
    [S_DATABASE] = { "database", 14, 140, false },
    [S_APP] = { "application", 18, 100, false },
    [S_CLIENT] = { "client", 15, 120, false },
    [S_STATE] = { "state", 9, 0, false },
    [S_TIME] = { "time", 0, 0, true },
    [S_TX] = { "tx", 0, 90, true },
    [S_WAIT] = { "waits for", 22, 90, false },
    [S_BY] = { "blocked by", 12, 0, false },
    [S_QUERY] = { "statement", 0, 0, false },
};

static void
fill_sessions(struct frame *frame, const struct watched *server)
{
    size_t count;
    const struct sql_monitor_session *sessions = frame_rows(frame, server, COLLECT_SESSION, &count);

    for (size_t i = 0; i < count; i++) {
        const struct sql_monitor_session *session = &sessions[i];
        struct top_row *row = frame_add(frame);

        fill_common(frame, row, session);
        frame_number(frame, row, S_PID, session->pid);
        frame_text(frame, row, S_USER, session->usename);
        frame_text(frame, row, S_DATABASE, session->datname);
        frame_text(frame, row, S_APP, session->application_name);
        frame_text(frame, row, S_CLIENT, session->client_addr);
        frame_text(frame, row, S_STATE, short_state(session));
        frame_seconds(frame, row, S_TIME, duration_of(session));
        frame_seconds(frame, row, S_TX, session->xact_seconds);
        frame_text(frame, row, S_WAIT, wait_of(frame->arena, session));
        frame_text(frame, row, S_BY, session->blocked_by);
        frame_text(frame, row, S_QUERY, session->query);
        /* Idle sessions come after those that do something, whatever their time. */
        if (text_equal(session->state, "idle"))
            row->cells[S_TIME].number = -1 / (1 + fmax(session->state_seconds, 0));
    }
}

const struct top_view top_view_sessions = {
    .name = "sessions",
    .columns = session_columns,
    .column_count = COUNT_OF(session_columns),
    .sort = S_TIME,
    .is_falling = true,
    .none = "no other session",
    .collectors = { COLLECT_SESSION },
    .collector_count = 1,
    .fill = fill_sessions,
};

/* ---- the tree of blockers ---- */

enum { L_PID, L_USER, L_STATE, L_TIME, L_TX, L_WAIT, L_QUERY };

static const struct top_column lock_columns[] = {
    [L_PID] = { "pid", 30, 0, false },
    [L_USER] = { "user", 14, 0, false },
    [L_STATE] = { "state", 9, 0, false },
    [L_TIME] = { "time", 0, 0, true },
    [L_TX] = { "tx", 0, 0, true },
    [L_WAIT] = { "waits for", 22, 0, false },
    [L_QUERY] = { "statement", 0, 0, false },
};

struct tree {
    struct frame *frame;
    const struct sql_monitor_session *sessions;
    size_t count;
    bool *shown;
};

/* Whether pid is the first of "12,34": each session stands below one blocker only. */
static bool
is_below(const struct sql_monitor_session *session, int32_t pid)
{
    char *end;

    return !text_is_empty(session->blocked_by) && strtol(session->blocked_by, &end, 10) == pid;
}

static void
show_node(struct tree *tree, size_t index, size_t depth)
{
    const struct sql_monitor_session *session = &tree->sessions[index];
    struct frame *frame = tree->frame;
    struct top_row *row = frame_add(frame);
    const char *more = session->blocked_by ? strchr(session->blocked_by, ',') : NULL;

    tree->shown[index] = true;
    fill_common(frame, row, session);
    row->tone = depth == 0 ? TONE_BAD : TONE_WARN;
    frame_text(frame, row, L_PID,
        arena_printf(frame->arena, "%*s%s%d%s%s", (int)(depth > 0 ? (depth - 1) * 2 : 0), "",
            depth > 0 ? "└ " : "", session->pid, more ? ", also by " : "", more ? more + 1 : ""));
    frame_text(frame, row, L_USER, session->usename);
    frame_text(frame, row, L_STATE, short_state(session));
    frame_seconds(frame, row, L_TIME, duration_of(session));
    frame_seconds(frame, row, L_TX, session->xact_seconds);
    frame_text(frame, row, L_WAIT, wait_of(frame->arena, session));
    frame_text(frame, row, L_QUERY, session->query);
    for (size_t i = 0; i < tree->count && depth < TREE_DEPTH; i++)
        if (!tree->shown[i] && is_below(&tree->sessions[i], session->pid))
            show_node(tree, i, depth + 1);
}

static void
fill_locks(struct frame *frame, const struct watched *server)
{
    struct tree tree = { .frame = frame };

    tree.sessions = frame_rows(frame, server, COLLECT_SESSION, &tree.count);
    tree.shown = ARENA_ARRAY(frame->arena, bool, tree.count + 1);
    for (size_t i = 0; i < tree.count; i++)
        if (tree.sessions[i].blocks > 0 && text_is_empty(tree.sessions[i].blocked_by))
            show_node(&tree, i, 0);
    /* A ring of waits (a deadlock before it is found), or a blocker that is not among the rows. */
    for (size_t i = 0; i < tree.count; i++)
        if (!tree.shown[i] && !text_is_empty(tree.sessions[i].blocked_by))
            show_node(&tree, i, 0);
}

const struct top_view top_view_locks = {
    .name = "locks",
    .columns = lock_columns,
    .column_count = COUNT_OF(lock_columns),
    .is_ordered = true,
    .none = "nobody waits for a lock",
    .collectors = { COLLECT_SESSION },
    .collector_count = 1,
    .fill = fill_locks,
};
