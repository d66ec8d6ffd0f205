-- Takes a flag away, and tells all who listen.
-- @arg name text
-- @column name text
-- @server 14+
WITH gone AS (DELETE FROM pgmend.flag AS f WHERE f.name = $1 RETURNING f.name)
SELECT g.name FROM gone AS g CROSS JOIN LATERAL pg_catalog.pg_notify('pgmend_flag', g.name) AS n;
