-- One row a statement of the critical scripts, with the plan it had when the snapshot was taken.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.snapshot_plan (
    snapshot bigint NOT NULL REFERENCES pgmend.snapshot ON DELETE CASCADE,
    script text NOT NULL,
    number bigint NOT NULL,
    statement_count bigint NOT NULL,
    query text NOT NULL,
    fingerprint text,
    used_values text NOT NULL,
    plan text,    -- as EXPLAIN (FORMAT JSON) gave it
    problem text, -- why there is no plan
    PRIMARY KEY (snapshot, script, number)
)
