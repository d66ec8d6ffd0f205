-- What functions and operators of these names are: those that the search path finds, or those of a schema.
-- @arg    named         json   [{"schema": "" or a name, "name": …, "is_operator": …}]
-- @column name          text
-- @column is_operator   bool
-- @column is_volatile   bool   one of the name is
-- @column gives_rows    bool
-- @column is_aggregate  bool   all of the name are aggregates
-- @column may_gather    bool   one is an aggregate or a window function
-- @server 14+
SELECT n.name, n.is_operator, pg_catalog.bool_or(p.provolatile = 'v'), pg_catalog.bool_or(p.proretset),
       pg_catalog.bool_and(p.prokind = 'a'), pg_catalog.bool_or(p.prokind IN ('a', 'w'))
  FROM pg_catalog.json_to_recordset($1::pg_catalog.json) AS n (schema text, name text, is_operator bool)
 CROSS JOIN LATERAL (
       SELECT f.oid
         FROM pg_catalog.pg_proc AS f
        WHERE NOT n.is_operator
          AND f.proname = n.name
          AND CASE WHEN n.schema = '' THEN pg_catalog.pg_function_is_visible(f.oid)
                   ELSE f.pronamespace = (SELECT s.oid FROM pg_catalog.pg_namespace AS s WHERE s.nspname = n.schema)
              END
        UNION ALL
       SELECT o.oprcode::pg_catalog.oid
         FROM pg_catalog.pg_operator AS o
        WHERE n.is_operator
          AND o.oprname = n.name
          AND CASE WHEN n.schema = '' THEN pg_catalog.pg_operator_is_visible(o.oid)
                   ELSE o.oprnamespace = (SELECT s.oid FROM pg_catalog.pg_namespace AS s WHERE s.nspname = n.schema)
              END) AS f
  JOIN pg_catalog.pg_proc AS p ON p.oid = f.oid
 GROUP BY n.name, n.is_operator
