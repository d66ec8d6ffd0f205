-- Functions of a name that a call of ours could mean as well: the same number of arguments will do,
-- and each type is the same, of the same category, or has an implicit cast one way or the other.
-- @arg schema text
-- @arg name text
-- @arg types text of our arguments, with ", " between
-- @arg least int4 arguments without a default
-- @arg signature text of our own, as regprocedure reads it
-- @column signature text for DROP ROUTINE
-- @server 14+
SELECT p.oid::pg_catalog.regprocedure::text
  FROM pg_catalog.pg_proc AS p,
       pg_catalog.string_to_array($3, ', ') AS o(types)
 WHERE p.pronamespace = (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1)
   AND p.proname = $2
   AND p.prokind <> 'p'
   AND p.oid IS DISTINCT FROM pg_catalog.to_regprocedure($5)::pg_catalog.oid
   AND EXISTS (
       SELECT
         FROM pg_catalog.generate_series(
                  GREATEST($4::int4, p.pronargs - p.pronargdefaults),
                  LEAST(pg_catalog.cardinality(o.types),
                        CASE WHEN p.provariadic = 0 THEN p.pronargs ELSE 100 END)) AS k(count)
        WHERE NOT EXISTS (
              SELECT
                FROM ROWS FROM (pg_catalog.unnest(o.types),
                                pg_catalog.unnest(p.proargtypes::oid[]))
                     WITH ORDINALITY AS a(ours, theirs, i)
                JOIN pg_catalog.pg_type AS x ON x.oid = pg_catalog.to_regtype(a.ours)
                JOIN pg_catalog.pg_type AS y ON y.oid = a.theirs
               WHERE a.i <= k.count
                 AND x.typcategory <> y.typcategory AND y.typcategory <> 'P'
                 AND (x.typcategory IN ('N', 'B') OR y.typcategory IN ('N', 'B'))
                 AND NOT EXISTS (
                     SELECT FROM pg_catalog.pg_cast AS c
                      WHERE c.castcontext = 'i'
                        AND (c.castsource, c.casttarget) IN ((x.oid, y.oid), (y.oid, x.oid)))))
 ORDER BY 1;
