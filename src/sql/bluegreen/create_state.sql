-- What is known of a blue-green pair, one row; kept in both databases.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.bluegreen (
    id text PRIMARY KEY,
    version bigint NOT NULL,
    state text NOT NULL,
    schema text,
    changed_at timestamptz NOT NULL
);
