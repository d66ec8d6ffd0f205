-- What pgmend keeps by name beside the journal, as JSON: the installed vector search, for one.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.value (
    name text PRIMARY KEY,
    value json NOT NULL,
    changed_at timestamptz NOT NULL
);
