-- What belongs to a database and is in no dump of it.
-- @arg    name             text
-- @column oid              oid
-- @column owner            text
-- @column tablespace       text
-- @column connection_limit int4
-- @column may_connect      bool
-- @column is_template      bool
-- @column comment          text?
-- @column sessions         int8  other sessions in it
-- @column prepared         int8  prepared transactions in it
-- @column is_owner         bool  we have its owner's rights
-- @server 14+
SELECT d.oid,
       pg_catalog.pg_get_userbyid(d.datdba)::text AS owner,
       t.spcname::text AS tablespace,
       d.datconnlimit AS connection_limit,
       d.datallowconn AS may_connect,
       d.datistemplate AS is_template,
       pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a
         WHERE a.datid = d.oid AND a.pid <> pg_catalog.pg_backend_pid()
           AND a.backend_type IS DISTINCT FROM 'autovacuum worker') AS sessions,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts x WHERE x.database = d.datname) AS prepared,
       pg_catalog.pg_has_role(d.datdba, 'USAGE') AS is_owner
  FROM pg_catalog.pg_database d
  JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
 WHERE d.datname = $1
