-- The column by whose order a table is gone through.
-- @arg table_oid oid
-- @arg name text
-- @column type text
-- @column is_known bool its type is the server's own
-- @column is_indexed bool it is not null and the first one of a btree index of all rows
-- @column triggers text JSON array of the names of those that fire for an update
-- @column may_silence bool the role may keep them from firing for its own session
-- @server 14+
SELECT pg_catalog.format_type(a.atttypid, a.atttypmod),
       b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND b.typtype = 'b',
       a.attnotnull
       AND EXISTS (SELECT 1
                     FROM pg_catalog.pg_index AS i
                     JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
                     JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
                     JOIN pg_catalog.pg_opclass AS o ON o.oid = i.indclass[0]
                    WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum AND i.indisvalid
                      AND i.indpred IS NULL AND m.amname = 'btree' AND o.opcdefault),
       (SELECT COALESCE(pg_catalog.json_agg(t.tgname ORDER BY t.tgname), '[]')::text
          FROM pg_catalog.pg_trigger AS t
         WHERE t.tgrelid = a.attrelid AND NOT t.tgisinternal AND t.tgenabled <> 'D'
           AND (t.tgtype & 16) <> 0),
       (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER)
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  JOIN pg_catalog.pg_type AS b ON b.oid = COALESCE(NULLIF(t.typbasetype, 0::oid), t.oid)
 WHERE a.attrelid = $1::oid
   AND a.attname = $2
   AND a.attnum > 0
   AND NOT a.attisdropped;
