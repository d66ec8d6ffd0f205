-- What indexes were built for, as apply kept it; no row, and no error, where schema pgmend is not there.
-- @column name text
-- @column value text JSON
-- @server 14+
-- The inner statement is planned only where the table is; its bytes come back as hexadecimal digits.
WITH answer AS MATERIALIZED (
    SELECT CASE WHEN EXISTS
               (SELECT 1
                  FROM pg_catalog.pg_class AS c
                  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                 WHERE n.nspname = 'pgmend' AND c.relname = 'value' AND c.relkind = 'r')
           THEN pg_catalog.query_to_xml(
                    'SELECT pg_catalog.encode(pg_catalog.convert_to(COALESCE(pg_catalog.json_agg('
                    ' pg_catalog.json_build_array(v.name, v.value::pg_catalog.text) ORDER BY v.name)'
                    '::pg_catalog.text, ''[]''), ''UTF8''), ''hex'') AS digits FROM pgmend.value AS v'
                    ' WHERE pg_catalog.starts_with(v.name, ''index.promise.'')',
                    false, false, '')::pg_catalog.text END AS xml
), row AS (
    SELECT pg_catalog.json_array_elements(pg_catalog.convert_from(pg_catalog.decode(
               pg_catalog.substring(a.xml, '<digits>([0-9a-f]*)</digits>'), 'hex'), 'UTF8')::pg_catalog.json) AS pair
      FROM answer AS a
     WHERE a.xml IS NOT NULL
)
SELECT r.pair ->> 0, r.pair ->> 1
  FROM row AS r;
