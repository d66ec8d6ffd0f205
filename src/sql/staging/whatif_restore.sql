-- Gives tables back the files and sizes that they had before indexes were made on them; only on a server of our own.
-- @arg rows json  an array of objects with id, file, rows, pages and visible
-- @server 14+
UPDATE pg_catalog.pg_class c
   SET relfilenode = CASE WHEN g.file = 0 THEN c.relfilenode ELSE g.file END,
       reltuples = g.rows, relpages = g.pages, relallvisible = g.visible
  FROM pg_catalog.json_to_recordset($1) AS g (id oid, file oid, rows float4, pages int4, visible int4)
 WHERE c.oid = g.id
