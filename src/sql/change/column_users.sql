-- What of the database would go, or stand in the way, if a column was dropped.
-- @arg table_oid oid
-- @arg number int4
-- @column users text?
-- @server 14+
SELECT pg_catalog.string_agg(DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid),
                             ', ')
  FROM pg_catalog.pg_depend AS d
 WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
   AND d.refobjid = $1::oid
   AND d.refobjsubid = $2::int4;
