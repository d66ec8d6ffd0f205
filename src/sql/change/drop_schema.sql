-- Drops the schema once it is empty.
-- @server 14+
DROP SCHEMA IF EXISTS pgmend RESTRICT;
