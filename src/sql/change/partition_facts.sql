-- A table that is to be partitioned: what its parts will be called after and made of.
-- @arg table_oid oid
-- @arg key text the column of time
-- @column key_type text? NULL: there is no such column
-- @column key_not_null bool
-- @column primary_name text? NULL: there is no primary key
-- @column primary_columns text? quoted, with commas
-- @column primary_has_key bool
-- @column columns text all that can be written, quoted, with commas
-- @column row_triggers bool triggers of its own fire for rows that are moved
-- @column may_silence bool the role may keep them from firing for its own session
-- @server 14+
SELECT pg_catalog.format_type(k.atttypid, NULL), COALESCE(k.attnotnull, false), p.conname::text, p.columns,
       COALESCE(p.has_key, false),
       (SELECT COALESCE(pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum), '')
          FROM pg_catalog.pg_attribute AS a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
       EXISTS (SELECT 1 FROM pg_catalog.pg_trigger AS t
                WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND (t.tgtype & 1) <> 0),
       (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER)
  FROM pg_catalog.pg_class AS c
  LEFT JOIN pg_catalog.pg_attribute AS k
         ON k.attrelid = c.oid AND k.attname = $2 AND k.attnum > 0 AND NOT k.attisdropped
  LEFT JOIN LATERAL (
       SELECT n.conname, n.conkey @> ARRAY[k.attnum] AS has_key,
              (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY u.place)
                 FROM pg_catalog.unnest(n.conkey) WITH ORDINALITY AS u (attnum, place)
                 JOIN pg_catalog.pg_attribute AS a ON a.attrelid = n.conrelid AND a.attnum = u.attnum) AS columns
         FROM pg_catalog.pg_constraint AS n
        WHERE n.conrelid = c.oid AND n.contype = 'p') AS p ON true
 WHERE c.oid = $1::oid;
