-- The kept plan of a hash, or the one kept last.
-- @arg hash text?
-- @column plan text JSON
-- @server 14+
SELECT p.plan::text
  FROM pgmend.plan AS p
 WHERE $1::text IS NULL OR p.hash = $1::text
 ORDER BY p.kept_at DESC, p.hash
 LIMIT 1;
