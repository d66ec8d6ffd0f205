-- What became of the steps of a plan, or of all plans: plans by age, steps by phase and place.
-- @arg plan_hash text?
-- @column plan_hash text
-- @column step text
-- @column phase int4
-- @column title text
-- @column feature text
-- @column state text
-- @column run text?
-- @column promise text?
-- @column why text?
-- @column before text? JSON
-- @column after text? JSON
-- @column started_at text
-- @column ended_at text?
-- @server 14+
SELECT s.plan_hash, s.step, s.phase, s.title, s.feature, s.state, s.run, s.promise, s.why,
       s.before::text, s.after::text,
       pg_catalog.to_char(s.started_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       pg_catalog.to_char(s.ended_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
  FROM pgmend.step AS s
 WHERE $1::text IS NULL OR s.plan_hash = $1::text
 ORDER BY (SELECT pg_catalog.min(o.number) FROM pgmend.step AS o WHERE o.plan_hash = s.plan_hash),
          s.phase, pg_catalog.length(s.step), s.step;
