-- One row a reading of a server's pg_stat_statements: what each statement that was called did since the
-- reading before, over span seconds.
-- Statements are in the order of their ids, of which only the difference to the one before is kept:
-- that packs to almost nothing. pgmend.statement_history reads it.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.statement_sample (
    server smallint NOT NULL,
    ts timestamptz NOT NULL,
    span real NOT NULL,
    step integer[] NOT NULL,
    calls integer[] NOT NULL,
    ms real[] NOT NULL,
    row_count real[] NOT NULL,
    blocks_hit real[] NOT NULL,
    blocks_read real[] NOT NULL,
    PRIMARY KEY (ts, server)
) PARTITION BY RANGE (ts)
