-- When the first change of ours began that had an effect.
-- @column at int8 microseconds since 1970; 0: there was none
-- @server 14+
SELECT coalesce((EXTRACT(epoch FROM pg_catalog.min(j.started_at)) * 1000000)::int8, 0)
  FROM pgmend.journal AS j
 WHERE j.state <> 'failed'
