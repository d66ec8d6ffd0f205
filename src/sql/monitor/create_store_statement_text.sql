-- The text of a statement, once, however many users and databases have it.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.statement_text (
    server smallint NOT NULL,
    query_id bigint NOT NULL,
    query text NOT NULL,
    seen date NOT NULL,
    PRIMARY KEY (server, query_id)
)
