-- WAL written since the statistics were reset, archiving, and the size of pg_wal.
-- @column records int8
-- @column full_pages int8
-- @column bytes float8
-- @column buffers_full int8 times that WAL was written because wal_buffers were full
-- @column stats_reset float8 seconds since 1970
-- @column segments float8 files in pg_wal; NaN: the role may not look
-- @column size_bytes float8 of them; NaN: the role may not look
-- @column archive_mode text off, on or always
-- @column archived_count int8
-- @column failed_count int8
-- @column last_archived_wal text?
-- @column last_archive_age float8 seconds; NaN: never
-- @column last_failed_age float8 seconds; NaN: never
-- @server 14+
SELECT w.wal_records, w.wal_fpi, w.wal_bytes::float8, w.wal_buffers_full,
       COALESCE(EXTRACT(epoch FROM w.stats_reset)::float8, 'NaN'),
       COALESCE(pg_catalog.substring(f.answer, '<n>([0-9]+)</n>')::float8, 'NaN'),
       COALESCE(pg_catalog.substring(f.answer, '<b>([0-9]+)</b>')::float8, 'NaN'),
       pg_catalog.current_setting('archive_mode'),
       a.archived_count, a.failed_count, a.last_archived_wal,
       COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.last_archived_time)::float8, 'NaN'),
       COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.last_failed_time)::float8, 'NaN')
  FROM pg_catalog.pg_stat_get_wal() AS w
 CROSS JOIN pg_catalog.pg_stat_get_archiver() AS a
 CROSS JOIN (SELECT CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_ls_waldir()', 'EXECUTE')
                         THEN pg_catalog.query_to_xml(
                                  'SELECT pg_catalog.count(*) AS n,'
                                  ' COALESCE(pg_catalog.sum(l.size), 0) AS b'
                                  '  FROM pg_catalog.pg_ls_waldir() AS l'
                                  ' WHERE l.name ~ ''^[0-9A-F]{24}$''', false, false, '')::text
                    END AS answer) AS f;
