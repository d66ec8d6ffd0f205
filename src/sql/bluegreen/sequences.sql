-- The sequences of this database, to be carried over.
-- @column schema text
-- @column name text
-- @column increment int8
-- @column least int8
-- @column most int8
-- @column can_cycle bool
-- @server 14+
SELECT n.nspname::text AS schema, c.relname::text AS name, s.seqincrement AS increment,
       s.seqmin AS least, s.seqmax AS most, s.seqcycle AS can_cycle
  FROM pg_catalog.pg_sequence AS s
  JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relpersistence <> 't' AND n.nspname <> 'pgmend'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1, 2;
