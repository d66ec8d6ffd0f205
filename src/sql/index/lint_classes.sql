-- Operator classes, with the operators that an index of them can order by (ORDER BY a <-> b LIMIT n).
-- @column method text
-- @column name text
-- @column type text that it is for
-- @column distances text the operators, each between blanks: " <-> <=> "
-- @server 14+
SELECT m.amname, c.opcname, pg_catalog.format_type(c.opcintype, NULL),
       COALESCE((SELECT ' ' || pg_catalog.string_agg(DISTINCT o.oprname, ' ') || ' '
                   FROM pg_catalog.pg_amop AS a
                   JOIN pg_catalog.pg_operator AS o ON o.oid = a.amopopr
                  WHERE a.amopfamily = c.opcfamily AND a.amoppurpose = 'o'
                    AND a.amoplefttype = c.opcintype), ' ')
  FROM pg_catalog.pg_opclass AS c
  JOIN pg_catalog.pg_am AS m ON m.oid = c.opcmethod
 ORDER BY 1, 2, 3;
