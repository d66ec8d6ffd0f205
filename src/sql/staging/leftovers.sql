-- Scratch databases of pgmend whose owner, the session in their name, is gone; and the database that a swap had closed.
-- @column name        text
-- @column closed_name text? the live database that a killed swap left closed to connections
-- @server 14+
SELECT d.datname::text AS name,
       l.datname::text AS closed_name
  FROM pg_catalog.pg_database d
  LEFT JOIN pg_catalog.pg_database l
    ON NOT l.datallowconn
   AND l.oid::text = pg_catalog.substring(pg_catalog.shobj_description(d.oid, 'pg_database'), '^pgmend swap: database ([0-9]+) ')
 WHERE d.datname ~ '^pgmend_scratch_[0-9]+_[0-9]+_[0-9a-f]+$'
   AND pg_catalog.pg_has_role(d.datdba, 'USAGE')
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_stat_activity a
            WHERE a.pid::text = pg_catalog.split_part(d.datname, '_', 3)
              AND (a.backend_start IS NULL
                   OR (extract(epoch FROM a.backend_start) * 1000000)::pg_catalog.int8::text
                       = pg_catalog.split_part(d.datname, '_', 4)))
 ORDER BY d.datname
