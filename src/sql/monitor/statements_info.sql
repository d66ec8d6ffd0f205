-- Evictions and last reset of pg_stat_statements, and whether its statements can be read.
--
-- The extension can be in any schema. This query, right before monitor/statement in a tick, adds it
-- to the end of search_path, only when all that statement.sql needs is there; statement.sql puts the
-- path back. No other query of ours runs with it.
--
-- @column schema text? NULL: the extension is not in this database
-- @column version text? of the extension here
-- @column problem text? why statements cannot be read: a clause; NULL: they can
-- @column max int8 statements it keeps; 0: the library is not loaded
-- @column dealloc int8 evictions; -1: not known
-- @column stats_reset float8 seconds since 1970; NaN: not known
-- @column track text? which statements it counts
-- @column search_path text of this session, after this query
-- @server 14+
WITH place AS MATERIALIZED (
    SELECT n.oid, n.nspname::text AS schema, e.extversion AS version,
           (pg_catalog.string_to_array(e.extversion, '.'))[1:2]::int4[] AS number,
           COALESCE(pg_catalog.current_setting('pg_stat_statements.max', true), '0')::int8 AS max
      FROM pg_catalog.pg_extension AS e
      JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
     WHERE e.extname = 'pg_stat_statements'
), state AS MATERIALIZED (
    SELECT p.*,
           CASE WHEN p.oid IS NULL
                THEN 'pg_stat_statements is not in this database: CREATE EXTENSION pg_stat_statements'
                WHEN p.max = 0
                THEN 'the library of pg_stat_statements is not loaded: add it to'
                     || ' shared_preload_libraries and restart the server'
                WHEN p.number < CASE WHEN pg_catalog.current_setting('server_version_num')::int4 >= 170000
                                     THEN ARRAY[1, 11] ELSE ARRAY[1, 9] END
                THEN 'version ' || p.version || ' of pg_stat_statements is older than the server: '
                     || 'ALTER EXTENSION pg_stat_statements UPDATE'
                WHEN NOT pg_catalog.has_schema_privilege(p.oid, 'USAGE')
                THEN 'the role may not use schema ' || pg_catalog.quote_ident(p.schema)
                     || ' of pg_stat_statements: GRANT USAGE ON SCHEMA '
                     || pg_catalog.quote_ident(p.schema) || ' TO '
                     || pg_catalog.quote_ident(SESSION_USER::text)
           END AS problem
      FROM (SELECT 1) AS one
      LEFT JOIN place AS p ON true
), info AS MATERIALIZED (
    SELECT s.*,
           CASE WHEN s.problem IS NULL
                THEN pg_catalog.query_to_xml(pg_catalog.format(
                         'SELECT i.dealloc AS d, EXTRACT(epoch FROM i.stats_reset) AS r'
                         '  FROM %I.pg_stat_statements_info AS i', s.schema), false, false, '')::text
           END AS answer
      FROM state AS s
)
SELECT i.schema, i.version, i.problem, COALESCE(i.max, 0),
       COALESCE(pg_catalog.substring(i.answer, '<d>([0-9]+)</d>')::int8, -1),
       COALESCE(pg_catalog.substring(i.answer, '<r>([0-9.]+)</r>')::float8, 'NaN'),
       pg_catalog.current_setting('pg_stat_statements.track', true),
       pg_catalog.set_config('search_path', 'pg_catalog, pg_temp'
           || CASE WHEN i.problem IS NULL THEN ', ' || pg_catalog.quote_ident(i.schema) ELSE '' END,
           false)
  FROM info AS i;
