-- One row a minute of a server, made of its ticks: mean, least and most of each series, and how many
-- ticks had it.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.sample_minute (
    server smallint NOT NULL,
    ts timestamptz NOT NULL,
    series integer[] NOT NULL,
    mean double precision[] NOT NULL,
    least double precision[] NOT NULL,
    most double precision[] NOT NULL,
    ticks integer[] NOT NULL,
    PRIMARY KEY (ts, server)
) PARTITION BY RANGE (ts)
