-- A roll-out is alive: what it has set holds for some more time. No row: somebody set it anew.
-- @arg name text
-- @arg percent int4
-- @arg until_us int8
-- @column name text
-- @server 14+
WITH put AS (
    UPDATE pgmend.flag AS f
       SET until = pg_catalog.to_timestamp($3::int8 / 1000000.0)
     WHERE f.name = $1 AND f.percent = $2 AND f.until IS NOT NULL
    RETURNING f.name
)
SELECT p.name FROM put AS p CROSS JOIN LATERAL pg_catalog.pg_notify('pgmend_flag', p.name) AS n;
