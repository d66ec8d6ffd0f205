-- One row a table of a snapshot.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.snapshot_table (
    snapshot bigint NOT NULL REFERENCES pgmend.snapshot ON DELETE CASCADE,
    table_id oid NOT NULL,
    schema text NOT NULL,
    name text NOT NULL,
    live_rows bigint NOT NULL,
    table_bytes bigint NOT NULL,
    index_bytes bigint NOT NULL,
    seq_scans bigint NOT NULL,
    seq_rows_read bigint NOT NULL,
    index_scans bigint NOT NULL,
    PRIMARY KEY (snapshot, table_id)
)
