-- When a monitor has last stored a sample of this database in schema pgmend; no row where it keeps nothing there.
-- @column server text as the monitor names it
-- @column age int8 microseconds
-- @server 14+
-- The inner statement is planned only where the tables are; its answer comes back as XML.
SELECT pg_catalog.convert_from(pg_catalog.decode(
           (pg_catalog.xpath('/table/row/server/text()', x.answer))[1]::text, 'hex'), 'UTF8'),
       (pg_catalog.xpath('/table/row/age/text()', x.answer))[1]::text::int8
  FROM (SELECT CASE WHEN pg_catalog.count(*) = 3
                THEN pg_catalog.query_to_xml(pg_catalog.format(
                         'SELECT pg_catalog.encode(pg_catalog.convert_to(m.name, ''UTF8''), ''hex'') AS server,
                                 (EXTRACT(epoch FROM pg_catalog.clock_timestamp() - s.ts) * 1000000)::int8 AS age
                            FROM pgmend.sample AS s
                            JOIN pgmend.monitored_server AS m ON m.id = s.server
                           WHERE s.ts > pg_catalog.now() - ''1 hour''::interval
                             AND EXISTS (SELECT 1 FROM pgmend.series AS e
                                          WHERE e.id = ANY (s.series)
                                            AND pg_catalog.strpos(e.labels, %L) > 0)
                           ORDER BY s.ts DESC LIMIT 1',
                         'datname="' || pg_catalog.current_database() || '"'), false, false, '')
                END AS answer
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = 'pgmend' AND c.relname IN ('sample', 'monitored_server', 'series')
           AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
           AND pg_catalog.has_table_privilege(c.oid, 'SELECT')) AS x
 WHERE pg_catalog.xpath_exists('/table/row', x.answer);
