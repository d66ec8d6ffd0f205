-- Who works in a database that is going to get another name, and what does not go along with it.
-- @arg    name          text
-- @arg    pooled        text  server processes of a pooler, an array's text: "{1,2}"
-- @column direct        int8  sessions of clients beside those and us
-- @column slots         text? logical replication slots of the database, joined by commas
-- @column subscriptions text? its enabled subscriptions, joined by commas
-- @column bytes         int8  of the database on disk
-- @server 14+
SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a
         WHERE a.datname = $1 AND a.backend_type = 'client backend'
           AND a.pid <> pg_catalog.pg_backend_pid()
           AND a.pid <> ALL ($2::text::int4[])
           AND a.application_name NOT LIKE 'pgmend/%') AS direct,
       (SELECT pg_catalog.string_agg(s.slot_name::text, ', ' ORDER BY s.slot_name)
          FROM pg_catalog.pg_replication_slots s WHERE s.database = $1) AS slots,
       (SELECT pg_catalog.string_agg(s.subname::text, ', ' ORDER BY s.subname)
          FROM pg_catalog.pg_subscription s
          JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
         WHERE d.datname = $1 AND s.subenabled) AS subscriptions,
       pg_catalog.pg_database_size($1::name) AS bytes
