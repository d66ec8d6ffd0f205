-- One row a snapshot: what was true when the counters were read.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.snapshot (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    taken_at timestamptz NOT NULL,
    server_start timestamptz NOT NULL,
    server_version text NOT NULL,
    stats_reset timestamptz,    -- of pg_stat_statements
    evicted bigint NOT NULL,
    most_entries bigint NOT NULL,
    hidden bigint NOT NULL,
    database_reset timestamptz, -- of the counters of tables and indexes
    settings json NOT NULL
)
