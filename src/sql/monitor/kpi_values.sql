-- What people told, oldest first; the last thousand values of each goal, and its first.
-- @column name text
-- @column at int8 microseconds since 1970
-- @column value float8
-- @column note text?
-- @column recorded_by text
-- @server 14+
SELECT v.name, (EXTRACT(epoch FROM v.at) * 1000000)::int8, v.value, v.note, v.recorded_by
  FROM (SELECT w.*,
               pg_catalog.row_number() OVER (PARTITION BY w.name ORDER BY w.at DESC) AS newest,
               pg_catalog.row_number() OVER (PARTITION BY w.name ORDER BY w.at) AS oldest
          FROM pgmend.kpi_value AS w) AS v
 WHERE v.newest <= 1000 OR v.oldest = 1
 ORDER BY v.name, v.at
