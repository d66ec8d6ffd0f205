-- Texts of statements, as pg_stat_statements keeps them: normalised, without constants. It reads
-- all texts once, so it is asked only for those that are not known yet.
-- @arg query_ids text an array literal
-- @column queryid int8
-- @column userid oid
-- @column dbid oid
-- @column query text at most 4000 characters
-- @server 14+
-- The inner statement is planned only where the extension is; texts come back as hexadecimal digits.
SELECT (f.found)[1]::int8, (f.found)[2]::oid, (f.found)[3]::oid,
       pg_catalog.convert_from(pg_catalog.decode((f.found)[4], 'hex'), 'UTF8')
  FROM (SELECT pg_catalog.query_to_xml(pg_catalog.format(
                   'SELECT DISTINCT ON (s.queryid) s.queryid AS i, s.userid AS u, s.dbid AS d,'
                   ' pg_catalog.encode(pg_catalog.convert_to(pg_catalog.left(s.query, 4000), ''UTF8''),'
                   ' ''hex'') AS q FROM %I.pg_stat_statements(true) AS s'
                   ' WHERE s.queryid = ANY (%L::pg_catalog.int8[]) AND s.query IS NOT NULL'
                   ' ORDER BY s.queryid, s.query LIKE ''<insufficient privilege>''',
                   n.nspname, $1::text), false, false, '')::text AS answer
          FROM pg_catalog.pg_extension AS e
          JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
         WHERE e.extname = 'pg_stat_statements'
           AND pg_catalog.current_setting('pg_stat_statements.max', true) IS NOT NULL
           AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')) AS x
 CROSS JOIN LATERAL pg_catalog.regexp_matches(x.answer,
            '<i>(-?[0-9]+)</i>\s*<u>([0-9]+)</u>\s*<d>([0-9]+)</d>\s*<q>([0-9a-f]*)</q>', 'g') AS f (found);
