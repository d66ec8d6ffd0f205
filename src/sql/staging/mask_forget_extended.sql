-- The same of extended statistics.
-- @arg tables json  an array of quoted names
-- @server 14+
DELETE FROM pg_catalog.pg_statistic_ext_data s
 WHERE s.stxoid IN (
           SELECT e.oid FROM pg_catalog.json_array_elements_text($1) t (name)
             JOIN pg_catalog.pg_statistic_ext e ON e.stxrelid = pg_catalog.to_regclass(t.name))
