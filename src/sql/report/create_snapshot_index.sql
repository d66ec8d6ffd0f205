-- One row an index of a snapshot.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.snapshot_index (
    snapshot bigint NOT NULL REFERENCES pgmend.snapshot ON DELETE CASCADE,
    index_id oid NOT NULL,
    schema text NOT NULL,
    table_name text NOT NULL,
    name text NOT NULL,
    definition text NOT NULL,
    is_valid boolean NOT NULL,
    size_bytes bigint NOT NULL,
    scans bigint NOT NULL,
    tuples_read bigint NOT NULL,
    PRIMARY KEY (snapshot, index_id)
)
