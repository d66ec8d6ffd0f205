-- One row an hour, server and kind: size and counters of its tables or indexes as they stood then, in
-- the order of their ids, of which the difference to the one before is kept.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.relation_sample (
    server smallint NOT NULL,
    ts timestamptz NOT NULL,
    kind text NOT NULL,
    step integer[] NOT NULL,
    bytes bigint[] NOT NULL,
    scans bigint[] NOT NULL,
    changes bigint[] NOT NULL,
    dead bigint[] NOT NULL,
    PRIMARY KEY (ts, server, kind)
) PARTITION BY RANGE (ts)
