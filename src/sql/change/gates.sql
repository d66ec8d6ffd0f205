-- The newest record of each gate and plan.
-- @column id int8
-- @column name text
-- @column passed bool
-- @column note text
-- @column actor text
-- @column plan_hash text? NULL: it counts for every plan
-- @column recorded_at text
-- @column age int8 microseconds
-- @server 14+
SELECT DISTINCT ON (g.name, g.plan_hash) g.id, g.name, g.passed, g.note, g.actor, g.plan_hash,
       pg_catalog.to_char(g.recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       (EXTRACT(epoch FROM pg_catalog.clock_timestamp() - g.recorded_at) * 1000000)::int8
  FROM pgmend.gate AS g
 ORDER BY g.name, g.plan_hash, g.id DESC;
