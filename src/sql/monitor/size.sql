-- Bytes of databases.
-- @column datname text
-- @column size_bytes float8 NaN: the role may not look
-- @server 14+
SELECT d.datname::text,
       CASE WHEN pg_catalog.pg_has_role(SESSION_USER, 'pg_read_all_stats', 'USAGE')
              OR pg_catalog.has_database_privilege(d.oid, 'CONNECT')
            THEN pg_catalog.pg_database_size(d.oid)::float8 ELSE 'NaN' END
  FROM pg_catalog.pg_database AS d
 ORDER BY d.datname;
