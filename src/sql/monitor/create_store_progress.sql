-- Up to which time samples of a server have been made into minutes, and those into hours.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.store_progress (
    server smallint NOT NULL REFERENCES pgmend.monitored_server ON DELETE CASCADE,
    kind text NOT NULL
        CHECK (kind IN ('sample_minute', 'sample_hour', 'statement_minute', 'statement_hour')),
    done_until timestamptz NOT NULL,
    PRIMARY KEY (server, kind)
)
