#include <math.h>
#include <stdlib.h>

#include "monitor/collect/derive_part.h"
#include "monitor/collect/text.h"
#include "sql.h"

/* Rows of a reading by their key: open addressing, index + 1, 0 is free. */
struct finder {
    const struct sql_monitor_statement *rows;
    uint32_t *slots;
    size_t mask;
};

static uint64_t
key_of(const struct sql_monitor_statement *row)
{
    uint64_t key = (uint64_t)row->queryid;

    key ^= ((uint64_t)row->userid << 32 | row->dbid) * UINT64_C(0x9e3779b97f4a7c15);
    key ^= row->toplevel;
    key ^= key >> 32;
    key *= UINT64_C(0xd6e8feb86659fd93);
    return key ^ key >> 32;
}

static bool
is_same(const struct sql_monitor_statement *a, const struct sql_monitor_statement *b)
{
    return a->queryid == b->queryid && a->userid == b->userid && a->dbid == b->dbid &&
           a->toplevel == b->toplevel;
}

static void
finder_make(struct arena *arena, const struct reading *reading, struct finder *ret)
{
    size_t size = 16;

    while (size < reading->rows.count * 2)
        size *= 2;
    ret->rows = reading->rows.items;
    ret->slots = ARENA_ARRAY(arena, uint32_t, size);
    ret->mask = size - 1;
    for (size_t i = 0; i < reading->rows.count; i++) {
        size_t slot = key_of(&ret->rows[i]) & ret->mask;

        while (ret->slots[slot])
            slot = (slot + 1) & ret->mask;
        ret->slots[slot] = (uint32_t)i + 1;
    }
}

static const struct sql_monitor_statement *
finder_get(const struct finder *finder, const struct sql_monitor_statement *row)
{
    for (size_t slot = key_of(row) & finder->mask; finder->slots[slot];
         slot = (slot + 1) & finder->mask) {
        const struct sql_monitor_statement *found = &finder->rows[finder->slots[slot] - 1];

        if (is_same(found, row))
            return found;
    }
    return NULL;
}

struct comparing {
    const struct watched *server;
    struct finder before;
    bool is_cut;         /* the reading before may not have had all statements */
    double before_epoch; /* of the server's clock; NaN: not known */
    double seconds;      /* in all */
    struct statement_rates *ret;
};

/*
 * A statement that was not there, or was dropped and came again, has only counts of the time between,
 * if we know that it was not there: the reading before had all, or the entry says when it was made.
 */
static bool
is_of_between(const struct comparing *comparing, const struct sql_monitor_statement *now,
    const struct sql_monitor_statement *before)
{
    if (before)
        return now->calls < before->calls || now->seconds < before->seconds ||
               (!isnan(now->since_epoch) && !isnan(before->since_epoch) &&
                   now->since_epoch > before->since_epoch);
    if (!isnan(now->since_epoch) && !isnan(comparing->before_epoch))
        return now->since_epoch >= comparing->before_epoch;
    return !comparing->is_cut;
}

static int64_t
grown(int64_t now, int64_t before)
{
    return now > before ? now - before : 0;
}

static void
add_statement(struct comparing *comparing, const struct sql_monitor_statement *now)
{
    static const struct sql_monitor_statement nothing;
    const struct sql_monitor_statement *before = finder_get(&comparing->before, now);
    bool is_new = is_of_between(comparing, now, before);

    if (is_new)
        before = &nothing;
    if (!before || now->calls <= before->calls)
        return;

    struct statement_rate *rate = &comparing->ret->items[comparing->ret->count++];

    *rate = (struct statement_rate){
        .query_id = now->queryid,
        .user_id = now->userid,
        .database_id = now->dbid,
        .is_new = is_new,
        .calls = now->calls - before->calls,
        .seconds = now->seconds - before->seconds,
        .rows = grown(now->rows, before->rows),
        .blocks_hit = grown(now->blocks_hit, before->blocks_hit),
        .blocks_read = grown(now->blocks_read, before->blocks_read),
    };
    rate->mean_seconds = rate->seconds / (double)rate->calls;
    comparing->seconds += rate->seconds;
}

static int
by_seconds(const void *left, const void *right)
{
    const struct statement_rate *a = left;
    const struct statement_rate *b = right;

    if (a->seconds != b->seconds)
        return a->seconds > b->seconds ? -1 : 1;
    return a->query_id < b->query_id ? -1 : a->query_id > b->query_id;
}

/* What the evictions and resets say; false: the two readings must not be compared. */
static bool
look_at_info(struct arena *arena, const struct watched *server, struct statement_rates *ret)
{
    const struct reading *now = &server->now[COLLECT_STATEMENTS_INFO];
    const struct reading *before = &server->before[COLLECT_STATEMENTS_INFO];

    if (!now->is_good || !before->is_good || now->rows.count != 1 || before->rows.count != 1)
        return true;

    const struct sql_monitor_statements_info *last = now->rows.items;
    const struct sql_monitor_statements_info *first = before->rows.items;

    if (last->stats_reset > first->stats_reset) {
        ret->gap = "pg_stat_statements was reset";
        return false;
    }
    if (first->dealloc >= 0 && last->dealloc > first->dealloc)
        ret->gap = arena_printf(arena,
            "pg_stat_statements dropped statements %lld times: what they did is not counted",
            (long long)(last->dealloc - first->dealloc));
    return true;
}

static double
epoch_before(const struct watched *server, const struct reading *before)
{
    size_t count;
    const struct sql_monitor_server *row = derive_rows(server, COLLECT_SERVER, &count);
    const struct reading *reading = &server->now[COLLECT_SERVER];

    return count == 1 ? row->now_epoch - (double)(reading->at_us - before->at_us) / 1e6 : NAN;
}

void
derive_statements(struct arena *arena, const struct watched *server, struct statement_rates *ret)
{
    struct comparing comparing = { .server = server, .ret = ret };
    struct pair pair;

    *ret = (struct statement_rates){ 0 };
    if (!derive_pair(server, COLLECT_STATEMENT, &pair)) {
        ret->gap = server->is_gap ? server->gap : NULL;
        return;
    }
    if (!look_at_info(arena, server, ret))
        return;
    ret->span_s = pair.span_s;
    ret->items = ARENA_ARRAY(arena, struct statement_rate, pair.now->rows.count + 1);
    finder_make(arena, pair.before, &comparing.before);
    comparing.is_cut = pair.before->rows.count >= (size_t)collector_most_rows(COLLECT_STATEMENT);
    comparing.before_epoch = epoch_before(server, pair.before);
    for (size_t i = 0; i < pair.now->rows.count; i++)
        add_statement(&comparing, &READING_ROWS(pair.now, struct sql_monitor_statement)[i]);
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof(ret->items[0]), by_seconds);
    for (size_t i = 0; i < ret->count && comparing.seconds > 0; i++)
        ret->items[i].share = ret->items[i].seconds / comparing.seconds;
}
