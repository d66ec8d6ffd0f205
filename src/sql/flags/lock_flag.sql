-- A flag as it is, locked until the transaction ends.
-- @arg name text
-- @column variant text
-- @column percent int4
-- @column salt text
-- @column shadow_ratio float8
-- @column until_us int8 0: for ever
-- @column fallback int4
-- @column reason text
-- @server 14+
SELECT f.variant, f.percent, f.salt, f.shadow_ratio,
       coalesce(pg_catalog.date_part('epoch', f.until) * 1000000, 0)::int8, f.fallback, f.reason
  FROM pgmend.flag AS f
 WHERE f.name = $1
   FOR UPDATE;
