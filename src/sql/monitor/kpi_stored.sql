-- What the monitor has stored of metrics that are goals: means of days, oldest first; the day of the first change is
-- two. Of long stores the first week and the last ninety days.
-- @arg metrics text[]
-- @arg first_change int8 microseconds since 1970; 0: there was none
-- @column metric text
-- @column at int8 microseconds since 1970: the last of what the mean is of
-- @column value float8
-- @column seconds int8 with values
-- @server 14+
SELECT v.metric, (EXTRACT(epoch FROM pg_catalog.max(v.ts + v.span)) * 1000000)::int8,
       (pg_catalog.sum(v.mean * v.ticks) / pg_catalog.sum(v.ticks))::float8,
       EXTRACT(epoch FROM pg_catalog.count(DISTINCT v.ts) * pg_catalog.min(v.span))::int8
  FROM (SELECT r.ts, r.span, w.metric, r.mean[pg_catalog.array_position(r.series, w.id)] AS mean,
               r.ticks[pg_catalog.array_position(r.series, w.id)] AS ticks
          FROM (SELECT h.ts, h.series, h.mean, h.ticks, '1 hour'::interval AS span
                  FROM pgmend.sample_hour AS h
                 WHERE h.ts < (SELECT pg_catalog.min(f.ts) FROM pgmend.sample_hour AS f) + '7 days'::interval
                    OR h.ts > (SELECT pg_catalog.max(f.ts) FROM pgmend.sample_hour AS f) - '90 days'::interval
                 UNION ALL
                SELECT m.ts, m.series, m.mean, m.ticks, '1 minute'::interval
                  FROM pgmend.sample_minute AS m
                 WHERE m.ts >= coalesce((SELECT pg_catalog.max(l.ts) FROM pgmend.sample_hour AS l)
                                            + '1 hour'::interval, '-infinity')) AS r
         CROSS JOIN (SELECT s.id, s.metric
                       FROM pgmend.series AS s
                      WHERE s.metric = ANY ($1::text[])
                        AND (s.labels NOT LIKE '%datname=%'
                             OR pg_catalog.strpos(
                                    s.labels, 'datname="' || pg_catalog.current_database() || '"') > 0)) AS w) AS v
 WHERE v.ticks > 0 AND v.mean = v.mean
 GROUP BY v.metric, pg_catalog.date_trunc('day', v.ts, 'UTC'),
       v.ts < timestamptz 'epoch' + (CASE $2::int8 WHEN 0 THEN 4102444800 ELSE $2::int8 / 1000000 END) * '1 s'::interval
 ORDER BY 1, 2
