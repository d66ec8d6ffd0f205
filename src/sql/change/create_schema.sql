-- The schema that holds everything of ours.
-- @server 14+
CREATE SCHEMA IF NOT EXISTS pgmend;
