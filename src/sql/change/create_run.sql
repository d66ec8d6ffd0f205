-- One row a command that changed, or set out to change, the database.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.run (
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    id text PRIMARY KEY,
    command text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'undone')),
    actor text NOT NULL,
    client text NOT NULL,
    version text NOT NULL,
    plan_hash text,
    catalogue json,
    overrides json,
    message text,
    started_at timestamptz NOT NULL,
    ended_at timestamptz
);
