-- A flag as it is.
-- @arg name text
-- @column variant text
-- @column percent int4
-- @column salt text
-- @column shadow_ratio float8
-- @column fallback int4
-- @column reason text
-- @server 14+
SELECT f.variant, f.percent, f.salt, f.shadow_ratio, f.fallback, f.reason
  FROM pgmend.flag AS f
 WHERE f.name = $1;
