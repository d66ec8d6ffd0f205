-- What "=" of a type means: whether it is the one that grouping goes by, and whether equal values look the same.
-- @arg    column_type  oid    of what is compared
-- @arg    key_type     oid    what it is compared with
-- @column is_default   bool   no other operator can have been meant
-- @column is_exact     bool   equal values are written alike
-- @server 14+
WITH RECURSIVE base AS (
    SELECT t.oid, t.typtype, t.typbasetype FROM pg_catalog.pg_type AS t WHERE t.oid = $1::pg_catalog.oid
     UNION ALL
    SELECT t.oid, t.typtype, t.typbasetype
      FROM base AS b JOIN pg_catalog.pg_type AS t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
), compared AS (
    SELECT CASE b.oid WHEN 'pg_catalog.varchar'::pg_catalog.regtype THEN 'pg_catalog.text'::pg_catalog.regtype::oid
                      ELSE b.oid END AS type,
           CASE $2::pg_catalog.oid
                   WHEN 'pg_catalog.varchar'::pg_catalog.regtype THEN 'pg_catalog.text'::pg_catalog.regtype::oid
                   ELSE $2::pg_catalog.oid END AS key,
           CASE WHEN b.typtype = 'e' THEN 'pg_catalog.anyenum'::pg_catalog.regtype::oid
                WHEN b.oid = 'pg_catalog.varchar'::pg_catalog.regtype THEN 'pg_catalog.text'::pg_catalog.regtype::oid
                ELSE b.oid END AS class,
           b.typtype
      FROM base AS b WHERE b.typtype <> 'd'
)
SELECT c.type = c.key
       AND EXISTS (SELECT 1 FROM pg_catalog.pg_opclass AS k
                     JOIN pg_catalog.pg_am AS m ON m.oid = k.opcmethod AND m.amname = 'btree'
                     JOIN pg_catalog.pg_amop AS a ON a.amopfamily = k.opcfamily AND a.amopstrategy = 3
                      AND a.amoplefttype = k.opcintype AND a.amoprighttype = k.opcintype
                     JOIN pg_catalog.pg_operator AS o ON o.oid = a.amopopr AND o.oprname = '='
                    WHERE k.opcdefault AND k.opcintype = c.class AND pg_catalog.pg_operator_is_visible(o.oid))
       AND (SELECT pg_catalog.count(*) FROM pg_catalog.pg_operator AS o
             WHERE o.oprname = '=' AND o.oprleft = c.type AND o.oprright = c.type) <= 1,
       c.typtype = 'e' OR c.type = ANY ('{bool,int2,int4,int8,oid,text,name,uuid,date,timestamp,timestamptz,time,bytea}'
                                        ::pg_catalog.regtype[]::oid[])
  FROM compared AS c
