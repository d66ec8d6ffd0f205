-- A table or index of a server.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.relation (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server smallint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('table', 'index')),
    datname text NOT NULL,
    schemaname text NOT NULL,
    relname text NOT NULL,
    seen date NOT NULL,
    UNIQUE (server, kind, datname, schemaname, relname)
)
