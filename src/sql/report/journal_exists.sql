-- Whether changes have ever been recorded in this database.
-- @column exist bool
-- @server 14+
SELECT pg_catalog.to_regclass('pgmend.journal') IS NOT NULL AS exist
