-- A flag as it is; what is NULL in a damaged table as what no flag has.
-- @arg name text
-- @column variant text
-- @column percent int4
-- @column salt text
-- @column shadow_ratio float8
-- @column until_us int8 0: for ever
-- @column fallback int4
-- @column reason text
-- @server 14+
SELECT coalesce(f.variant, ''), coalesce(f.percent, -1), coalesce(f.salt, ''), coalesce(f.shadow_ratio, -1),
       coalesce(pg_catalog.date_part('epoch', f.until) * 1000000, 0)::int8,
       coalesce(f.fallback, -1), coalesce(f.reason, '')
  FROM pgmend.flag AS f
 WHERE f.name = $1;
