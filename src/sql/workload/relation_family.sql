-- A relation, what it inherits from or is a part of, its parts, and the views on all of them: the names by which statements may
-- read its rows. No rows when it is not there.
--
-- @arg relation text   schema.name, quoted where needed
-- @column schema       text
-- @column name         text
-- @server 14+
WITH RECURSIVE up AS (
    SELECT pg_catalog.to_regclass($1)::pg_catalog.oid AS id
    UNION
    SELECT i.inhparent FROM up AS u JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = u.id
), family AS (
    SELECT u.id FROM up AS u
    UNION
    SELECT n.id
      FROM family AS f
     CROSS JOIN LATERAL (
         SELECT i.inhrelid AS id FROM pg_catalog.pg_inherits AS i
          WHERE i.inhparent = f.id
            AND NOT EXISTS (SELECT 1 FROM up AS u
                             WHERE u.id = f.id
                               AND f.id <> pg_catalog.to_regclass($1)::pg_catalog.oid)
         UNION ALL
         SELECT r.ev_class
           FROM pg_catalog.pg_depend AS d
           JOIN pg_catalog.pg_rewrite AS r ON r.oid = d.objid
          WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND d.refobjid = f.id
            AND r.ev_class <> f.id) AS n
)
SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text
  FROM family AS f
  JOIN pg_catalog.pg_class AS c ON c.oid = f.id
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 ORDER BY 1, 2
