-- One row a tick of a server: values of series, side by side. A value that was not known has none.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.sample (
    server smallint NOT NULL,
    ts timestamptz NOT NULL,
    series integer[] NOT NULL,
    value double precision[] NOT NULL,
    PRIMARY KEY (ts, server)
) PARTITION BY RANGE (ts)
