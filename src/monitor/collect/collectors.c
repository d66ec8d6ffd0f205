#include "monitor/collect/collect.h"
#include "sql.h"

/*
 * Names that postgres_exporter has are kept as they are, also those that break Prometheus' rules
 * (milliseconds, counters without _total), so that dashboards made for it work. Names of our own
 * begin with pgmend_.
 */
/* clang-format off */
#define GAUGE(column, name, help)         { column, { name, METRIC_GAUGE, help, false } }
#define COUNTER(column, name, help)       { column, { name, METRIC_COUNTER, help, false } }
#define KEPT(column, name, help)          { column, { name, METRIC_GAUGE, help, true } }
#define UNTIL_16(column, name, help)      { column, { name, METRIC_COUNTER, help, false }, 0, 0, 16 }
#define FROM_17(column, name, help)       { column, { name, METRIC_COUNTER, help, false }, 0, 17, 0 }
#define SECONDS_OF_MS(column, name, help) { column, { name, METRIC_COUNTER, help, false }, 0.001 }
/* clang-format on */
#define METRICS(array) .metrics = (array), .metric_count = COUNT_OF(array)
#define LABELS(...)                 \
    .labels = (const char *const[]) \
    {                               \
        __VA_ARGS__, NULL           \
    }

enum { SECOND = 1000000, MINUTE = 60 * SECOND };
#define HOUR         (60 * (int64_t)MINUTE)

#define MONITOR_ROLE "GRANT pg_monitor TO the role that watches"

static const struct metric_column database[] = {
    GAUGE("numbackends", "pg_stat_database_numbackends", "Sessions of this database"),
    COUNTER("xact_commit", "pg_stat_database_xact_commit", "Transactions that were committed"),
    COUNTER(
        "xact_rollback", "pg_stat_database_xact_rollback", "Transactions that were rolled back"),
    COUNTER("blks_read", "pg_stat_database_blks_read", "Blocks read from outside shared buffers"),
    COUNTER("blks_hit", "pg_stat_database_blks_hit", "Blocks found in shared buffers"),
    COUNTER("tup_returned", "pg_stat_database_tup_returned", "Rows returned by scans"),
    COUNTER("tup_fetched", "pg_stat_database_tup_fetched", "Rows fetched by index scans"),
    COUNTER("tup_inserted", "pg_stat_database_tup_inserted", "Rows inserted"),
    COUNTER("tup_updated", "pg_stat_database_tup_updated", "Rows updated"),
    COUNTER("tup_deleted", "pg_stat_database_tup_deleted", "Rows deleted"),
    COUNTER(
        "conflicts", "pg_stat_database_conflicts", "Statements cancelled by replay on a standby"),
    COUNTER("temp_files", "pg_stat_database_temp_files", "Temporary files made by statements"),
    COUNTER("temp_bytes", "pg_stat_database_temp_bytes", "Bytes written to temporary files"),
    COUNTER("deadlocks", "pg_stat_database_deadlocks", "Deadlocks"),
    COUNTER("blk_read_time", "pg_stat_database_blk_read_time",
        "Milliseconds spent reading blocks, with track_io_timing"),
    COUNTER("blk_write_time", "pg_stat_database_blk_write_time",
        "Milliseconds spent writing blocks, with track_io_timing"),
    COUNTER("stats_reset", "pg_stat_database_stats_reset",
        "When these counters were reset, in seconds since 1970"),
    SECONDS_OF_MS("active_time", "pg_stat_database_active_time_seconds_total",
        "Seconds that sessions spent running statements"),
    SECONDS_OF_MS("session_time", "pgmend_database_session_seconds_total",
        "Seconds that sessions were connected"),
    SECONDS_OF_MS("idle_in_transaction_time", "pgmend_database_idle_in_transaction_seconds_total",
        "Seconds that sessions were idle in a transaction"),
    COUNTER("sessions", "pgmend_database_sessions_total", "Sessions that were begun"),
    COUNTER("sessions_abandoned", "pgmend_database_sessions_abandoned_total",
        "Sessions whose client was lost"),
    COUNTER("sessions_fatal", "pgmend_database_sessions_fatal_total",
        "Sessions ended by a fatal error"),
    COUNTER("sessions_killed", "pgmend_database_sessions_killed_total",
        "Sessions terminated by an operator"),
    COUNTER("checksum_failures", "pgmend_database_checksum_failures_total",
        "Data pages whose checksum was wrong"),
    COUNTER("confl_tablespace", "pg_stat_database_conflicts_confl_tablespace",
        "Statements cancelled by replay because of a dropped tablespace"),
    COUNTER("confl_lock", "pg_stat_database_conflicts_confl_lock",
        "Statements cancelled by replay because of locks"),
    COUNTER("confl_snapshot", "pg_stat_database_conflicts_confl_snapshot",
        "Statements cancelled by replay because of old snapshots"),
    COUNTER("confl_bufferpin", "pg_stat_database_conflicts_confl_bufferpin",
        "Statements cancelled by replay because of pinned buffers"),
    COUNTER("confl_deadlock", "pg_stat_database_conflicts_confl_deadlock",
        "Statements cancelled by replay because of deadlocks"),
    GAUGE("connection_limit", "pg_database_connection_limit",
        "Most connections to this database, -1 without a limit"),
};

static const struct metric_column activity[] = {
    GAUGE("count", "pg_stat_activity_count", "Sessions in this state"),
    GAUGE("max_tx_duration", "pg_stat_activity_max_tx_duration",
        "Seconds since the oldest of their transactions began"),
};

static const struct metric_column locks[] = {
    GAUGE("count", "pg_locks_count", "Locks held or waited for"),
    GAUGE("waiting", "pgmend_locks_waiting", "Locks waited for"),
};

static const struct metric_column statement[] = {
    COUNTER("calls", "pg_stat_statements_calls_total", "Times the statement was run"),
    COUNTER("seconds", "pg_stat_statements_seconds_total", "Seconds spent running the statement"),
    COUNTER("rows", "pg_stat_statements_rows_total", "Rows returned or changed by the statement"),
    COUNTER("read_seconds", "pg_stat_statements_block_read_seconds_total",
        "Seconds the statement spent reading blocks, with track_io_timing"),
    COUNTER("write_seconds", "pg_stat_statements_block_write_seconds_total",
        "Seconds the statement spent writing blocks, with track_io_timing"),
    COUNTER("blocks_hit", "pgmend_statement_blocks_hit_total",
        "Blocks the statement found in shared buffers"),
    COUNTER("blocks_read", "pgmend_statement_blocks_read_total",
        "Blocks the statement read from outside shared buffers"),
    COUNTER("wal_bytes", "pgmend_statement_wal_bytes_total", "Bytes of WAL the statement wrote"),
};

static const struct metric_column statements_info[] = {
    COUNTER("dealloc", "pgmend_statements_evicted_total",
        "Times that pg_stat_statements dropped statements for want of room"),
    GAUGE("max", "pgmend_statements_limit", "Statements that pg_stat_statements keeps"),
};

static const struct metric_column server[] = {
    GAUGE("started_epoch", "pg_postmaster_start_time_seconds",
        "When the server was started, in seconds since 1970"),
    GAUGE("loaded_epoch", "pgmend_configuration_loaded_timestamp_seconds",
        "When the configuration was read last, in seconds since 1970"),
    KEPT("connections", "pgmend_connections", "Client sessions of the whole server"),
    GAUGE("max_connections", "pgmend_connections_limit", "max_connections"),
    GAUGE("timeline", "pgmend_timeline", "Timeline: one more after each failover"),
};

static const struct metric_column checkpoint[] = {
    UNTIL_16("timed", "pg_stat_bgwriter_checkpoints_timed_total", "Checkpoints by schedule"),
    UNTIL_16("requested", "pg_stat_bgwriter_checkpoints_req_total", "Checkpoints by request"),
    UNTIL_16("write_ms", "pg_stat_bgwriter_checkpoint_write_time_total",
        "Milliseconds checkpoints spent writing"),
    UNTIL_16("sync_ms", "pg_stat_bgwriter_checkpoint_sync_time_total",
        "Milliseconds checkpoints spent syncing"),
    UNTIL_16("buffers_written", "pg_stat_bgwriter_buffers_checkpoint_total",
        "Buffers written by checkpoints"),
    COUNTER("buffers_clean", "pg_stat_bgwriter_buffers_clean_total",
        "Buffers written by the background writer"),
    COUNTER("maxwritten_clean", "pg_stat_bgwriter_maxwritten_clean_total",
        "Times the background writer stopped because it had written too much"),
    UNTIL_16("buffers_backend", "pg_stat_bgwriter_buffers_backend_total",
        "Buffers written by sessions themselves"),
    UNTIL_16("buffers_backend_fsync", "pg_stat_bgwriter_buffers_backend_fsync_total",
        "Times a session had to sync by itself"),
    COUNTER("buffers_alloc", "pg_stat_bgwriter_buffers_alloc_total", "Buffers that were allocated"),
    COUNTER("writer_reset", "pg_stat_bgwriter_stats_reset_total",
        "When these counters were reset, in seconds since 1970"),
    FROM_17("timed", "pg_stat_checkpointer_num_timed_total", "Checkpoints by schedule"),
    FROM_17("requested", "pg_stat_checkpointer_num_requested_total", "Checkpoints by request"),
    FROM_17("restartpoints_timed", "pg_stat_checkpointer_restartpoints_timed_total",
        "Restart points by schedule"),
    FROM_17("restartpoints_requested", "pg_stat_checkpointer_restartpoints_req_total",
        "Restart points by request"),
    FROM_17("restartpoints_done", "pg_stat_checkpointer_restartpoints_done_total",
        "Restart points that were performed"),
    FROM_17("write_ms", "pg_stat_checkpointer_write_time_total",
        "Milliseconds checkpoints spent writing"),
    FROM_17("sync_ms", "pg_stat_checkpointer_sync_time_total",
        "Milliseconds checkpoints spent syncing"),
    FROM_17("buffers_written", "pg_stat_checkpointer_buffers_written_total",
        "Buffers written by checkpoints"),
    FROM_17("stats_reset", "pg_stat_checkpointer_stats_reset_total",
        "When these counters were reset, in seconds since 1970"),
};

static const struct metric_column wal[] = {
    COUNTER("records", "pgmend_wal_records_total", "WAL records written"),
    COUNTER("full_pages", "pgmend_wal_full_pages_total", "Whole pages written to WAL"),
    COUNTER("bytes", "pgmend_wal_bytes_total", "Bytes of WAL written"),
    COUNTER("buffers_full", "pgmend_wal_buffers_full_total",
        "Times that WAL was written because its buffers were full"),
    GAUGE("segments", "pg_wal_segments", "Files in pg_wal"),
    GAUGE("size_bytes", "pg_wal_size_bytes", "Bytes of the files in pg_wal"),
    COUNTER("archived_count", "pg_stat_archiver_archived_count", "WAL files that were archived"),
    COUNTER("failed_count", "pg_stat_archiver_failed_count", "Attempts to archive that failed"),
    GAUGE("last_archive_age", "pg_stat_archiver_last_archive_age",
        "Seconds since a WAL file was archived"),
};

static const struct metric_column replication[] = {
    GAUGE("lsn_bytes", "pg_stat_replication_pg_current_wal_lsn_bytes", "WAL position in bytes"),
    GAUGE("replay_lag_bytes", "pg_stat_replication_pg_wal_lsn_diff",
        "Bytes of WAL that the standby has not replayed"),
    GAUGE("flush_lag_bytes", "pgmend_standby_flush_lag_bytes",
        "Bytes of WAL that the standby has not on disk"),
    GAUGE("replay_lag_seconds", "pgmend_standby_replay_lag_seconds",
        "Seconds from writing WAL to its replay on the standby"),
};

static const struct metric_column receiver[] = {
    GAUGE("is_replica", "pg_replication_is_replica", "Whether the server is a standby"),
    GAUGE("lag_seconds", "pg_replication_lag_seconds", "Seconds this standby is behind"),
    GAUGE("last_replay_seconds", "pg_replication_last_replay_seconds",
        "Seconds since the last replayed transaction ended"),
    GAUGE("replay_gap_bytes", "pgmend_replay_gap_bytes", "Bytes of WAL received and not replayed"),
};

static const struct metric_column slot[] = {
    GAUGE("current_lsn_bytes", "pg_replication_slot_slot_current_wal_lsn",
        "WAL position of the server in bytes"),
    GAUGE("confirmed_flush_lsn_bytes", "pg_replication_slot_slot_confirmed_flush_lsn",
        "WAL position that the slot's consumer has confirmed"),
    KEPT("active", "pg_replication_slot_slot_is_active", "Whether the slot is in use"),
    GAUGE("safe_wal_size", "pg_replication_slot_safe_wal_size_bytes",
        "Bytes of WAL that can be written before the slot is in danger"),
    KEPT("retained_bytes", "pgmend_slot_retained_bytes", "Bytes of WAL that the slot keeps"),
    GAUGE("xmin_age", "pgmend_slot_xmin_age", "Transactions that vacuum must keep for the slot"),
};

static const struct metric_column table[] = {
    COUNTER("seq_scan", "pg_stat_user_tables_seq_scan", "Sequential scans"),
    COUNTER("seq_tup_read", "pg_stat_user_tables_seq_tup_read", "Rows read by sequential scans"),
    COUNTER("idx_scan", "pg_stat_user_tables_idx_scan", "Index scans"),
    COUNTER("idx_tup_fetch", "pg_stat_user_tables_idx_tup_fetch", "Rows fetched by index scans"),
    COUNTER("n_tup_ins", "pg_stat_user_tables_n_tup_ins", "Rows inserted"),
    COUNTER("n_tup_upd", "pg_stat_user_tables_n_tup_upd", "Rows updated"),
    COUNTER("n_tup_del", "pg_stat_user_tables_n_tup_del", "Rows deleted"),
    COUNTER("n_tup_hot_upd", "pg_stat_user_tables_n_tup_hot_upd",
        "Rows updated without a new index entry"),
    GAUGE("n_live_tup", "pg_stat_user_tables_n_live_tup", "Estimated live rows"),
    GAUGE("n_dead_tup", "pg_stat_user_tables_n_dead_tup", "Estimated dead rows"),
    GAUGE("n_mod_since_analyze", "pg_stat_user_tables_n_mod_since_analyze",
        "Rows changed since the last analyze"),
    GAUGE("last_vacuum", "pg_stat_user_tables_last_vacuum",
        "When it was vacuumed by hand, in seconds since 1970"),
    GAUGE("last_autovacuum", "pg_stat_user_tables_last_autovacuum",
        "When it was vacuumed by the daemon, in seconds since 1970"),
    GAUGE("last_analyze", "pg_stat_user_tables_last_analyze",
        "When it was analyzed by hand, in seconds since 1970"),
    GAUGE("last_autoanalyze", "pg_stat_user_tables_last_autoanalyze",
        "When it was analyzed by the daemon, in seconds since 1970"),
    COUNTER("vacuum_count", "pg_stat_user_tables_vacuum_count", "Vacuums by hand"),
    COUNTER("autovacuum_count", "pg_stat_user_tables_autovacuum_count", "Vacuums by the daemon"),
    COUNTER("analyze_count", "pg_stat_user_tables_analyze_count", "Analyzes by hand"),
    COUNTER("autoanalyze_count", "pg_stat_user_tables_autoanalyze_count", "Analyzes by the daemon"),
    GAUGE("table_size_bytes", "pg_stat_user_tables_table_size_bytes",
        "Bytes of the table as of its last vacuum or analyze, without indexes"),
    GAUGE("index_size_bytes", "pg_stat_user_tables_index_size_bytes",
        "Bytes of its indexes as of their last vacuum or analyze"),
    COUNTER("heap_blocks_read", "pg_statio_user_tables_heap_blocks_read",
        "Blocks of the table read from outside shared buffers"),
    COUNTER("heap_blocks_hit", "pg_statio_user_tables_heap_blocks_hit",
        "Blocks of the table found in shared buffers"),
    COUNTER("idx_blocks_read", "pg_statio_user_tables_idx_blocks_read",
        "Blocks of its indexes read from outside shared buffers"),
    COUNTER("idx_blocks_hit", "pg_statio_user_tables_idx_blocks_hit",
        "Blocks of its indexes found in shared buffers"),
    COUNTER("toast_blocks_read", "pg_statio_user_tables_toast_blocks_read",
        "Blocks of its TOAST table read from outside shared buffers"),
    COUNTER("toast_blocks_hit", "pg_statio_user_tables_toast_blocks_hit",
        "Blocks of its TOAST table found in shared buffers"),
};

static const struct metric_column indexes[] = {
    COUNTER("blocks_read", "pg_statio_user_indexes_idx_blks_read_total",
        "Blocks of the index read from outside shared buffers"),
    COUNTER("blocks_hit", "pg_statio_user_indexes_idx_blks_hit_total",
        "Blocks of the index found in shared buffers"),
    COUNTER("idx_scan", "pgmend_index_scans_total", "Scans of the index"),
    COUNTER("idx_tup_read", "pgmend_index_entries_read_total", "Index entries returned by scans"),
    GAUGE("size_bytes", "pgmend_index_size_bytes",
        "Bytes of the index as of its last vacuum or analyze"),
};

static const struct metric_column wraparound[] = {
    GAUGE("xid_age", "pg_database_wraparound_age_datfrozenxid_seconds",
        "Age of the oldest transaction id, in transactions whatever the name says"),
    GAUGE("mxid_age", "pg_database_wraparound_age_datminmxid_seconds",
        "Age of the oldest multixact id, in multixacts whatever the name says"),
    KEPT("ratio", "pgmend_wraparound_ratio",
        "Share of all transaction or multixact ids that is used up"),
};

static const struct metric_column size[] = {
    KEPT("size_bytes", "pg_database_size_bytes", "Bytes of the database"),
};

static const struct metric_column bloat[] = {
    GAUGE(
        "bloat_ratio", "pgmend_bloat_ratio", "Estimated share of the table or index that is waste"),
    GAUGE("bloat_bytes", "pgmend_bloat_bytes", "Estimated waste in the table or index"),
};

static const struct metric_column role[] = {
    GAUGE("connection_limit", "pg_roles_connection_limit",
        "Most connections of this role, -1 without a limit"),
    GAUGE("expires_epoch", "pgmend_role_expiry_timestamp_seconds",
        "When the role's password ends, in seconds since 1970"),
};

static const struct metric_column vector[] = {
    KEPT("recall", "pgmend_vector_recall_ratio", "Recall that the last check of the search found"),
    GAUGE("recall_goal", "pgmend_vector_recall_goal_ratio", "Recall that was asked for"),
    GAUGE("checked_epoch", "pgmend_vector_check_timestamp_seconds",
        "When the search was checked last, in seconds since 1970"),
};

const struct collector collectors[COLLECTOR_COUNT] = {
    [COLLECT_SERVER] = {
        .name = "server",
        .summary = "role, start, limits and positions of the server",
        .query = &query_monitor_server,
        .is_of_cluster = false,
        METRICS(server),
    },
    [COLLECT_DATABASE] = {
        .name = "database",
        .summary = "transactions, rows, blocks and temporary files of each database",
        .query = &query_monitor_database,
        .is_of_cluster = true,
        LABELS("datid", "datname"),
        METRICS(database),
        .most_series = 200,
    },
    [COLLECT_ACTIVITY] = {
        .name = "activity",
        .summary = "sessions counted by what they do",
        .query = &query_monitor_activity,
        .is_of_cluster = true,
        .needs = MONITOR_ROLE,
        LABELS("datname", "state", "usename", "application_name", "backend_type",
            "wait_event_type", "wait_event"),
        METRICS(activity),
        .most_series = 200,
    },
    [COLLECT_SESSION] = {
        .name = "session",
        .summary = "sessions that wait, block, or have a transaction open",
        .query = &query_monitor_session,
        .is_of_cluster = true,
        .needs = MONITOR_ROLE,
    },
    [COLLECT_LOCK] = {
        .name = "lock",
        .summary = "locks by database and mode",
        .query = &query_monitor_lock,
        .is_of_cluster = true,
        LABELS("datname", "mode"),
        METRICS(locks),
        .most_series = 400,
    },
    [COLLECT_STATEMENTS_INFO] = {
        .name = "statements_info",
        .summary = "evictions and resets of pg_stat_statements",
        .query = &query_monitor_statements_info,
        .interval_us = 30 * (int64_t)SECOND,
        .is_of_cluster = true,
        .needs = "CREATE EXTENSION pg_stat_statements",
        METRICS(statements_info),
    },
    [COLLECT_STATEMENT] = {
        .name = "statement",
        .summary = "counters of pg_stat_statements",
        .query = &query_monitor_statement,
        .interval_us = 30 * (int64_t)SECOND,
        .is_of_cluster = true,
        .needs = "CREATE EXTENSION pg_stat_statements, or ALTER EXTENSION pg_stat_statements UPDATE",
        LABELS("user", "datname", "queryid"),
        METRICS(statement),
        .most_series = 200,
    },
    [COLLECT_CHECKPOINT] = {
        .name = "checkpoint",
        .summary = "checkpoints and the background writer",
        .query = &query_monitor_checkpoint,
        .interval_us = 30 * (int64_t)SECOND,
        .is_of_cluster = true,
        METRICS(checkpoint),
    },
    [COLLECT_WAL] = {
        .name = "wal",
        .summary = "WAL that was written and archived",
        .query = &query_monitor_wal,
        .interval_us = 30 * (int64_t)SECOND,
        .is_of_cluster = true,
        METRICS(wal),
    },
    [COLLECT_REPLICATION] = {
        .name = "replication",
        .summary = "standbys of this server",
        .query = &query_monitor_replication,
        .interval_us = 30 * (int64_t)SECOND,
        .is_of_cluster = true,
        .needs = MONITOR_ROLE,
        LABELS("application_name", "client_addr", "state", "slot_name"),
        METRICS(replication),
        .most_series = 100,
    },
    [COLLECT_RECEIVER] = {
        .name = "receiver",
        .summary = "this server as a standby",
        .query = &query_monitor_receiver,
        .interval_us = 30 * (int64_t)SECOND,
        .is_of_cluster = true,
        METRICS(receiver),
    },
    [COLLECT_SLOT] = {
        .name = "slot",
        .summary = "replication slots and the WAL they keep",
        .query = &query_monitor_slot,
        .interval_us = 30 * (int64_t)SECOND,
        .is_of_cluster = true,
        LABELS("slot_name", "slot_type"),
        METRICS(slot),
        .most_series = 100,
    },
    [COLLECT_PROGRESS] = {
        .name = "progress",
        .summary = "index builds, vacuums and other long commands under way",
        .query = &query_monitor_progress,
        .is_of_cluster = true,
        .needs = MONITOR_ROLE,
    },
    [COLLECT_INDEX_STATE] = {
        .name = "index_state",
        .summary = "indexes that are not usable",
        .query = &query_monitor_index_state,
    },
    [COLLECT_TABLE] = {
        .name = "table",
        .summary = "counters of tables",
        .query = &query_monitor_table,
        .interval_us = 30 * (int64_t)SECOND,
        LABELS("datname", "schemaname", "relname"),
        METRICS(table),
        .most_series = 300,
    },
    [COLLECT_INDEX] = {
        .name = "index",
        .summary = "counters of indexes",
        .query = &query_monitor_index,
        .interval_us = 30 * (int64_t)SECOND,
        LABELS("datname", "schemaname", "relname", "indexrelname"),
        METRICS(indexes),
        .most_series = 300,
    },
    [COLLECT_WRAPAROUND] = {
        .name = "wraparound",
        .summary = "age of transaction ids",
        .query = &query_monitor_wraparound,
        .interval_us = 10 * (int64_t)MINUTE,
        LABELS("datname"),
        METRICS(wraparound),
        .most_series = 200,
    },
    [COLLECT_SIZE] = {
        .name = "size",
        .summary = "bytes of databases",
        .query = &query_monitor_size,
        .interval_us = 10 * (int64_t)MINUTE,
        .is_of_cluster = true,
        .needs = MONITOR_ROLE,
        LABELS("datname"),
        METRICS(size),
        .most_series = 200,
    },
    [COLLECT_BLOAT] = {
        .name = "bloat",
        .summary = "estimated waste in the biggest tables and indexes",
        .query = &query_monitor_bloat,
        .interval_us = HOUR,
        .needs = "GRANT pg_read_all_data TO the role that watches",
        LABELS("datname", "schemaname", "relname", "indexrelname"),
        METRICS(bloat),
        .most_series = 100,
    },
    [COLLECT_SETTING] = {
        .name = "setting",
        .summary = "settings, and those that wait for a restart",
        .query = &query_monitor_setting,
        .interval_us = 5 * (int64_t)MINUTE,
        .is_of_cluster = true,
        .needs = MONITOR_ROLE,
    },
    [COLLECT_ROLE] = {
        .name = "role",
        .summary = "limits of roles",
        .query = &query_monitor_role,
        .interval_us = 5 * (int64_t)MINUTE,
        .is_of_cluster = true,
        LABELS("rolname"),
        METRICS(role),
        .most_series = 200,
    },
    [COLLECT_VECTOR] = {
        .name = "vector",
        .summary = "vector search that was installed, and its last check",
        .query = &query_monitor_vector,
        .interval_us = 5 * (int64_t)MINUTE,
        .needs = "GRANT USAGE ON SCHEMA pgmend and SELECT ON pgmend.value",
        LABELS("name"),
        METRICS(vector),
        .most_series = 100,
    },
    [COLLECT_JOURNAL] = {
        .name = "journal",
        .summary = "changes of the last two days",
        .query = &query_monitor_journal,
        .interval_us = 10 * (int64_t)SECOND,
        .needs = "GRANT USAGE ON SCHEMA pgmend and SELECT ON pgmend.journal, pgmend.run",
    },
};

int32_t
collector_most_rows(enum collector_id id)
{
    static const int32_t most[COLLECTOR_COUNT] = {
        [COLLECT_ACTIVITY] = 200,
        [COLLECT_SESSION] = 200,
        [COLLECT_STATEMENT] = 5000,
        [COLLECT_TABLE] = 2000,
        [COLLECT_INDEX] = 3000,
        [COLLECT_BLOAT] = 200,
    };

    return most[id];
}

const void *
collector_args(struct arena *arena, enum collector_id id, int32_t most_rows)
{
    if (collectors[id].query->arg_count == 0)
        return NULL;

    /* The bound is the only argument that any of them has. */
    int32_t *args = arena_alloc(arena, sizeof(int32_t));

    *args = most_rows > 0 ? most_rows : collector_most_rows(id);
    return args;
}
