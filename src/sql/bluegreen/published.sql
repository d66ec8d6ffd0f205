-- The tables that a comparison is about: what is published here, as a whole and not by partition.
-- @arg publication text
-- @column id oid
-- @column schema text
-- @column name text
-- @column rows int8 estimated, with partitions; -1: never analysed
-- @column columns text "t.a, t.b", quoted, by name
-- @column key text columns of the primary key, quoted, in its order, with chr(31) between; empty: none
-- @column key_types text the same way
-- @server 14+
SELECT c.oid AS id, n.nspname::text AS schema, c.relname::text AS name,
       CASE WHEN c.relkind = 'p'
            THEN (SELECT COALESCE(pg_catalog.sum(GREATEST(l.reltuples, 0)), 0)::int8
                    FROM pg_catalog.pg_partition_tree(c.oid) AS t
                    JOIN pg_catalog.pg_class AS l ON l.oid = t.relid
                   WHERE t.isleaf)
            ELSE c.reltuples::int8 END AS rows,
       COALESCE((SELECT pg_catalog.string_agg('t.' || pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attname)
                   FROM pg_catalog.pg_attribute AS a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '') AS columns,
       COALESCE((SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), pg_catalog.chr(31) ORDER BY k.place)
                   FROM pg_catalog.pg_index AS i
                  CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
                   JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number
                  WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts), '') AS key,
       COALESCE((SELECT pg_catalog.string_agg(pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.chr(31) ORDER BY k.place)
                   FROM pg_catalog.pg_index AS i
                  CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
                   JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number
                  WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts), '') AS key_types
  FROM pg_catalog.pg_publication_rel AS p
  JOIN pg_catalog.pg_publication AS b ON b.oid = p.prpubid
  JOIN pg_catalog.pg_class AS c ON c.oid = p.prrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE b.pubname = $1 AND n.nspname <> 'pgmend'
 ORDER BY 2, 3;
