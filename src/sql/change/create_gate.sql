-- What was recorded for the checks before an apply.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.gate (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    passed boolean NOT NULL,
    note text NOT NULL,
    actor text NOT NULL,
    plan_hash text,
    recorded_at timestamptz NOT NULL
);
