#include "index/state/servers.h"

#include <math.h>

#include "sql.h"

static int64_t
to_us(double seconds)
{
    return isnan(seconds) ? -1 : (int64_t)(seconds * 1e6);
}

static int
compare_usage(const void *a, const void *b)
{
    const struct sql_index_state_usage *left = a;
    const struct sql_index_state_usage *right = b;

    return (left->oid > right->oid) - (left->oid < right->oid);
}

/* The same index has the same OID on every physical copy. */
static bool
read_usage(struct ctx *ctx, struct db *db, size_t number, struct index_states *states)
{
    struct sql_index_state_usage_rows rows;

    if (!sql_index_state_usage(ctx, db, &rows))
        return false;
    if (rows.count > 0)
        qsort(rows.items, rows.count, sizeof(rows.items[0]), compare_usage);
    for (size_t i = 0; i < states->items.count; i++) {
        const struct sql_index_state_usage wanted = { .oid = states->items.items[i].row->oid };
        const struct sql_index_state_usage *found =
            rows.count > 0
                ? bsearch(&wanted, rows.items, rows.count, sizeof(rows.items[0]), compare_usage)
                : NULL;

        if (found)
            states->items.items[i].uses[number] =
                (struct index_use){ .scans = found->scans, .last_scan = found->last_scan };
    }
    return true;
}

static bool
read_server(struct ctx *ctx, struct db *db, struct index_states *states)
{
    struct sql_index_state_server_rows rows;

    if (!sql_index_state_server(ctx, db, &rows) ||
        !read_usage(ctx, db, states->servers.count, states))
        return error_wrap(ctx, "reading how indexes were used at %s", db_label(ctx->arena, db));
    if (rows.count != 1)
        return error_set(ctx, ERR_SERVER, "%s tells nothing of itself", db_label(ctx->arena, db));

    const struct sql_index_state_server *row = &rows.items[0];
    const struct index_server server = {
        .label = db_label(ctx->arena, db),
        .is_standby = row->is_standby,
        .is_counting = row->is_counting,
        .since_us = to_us(row->since),
        .started_us = to_us(row->started),
        .now_us = to_us(row->now),
    };

    if (states->servers.count == 0)
        states->connected = row->standbys;
    VEC_PUSH(ctx->arena, &states->servers, server);
    return true;
}

/* Another cluster's counters say nothing about this one's indexes. */
static bool
require_same(struct ctx *ctx, struct db *db, struct db *replica)
{
    const char *own;
    const char *its;

    if (!journal_system_identifier(ctx, db, &own) || !journal_system_identifier(ctx, replica, &its))
        return false;
    if (!own || !its) {
        error_set(ctx, ERR_RIGHTS, "it cannot be seen whether %s is a copy of %s",
            db_label(ctx->arena, replica), db_label(ctx->arena, db));
        return error_hint(ctx, "GRANT pg_monitor, or EXECUTE ON FUNCTION pg_control_system().");
    }
    if (text_equal(own, its) && text_equal(db_name(db), db_name(replica)))
        return true;
    return text_equal(own, its)
               ? error_set(ctx, ERR_INPUT, "%s is another database than %s",
                     db_label(ctx->arena, replica), db_label(ctx->arena, db))
               : error_set(ctx, ERR_INPUT, "%s is no copy of %s: its system identifier is another",
                     db_label(ctx->arena, replica), db_label(ctx->arena, db));
}

static bool
require_new(struct ctx *ctx, const struct index_states *states)
{
    const struct index_server *last = &states->servers.items[states->servers.count - 1];

    if (!last->is_standby)
        return error_set(ctx, ERR_INPUT,
            "%s is no standby: it was promoted, or is the primary itself", last->label);
    for (size_t i = 0; i + 1 < states->servers.count; i++)
        if (text_equal(states->servers.items[i].label, last->label))
            return error_set(ctx, ERR_INPUT, "%s is given twice", last->label);
    return true;
}

static bool
read_replica(struct ctx *ctx, struct db *db, const char *url, struct index_states *states)
{
    struct db *replica CLEANUP(db_cleanup) = NULL;
    const struct db_options options = {
        .url = url,
        .application = "pgmend/index",
        .access = ACCESS_READ,
        .statement_timeout_us = 30000000,
    };

    return db_open(ctx, &options, &replica) && require_same(ctx, db, replica) &&
           read_server(ctx, replica, states) && require_new(ctx, states);
}

bool
index_servers_read(
    struct ctx *ctx, struct db *db, const struct text_list *replicas, struct index_states *states)
{
    if (!read_server(ctx, db, states))
        return false;
    for (size_t i = 0; i < replicas->count; i++)
        if (!read_replica(ctx, db, replicas->items[i], states)) {
            error_wrap(ctx, "replica %zu of %zu", i + 1, replicas->count);
            if (!ctx->error.hint)
                error_hint(ctx, "What a standby uses is seen only there: without it nothing is "
                                "concluded.");
            return false;
        }
    return true;
}
