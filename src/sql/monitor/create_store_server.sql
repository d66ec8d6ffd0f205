-- A server that a monitor keeps samples of.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.monitored_server (
    id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
)
