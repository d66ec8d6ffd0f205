-- JSON whose texts and numbers are masked; keys, truths and the form stay.
-- In PL/pgSQL, which keeps the plans of what it runs.
-- @server 14+
CREATE OR REPLACE FUNCTION pg_temp.mask_json(value jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT AS $$
BEGIN
    RETURN CASE pg_catalog.jsonb_typeof($1)
       WHEN 'object' THEN (SELECT coalesce(pg_catalog.jsonb_object_agg(e.key, pg_temp.mask_json(e.value)), '{}')
                             FROM pg_catalog.jsonb_each($1) AS e)
       WHEN 'array' THEN (SELECT coalesce(pg_catalog.jsonb_agg(pg_temp.mask_json(e.value) ORDER BY e.number), '[]')
                            FROM pg_catalog.jsonb_array_elements($1) WITH ORDINALITY AS e (value, number))
       WHEN 'string' THEN pg_catalog.to_jsonb(pg_temp.mask_text($1 #>> '{}'))
       WHEN 'number' THEN pg_catalog.to_jsonb(pg_temp.mask_letters('digits', $1 #>> '{}')::numeric)
       ELSE $1 END;
END
$$
