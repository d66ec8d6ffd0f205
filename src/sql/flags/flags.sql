-- All flags. What is NULL in a damaged table is given as a value that no flag has.
-- @column name text?
-- @column variant text?
-- @column percent int4
-- @column salt text?
-- @column shadow_ratio float8
-- @column until_us int8 0: for ever
-- @column fallback int4
-- @column changed_us int8
-- @column changed_by text?
-- @column reason text?
-- @server 14+
SELECT f.name, f.variant, coalesce(f.percent, -1)::int4, f.salt,
       coalesce(f.shadow_ratio, -1)::float8,
       coalesce(pg_catalog.date_part('epoch', f.until) * 1000000, 0)::int8,
       coalesce(f.fallback, -1)::int4,
       coalesce(pg_catalog.date_part('epoch', f.changed_at) * 1000000, 0)::int8,
       f.changed_by, f.reason
  FROM pgmend.flag AS f
 ORDER BY f.name
 LIMIT 1000;
