-- The plans of a snapshot.
-- @arg snapshot int8
-- @column script text
-- @column number int8
-- @column statement_count int8
-- @column query text
-- @column fingerprint text?
-- @column used_values text
-- @column plan text?
-- @column problem text?
-- @server 14+
SELECT p.script, p.number, p.statement_count, p.query, p.fingerprint, p.used_values, p.plan, p.problem
  FROM pgmend.snapshot_plan p
 WHERE p.snapshot = $1
 ORDER BY p.script, p.number
