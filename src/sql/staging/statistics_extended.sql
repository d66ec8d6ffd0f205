-- Extended statistics as bytes in hexadecimal: numbers of distinct groups, and dependencies.
-- @column schema       text
-- @column name         text
-- @column inherited    bool
-- @column keys         text  the numbers of its columns, rising, with blanks between
-- @column n_distinct   text?
-- @column dependencies text?
-- @column has_common   bool  lists of common groups
-- @column has_expressions bool
-- @server 14+
SELECT s.statistics_schemaname::text AS schema,
       s.statistics_name::text AS name,
       coalesce((pg_catalog.to_jsonb(s) ->> 'inherited')::pg_catalog.bool, false) AS inherited,
       e.stxkeys::text AS keys,
       pg_catalog.encode(s.n_distinct::pg_catalog.bytea, 'hex') AS n_distinct,
       pg_catalog.encode(s.dependencies::pg_catalog.bytea, 'hex') AS dependencies,
       s.most_common_freqs IS NOT NULL AS has_common,
       s.exprs IS NOT NULL AS has_expressions
  FROM pg_catalog.pg_stats_ext s
  JOIN pg_catalog.pg_namespace n ON n.nspname = s.statistics_schemaname
  JOIN pg_catalog.pg_statistic_ext e ON e.stxnamespace = n.oid AND e.stxname = s.statistics_name
 WHERE s.statistics_schemaname NOT IN ('pg_catalog', 'information_schema', 'pgmend')
   AND (s.n_distinct IS NOT NULL OR s.dependencies IS NOT NULL OR s.most_common_freqs IS NOT NULL)
 ORDER BY 1, 2, 3
