-- One row a statement of a snapshot, with its counters as pg_stat_statements showed them.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.snapshot_statement (
    snapshot bigint NOT NULL REFERENCES pgmend.snapshot ON DELETE CASCADE,
    user_id bigint NOT NULL,
    query_id bigint NOT NULL,
    is_top_level boolean NOT NULL,
    query text NOT NULL,
    fingerprint text,
    calls bigint NOT NULL,
    total_ms double precision NOT NULL,
    mean_ms double precision NOT NULL,
    min_ms double precision NOT NULL,
    max_ms double precision NOT NULL,
    stddev_ms double precision NOT NULL,
    row_count bigint NOT NULL,
    blocks_hit bigint NOT NULL,
    blocks_read bigint NOT NULL,
    temp_read bigint NOT NULL,
    temp_written bigint NOT NULL,
    wal_bytes double precision NOT NULL,
    stats_since text NOT NULL,
    PRIMARY KEY (snapshot, query_id, user_id, is_top_level)
)
