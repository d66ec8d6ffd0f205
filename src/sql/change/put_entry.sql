-- Writes a journal entry: a new one, or what became of it. (No ON CONFLICT: it would use up numbers.)
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
-- @arg step text?
-- @column id int8
-- @server 14+
WITH known AS (
    UPDATE pgmend.journal AS j
       SET state = $8, ended_at = $10::timestamptz, detail = $11::json
     WHERE j.entry = $1
    RETURNING j.id
), added AS (
    INSERT INTO pgmend.journal (entry, run, kind, object, relation, statement, undo, state,
                                started_at, ended_at, detail, step)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, $10::timestamptz, $11::json, $12
     WHERE NOT EXISTS (SELECT 1 FROM known)
    RETURNING id
)
SELECT k.id FROM known AS k UNION ALL SELECT a.id FROM added AS a;
