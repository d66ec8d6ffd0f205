-- Forgets what ANALYZE knew of some tables: their commonest values are values of before.
-- @arg tables json  an array of quoted names
-- @server 14+
DELETE FROM pg_catalog.pg_statistic s
 WHERE s.starelid IN (
           SELECT g.oid FROM pg_catalog.json_array_elements_text($1) t (name)
            CROSS JOIN LATERAL (SELECT pg_catalog.to_regclass(t.name)::pg_catalog.oid AS oid) g
           UNION
           SELECT i.indexrelid FROM pg_catalog.json_array_elements_text($1) t (name)
             JOIN pg_catalog.pg_index i ON i.indrelid = pg_catalog.to_regclass(t.name))
