-- Shows or hides indexes: the planner does not see one that is not live. The tables' rows are written too, because only
-- that makes sessions forget which indexes a table has. Only on a server of our own.
-- @arg rows json  an array of objects with id and live
-- @server 14+
WITH flipped AS (
    UPDATE pg_catalog.pg_index i
       SET indislive = g.live
      FROM pg_catalog.json_to_recordset($1) AS g (id oid, live bool)
     WHERE i.indexrelid = g.id
    RETURNING i.indrelid
)
UPDATE pg_catalog.pg_class c SET relpages = c.relpages
 WHERE c.oid IN (SELECT f.indrelid FROM flipped f)
