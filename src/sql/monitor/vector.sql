-- Vector search that was installed, and what a check of it last said, where schema pgmend has them.
-- @column name text schema.table.column
-- @column recall_goal float8 mean; NaN: not known, as below
-- @column recall_worst_goal float8 in the worst group of tenants
-- @column recall float8 of the last check
-- @column findings float8 of the last check
-- @column checked_epoch float8 seconds since 1970
-- @column chosen_at text?
-- @server 14+
-- The inner statement is planned only where the table is; its bytes come back as hexadecimal digits.
SELECT pg_catalog.substring(v.value ->> 'name', 'vector:(.*)'),
       COALESCE((v.value #>> '{value,recall}')::float8, 'NaN'),
       COALESCE((v.value #>> '{value,recall_worst}')::float8, 'NaN'),
       COALESCE((v.value #>> '{check,recall}')::float8, 'NaN'),
       COALESCE((v.value #>> '{check,findings}')::float8, 'NaN'),
       COALESCE((v.value #>> '{check,at}')::float8, 'NaN'),
       v.value #>> '{value,chosen_at}'
  FROM (SELECT CASE WHEN EXISTS
                    (SELECT 1
                       FROM pg_catalog.pg_class AS c
                       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                      WHERE n.nspname = 'pgmend' AND c.relname = 'value' AND c.relkind = 'r'
                        AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                        AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
                THEN pg_catalog.query_to_xml(
                         'SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object('
                         ' ''name'', v.name, ''value'', v.value, ''check'', (SELECT w.value'
                         '  FROM pgmend.value AS w WHERE w.name = ''vector-check:'' ||'
                         '  pg_catalog.substr(v.name, 8)))::pg_catalog.text,'
                         ' ''UTF8''), ''hex'') AS digits FROM pgmend.value AS v'
                         ' WHERE v.name LIKE ''vector:%'' ORDER BY v.name LIMIT 100',
                         false, false, '')::text END) AS x (answer)
 CROSS JOIN LATERAL pg_catalog.regexp_matches(x.answer, '<digits>([0-9a-f]*)</digits>', 'g') AS f (digits)
 CROSS JOIN LATERAL (SELECT pg_catalog.convert_from(pg_catalog.decode((f.digits)[1], 'hex'),
                                                    'UTF8')::json AS value) AS v;
