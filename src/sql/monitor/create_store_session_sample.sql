-- Sessions that waited for another or made one wait, and those in a long transaction. Without the
-- texts of their statements, which only their own users may see.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.session_sample (
    server smallint NOT NULL,
    ts timestamptz NOT NULL,
    pid integer NOT NULL,
    datname text,
    usename text,
    application_name text,
    state text,
    wait_event_type text,
    wait_event text,
    xact_seconds real,
    query_seconds real,
    blocked_by text,
    blocks integer NOT NULL,
    query_id bigint NOT NULL,
    PRIMARY KEY (ts, server, pid)
) PARTITION BY RANGE (ts)
