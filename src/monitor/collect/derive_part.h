/* Metrics of our own that are derived, and what the files derive*.c share. */
#pragma once

#include "monitor/collect/derive.h"

/* Id, kind, whether it is kept, name, labels, help. */
#define DERIVED(X)                                                                                      \
    X(UP, GAUGE, true, "pgmend_up", "", "Whether the server answers")                                   \
    X(PG_UP, GAUGE, false, "pg_up", "", "Whether the server answers")                                   \
    X(TICKS, COUNTER, false, "pgmend_ticks_total", "", "Times the server was asked")                    \
    X(MISSED, COUNTER, false, "pgmend_ticks_missed_total", "",                                          \
        "Ticks left out because the one before had no end, or to spare the server")                     \
    X(GAP, GAUGE, false, "pgmend_gap", "",                                                              \
        "Whether rates are left out of this tick: after a restart, failover, reset or clock jump")      \
    X(COST, GAUGE, true, "pgmend_cost_ratio", "",                                                       \
        "Share of one processor that watching costs the server")                                        \
    X(SLOWED, GAUGE, true, "pgmend_monitor_slowed", "",                                                 \
        "How often the intervals were doubled to spare the server")                                     \
    X(SCRAPE, GAUGE, true, "pgmend_scrape_seconds", "", "Seconds the answers of this tick took")        \
    X(PG_SCRAPE, GAUGE, false, "pg_exporter_last_scrape_duration_seconds", "",                          \
        "Seconds the answers of this tick took")                                                        \
    X(PG_SCRAPE_ERROR, GAUGE, false, "pg_exporter_last_scrape_error", "",                               \
        "Whether a part of the server could not be read")                                               \
    X(PG_SCRAPES, COUNTER, false, "pg_exporter_scrapes_total", "", "Times the server was asked")        \
    X(COLLECTOR_SUCCESS, GAUGE, true, "pg_scrape_collector_success", "collector",                       \
        "Whether this part of the server could be read")                                                \
    X(COLLECTOR_DURATION, GAUGE, false, "pg_scrape_collector_duration_seconds", "collector",            \
        "Seconds this part of the server took")                                                         \
    X(SETTING, GAUGE, false, "pg_settings_*", "", "Each setting that is a number or a switch")          \
    X(STATIC, GAUGE, false, "pg_static", "version, short_version",                                      \
        "Always 1; its labels are the version of the server")                                           \
    X(CONNECTIONS_USED, GAUGE, true, "pgmend_connections_used_ratio", "",                               \
        "Client sessions over what max_connections leaves to ordinary users")                           \
    X(SESSIONS, GAUGE, true, "pgmend_sessions", "state", "Sessions by state, all databases")            \
    X(BLOCKED, GAUGE, true, "pgmend_blocked_sessions", "",                                              \
        "Sessions that wait for another one's lock")                                                    \
    X(LONGEST_TRANSACTION, GAUGE, true, "pgmend_longest_transaction_seconds", "",                       \
        "Seconds since the oldest open transaction of a client began")                                  \
    X(IDLE_IN_TRANSACTION, GAUGE, true, "pgmend_idle_in_transaction_seconds", "",                       \
        "Seconds that the longest idle session in a transaction has been idle")                         \
    X(LONGEST_STATEMENT, GAUGE, true, "pgmend_longest_statement_seconds", "",                           \
        "Seconds that the longest running statement of a client has taken so far")                      \
    X(SLOW_STATEMENTS, GAUGE, true, "pgmend_slow_statements_rate", "",                                  \
        "Statements a second that take longer than a second, estimated from sessions and"               \
        " pg_stat_statements")                                                                          \
    X(STATEMENTS, GAUGE, true, "pgmend_statements_rate", "", "Statements a second")                     \
    X(STATEMENT_MEAN, GAUGE, true, "pgmend_statement_mean_seconds", "",                                 \
        "Mean execution time of statements")                                                            \
    X(STATEMENT_P95, GAUGE, true, "pgmend_statement_p95_seconds", "",                                   \
        "Estimated 95th percentile of execution times: over calls, each taken as its statement's mean") \
    X(STATEMENT_LOAD, GAUGE, true, "pgmend_statement_load", "",                                         \
        "Seconds of execution a second: statements running at once on average")                         \
    X(NPLUS1_SUSPECTS, GAUGE, true, "pgmend_nplus1_suspects", "",                                       \
        "Statements called as often as another gave rows since the last reading: N+1 suspects")         \
    X(CACHE_HIT, GAUGE, true, "pgmend_cache_hit_ratio", "datname",                                      \
        "Share of the blocks read since the last tick that was found in shared buffers")                \
    X(BLOCKS, GAUGE, true, "pgmend_blocks_rate", "datname",                                             \
        "Blocks read a second, from memory or not")                                                     \
    X(TRANSACTIONS, GAUGE, true, "pgmend_transactions_rate", "datname", "Transactions a second")        \
    X(ROLLBACK, GAUGE, true, "pgmend_rollback_ratio", "datname",                                        \
        "Share of the transactions since the last tick that was rolled back")                           \
    X(DEADLOCKS, GAUGE, true, "pgmend_deadlocks_rate", "datname", "Deadlocks a second")                 \
    X(TEMP_BYTES, GAUGE, true, "pgmend_temp_bytes_rate", "datname",                                     \
        "Bytes a second written to temporary files")                                                    \
    X(CHECKPOINTS_REQUESTED, GAUGE, true, "pgmend_checkpoints_requested_rate", "",                      \
        "Checkpoints a second that came before their time")                                             \
    X(WAL_BYTES, GAUGE, true, "pgmend_wal_bytes_rate", "", "Bytes of WAL a second")                     \
    X(REPLICATION_LAG, GAUGE, true, "pgmend_replication_lag_seconds",                                   \
        "application_name, client_addr",                                                                \
        "Seconds a standby is behind; of this server itself without labels when it is one")             \
    X(INVALID_INDEXES, GAUGE, true, "pgmend_invalid_indexes", "",                                       \
        "Indexes that are not usable and not being built")                                              \
    X(BUILD_PROGRESS, GAUGE, true, "pgmend_progress_ratio", "datname, command, relation, object",       \
        "How far an index build, vacuum or other long command is")                                      \
    X(DEAD_ROWS, GAUGE, true, "pgmend_dead_rows_ratio", "datname, schemaname, relname",                 \
        "Share of dead rows in a table of at least 10,000 rows, of the worst tables")                   \
    X(PENDING_RESTART, GAUGE, true, "pgmend_settings_pending_restart", "",                              \
        "Changed settings that wait for a restart")                                                     \
    X(ARCHIVE_FAILING, GAUGE, true, "pgmend_archive_failures_rate", "",                                 \
        "Attempts a second to archive WAL that failed")

#define DERIVED_ENUM(id, kind, kept, name, labels, help) DERIVED_##id,
enum derived_id { DERIVED(DERIVED_ENUM) DERIVED_COUNT };
#undef DERIVED_ENUM

/* labels: pairs of name and value are given by label_names and labels; both NULL: none. */
void derive_add(struct watched *server, enum derived_id id, const char *const *label_names,
    const char *const *labels, double value);

/* Two answers of a collector that may be compared. */
struct pair {
    const struct reading *now;
    const struct reading *before;
    double span_s;
};

/* False: there are no two, or something happened between them (a restart, a gap). */
bool derive_pair(const struct watched *server, enum collector_id id, struct pair *ret);

/* now - before of a counter; NaN when it went back. */
double derive_delta(double now, double before);

/* The rows of a collector's good reading; NULL and 0 when there is none. */
const void *derive_rows(const struct watched *server, enum collector_id id, size_t *ret_count);

void derive_levels(struct watched *server);
void derive_rates(struct watched *server);
void derive_suspects(struct watched *server);
void derive_settings(struct watched *server);
