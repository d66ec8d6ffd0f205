-- Extended statistics.
-- @column schema text
-- @column name text
-- @column definition text by pg_get_statisticsobjdef()
-- @column target text? when it was set
-- @column owner text
-- @column comment text?
-- @server 14+
SELECT n.nspname::text, s.stxname::text, pg_catalog.pg_get_statisticsobjdef(s.oid),
       CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget::text END,
       pg_catalog.pg_get_userbyid(s.stxowner)::text, d.description
  FROM pg_catalog.pg_statistic_ext AS s
  JOIN pg_catalog.pg_namespace AS n ON n.oid = s.stxnamespace
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = s.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass
 WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND e.objid = s.stxrelid AND e.deptype = 'e')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass
                      AND e.objid = s.oid AND e.deptype = 'e')
 ORDER BY n.nspname, s.stxname;
