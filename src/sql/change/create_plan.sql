-- Plans with steps that were begun, as their files hold them.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.plan (
    hash text PRIMARY KEY,
    plan json NOT NULL,
    kept_at timestamptz NOT NULL
);
