-- A column that a trigger keeps true, and whether the trigger runs.
-- @arg table_oid oid
-- @arg column_name text
-- @arg trigger_name text
-- @column has_column bool
-- @column has_trigger bool
-- @column is_enabled bool it runs for the writes of ordinary sessions
-- @server 14+
SELECT EXISTS (SELECT 1
                 FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = $1 AND a.attname = $2 AND NOT a.attisdropped),
       EXISTS (SELECT 1
                 FROM pg_catalog.pg_trigger AS t
                WHERE t.tgrelid = $1 AND t.tgname = $3 AND NOT t.tgisinternal),
       EXISTS (SELECT 1
                 FROM pg_catalog.pg_trigger AS t
                WHERE t.tgrelid = $1 AND t.tgname = $3 AND NOT t.tgisinternal
                  AND t.tgenabled IN ('O', 'A'));
