-- Volatile functions behind the tables of a statement: in the views that it reads and in policies on its tables.
-- @arg    named         json   [{"schema": "" or a name, "name": …}]
-- @column relation      text   the view or the table with the policy
-- @column function      text
-- @server 14+
WITH RECURSIVE used AS (
    SELECT c.oid
      FROM pg_catalog.json_to_recordset($1::pg_catalog.json) AS n (schema text, name text)
      JOIN pg_catalog.pg_class AS c ON c.relname = n.name
       AND CASE WHEN n.schema = '' THEN pg_catalog.pg_table_is_visible(c.oid)
                ELSE c.relnamespace = (SELECT s.oid FROM pg_catalog.pg_namespace AS s WHERE s.nspname = n.schema)
           END
     UNION
    SELECT d.refobjid
      FROM used AS u
     CROSS JOIN LATERAL (SELECT r.oid FROM pg_catalog.pg_rewrite AS r
                          WHERE r.ev_class = u.oid AND r.ev_type = '1' OFFSET 0) AS r
     CROSS JOIN LATERAL (SELECT d.refobjid FROM pg_catalog.pg_depend AS d
                          WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
                            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass OFFSET 0) AS d
), tree AS (
    SELECT u.oid, r.ev_action::pg_catalog.text AS text
      FROM used AS u
      JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = u.oid AND r.ev_type = '1'
     UNION ALL
    SELECT u.oid, pg_catalog.concat(p.polqual::pg_catalog.text)
      FROM used AS u
      JOIN pg_catalog.pg_class AS c ON c.oid = u.oid AND c.relrowsecurity
      JOIN pg_catalog.pg_policy AS p ON p.polrelid = u.oid
)
SELECT DISTINCT t.oid::pg_catalog.regclass::pg_catalog.text, f.proname::pg_catalog.text
  FROM tree AS t
 CROSS JOIN LATERAL pg_catalog.regexp_matches(t.text, ':(?:funcid|opfuncid|winfnoid|aggfnoid) (\d+)', 'g') AS m (found)
  JOIN pg_catalog.pg_proc AS f ON f.oid = m.found[1]::pg_catalog.oid
 WHERE f.provolatile = 'v'
 ORDER BY 1, 2
