-- Changes of ours in the last two days, the newest first: markers for charts.
-- @column run text
-- @column kind text what was changed: create index, …
-- @column object text
-- @column relation text?
-- @column state text started, done, failed, leftover, undoing or undone
-- @column started_epoch float8 seconds since 1970
-- @column ended_epoch float8 NaN: not yet
-- @column command text? of the run
-- @column run_state text? running, done, failed or undone
-- @server 14+
-- The inner statement is planned only where the tables are; its bytes come back as hexadecimal digits.
SELECT v.entry ->> 'run', v.entry ->> 'kind', v.entry ->> 'object', v.entry ->> 'relation',
       v.entry ->> 'state', (v.entry ->> 'started')::float8,
       COALESCE((v.entry ->> 'ended')::float8, 'NaN'), v.entry ->> 'command', v.entry ->> 'run_state'
  FROM (SELECT CASE WHEN 2 = (SELECT pg_catalog.count(*)
                                FROM pg_catalog.pg_class AS c
                                JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                               WHERE n.nspname = 'pgmend' AND c.relname IN ('journal', 'run')
                                 AND c.relkind = 'r'
                                 AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                                 AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
                THEN pg_catalog.query_to_xml(
                         'SELECT pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_object('
                         ' ''run'', j.run, ''kind'', j.kind, ''object'', pg_catalog.left(j.object, 200),'
                         ' ''relation'', pg_catalog.left(j.relation, 200), ''state'', j.state,'
                         ' ''started'', EXTRACT(epoch FROM j.started_at),'
                         ' ''ended'', EXTRACT(epoch FROM j.ended_at),'
                         ' ''command'', r.command, ''run_state'', r.state)::pg_catalog.text,'
                         ' ''UTF8''), ''hex'') AS digits'
                         '  FROM (SELECT * FROM pgmend.journal ORDER BY id DESC LIMIT 1000) AS j'
                         '  LEFT JOIN pgmend.run AS r ON r.id = j.run'
                         ' WHERE j.started_at > pg_catalog.now() - ''2 days''::pg_catalog.interval'
                         '    OR j.ended_at > pg_catalog.now() - ''2 days''::pg_catalog.interval'
                         ' ORDER BY j.id DESC LIMIT 200',
                         false, false, '')::text END) AS x (answer)
 CROSS JOIN LATERAL pg_catalog.regexp_matches(x.answer, '<digits>([0-9a-f]*)</digits>', 'g') AS f (digits)
 CROSS JOIN LATERAL (SELECT pg_catalog.convert_from(pg_catalog.decode((f.digits)[1], 'hex'),
                                                    'UTF8')::json AS entry) AS v;
