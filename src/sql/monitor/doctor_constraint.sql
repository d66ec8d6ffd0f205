-- Constraints that were added NOT VALID and never validated.
-- @column relation text
-- @column name text
-- @column kind text
-- @server 14+
SELECT k.conrelid::pg_catalog.regclass::pg_catalog.text, pg_catalog.quote_ident(k.conname),
       CASE k.contype WHEN 'f' THEN 'foreign key' WHEN 'c' THEN 'check' WHEN 'n' THEN 'not null'
                      ELSE k.contype::pg_catalog.text END
  FROM pg_catalog.pg_constraint AS k
 WHERE NOT k.convalidated AND k.conenforced AND k.conrelid <> 0
 ORDER BY 1, 2;
