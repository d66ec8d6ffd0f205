-- Goals as they were added or changed.
-- @column name text
-- @column title text?
-- @column unit text?
-- @column less_is_better text?
-- @column target float8 NaN: as the program knows it
-- @column deadline text? date
-- @server 14+
SELECT k.name, k.title, k.unit, k.less_is_better::text, coalesce(k.target, 'NaN'),
       pg_catalog.to_char(k.deadline, 'YYYY-MM-DD')
  FROM pgmend.kpi AS k
 ORDER BY k.name
