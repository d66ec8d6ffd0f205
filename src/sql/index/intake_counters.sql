-- What the counters of statements cover, and how much of a text the server shows of what runs.
-- @arg since text
-- @arg taken_at text
-- @column span_s float8
-- @column query_bytes int4 track_activity_query_size
-- @server 14+
SELECT EXTRACT(epoch FROM $2::text::timestamptz - $1::text::timestamptz)::float8,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('track_activity_query_size'))::int4;
