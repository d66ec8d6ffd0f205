-- Writes a journal entry: a new one, or what became of it.
-- @arg entry text
-- @arg run text
-- @arg kind text
-- @arg object text
-- @arg relation text?
-- @arg statement text
-- @arg undo text?
-- @arg state text
-- @arg started_at text
-- @arg ended_at text?
-- @arg detail text
-- @column id int8
-- @server 14+
INSERT INTO pgmend.journal AS j (entry, run, kind, object, relation, statement, undo, state,
                                 started_at, ended_at, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, $10::timestamptz, $11::json)
ON CONFLICT (entry) DO UPDATE
   SET state = EXCLUDED.state, ended_at = EXCLUDED.ended_at, detail = EXCLUDED.detail
RETURNING j.id;
