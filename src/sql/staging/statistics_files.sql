-- The files of relations, and what the planner reads in those of indexes.
-- @arg    relations json  an array of names as regclass reads them, or of OIDs; empty: all
-- @column id      oid
-- @column schema  text
-- @column name    text
-- @column kind    text    r m i
-- @column method  text    of an index; else ""
-- @column path    text    below the data folder
-- @column width   float8  bytes of an index's keys on average
-- @column parent  oid     the table of an index; else 0
-- @server 14+
SELECT c.oid AS id,
       n.nspname::text AS schema,
       c.relname::text AS name,
       c.relkind::text AS kind,
       coalesce(CASE WHEN c.relkind = 'i' THEN m.amname END, '')::text AS method,
       pg_catalog.pg_relation_filepath(c.oid)::text AS path,
       coalesce(w.width, 8)::pg_catalog.float8 AS width,
       coalesce(i.indrelid, 0::pg_catalog.oid) AS parent
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
  LEFT JOIN LATERAL (
           SELECT pg_catalog.sum(coalesce(s.stawidth, CASE WHEN a.attlen > 0 THEN a.attlen ELSE 32 END)) AS width
             FROM pg_catalog.pg_attribute a
             LEFT JOIN pg_catalog.pg_statistic s ON NOT s.stainherit
              AND s.starelid = CASE WHEN i.indkey[a.attnum - 1] = 0 THEN c.oid ELSE i.indrelid END
              AND s.staattnum = CASE WHEN i.indkey[a.attnum - 1] = 0 THEN a.attnum ELSE i.indkey[a.attnum - 1] END
            WHERE i.indexrelid IS NOT NULL AND a.attrelid = c.oid AND a.attnum <= i.indnkeyatts) w ON true
 WHERE c.relkind IN ('r', 'm', 'i') AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
   AND (pg_catalog.json_array_length($1) = 0
        OR c.oid = ANY (ARRAY(SELECT r::pg_catalog.regclass::pg_catalog.oid FROM pg_catalog.json_array_elements_text($1) r)))
