-- Whether it is now between two times of the day in a time zone, and how long until that changes.
-- @arg zone text
-- @arg begins int4 minutes since midnight
-- @arg ends int4 minutes since midnight; before or at begins: the next day
-- @column is_open bool
-- @column local_time text "23:15"
-- @column opens_in int8 microseconds until it begins the next time
-- @column closes_in int8 microseconds until it ends the next time
-- @server 14+
-- Times of day are made times of the clock by the zone, so a night in which clocks change has its own length.
SELECT CASE WHEN $2::int4 < $3::int4 THEN l.minute >= $2::int4 AND l.minute < $3::int4
            ELSE l.minute >= $2::int4 OR l.minute < $3::int4 END,
       pg_catalog.to_char(l.at, 'HH24:MI'),
       (EXTRACT(epoch FROM ((l.day + pg_catalog.make_interval(mins => $2::int4,
            days => CASE WHEN l.minute < $2::int4 THEN 0 ELSE 1 END)) AT TIME ZONE $1::text) - l.now) * 1000000)::int8,
       (EXTRACT(epoch FROM ((l.day + pg_catalog.make_interval(mins => $3::int4,
            days => CASE WHEN l.minute < $3::int4 THEN 0 ELSE 1 END)) AT TIME ZONE $1::text) - l.now) * 1000000)::int8
  FROM (SELECT n.now, n.at, pg_catalog.date_trunc('day', n.at) AS day,
               (EXTRACT(hour FROM n.at) * 60 + EXTRACT(minute FROM n.at))::int4 AS minute
          FROM (SELECT c.now, c.now AT TIME ZONE $1::text AS at
                  FROM (SELECT pg_catalog.clock_timestamp() AS now) AS c) AS n) AS l;
