-- Databases that are marked as staging copies of pgmend, with what the mark says.
-- @column name      text
-- @column source    text  the database that it is a copy of
-- @column cluster   text  identifier of the cluster that it came from; "?": the role might not know
-- @column made_at   text
-- @column age       int8  microseconds
-- @column way       text  dump, template or backup
-- @column masked    int4  columns
-- @column bytes     int8  -1: the role may not connect to it
-- @column sessions  int8
-- @column may_drop  bool
-- @server 14+
SELECT d.datname::text AS name,
       m.part[4] AS source,
       m.part[5] AS cluster,
       m.part[1] AS made_at,
       (extract(epoch FROM pg_catalog.clock_timestamp() - m.part[1]::pg_catalog.timestamptz) * 1000000)::pg_catalog.int8 AS age,
       m.part[2] AS way,
       m.part[3]::pg_catalog.int4 AS masked,
       CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT')
            THEN pg_catalog.pg_database_size(d.oid) ELSE -1 END AS bytes,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid) AS sessions,
       pg_catalog.pg_has_role(d.datdba, 'USAGE') AS may_drop
  FROM pg_catalog.pg_database d
 CROSS JOIN LATERAL pg_catalog.regexp_match(pg_catalog.shobj_description(d.oid, 'pg_database'),
           '^pgmend staging made at ([0-9TZ:-]+) from (dump|template|backup), ([0-9]+) columns masked, of (.+) on (\S+)$') AS m (part)
 WHERE m.part IS NOT NULL AND d.datname !~ '^pgmend_scratch_'
 ORDER BY d.datname
