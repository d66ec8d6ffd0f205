-- Records values, given as an array of JSON objects; of two for the same time the later one stays.
-- @arg values text JSON: [{"name", "value", "at"?, "note"?}], at in microseconds since 1970
-- @server 14+
INSERT INTO pgmend.kpi_value (name, at, value, note)
SELECT DISTINCT ON (v.name, v.at) v.name, v.at, v.value, v.note
  FROM (SELECT e.item ->> 'name' AS name,
               coalesce(timestamptz 'epoch' + ((e.item ->> 'at')::int8 / 1000000) * interval '1 s'
                            + ((e.item ->> 'at')::int8 % 1000000) * interval '1 us',
                        pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp())) AS at,
               (e.item ->> 'value')::double precision AS value,
               e.item ->> 'note' AS note,
               e.number
          FROM pg_catalog.json_array_elements($1::text::json) WITH ORDINALITY AS e (item, number)) AS v
 ORDER BY v.name, v.at, v.number DESC
ON CONFLICT (name, at) DO UPDATE
   SET value = EXCLUDED.value, note = EXCLUDED.note, recorded_by = EXCLUDED.recorded_by,
       recorded_at = EXCLUDED.recorded_at
