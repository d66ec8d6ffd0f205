#include "monitor/top/top.h"

#include "monitor/plain.h"
#include "sql.h"

const struct top_view *const top_views[] = { &top_view_sessions, &top_view_statements,
    &top_view_locks, &top_view_progress, &top_view_tables };
const size_t top_view_count = COUNT_OF(top_views);

const struct top_view *
top_view_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(top_views); i++)
        if (text_equal(top_views[i]->name, name))
            return top_views[i];
    return NULL;
}

bool
top_look(struct ctx *ctx, struct look *look, const struct top_view *view)
{
    enum collector_id ids[TOP_COLLECTORS + 3] = { COLLECT_SERVER, COLLECT_DATABASE,
        COLLECT_SESSION };
    size_t count = 3;

    for (size_t i = 0; i < view->collector_count; i++)
        if (view->collectors[i] != COLLECT_SESSION)
            ids[count++] = view->collectors[i];
    return look_ask(ctx, look, ids, count);
}

const char *
top_signal(
    struct arena *arena, struct db *db, const struct watched *server, int32_t pid, bool is_end)
{
    const struct reading *reading = &server->now[COLLECT_SERVER];
    struct ctx ctx = { .arena = arena };
    struct sql_monitor_top_cancel_rows cancelled = { 0 };
    struct sql_monitor_top_terminate_rows ended = { 0 };
    double seen;
    bool is_good;

    if (!reading->is_good || reading->rows.count != 1)
        return "nothing was done: the server does not answer";
    seen = READING_ROWS(reading, struct sql_monitor_server)->now_epoch;
    is_good = is_end ? sql_monitor_top_terminate(&ctx, db, &ended, .pid = pid, .seen_epoch = seen)
                     : sql_monitor_top_cancel(&ctx, db, &cancelled, .pid = pid, .seen_epoch = seen);
    if (!is_good)
        return plain_text(
            arena, arena_printf(arena, "nothing was done to pid %d: %s%s%s", pid, ctx.error.message,
                       ctx.error.detail ? "; " : "", ctx.error.detail ? ctx.error.detail : ""));
    if (cancelled.count + ended.count == 0)
        return arena_printf(arena, "pid %d is gone already", pid);
    return arena_printf(arena,
        is_end ? "session %d was told to end" : "the statement of pid %d was told to stop", pid);
}
