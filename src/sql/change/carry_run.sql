-- A run that only the local file knows: the database took the place of the one where it was made.
-- @arg id text
-- @arg command text
-- @arg state text
-- @arg actor text? an older version has not written it
-- @arg client text? the same
-- @arg plan_hash text?
-- @arg overrides text?
-- @arg started_at text
-- @arg ended_at text?
-- @server 14+
INSERT INTO pgmend.run (id, command, state, actor, client, version, plan_hash, overrides,
                        started_at, ended_at)
SELECT $1, $2, $3, COALESCE($4, 'unknown'), COALESCE($5, 'unknown'), 'carried over', $6, $7::json,
       $8::timestamptz, $9::timestamptz
 WHERE NOT EXISTS (SELECT 1 FROM pgmend.run AS r WHERE r.id = $1);
