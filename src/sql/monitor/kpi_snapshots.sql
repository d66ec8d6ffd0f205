-- Of each snapshot, oldest first, what its statements had read and how long those took that compare vectors.
-- @column name text
-- @column at int8 microseconds since 1970
-- @column reset_at text when the counting began; empty: not known
-- @column blocks_hit float8
-- @column blocks_read float8
-- @column vector_calls float8
-- @column vector_seconds float8
-- @server 14+
SELECT s.name, (EXTRACT(epoch FROM s.taken_at) * 1000000)::int8,
       coalesce(pg_catalog.to_char(s.stats_reset, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ''),
       coalesce(pg_catalog.sum(t.blocks_hit), 0)::float8,
       coalesce(pg_catalog.sum(t.blocks_read), 0)::float8,
       coalesce(pg_catalog.sum(t.calls) FILTER (WHERE v.is_vector), 0)::float8,
       coalesce(pg_catalog.sum(t.total_ms) FILTER (WHERE v.is_vector), 0)::float8 / 1000
  FROM pgmend.snapshot AS s
  LEFT JOIN pgmend.snapshot_statement AS t ON t.snapshot = s.id
 CROSS JOIN LATERAL (SELECT t.query ~ '<->|<=>|<#>|<\+>' AND t.query ~* '^\s*select\M') AS v (is_vector)
 GROUP BY s.id, s.name, s.taken_at, s.stats_reset
 ORDER BY s.taken_at, s.id
