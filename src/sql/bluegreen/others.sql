-- What logical replication does not carry, or carries otherwise than one would think.
-- @column kind text
-- @column name text quoted; of large objects their number
-- @server 14+
SELECT 'large objects' AS kind, pg_catalog.count(*)::text AS name
  FROM pg_catalog.pg_largeobject_metadata
HAVING pg_catalog.count(*) > 0
UNION ALL
SELECT CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('m', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
UNION ALL
SELECT 'event trigger', pg_catalog.quote_ident(e.evtname)
  FROM pg_catalog.pg_event_trigger AS e
 WHERE e.evtenabled IN ('A', 'R')
UNION ALL
SELECT 'subscription', pg_catalog.quote_ident(s.subname)
  FROM pg_catalog.pg_subscription AS s
 WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database AS d
                     WHERE d.datname = pg_catalog.current_database())
UNION ALL
SELECT 'table' , pg_catalog.count(*)::text
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend')
   AND n.nspname NOT LIKE 'pg\_toast%'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
HAVING pg_catalog.count(*) > 0;
