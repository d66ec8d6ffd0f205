-- Columns that a rule may mask, table by table; of partitioned tables those of the leaves, with the name of the whole.
-- @column schema        text
-- @column name          text
-- @column root_schema   text  of the partitioned table, else as schema
-- @column root_name     text
-- @column attribute     text  the column
-- @column type          text  as format_type() writes it
-- @column base          text  typname; of a domain that of its base
-- @column category      text  typcategory
-- @column max_length    int4  letters of char(n) and varchar(n); 0: no limit
-- @column is_not_null   bool
-- @column is_generated  bool
-- @column is_unique     bool  in a unique index or an exclusion constraint
-- @column is_partition_key bool
-- @column has_triggers  bool  the table has triggers of users
-- @column pages         int8  of the table
-- @server 14+
WITH RECURSIVE up AS (
    SELECT c.oid AS leaf, c.oid AS above FROM pg_catalog.pg_class c WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    UNION ALL
    SELECT u.leaf, i.inhparent
      FROM up u
      JOIN pg_catalog.pg_class k ON k.oid = u.above AND k.relispartition
      JOIN pg_catalog.pg_inherits i ON i.inhrelid = u.above
), roots AS (
    SELECT u.leaf, u.above AS root
      FROM up u JOIN pg_catalog.pg_class k ON k.oid = u.above
     WHERE NOT k.relispartition
), keys AS (
    SELECT DISTINCT u.leaf, a.attname
      FROM up u
      JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = u.above
      JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum > 0
       AND (a.attnum = ANY (p.partattrs::pg_catalog.int2[])
            /* of an expression */
            OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = p.partrelid AND d.objsubid = 0
                          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND d.refobjid = p.partrelid AND d.refobjsubid = a.attnum))
)
SELECT n.nspname::text AS schema,
       c.relname::text AS name,
       rn.nspname::text AS root_schema,
       rc.relname::text AS root_name,
       a.attname::text AS attribute,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       b.typname::text AS base,
       b.typcategory::text AS category,
       CASE WHEN b.typname IN ('varchar', 'bpchar')
            THEN greatest(CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END - 4, 0) ELSE 0 END AS max_length,
       a.attnotnull OR t.typnotnull AS is_not_null,
       a.attgenerated <> '' OR a.attidentity = 'a' AS is_generated,
       EXISTS (SELECT FROM pg_catalog.pg_index i
                WHERE i.indrelid = c.oid AND (i.indisunique OR i.indisexclusion)
                  AND (a.attnum = ANY (i.indkey::pg_catalog.int2[])
                       OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                                   WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indexrelid
                                     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                     AND d.refobjid = c.oid AND d.refobjsubid = a.attnum))) AS is_unique,
       EXISTS (SELECT FROM keys k WHERE k.leaf = c.oid AND k.attname = a.attname) AS is_partition_key,
       EXISTS (SELECT FROM pg_catalog.pg_trigger g
                WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D') AS has_triggers,
       pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::pg_catalog.int8 AS pages
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN roots r ON r.leaf = c.oid
  JOIN pg_catalog.pg_class rc ON rc.oid = r.root
  JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
 WHERE c.relkind = 'r' AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgmend') AND n.nspname !~ '^pg_(toast|temp_)'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname, a.attnum
