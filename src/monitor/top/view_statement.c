/* Statements by the time they took since the last look, else since the counters were reset. */
#include <math.h>

#include "monitor/collect/derive.h"
#include "monitor/plain.h"
#include "monitor/top/frame.h"
#include "sql.h"

enum { T_SHARE, T_CALLS, T_MEAN, T_TIME, T_ROWS, T_HIT, T_ID, T_QUERY, MOST_ROWS = 300 };

static const struct top_column columns[] = {
    [T_SHARE] = { "share", 0, 0, true },
    [T_CALLS] = { "calls", 0, 0, true },
    [T_MEAN] = { "mean", 0, 0, true },
    [T_TIME] = { "time", 0, 0, true },
    [T_ROWS] = { "rows", 0, 100, true },
    [T_HIT] = { "hit", 0, 100, true },
    [T_ID] = { "queryid", 0, 140, true },
    [T_QUERY] = { "statement", 0, 0, false },
};

struct numbers {
    int64_t query_id;
    double share;
    double calls;
    double mean;
    double seconds;
    double rows;
    double hit;
    double read;
};

static void
add(struct frame *frame, const struct watched *server, const struct numbers *numbers)
{
    struct top_row *row = frame_add(frame);
    const char *text = statement_text(server, numbers->query_id);
    double blocks = numbers->hit + numbers->read;

    frame_ratio(frame, row, T_SHARE, numbers->share);
    frame_number(frame, row, T_CALLS, numbers->calls);
    frame_seconds(frame, row, T_MEAN, numbers->mean);
    frame_seconds(frame, row, T_TIME, numbers->seconds);
    frame_number(frame, row, T_ROWS, numbers->rows);
    frame_ratio(frame, row, T_HIT, blocks > 0 ? numbers->hit / blocks : NAN);
    frame_text(frame, row, T_ID, arena_printf(frame->arena, "%lld", (long long)numbers->query_id));
    frame_text(frame, row, T_QUERY,
        text ? text : arena_printf(frame->arena, "queryid %lld", (long long)numbers->query_id));
    row->detail = row->cells[T_QUERY].text;
}

/* A first look has nothing to compare with: then all time counts. */
static void
fill_totals(struct frame *frame, const struct watched *server)
{
    size_t count;
    double all = 0;
    const struct sql_monitor_statement *rows = frame_rows(frame, server, COLLECT_STATEMENT, &count);

    for (size_t i = 0; i < count; i++)
        all += rows[i].seconds;
    for (size_t i = 0; i < count && i < MOST_ROWS; i++)
        add(frame, server,
            &(const struct numbers){ rows[i].queryid, all > 0 ? rows[i].seconds / all : 0,
                (double)rows[i].calls, rows[i].mean_seconds, rows[i].seconds, (double)rows[i].rows,
                (double)rows[i].blocks_hit, (double)rows[i].blocks_read });
    if (count > 0)
        frame->note = "since the counters were reset; from the next look on, since the last one";
}

static void
fill(struct frame *frame, const struct watched *server)
{
    const struct reading *info = &server->now[COLLECT_STATEMENTS_INFO];
    struct statement_rates rates;
    size_t count;

    if (info->is_good && info->rows.count == 1 &&
        READING_ROWS(info, struct sql_monitor_statements_info)->problem) {
        frame->note = plain_text(
            frame->arena, READING_ROWS(info, struct sql_monitor_statements_info)->problem);
        return;
    }
    derive_statements(frame->arena, server, &rates);
    if (rates.span_s <= 0) {
        fill_totals(frame, server);
        return;
    }
    (void)frame_rows(frame, server, COLLECT_STATEMENT, &count);
    for (size_t i = 0; i < rates.count && i < MOST_ROWS; i++) {
        const struct statement_rate *rate = &rates.items[i];

        if (rate->calls > 0)
            add(frame, server,
                &(const struct numbers){ rate->query_id, rate->share, (double)rate->calls,
                    rate->mean_seconds, rate->seconds, (double)rate->rows, (double)rate->blocks_hit,
                    (double)rate->blocks_read });
    }
    frame->note = rates.gap ? plain_text(frame->arena, rates.gap)
                            : arena_printf(frame->arena, "in the last %.1f s", rates.span_s);
}

const struct top_view top_view_statements = {
    .name = "statements",
    .columns = columns,
    .column_count = COUNT_OF(columns),
    .sort = T_TIME,
    .is_falling = true,
    .none = "no statement ended",
    .collectors = { COLLECT_STATEMENTS_INFO, COLLECT_STATEMENT },
    .collector_count = 2,
    .fill = fill,
};
