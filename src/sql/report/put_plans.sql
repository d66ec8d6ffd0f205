-- Stores the plans of a snapshot, given as an array of JSON objects.
-- @arg snapshot int8
-- @arg plans json
-- @server 14+
INSERT INTO pgmend.snapshot_plan (snapshot, script, number, statement_count, query, fingerprint,
                                  used_values, plan, problem)
SELECT $1, p.script, p.number, p.statement_count, p.query, p.fingerprint, p.used_values, p.plan,
       p.problem
  FROM pg_catalog.json_to_recordset($2::json) AS p (
       script text, number bigint, statement_count bigint, query text, fingerprint text,
       used_values text, plan text, problem text)
