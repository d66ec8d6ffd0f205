-- A statement of a user in a database; its text stands in statement_text.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.statement (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server smallint NOT NULL,
    query_id bigint NOT NULL,
    user_id oid NOT NULL,
    database_id oid NOT NULL,
    seen date NOT NULL,
    UNIQUE (server, query_id, user_id, database_id)
)
