-- What became of a step, in place of what stood there. (Our times may be of whole seconds: none ends before it begins.)
-- @arg plan_hash text
-- @arg step text
-- @arg phase int4
-- @arg title text
-- @arg feature text
-- @arg state text
-- @arg run text?
-- @arg promise text?
-- @arg why text?
-- @arg before text? JSON
-- @arg after text? JSON
-- @arg started_at text?
-- @arg ended_at text?
-- @server 14+
INSERT INTO pgmend.step (plan_hash, step, phase, title, feature, state, run, promise, why, before,
                         after, started_at, ended_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::json, $11::json,
        COALESCE($12::timestamptz, pg_catalog.clock_timestamp()),
        CASE WHEN $6 NOT IN ('running', 'undoing')
             THEN GREATEST(COALESCE($13::timestamptz, pg_catalog.clock_timestamp()),
                           COALESCE($12::timestamptz, pg_catalog.clock_timestamp())) END)
ON CONFLICT (plan_hash, step) DO UPDATE
   SET phase = EXCLUDED.phase, title = EXCLUDED.title, feature = EXCLUDED.feature,
       state = EXCLUDED.state, run = EXCLUDED.run, promise = EXCLUDED.promise, why = EXCLUDED.why,
       before = EXCLUDED.before, after = EXCLUDED.after, started_at = EXCLUDED.started_at,
       ended_at = EXCLUDED.ended_at;
