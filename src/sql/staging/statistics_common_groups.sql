-- Lists of common groups of extended statistics as bytes in hexadecimal; only for a superuser.
-- @column schema    text
-- @column name      text
-- @column inherited bool
-- @column common    text
-- @server 14+
SELECT n.nspname::text AS schema,
       e.stxname::text AS name,
       coalesce((pg_catalog.to_jsonb(d) ->> 'stxdinherit')::pg_catalog.bool, false) AS inherited,
       pg_catalog.encode(d.stxdmcv::pg_catalog.bytea, 'hex') AS common
  FROM pg_catalog.pg_statistic_ext_data d
  JOIN pg_catalog.pg_statistic_ext e ON e.oid = d.stxoid
  JOIN pg_catalog.pg_namespace n ON n.oid = e.stxnamespace
 WHERE d.stxdmcv IS NOT NULL
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend')
