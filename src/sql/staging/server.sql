-- Which server and database this is, as a backup's manifest records it.
-- @column database          text
-- @column database_oid      oid
-- @column database_size     int8  bytes
-- @column encoding          text
-- @column collate           text
-- @column ctype             text
-- @column locale_provider   text  c, i or b
-- @column locale            text? of ICU or the built-in provider
-- @column owner             text
-- @column lsn               text? where the write-ahead log stood; NULL on a standby that has replayed none
-- @column is_superuser      bool
-- @column can_create        bool  may create databases
-- @column can_see_control   bool  may call pg_control_system() and pg_control_checkpoint()
-- @server 14+
SELECT d.datname::text AS database,
       d.oid AS database_oid,
       pg_catalog.pg_database_size(d.oid) AS database_size,
       pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
       d.datcollate::text AS collate,
       d.datctype::text AS ctype,
       coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') AS locale_provider,
       coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale') AS locale,
       pg_catalog.pg_get_userbyid(d.datdba)::text AS owner,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_lsn() END::text AS lsn,
       r.rolsuper AS is_superuser,
       r.rolsuper OR r.rolcreatedb AS can_create,
       pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
           AND pg_catalog.has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE') AS can_see_control
  FROM pg_catalog.pg_database d
  JOIN pg_catalog.pg_roles r ON r.rolname = current_user
 WHERE d.datname = pg_catalog.current_database()
