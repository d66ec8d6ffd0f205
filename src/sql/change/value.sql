-- What is kept under a name; no row, and no error, where the table itself is not there yet.
-- @arg name text
-- @column value text JSON
-- @server 14+
-- The inner statement is planned only where the table is; its bytes come back as hexadecimal digits.
SELECT pg_catalog.convert_from(pg_catalog.decode(v.digits, 'hex'), 'UTF8')
  FROM (SELECT pg_catalog.substring(x.answer, '<digits>([0-9a-f]*)</digits>')
          FROM (SELECT CASE WHEN EXISTS
                    (SELECT 1
                       FROM pg_catalog.pg_class AS c
                       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                      WHERE n.nspname = 'pgmend' AND c.relname = 'value' AND c.relkind = 'r')
                THEN pg_catalog.query_to_xml(pg_catalog.format(
                         'SELECT pg_catalog.encode(pg_catalog.convert_to(v.value::pg_catalog.text,'
                         ' ''UTF8''), ''hex'') AS digits FROM pgmend.value AS v WHERE v.name = %L',
                         $1::pg_catalog.text), false, false, '')::pg_catalog.text END) AS x (answer)) AS v (digits)
 WHERE v.digits IS NOT NULL;
