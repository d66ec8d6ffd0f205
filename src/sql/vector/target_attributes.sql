-- The columns of a table, with what tells a tenant or the text of a chunk.
-- @arg    table_oid    oid
-- @column name         text
-- @column type         text
-- @column category     text    pg_type.typcategory: S text, N number, B boolean
-- @column width        int4    average; 0: not known
-- @column distinct     float8  as pg_stats.n_distinct; 0: not known
-- @column is_foreign   bool    a foreign key of this column alone
-- @column is_unique    bool    a unique index of this column alone
-- @column lead_index   text?   a usable btree index that begins with it
-- @server 14+
SELECT a.attname,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       t.typcategory::pg_catalog.text,
       COALESCE(s.avg_width, 0),
       COALESCE(s.n_distinct, 0)::pg_catalog.float8,
       EXISTS (SELECT 1
                 FROM pg_catalog.pg_constraint AS k
                WHERE k.conrelid = a.attrelid AND k.contype = 'f'
                  AND k.conkey = ARRAY[a.attnum]::pg_catalog.int2[]),
       EXISTS (SELECT 1
                 FROM pg_catalog.pg_index AS i
                WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indnkeyatts = 1
                  AND i.indkey[0] = a.attnum),
       (SELECT c.relname
          FROM pg_catalog.pg_index AS i
          JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
          JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
         WHERE i.indrelid = a.attrelid AND i.indisvalid AND i.indpred IS NULL
           AND m.amname = 'btree' AND i.indkey[0] = a.attnum
         ORDER BY c.relname
         LIMIT 1)
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS r ON r.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_stats AS s
    ON s.schemaname = n.nspname AND s.tablename = r.relname AND s.attname = a.attname
   AND NOT s.inherited
 WHERE a.attrelid = $1::oid
   AND a.attnum > 0
   AND NOT a.attisdropped
 ORDER BY a.attnum
