-- The indexes whose watch was begun before they are dropped; no row where the table is not there yet.
-- @column name text
-- @column value text JSON
-- @server 14+
-- The inner statement is planned only where the table is; its bytes come back as hexadecimal digits.
SELECT pg_catalog.convert_from(pg_catalog.decode(r.digits[1], 'hex'), 'UTF8'),
       pg_catalog.convert_from(pg_catalog.decode(r.digits[2], 'hex'), 'UTF8')
  FROM (SELECT CASE WHEN EXISTS
            (SELECT 1
               FROM pg_catalog.pg_class AS c
               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
              WHERE n.nspname = 'pgmend' AND c.relname = 'value' AND c.relkind = 'r')
        THEN pg_catalog.query_to_xml(
                 'SELECT pg_catalog.encode(pg_catalog.convert_to(v.name, ''UTF8''), ''hex'') || '' '''
                 ' || pg_catalog.encode(pg_catalog.convert_to(v.value::pg_catalog.text, ''UTF8''),'
                 ' ''hex'') AS digits FROM pgmend.value AS v WHERE v.name LIKE ''index.watch.%'''
                 ' ORDER BY v.name', false, true, '')::pg_catalog.text END) AS x (answer)
 CROSS JOIN LATERAL pg_catalog.regexp_matches(
     COALESCE(x.answer, ''), '<digits>([0-9a-f]*) ([0-9a-f]*)</digits>', 'g') AS r (digits);
