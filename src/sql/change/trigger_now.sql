-- A trigger as it is, with its function.
-- @arg table_oid oid
-- @arg name text
-- @column oid oid
-- @column definition text
-- @column is_enabled bool
-- @column function_oid oid
-- @server 14+
SELECT t.oid, pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled IN ('O', 'A'), t.tgfoid
  FROM pg_catalog.pg_trigger AS t
 WHERE t.tgrelid = $1::oid
   AND t.tgname = $2
   AND NOT t.tgisinternal;
