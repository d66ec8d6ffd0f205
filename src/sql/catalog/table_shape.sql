-- What a plan takes for granted of a table: columns, constraints. The lines name it and hold no number that a restore
-- from a backup would change.
-- @arg tables text OIDs as an array literal
-- @column table_oid oid
-- @column attribute text? of a line about a column
-- @column line text
-- @server 14+
SELECT x.table_oid, x.attribute, x.line
  FROM (SELECT c.oid AS table_oid, NULL::text AS attribute,
               'relation ' || n.nspname || '.' || c.relname || ' ' || c.relkind::text AS line
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.oid = ANY ($1::oid[])
        UNION ALL
        SELECT a.attrelid, a.attname::text,
               'column ' || n.nspname || '.' || c.relname || ' ' || a.attname || ' '
               || pg_catalog.format_type(a.atttypid, a.atttypmod)
               || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || ' ' || a.attgenerated::text
               || ' ' || COALESCE(l.collname, '')
          FROM pg_catalog.pg_attribute AS a
          JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
         WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT k.conrelid, NULL,
               'constraint ' || n.nspname || '.' || c.relname || ' ' || k.conname || ' '
               || pg_catalog.pg_get_constraintdef(k.oid)
          FROM pg_catalog.pg_constraint AS k
          JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE k.conrelid = ANY ($1::oid[])
           AND k.contype <> 'n') AS x
 ORDER BY x.line COLLATE "C";
