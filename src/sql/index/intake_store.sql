-- Whether the monitor keeps statements in this database.
-- @column is_there bool
-- @server 14+
SELECT pg_catalog.to_regclass('pgmend.statement_history') IS NOT NULL;
