-- What a plan takes for granted of a table: columns, constraints, valid indexes.
-- @arg tables text OIDs as an array literal
-- @column line text
-- @server 14+
SELECT x.line
  FROM (SELECT 'relation ' || c.oid || ' ' || n.nspname || '.' || c.relname || ' ' || c.relkind::text
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.oid = ANY ($1::oid[])
        UNION ALL
        SELECT 'column ' || a.attrelid || ' ' || a.attnum || ' ' || a.attname || ' '
               || pg_catalog.format_type(a.atttypid, a.atttypmod)
               || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || ' ' || a.attgenerated::text
               || ' ' || COALESCE(l.collname, '')
          FROM pg_catalog.pg_attribute AS a
          LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
         WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 'constraint ' || k.conrelid || ' ' || k.conname || ' '
               || pg_catalog.pg_get_constraintdef(k.oid)
          FROM pg_catalog.pg_constraint AS k
         WHERE k.conrelid = ANY ($1::oid[])
           AND k.contype <> 'n') AS x (line)
 ORDER BY x.line;
