-- The journal, oldest first. (The column step may be missing: an older version made the table.)
-- @column id int8
-- @column entry text
-- @column run text
-- @column kind text
-- @column object text
-- @column relation text?
-- @column statement text
-- @column undo text?
-- @column state text
-- @column started_at text
-- @column ended_at text?
-- @column detail text
-- @column step text?
-- @server 14+
SELECT j.id, j.entry, j.run, j.kind, j.object, j.relation, j.statement, j.undo, j.state,
       pg_catalog.to_char(j.started_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       pg_catalog.to_char(j.ended_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       j.detail::text,
       pg_catalog.to_jsonb(j) OPERATOR(pg_catalog.->>) 'step'
  FROM pgmend.journal AS j
 ORDER BY j.id;
