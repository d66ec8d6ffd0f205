-- What a check compares with what was chosen, apart from rows.
-- @arg table_oid oid
-- @column pgvector text? installed version
-- @column pages int8
-- @column visible_ratio float8 share of the pages that an index-only scan need not look at
-- @server 14+
SELECT (SELECT e.extversion FROM pg_catalog.pg_extension AS e WHERE e.extname = 'vector'),
       c.relpages::int8,
       CASE WHEN c.relpages > 0
            THEN LEAST(c.relallvisible::float8 / c.relpages, 1) ELSE 1 END
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = $1;
