-- How far each database is from a wraparound of transaction and multixact ids, and the table of this
-- database that holds it back.
-- @column datname text
-- @column xid_age int8
-- @column mxid_age int8
-- @column freeze_max_age int8 autovacuum_freeze_max_age
-- @column multixact_freeze_max_age int8
-- @column ratio float8 of the ids that there are, the worse of both
-- @column oldest_relation text? schema.table, quoted; this database only
-- @column oldest_relation_age int8 0: not known
-- @server 14+
WITH oldest AS MATERIALIZED (
    SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
           pg_catalog.age(c.relfrozenxid)::int8 AS age
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm', 't')
       AND c.relfrozenxid <> '0'
     ORDER BY pg_catalog.age(c.relfrozenxid) DESC
     LIMIT 1
)
SELECT d.datname::text, pg_catalog.age(d.datfrozenxid)::int8,
       pg_catalog.mxid_age(d.datminmxid)::int8,
       pg_catalog.current_setting('autovacuum_freeze_max_age')::int8,
       pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::int8,
       GREATEST(pg_catalog.age(d.datfrozenxid), pg_catalog.mxid_age(d.datminmxid))::float8 / 2147483648::float8,
       o.name, COALESCE(o.age, 0)
  FROM pg_catalog.pg_database AS d
  LEFT JOIN oldest AS o ON d.datname = pg_catalog.current_database()
 ORDER BY 2 DESC;
