-- Indexes, also those of constraints. Of the indexes of partitions that are attached to one of their parent only those are here that have a name, comment, options or tablespace which they would not have got by themselves.
-- @column schema text
-- @column table_name text
-- @column name text
-- @column definition text by pg_get_indexdef(): "ON ONLY" where the table is partitioned
-- @column constraint_name text? that it serves: made with it
-- @column parent text? the index of the partitioned table that it is attached to, quoted: made before that one, it is attached by itself
-- @column is_unique bool
-- @column is_valid bool valid, ready and live
-- @column method text
-- @column keys text a JSON array: column names, NULL where it is an expression
-- @column has_plain_keys bool only columns, standard operator classes, collations and order
-- @column nulls_not_distinct bool
-- @column predicate text?
-- @column include text? a JSON array of names
-- @column options text? reloptions, sorted, as WITH (…) takes them
-- @column tablespace text?
-- @column statistics text? targets of expressions: a JSON object of their numbers, from 1, and targets
-- @column comment text?
-- @server 14+
WITH own AS MATERIALIZED (
    SELECT i.*, n.nspname, c.relname, c.relkind, t.relname AS table_name, c.relam, c.reloptions,
           c.reltablespace, k.conname, k.contype, h.inhparent, p.reloptions AS parent_options,
           p.reltablespace AS parent_tablespace, d.description,
           CASE k.contype WHEN 'p' THEN '_pkey' WHEN 'u' THEN '_key' WHEN 'x' THEN '_excl'
                          ELSE '_idx' END AS label,
           ARRAY(SELECT (SELECT a.attname FROM pg_catalog.pg_attribute AS a
                          WHERE a.attrelid = i.indrelid AND a.attnum = x.num AND x.num > 0)
                   FROM pg_catalog.unnest(i.indkey[0:i.indnkeyatts - 1]) AS x (num)) AS names,
           i.indexprs IS NULL AND 0 = ALL (i.indoption)
           -- Parameters of operator classes, which btree (403) and hash (405) do not have.
           AND (c.relam IN (403, 405)
                OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute AS a
                                WHERE a.attrelid = i.indexrelid AND a.attoptions IS NOT NULL))
           AND i.indclass::oid[] <@ (SELECT pg_catalog.array_agg(o.oid)
                                       FROM pg_catalog.pg_opclass AS o WHERE o.opcdefault)
           AND i.indcollation::text = pg_catalog.array_to_string(ARRAY(
               SELECT COALESCE((SELECT a.attcollation FROM pg_catalog.pg_attribute AS a
                                 WHERE a.attrelid = i.indrelid AND a.attnum = x.num), 0)
                 FROM pg_catalog.unnest(i.indkey[0:i.indnkeyatts - 1]) AS x (num)), ' ')
               AS is_plain
      FROM pg_catalog.pg_namespace AS n
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid
      JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
      JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
      LEFT JOIN pg_catalog.pg_constraint AS k
        ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
      LEFT JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = i.indexrelid
      LEFT JOIN pg_catalog.pg_class AS p ON p.oid = h.inhparent
      LEFT JOIN pg_catalog.pg_description AS d
        ON d.objoid = c.oid AND d.objsubid = 0
       AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
     WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
       AND c.relkind IN ('i', 'I')
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                        WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND e.objid = i.indrelid AND e.deptype = 'e')
), named AS MATERIALIZED (
    SELECT o.*, CASE WHEN o.inhparent IS NULL THEN NULL
                     WHEN o.label = '_pkey' THEN o.table_name || '_pkey'
                     ELSE o.table_name || '_'
                          || (SELECT pg_catalog.string_agg(a.attname, '_' ORDER BY a.attnum)
                                FROM pg_catalog.pg_attribute AS a
                               WHERE a.attrelid = o.indexrelid) || o.label END AS whole,
           -- To have the server write a definition is most of the work of this statement, so the
           -- simple ones are written here.
           CASE WHEN o.is_plain AND o.indpred IS NULL AND o.reloptions IS NULL
                     AND o.indnatts = o.indnkeyatts
                     AND (NOT o.indisunique OR o.contype = 'p')
                THEN pg_catalog.format('CREATE %sINDEX %I ON %s%I.%I USING %I (%s)',
                    CASE WHEN o.indisunique THEN 'UNIQUE ' END, o.relname,
                    CASE WHEN o.relkind = 'I' THEN 'ONLY ' END, o.nspname, o.table_name,
                    m.amname, (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(x), ', ')
                                 FROM pg_catalog.unnest(o.names) AS x))
                ELSE pg_catalog.pg_get_indexdef(o.indexrelid) END AS definition, m.amname
      FROM own AS o JOIN pg_catalog.pg_am AS m ON m.oid = o.relam
)
SELECT i.nspname::text, i.table_name::text, i.relname::text, i.definition, i.conname::text,
       i.inhparent::pg_catalog.regclass::text,
       i.indisunique, i.indisvalid AND i.indisready AND i.indislive, i.amname::text,
       pg_catalog.to_json(i.names)::text, i.is_plain,
       -- A column of pg_index since 15.
       CASE WHEN i.definition LIKE '%NULLS NOT DISTINCT%' THEN COALESCE((
           SELECT pg_catalog.to_jsonb(x) ->> 'indnullsnotdistinct'
             FROM pg_catalog.pg_index AS x WHERE x.indexrelid = i.indexrelid)::bool, false)
           ELSE false END,
       pg_catalog.pg_get_expr(i.indpred, i.indrelid),
       CASE WHEN i.indnatts > i.indnkeyatts THEN pg_catalog.to_json(ARRAY(
           SELECT (SELECT a.attname FROM pg_catalog.pg_attribute AS a
                    WHERE a.attrelid = i.indrelid AND a.attnum = x.num)
             FROM pg_catalog.unnest(i.indkey[i.indnkeyatts:]) AS x (num)))::text END,
       CASE WHEN i.reloptions IS NOT NULL THEN (
           SELECT pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE "C")
             FROM pg_catalog.unnest(i.reloptions) AS o) END,
       s.spcname::text, w.targets::text, i.description
  FROM named AS i
  LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = i.reltablespace
  LEFT JOIN (SELECT a.attrelid,
                    pg_catalog.json_object_agg(a.attnum, a.attstattarget ORDER BY a.attnum)
                        AS targets
               FROM pg_catalog.pg_attribute AS a
              WHERE a.attstattarget >= 0 AND a.attnum > 0
              GROUP BY a.attrelid) AS w ON w.attrelid = i.indexrelid
 WHERE i.inhparent IS NULL
    -- The name that the server gives to an index of a partition; when the whole is longer than
    -- 63 bytes it shortens the parts, of which this much always stays.
    OR NOT CASE WHEN pg_catalog.octet_length(i.whole) <= 63
                THEN pg_catalog.left(i.relname, pg_catalog.length(i.whole)) = i.whole
                     AND pg_catalog.substr(i.relname, pg_catalog.length(i.whole) + 1) ~ '^[0-9]*$'
                ELSE pg_catalog.left(i.relname, 14) = pg_catalog.left(i.table_name, 14)
                     AND i.relname ~ (i.label || '[0-9]*$') END
    OR i.conname IS NULL
       AND (i.description IS NOT NULL OR w.targets IS NOT NULL
            OR i.reloptions IS DISTINCT FROM i.parent_options
            OR i.reltablespace <> i.parent_tablespace)
 ORDER BY i.nspname, i.relname;
