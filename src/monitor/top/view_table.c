/* Tables by what is read and written in them a second, and what goes on in the progress views. */
#include <math.h>

#include "db/ident.h"
#include "monitor/top/frame.h"
#include "sql.h"

enum {
    A_WRITES,
    A_SEQ,
    A_SEQ_ROWS,
    A_IDX,
    A_HIT,
    A_ROWS,
    A_DEAD,
    A_SIZE,
    A_INDEXES,
    A_NAME,
    MOST_ROWS = 500
};

static const struct top_column table_columns[] = {
    [A_WRITES] = { "writes/s", 0, 0, true },
    [A_SEQ] = { "seq/s", 0, 0, true },
    [A_SEQ_ROWS] = { "seq rows/s", 0, 0, true },
    [A_IDX] = { "idx/s", 0, 0, true },
    [A_HIT] = { "hit", 0, 0, true },
    [A_ROWS] = { "rows", 0, 90, true },
    [A_DEAD] = { "dead", 0, 0, true },
    [A_SIZE] = { "size", 0, 0, true },
    [A_INDEXES] = { "indexes", 0, 100, true },
    [A_NAME] = { "table", 0, 0, false },
};

static const struct sql_monitor_table *
find_before(const struct watched *server, uint32_t oid, size_t near)
{
    const struct reading *reading = &server->before[COLLECT_TABLE];
    const struct sql_monitor_table *items = READING_ROWS(reading, struct sql_monitor_table);

    if (!reading->is_good || server->is_gap)
        return NULL;
    /* The order rarely changes between two looks. */
    if (near < reading->rows.count && items[near].relid == oid)
        return &items[near];
    for (size_t i = 0; i < reading->rows.count; i++)
        if (items[i].relid == oid)
            return &items[i];
    return NULL;
}

static int64_t
writes_of(const struct sql_monitor_table *table)
{
    return table->n_tup_ins + table->n_tup_upd + table->n_tup_del;
}

static void
add_rate(struct frame *frame, struct top_row *row, size_t column, int64_t delta, double seconds)
{
    if (delta >= 0)
        frame_number(frame, row, column, (double)delta / seconds);
}

static void
fill_tables(struct frame *frame, const struct watched *server)
{
    size_t count;
    const struct sql_monitor_table *tables = frame_rows(frame, server, COLLECT_TABLE, &count);
    double seconds =
        (double)(server->now[COLLECT_TABLE].at_us - server->before[COLLECT_TABLE].at_us) / 1e6;

    for (size_t i = 0; i < count && i < MOST_ROWS; i++) {
        const struct sql_monitor_table *now = &tables[i];
        const struct sql_monitor_table *before = find_before(server, now->relid, i);
        double blocks = (double)(now->heap_blocks_hit + now->heap_blocks_read);
        struct top_row *row = frame_add(frame);

        if (before && seconds > 0) {
            add_rate(frame, row, A_WRITES, writes_of(now) - writes_of(before), seconds);
            add_rate(frame, row, A_SEQ, now->seq_scan - before->seq_scan, seconds);
            add_rate(frame, row, A_SEQ_ROWS, now->seq_tup_read - before->seq_tup_read, seconds);
            add_rate(frame, row, A_IDX, now->idx_scan - before->idx_scan, seconds);
        }
        frame_ratio(frame, row, A_HIT, blocks > 0 ? (double)now->heap_blocks_hit / blocks : NAN);
        frame_number(frame, row, A_ROWS, (double)now->n_live_tup);
        frame_number(frame, row, A_DEAD, (double)now->n_dead_tup);
        frame_bytes(frame, row, A_SIZE, (double)now->table_size_bytes);
        frame_bytes(frame, row, A_INDEXES, (double)now->index_size_bytes);
        frame_text(frame, row, A_NAME, db_qualified(frame->arena, now->schemaname, now->relname));
        if (now->n_dead_tup > 10000 && now->n_dead_tup > now->n_live_tup / 4)
            row->tone = TONE_WARN;
    }
}

const struct top_view top_view_tables = {
    .name = "tables",
    .columns = table_columns,
    .column_count = COUNT_OF(table_columns),
    .sort = A_SIZE,
    .is_falling = true,
    .none = "no user table",
    .collectors = { COLLECT_TABLE },
    .collector_count = 1,
    .fill = fill_tables,
};

/* ---- progress ---- */

enum { P_PID, P_COMMAND, P_DATABASE, P_DONE, P_TIME, P_HOLDS, P_WHAT };

static const struct top_column progress_columns[] = {
    [P_PID] = { "pid", 0, 0, true },
    [P_COMMAND] = { "command", 25, 0, false },
    [P_DATABASE] = { "database", 14, 120, false },
    [P_DONE] = { "done", 0, 0, true },
    [P_TIME] = { "time", 0, 0, true },
    [P_HOLDS] = { "waits for", 14, 90, false },
    [P_WHAT] = { "of what, phase", 0, 0, false },
};

static void
fill_progress(struct frame *frame, const struct watched *server)
{
    size_t count;
    const struct sql_monitor_progress *items = frame_rows(frame, server, COLLECT_PROGRESS, &count);

    for (size_t i = 0; i < count; i++) {
        const struct sql_monitor_progress *item = &items[i];
        double ratio = item->total > 0 ? fmin(item->done / item->total, 1) : NAN;
        struct top_row *row = frame_add(frame);

        row->pid = item->pid;
        frame_number(frame, row, P_PID, item->pid);
        frame_text(frame, row, P_COMMAND, item->command);
        frame_text(frame, row, P_DATABASE, item->datname);
        frame_ratio(frame, row, P_DONE, ratio);
        frame_seconds(frame, row, P_TIME, item->xact_seconds);
        if (item->locker_pid != 0)
            frame_text(frame, row, P_HOLDS, arena_printf(frame->arena, "pid %d", item->locker_pid));
        frame_text(frame, row, P_WHAT,
            arena_printf(frame->arena, "%s%s%s: %s", item->object, *item->object ? " on " : "",
                item->relation, item->phase));
    }
}

const struct top_view top_view_progress = {
    .name = "progress",
    .columns = progress_columns,
    .column_count = COUNT_OF(progress_columns),
    .sort = P_TIME,
    .is_falling = true,
    .none = "no vacuum, index build, copy, cluster, analyze or base backup goes on",
    .collectors = { COLLECT_PROGRESS },
    .collector_count = 1,
    .fill = fill_progress,
};
