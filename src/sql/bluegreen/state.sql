-- The pair that this database is of, the newest.
-- @column id text
-- @column version int8
-- @column state text
-- @column schema text?
-- @server 14+
SELECT b.id, b.version, b.state, b.schema
  FROM pgmend.bluegreen AS b
 ORDER BY b.changed_at DESC
 LIMIT 1;
