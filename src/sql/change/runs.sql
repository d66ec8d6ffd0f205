-- Runs, the newest first.
-- @column id text
-- @column command text
-- @column state text
-- @column actor text
-- @column client text
-- @column plan_hash text?
-- @column catalogue text?
-- @column overrides text?
-- @column message text?
-- @column started_at text
-- @column ended_at text?
-- @column changes int8 entries in the journal
-- @column touched int8 entries that it made, or that became something else while it ran: what it undid
-- @server 14+
SELECT r.id, r.command, r.state, r.actor, r.client, r.plan_hash, r.catalogue::text,
       r.overrides::text, r.message,
       pg_catalog.to_char(r.started_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       pg_catalog.to_char(r.ended_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       (SELECT pg_catalog.count(*) FROM pgmend.journal AS j WHERE j.run = r.id),
       (SELECT pg_catalog.count(*) FROM pgmend.journal AS j
         WHERE j.run = r.id
            OR (j.ended_at >= r.started_at AND (r.ended_at IS NULL OR j.ended_at <= r.ended_at)
                -- Times are whole seconds: what its own run ended in the same second was not touched again.
                AND NOT EXISTS (SELECT FROM pgmend.run AS own
                                 WHERE own.id = j.run AND j.state <> 'undone'
                                   AND own.ended_at >= j.ended_at)))
  FROM pgmend.run AS r
 ORDER BY r.number DESC;
