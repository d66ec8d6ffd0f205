-- Which of these functions may do more than read: any function of the name, in any schema, that is volatile.
-- @arg    names         text[]
-- @column name          text
-- @server 14+
SELECT DISTINCT p.proname::pg_catalog.text
  FROM pg_catalog.pg_proc AS p
 WHERE p.proname = ANY ($1::pg_catalog.text[])
   AND p.provolatile = 'v'
 ORDER BY 1;
