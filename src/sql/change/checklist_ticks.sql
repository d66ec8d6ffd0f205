-- The newest tick of each item of the checklist.
-- @column item text
-- @column done bool
-- @column note text?
-- @column actor text
-- @column recorded_at text
-- @server 14+
SELECT DISTINCT ON (k.item) k.item, k.done, k.note, k.actor,
       pg_catalog.to_char(k.recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM pgmend.checklist AS k
 ORDER BY k.item, k.id DESC;
