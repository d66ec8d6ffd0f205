-- Checkpoints and the background writer since their statistics were reset.
-- @column timed int8 checkpoints because checkpoint_timeout had passed
-- @column requested int8 checkpoints because max_wal_size was reached, or by command
-- @column write_ms float8
-- @column sync_ms float8
-- @column buffers_written int8 by checkpoints
-- @column buffers_clean int8 by the background writer
-- @column maxwritten_clean int8
-- @column buffers_alloc int8
-- @column buffers_backend float8 NaN from 17 on, as the next
-- @column buffers_backend_fsync float8
-- @column restartpoints_timed float8 NaN before 17, as the next two
-- @column restartpoints_requested float8
-- @column restartpoints_done float8
-- @column stats_reset float8 seconds since 1970
-- @column writer_reset float8 of the background writer: the same before 17
-- @server 14+
SELECT c.num_timed, c.num_requested, c.write_time, c.sync_time, c.buffers_written,
       b.buffers_clean, b.maxwritten_clean, b.buffers_alloc,
       'NaN'::float8, 'NaN'::float8,
       c.restartpoints_timed::float8, c.restartpoints_req::float8, c.restartpoints_done::float8,
       COALESCE(EXTRACT(epoch FROM c.stats_reset)::float8, 'NaN'),
       COALESCE(EXTRACT(epoch FROM b.stats_reset)::float8, 'NaN')
  FROM pg_catalog.pg_stat_checkpointer AS c
 CROSS JOIN pg_catalog.pg_stat_bgwriter AS b;
