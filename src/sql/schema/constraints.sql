-- Constraints of tables and domains; not those that a partition or child only inherits (unless it calls them otherwise), no constraint triggers (they are triggers), no NOT NULL with the name and reach that it has by itself.
-- @column schema text
-- @column table_name text of the table or domain
-- @column is_domain bool
-- @column name text
-- @column kind text check, foreign key, primary key, unique, exclude, not null
-- @column definition text by pg_get_constraintdef()
-- @column columns text? a JSON array of names in key order
-- @column expression text? of a check
-- @column target_schema text? of a foreign key
-- @column target_table text?
-- @column target_columns text? a JSON array
-- @column on_update text? CASCADE …; NULL: NO ACTION
-- @column on_delete text?
-- @column match text? FULL; NULL: SIMPLE
-- @column is_validated bool
-- @column is_deferrable bool
-- @column is_deferred bool
-- @column is_no_inherit bool of checks and NOT NULL
-- @column index_name text? that serves it
-- @column comment text?
-- @server 14+
WITH found AS MATERIALIZED (
    SELECT k.*, n.nspname, COALESCE(c.relname, t.typname) AS owner_name, i.relname AS index_name,
           p.conname AS parent_name, p.conrelid AS parent_table,
           CASE k.contype WHEN 'p' THEN '_pkey' WHEN 'u' THEN '_key' WHEN 'x' THEN '_excl'
                          WHEN 'n' THEN '_not_null' ELSE '_fkey' END AS label
      FROM pg_catalog.pg_constraint AS k
      JOIN pg_catalog.pg_namespace AS n ON n.oid = k.connamespace
      LEFT JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
      LEFT JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
      LEFT JOIN pg_catalog.pg_constraint AS p ON p.oid = k.conparentid AND k.conparentid <> 0
      LEFT JOIN pg_catalog.pg_class AS i
        ON i.oid = k.conindid AND k.contype IN ('p', 'u', 'x')
     WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
       AND (k.contype IN ('c', 'f', 'p', 'u', 'x')
            -- The NOT NULL of a domain is told by the domain.
            OR k.contype = 'n' AND k.conrelid <> 0)
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                        WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND e.objid = k.conrelid AND e.deptype = 'e')
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                        WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
                          AND e.objid = k.contypid AND e.deptype = 'e')
), named AS MATERIALIZED (
    SELECT f.*, CASE WHEN f.contype <> 'n' AND f.conparentid = 0 THEN NULL
                     WHEN f.contype = 'p' THEN f.owner_name || '_pkey'
                     WHEN f.contype IN ('n', 'f')
                     THEN (SELECT f.owner_name || '_' || pg_catalog.string_agg(
                                      a.attname, '_' ORDER BY u.place) || f.label
                             FROM pg_catalog.unnest(f.conkey) WITH ORDINALITY AS u (num, place)
                             JOIN pg_catalog.pg_attribute AS a
                               ON a.attrelid = f.conrelid AND a.attnum = u.num)
                     ELSE (SELECT f.owner_name || '_' || pg_catalog.string_agg(
                                      a.attname, '_' ORDER BY a.attnum) || f.label
                             FROM pg_catalog.pg_attribute AS a
                            WHERE a.attrelid = f.conindid) END AS whole
      FROM found AS f
), judged AS (
    -- The name that the server gives by itself; when the whole is longer than 63 bytes it shortens
    -- the parts, of which this much always stays.
    SELECT f.*, CASE WHEN f.whole IS NULL THEN false
                     WHEN pg_catalog.octet_length(f.whole) <= 63
                     THEN pg_catalog.left(f.conname, pg_catalog.length(f.whole)) = f.whole
                          AND pg_catalog.substr(f.conname, pg_catalog.length(f.whole) + 1)
                              ~ '^[0-9]*$'
                     ELSE pg_catalog.left(f.conname, 13) = pg_catalog.left(f.owner_name, 13)
                          AND f.conname ~ (f.label || '[0-9]*$') END AS has_standard_name
      FROM named AS f
), own AS (
    SELECT f.* FROM judged AS f
     WHERE CASE WHEN f.contype = 'n'
                THEN f.conislocal
                     AND (NOT f.has_standard_name OR f.connoinherit OR NOT f.convalidated)
                WHEN f.conislocal OR f.coninhcount = 0 THEN true
                -- A partition's copy of a foreign key has the name of its parent's; those that are
                -- about partitions of the other table are the server's own affair.
                WHEN f.contype = 'f'
                THEN f.conrelid <> f.parent_table AND f.conname <> f.parent_name
                     AND NOT f.has_standard_name
                ELSE f.conparentid <> 0 AND NOT f.has_standard_name END
)
SELECT k.nspname::text, k.owner_name::text, k.contypid <> 0, k.conname::text,
       CASE k.contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' WHEN 'u' THEN 'unique'
                      WHEN 'p' THEN 'primary key' WHEN 'x' THEN 'exclude' ELSE 'not null' END,
       pg_catalog.pg_get_constraintdef(k.oid),
       CASE WHEN k.conkey IS NOT NULL THEN pg_catalog.to_json(ARRAY(
           SELECT (SELECT a.attname FROM pg_catalog.pg_attribute AS a
                    WHERE a.attrelid = k.conrelid AND a.attnum = x.num AND x.num > 0)
             FROM pg_catalog.unnest(k.conkey) AS x (num)))::text END,
       CASE WHEN k.contype = 'c' THEN pg_catalog.pg_get_expr(k.conbin, k.conrelid) END,
       fn.nspname::text, f.relname::text,
       CASE WHEN k.contype = 'f' THEN pg_catalog.to_json(ARRAY(
           SELECT (SELECT a.attname FROM pg_catalog.pg_attribute AS a
                    WHERE a.attrelid = k.confrelid AND a.attnum = x.num)
             FROM pg_catalog.unnest(k.confkey) AS x (num)))::text END,
       CASE k.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL'
                          WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' END,
       CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL'
                          WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' END,
       CASE k.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' END,
       k.convalidated, k.condeferrable, k.condeferred,
       k.contype IN ('c', 'n') AND k.connoinherit,
       k.index_name::text, d.description
  FROM own AS k
  LEFT JOIN pg_catalog.pg_class AS f ON f.oid = k.confrelid
  LEFT JOIN pg_catalog.pg_namespace AS fn ON fn.oid = f.relnamespace
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = k.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
 ORDER BY k.nspname, k.owner_name, k.conname;
