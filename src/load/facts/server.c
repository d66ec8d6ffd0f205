/* What PostgreSQL counts, read by a session of our own. */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "db/db.h"
#include "db/ident.h"
#include "db/local.h"
#include "load/facts/part.h"
#include "sql/sql.h"

enum { ANSWER_LIMIT_US = 5000000, RETRY_US = 20000, MOST_RETRIES = 250 };

struct reading {
    int64_t at_us;
    struct sql_load_counters counters;
    struct sql_load_statements statements;
    bool has_statements;
    int64_t own; /* statements of ours before it */
};

struct server {
    struct arena *arena;
    struct ctx scratch; /* of one look */
    struct db *db;
    const char *no_statements; /* why pg_stat_statements is not read, or NULL */
    const char *lost;          /* why the session is of no use any more, or NULL */
    struct reading begin;
    struct reading end;
    bool has_begun;
    bool has_ended;
    int64_t own;
    int64_t looks; /* of which the following are sums */
    double active;
    double waiting;
    int32_t most_active;
    int32_t most_waiting;
    int32_t most_sessions;
    double longest_us;
    bool is_hidden; /* of some sessions the role may not see the state */
    VEC(struct server_tick) ticks;
};

/* Not available is no failure: the other facts are there. */
static bool
find_statements(struct ctx *ctx, struct server *server)
{
    struct sql_workload_extension_rows rows;

    if (!sql_workload_extension(ctx, server->db, &rows))
        return false;
    if (rows.count == 0)
        server->no_statements = "pg_stat_statements is not installed in this database"
                                " (CREATE EXTENSION pg_stat_statements)";
    else if (!rows.items[0].is_loaded)
        server->no_statements = "pg_stat_statements is not in shared_preload_libraries";
    else if (rows.items[0].is_old)
        server->no_statements = "pg_stat_statements is older than 1.9"
                                " (ALTER EXTENSION pg_stat_statements UPDATE)";
    return server->no_statements || db_set(ctx, server->db, "search_path",
                                        arena_printf(ctx->arena, "pg_catalog, %s, pg_temp",
                                            db_ident(ctx->arena, rows.items[0].schema)));
}

struct server *
server_new(struct arena *arena, const struct db *db, const char **ret_why)
{
    const struct db_options options = {
        .application = "pgmend/load watch",
        .access = ACCESS_READ,
        .connect_timeout_us = ANSWER_LIMIT_US,
        .statement_timeout_us = ANSWER_LIMIT_US,
        .lock_timeout_us = ANSWER_LIMIT_US,
    };
    struct server *server = calloc(1, sizeof(*server));

    if (!server)
        memory_exhausted(sizeof(*server));
    server->arena = arena_new();
    server->scratch.arena = arena_new();
    if (db_open_like(&server->scratch, db, &options, &server->db) &&
        find_statements(&server->scratch, server)) {
        arena_reset(server->scratch.arena);
        return server;
    }
    *ret_why = arena_printf(arena,
        "PostgreSQL was not watched, because a session for it could not be had: %s",
        server->scratch.error.message);
    server_free(server);
    return NULL;
}

void
server_find_process(struct arena *arena, struct server *server, struct side *ret)
{
    struct ctx ctx = { .arena = arena };
    struct sql_load_counters_rows rows;
    struct proc_table table;
    const struct proc_entry *entry;

    *ret = (struct side){ .place = SIDE_UNKNOWN };
    if (!sql_load_counters(&ctx, server->db, &rows) || rows.count != 1) {
        ret->why_not = ctx.error.message ? ctx.error.message : "the server does not say enough";
        return;
    }
    if (!db_local_is_here(db_host(server->db)))
        ret->place = SIDE_ELSEWHERE;

    const struct db_local_question question = {
        .host = db_host(server->db),
        .backend_pid = db_backend_pid(server->db),
        .data_directory = rows.items[0].data_directory,
    };
    int postmaster = db_local_postmaster(arena, &question, &ret->why_not);

    if (postmaster == 0)
        return;
    proc_table_read(arena, "", &table);
    entry = proc_table_find(&table, postmaster);
    if (!entry) {
        ret->why_not = "/proc cannot be read";
        return;
    }
    ret->place = SIDE_HERE;
    ret->roots = arena_memdup(arena, entry, sizeof(*entry));
    ret->root_count = 1;
}

static bool
read_counters(struct server *server, struct reading *ret)
{
    struct ctx *ctx = &server->scratch;
    struct sql_load_counters_rows counters;
    struct sql_load_statements_rows statements;

    *ret = (struct reading){ .at_us = clock_us(), .own = server->own++ };
    if (!sql_load_counters(ctx, server->db, &counters))
        return false;
    if (counters.count != 1)
        return error_set(ctx, ERR_FAILED, "the server has no counters of this database");
    ret->counters = counters.items[0];
    if (server->no_statements)
        return true;
    server->own++;
    if (!sql_load_statements(ctx, server->db, &statements))
        return false;
    ret->has_statements = statements.count == 1;
    if (ret->has_statements)
        ret->statements = statements.items[0];
    return true;
}

static int32_t
larger(int32_t one, int32_t other)
{
    return one > other ? one : other;
}

/* What is seen between the two moments counts; before and after it is a point of the curve only. */
static bool
read_sessions(struct server *server)
{
    struct sql_load_sessions_rows rows;
    int64_t at = clock_wall_us() / 1000000 - 1;

    server->own++;
    if (!sql_load_sessions(&server->scratch, server->db, &rows))
        return false;
    if (rows.count != 1)
        return true;

    const struct sql_load_sessions *now = &rows.items[0];
    bool is_hidden = now->active < 0;

    VEC_PUSH(server->arena, &server->ticks,
        (struct server_tick){
            .at = at,
            .active = is_hidden ? NAN : (double)now->active,
            .waiting = is_hidden ? NAN : (double)now->waiting,
        });
    if (!server->has_begun || server->has_ended)
        return true;
    server->looks++;
    server->is_hidden = server->is_hidden || is_hidden;
    server->active += now->active;
    server->waiting += now->waiting;
    server->most_active = larger(server->most_active, now->active);
    server->most_waiting = larger(server->most_waiting, now->waiting);
    server->most_sessions = larger(server->most_sessions, now->sessions);
    server->longest_us = fmax(server->longest_us, now->longest_us);
    return true;
}

static bool
was_interrupted(const struct server *server)
{
    enum error_kind kind = server->scratch.error.kind;

    return kind == ERR_INTERRUPTED || kind == ERR_TERMINATED;
}

static bool
read_kind(struct server *server, enum look kind)
{
    error_clear(&server->scratch);
    if (kind == LOOK_TICK)
        return read_sessions(server);
    return read_counters(server, kind == LOOK_BEGIN ? &server->begin : &server->end);
}

/*
 * A signal interrupts every statement until whoever waits for the end has taken it: then it is asked
 * again. The run itself is never disturbed by what goes wrong here.
 */
void
server_look(void *data, enum look kind)
{
    struct server *server = data;
    bool is_good = !server->lost && read_kind(server, kind);

    for (int i = 0; !is_good && !server->lost && kind != LOOK_TICK && was_interrupted(server) &&
                    i < MOST_RETRIES;
         i++) {
        struct timespec pause = { .tv_nsec = RETRY_US * 1000 };

        nanosleep(&pause, NULL);
        is_good = read_kind(server, kind);
    }
    if (!is_good && !server->lost && !(kind == LOOK_TICK && was_interrupted(server)))
        server->lost = arena_strdup(server->arena, server->scratch.error.message);
    if (is_good && kind == LOOK_BEGIN)
        server->has_begun = true;
    if (is_good && kind == LOOK_END)
        server->has_ended = server->has_begun;
    arena_reset(server->scratch.arena);
}

static void
put_a_request(struct fact_sheet *sheet, const char *name, double sum)
{
    if (sheet->requests > 0)
        fact_put(sheet, name, sum / sheet->requests);
}

static void
tell_counters(const struct server *server, struct fact_sheet *sheet)
{
    const struct sql_load_counters *from = &server->begin.counters;
    const struct sql_load_counters *to = &server->end.counters;
    double blocks =
        (double)(to->blocks_hit - from->blocks_hit + to->blocks_read - from->blocks_read);
    double own = (double)(server->end.own - server->begin.own);
    double wal = to->wal_bytes - from->wal_bytes;
    double span_s = (double)(server->end.at_us - server->begin.at_us) / 1e6;
    bool was_reset =
        isnan(from->stats_reset) ? !isnan(to->stats_reset) : to->stats_reset > from->stats_reset;

    if (to->server_start > from->server_start) {
        fact_note(sheet, "PostgreSQL's counters are not known: it was restarted in the run.");
        return;
    }
    if (wal >= 0) {
        put_a_request(sheet, "wal_bytes", wal);
        fact_put(sheet, "wal_rate", span_s > 0 ? wal / span_s : NAN);
    }
    fact_put(sheet, "checkpoints", (double)(to->checkpoints - from->checkpoints));
    if (was_reset || blocks < 0) {
        fact_note(sheet, "Pages and transactions are not known: statistics were reset in the run.");
        return;
    }
    put_a_request(
        sheet, "transactions", fmax((double)(to->transactions - from->transactions) - own, 0));
    put_a_request(sheet, "blocks", blocks);
    if (blocks > 0)
        fact_put(sheet, "cache_hit", (double)(to->blocks_hit - from->blocks_hit) / blocks);
    fact_put(sheet, "temp_bytes", (double)(to->temp_bytes - from->temp_bytes));
    fact_put(sheet, "deadlocks", (double)(to->deadlocks - from->deadlocks));
}

static void
tell_statements(const struct server *server, struct fact_sheet *sheet)
{
    const struct sql_load_statements *from = &server->begin.statements;
    const struct sql_load_statements *to = &server->end.statements;

    if (server->no_statements) {
        fact_note(sheet, "Statements a request are not known: %s.", server->no_statements);
        return;
    }
    if (!server->begin.has_statements || !server->end.has_statements)
        return;
    if (to->reset > from->reset || to->evicted != from->evicted || to->calls < from->calls) {
        fact_note(sheet, "Statements a request are not known: pg_stat_statements %s in the run.",
            to->evicted > from->evicted ? "dropped entries for want of room"
                                          " (raise pg_stat_statements.max)"
                                        : "was reset");
        return;
    }
    put_a_request(sheet, "statements", (double)(to->calls - from->calls));
    put_a_request(sheet, "statement_us", to->total_us - from->total_us);
}

static void
tell_sessions(const struct server *server, struct fact_sheet *sheet)
{
    if (server->looks == 0)
        return;
    fact_put(sheet, "connections", server->most_sessions);
    if (server->is_hidden) {
        fact_note(sheet, "What sessions do is not known: the role may not see all of them"
                         " (GRANT pg_read_all_stats).");
        return;
    }
    fact_put(sheet, "active", server->active / (double)server->looks);
    fact_put(sheet, "active_most", server->most_active);
    fact_put(sheet, "lock_waits", server->waiting / (double)server->looks);
    fact_put(sheet, "lock_waits_most", server->most_waiting);
    fact_put(sheet, "lock_wait_us", server->longest_us);
}

void
server_facts(const struct server *server, struct fact_sheet *sheet)
{
    if (server->lost)
        fact_note(sheet,
            "PostgreSQL's counters are not known: its session was lost in the run (%s).",
            server->lost);
    if (server->has_ended) {
        tell_counters(server, sheet);
        tell_statements(server, sheet);
        tell_sessions(server, sheet);
    }
}

const struct server_tick *
server_ticks(const struct server *server, size_t *ret_count)
{
    *ret_count = server->ticks.count;
    return server->ticks.items;
}

void
server_free(struct server *server)
{
    if (!server)
        return;
    db_close(server->db);
    arena_free(server->scratch.arena);
    arena_free(server->arena);
    free(server);
}
