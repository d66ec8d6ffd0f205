/* What follows from two readings of counters. */
#include <math.h>

#include "monitor/collect/derive_part.h"
#include "sql.h"

static const char *const no_labels[] = { NULL };

/* Both are sorted by name, so that the same place is the first to look at. */
static const struct sql_monitor_database *
find_before(const struct reading *before, size_t place, const struct sql_monitor_database *now)
{
    const struct sql_monitor_database *rows = before->rows.items;
    size_t count = before->rows.count;

    if (place < count && strcmp(rows[place].datid, now->datid) == 0)
        return &rows[place];
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].datid, now->datid) == 0)
            return &rows[i];
    return NULL;
}

static bool
is_same_epoch(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* A ratio of a handful says nothing. */
enum { LEAST_BLOCKS = 1000, LEAST_TRANSACTIONS = 20 };

static void
add_database(struct watched *server, const struct sql_monitor_database *now,
    const struct sql_monitor_database *before, double span_s)
{
    static const char *const names[] = { "datname", NULL };
    const char *labels[] = { now->datname };
    double hits = derive_delta((double)now->blks_hit, (double)before->blks_hit);
    double blocks = hits + derive_delta((double)now->blks_read, (double)before->blks_read);
    double undone = derive_delta((double)now->xact_rollback, (double)before->xact_rollback);
    double all = undone + derive_delta((double)now->xact_commit, (double)before->xact_commit);
    double deadlocks = derive_delta((double)now->deadlocks, (double)before->deadlocks);
    double temp = derive_delta((double)now->temp_bytes, (double)before->temp_bytes);

    if (blocks >= LEAST_BLOCKS)
        derive_add(server, DERIVED_CACHE_HIT, names, labels, hits / blocks);
    derive_add(server, DERIVED_BLOCKS, names, labels, blocks / span_s);
    derive_add(server, DERIVED_TRANSACTIONS, names, labels, all / span_s);
    if (all >= LEAST_TRANSACTIONS)
        derive_add(server, DERIVED_ROLLBACK, names, labels, undone / all);
    derive_add(server, DERIVED_DEADLOCKS, names, labels, deadlocks / span_s);
    derive_add(server, DERIVED_TEMP_BYTES, names, labels, temp / span_s);
}

static void
add_databases(struct watched *server)
{
    struct pair pair;

    if (!derive_pair(server, COLLECT_DATABASE, &pair))
        return;

    size_t most = (size_t)collectors[COLLECT_DATABASE].most_series;

    for (size_t i = 0; i < pair.now->rows.count && i < most; i++) {
        const struct sql_monitor_database *now =
            &READING_ROWS(pair.now, struct sql_monitor_database)[i];
        const struct sql_monitor_database *before = find_before(pair.before, i, now);

        if (before && now->allows_connections &&
            is_same_epoch(now->stats_reset, before->stats_reset))
            add_database(server, now, before, pair.span_s);
    }
}

static void
add_checkpoints(struct watched *server)
{
    struct pair pair;

    if (!derive_pair(server, COLLECT_CHECKPOINT, &pair) || pair.now->rows.count != 1 ||
        pair.before->rows.count != 1)
        return;

    const struct sql_monitor_checkpoint *now = pair.now->rows.items;
    const struct sql_monitor_checkpoint *before = pair.before->rows.items;

    if (is_same_epoch(now->stats_reset, before->stats_reset))
        derive_add(server, DERIVED_CHECKPOINTS_REQUESTED, no_labels, NULL,
            derive_delta((double)now->requested, (double)before->requested) / pair.span_s);
}

static void
add_wal(struct watched *server)
{
    struct pair pair;

    if (!derive_pair(server, COLLECT_SERVER, &pair) || pair.now->rows.count != 1 ||
        pair.before->rows.count != 1)
        return;

    const struct sql_monitor_server *now = pair.now->rows.items;
    const struct sql_monitor_server *before = pair.before->rows.items;

    /* A position counts what was written only as long as it is the same history. */
    if (now->timeline == before->timeline && now->in_recovery == before->in_recovery &&
        text_equal(now->system_identifier, before->system_identifier))
        derive_add(server, DERIVED_WAL_BYTES, no_labels, NULL,
            derive_delta((double)now->wal_lsn, (double)before->wal_lsn) / pair.span_s);
}

static void
add_archive(struct watched *server)
{
    struct pair pair;

    if (!derive_pair(server, COLLECT_WAL, &pair) || pair.now->rows.count != 1 ||
        pair.before->rows.count != 1)
        return;

    const struct sql_monitor_wal *now = pair.now->rows.items;
    const struct sql_monitor_wal *before = pair.before->rows.items;

    if (strcmp(now->archive_mode, "off") != 0)
        derive_add(server, DERIVED_ARCHIVE_FAILING, no_labels, NULL,
            derive_delta((double)now->failed_count, (double)before->failed_count) / pair.span_s);
}

void
derive_rates(struct watched *server)
{
    add_databases(server);
    add_checkpoints(server);
    add_wal(server);
    add_archive(server);
}
