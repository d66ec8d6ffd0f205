-- Points relations to other files, which are there already; only on a server of our own.
-- @arg rows json  an array of objects with id and file
-- @server 14+
UPDATE pg_catalog.pg_class c SET relfilenode = g.file
  FROM pg_catalog.json_to_recordset($1) AS g (id oid, file oid)
 WHERE c.oid = g.id
