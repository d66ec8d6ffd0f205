-- The indexes that were built, by the journal: when, and how long it took.
-- @column object text  the index's name as the journal wrote it, quoted where needed
-- @column state text
-- @column started_at text
-- @column ended_at text?
-- @column duration_us int8  -1 while it runs
-- @server 14+
SELECT j.object, j.state, j.started_at, j.ended_at,
       coalesce((j.detail ->> 'build_us')::int8,
                (extract(epoch FROM j.ended_at - j.started_at) * 1000000)::int8, -1) AS duration_us
  FROM pgmend.journal j
 WHERE j.kind = 'create index'
 ORDER BY j.id
