-- The tables that hold rows: plain ones and leaves of partitioned ones, without ours and those of extensions.
-- @column id oid
-- @column schema text
-- @column name text
-- @column root_schema text of what is published: the partitioned table, or the table itself
-- @column root_name text
-- @column identity text d, n, f or i
-- @column has_identity bool
-- @column is_unlogged bool
-- @column is_owner bool
-- @column rows int8 estimated; -1: never analysed
-- @column replica_triggers text names of triggers that fire for replicated rows too
-- @server 14+
SELECT c.oid AS id, n.nspname::text AS schema, c.relname::text AS name,
       rn.nspname::text AS root_schema, r.relname::text AS root_name,
       c.relreplident::text AS identity,
       CASE c.relreplident
            WHEN 'f' THEN true
            WHEN 'n' THEN false
            WHEN 'i' THEN EXISTS (SELECT FROM pg_catalog.pg_index AS i
                                   WHERE i.indrelid = c.oid AND i.indisreplident AND i.indisvalid)
            ELSE EXISTS (SELECT FROM pg_catalog.pg_index AS i
                          WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid)
       END AS has_identity,
       c.relpersistence = 'u' AS is_unlogged,
       pg_catalog.pg_has_role(r.relowner, 'USAGE') AS is_owner,
       c.reltuples::int8 AS rows,
       COALESCE((SELECT pg_catalog.string_agg(t.tgname::text, ', ' ORDER BY t.tgname)
                   FROM pg_catalog.pg_trigger AS t
                  WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
                    AND t.tgenabled IN ('R', 'A')), '') AS replica_triggers
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS r
    ON r.oid = CASE WHEN c.relispartition
                    THEN COALESCE(pg_catalog.pg_partition_root(c.oid)::pg_catalog.oid, c.oid)
                    ELSE c.oid END
  JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend')
   AND n.nspname NOT LIKE 'pg\_toast%' AND n.nspname NOT LIKE 'pg\_temp%'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = r.oid AND d.deptype = 'e')
 ORDER BY 4, 5, 2, 3;
