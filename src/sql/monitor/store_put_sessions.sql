-- Stores sessions of a tick that waited, made others wait, or were in a long transaction.
-- @arg server int4
-- @arg at_us int8
-- @arg sessions json an array of objects
-- @server 14+
INSERT INTO pgmend.session_sample (server, ts, pid, datname, usename, application_name, state,
       wait_event_type, wait_event, xact_seconds, query_seconds, blocked_by, blocks, query_id)
SELECT $1::int4::int2, 'epoch'::timestamptz + $2::int8 * '1 microsecond'::interval, s.pid, s.datname,
       s.usename, s.application_name, s.state, s.wait_event_type, s.wait_event, s.xact_seconds,
       s.query_seconds, s.blocked_by, s.blocks, s.query_id
  FROM pg_catalog.json_to_recordset($3::json) AS s (
       pid integer, datname text, usename text, application_name text, state text,
       wait_event_type text, wait_event text, xact_seconds real, query_seconds real,
       blocked_by text, blocks integer, query_id bigint)
 WHERE 'epoch'::timestamptz + $2::int8 * '1 microsecond'::interval
       BETWEEN pg_catalog.now() - '1 day'::interval AND pg_catalog.now() + '1 day'::interval
    ON CONFLICT DO NOTHING
