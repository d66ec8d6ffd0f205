-- The checkpointer's counters stood in pg_stat_bgwriter.
SELECT b.checkpoints_timed, b.checkpoints_req, b.checkpoint_write_time, b.checkpoint_sync_time,
       b.buffers_checkpoint, b.buffers_clean, b.maxwritten_clean, b.buffers_alloc,
       b.buffers_backend::float8, b.buffers_backend_fsync::float8,
       'NaN'::float8, 'NaN'::float8, 'NaN'::float8,
       COALESCE(EXTRACT(epoch FROM b.stats_reset)::float8, 'NaN'),
       COALESCE(EXTRACT(epoch FROM b.stats_reset)::float8, 'NaN')
  FROM pg_catalog.pg_stat_bgwriter AS b;
