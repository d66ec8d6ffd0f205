-- Functions of the name and schema of this one that one of its calls could mean as well: the same
-- number of arguments will do, and each type is the same, of the same category, or has an implicit
-- cast one way or the other. A literal or a parameter without a type fits all types but those of
-- numbers and truth values.
-- @arg function_oid oid
-- @column signature text for DROP ROUTINE
-- @server 14+
SELECT p.oid::pg_catalog.regprocedure::text
  FROM pg_catalog.pg_proc AS o
  JOIN pg_catalog.pg_proc AS p
    ON p.pronamespace = o.pronamespace AND p.proname = o.proname AND p.oid <> o.oid
 WHERE o.oid = $1
   AND p.prokind <> 'p'
   AND EXISTS (
       SELECT
         FROM pg_catalog.generate_series(
                  GREATEST(o.pronargs - o.pronargdefaults, p.pronargs - p.pronargdefaults),
                  LEAST(CASE WHEN o.provariadic = 0 THEN o.pronargs ELSE 100 END,
                        CASE WHEN p.provariadic = 0 THEN p.pronargs ELSE 100 END)) AS k(count)
        WHERE NOT EXISTS (
              SELECT
                FROM ROWS FROM (pg_catalog.unnest(o.proargtypes::oid[]),
                                pg_catalog.unnest(p.proargtypes::oid[]))
                     WITH ORDINALITY AS a(ours, theirs, i)
                JOIN pg_catalog.pg_type AS x ON x.oid = a.ours
                JOIN pg_catalog.pg_type AS y ON y.oid = a.theirs
               WHERE a.i <= k.count
                 AND x.typcategory <> y.typcategory
                 AND 'P' NOT IN (x.typcategory, y.typcategory)
                 AND (x.typcategory IN ('N', 'B') OR y.typcategory IN ('N', 'B'))
                 AND NOT EXISTS (
                     SELECT FROM pg_catalog.pg_cast AS c
                      WHERE c.castcontext = 'i'
                        AND (c.castsource, c.casttarget) IN ((x.oid, y.oid), (y.oid, x.oid)))))
 ORDER BY 1;
