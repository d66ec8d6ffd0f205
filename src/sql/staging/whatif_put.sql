-- Gives indexes that were just made their names, files and sizes, and hides them; only on a server of our own.
-- @arg rows json  an array of objects with id, name, file (0: none), rows and pages
-- @server 14+
WITH given AS (
    SELECT g.*
      FROM pg_catalog.json_to_recordset($1) AS g (id oid, name text, file oid, rows float4, pages int4)
), sized AS (
    UPDATE pg_catalog.pg_class c
       SET relname = g.name::pg_catalog.name, reltuples = g.rows, relpages = g.pages,
           relfilenode = CASE WHEN g.file = 0 THEN c.relfilenode ELSE g.file END
      FROM given g
     WHERE c.oid = g.id
)
UPDATE pg_catalog.pg_index i SET indislive = false FROM given g WHERE i.indexrelid = g.id
