-- The statements that exchange a table for a partitioned one with the same columns, indexes, constraints, rights,
-- policies, triggers and comments, and those that put it back. The server writes each of them; partitions are not in it.
-- @arg table_oid oid
-- @arg key text the column of time
-- @arg history text what the table is called afterwards
-- @arg primary_index text unique index with the key; "": the primary key has it already
-- @arg bound_check text the constraint that holds old rows below the bound
-- @arg bound text
-- @arg give_up text foreign keys to the table that go, a JSON array of their names
-- @column stage text exchange, attached (after the table became a partition), undo, restore
-- @column statement text
-- @server 14+
WITH t AS (
    SELECT c.oid, n.nspname, c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
           pg_catalog.format('%I.%I', n.nspname, $3::text) AS history, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
           c.relreplident, pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)) AS owner
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.oid = $1::oid
), i AS (
    SELECT x.indexrelid, c.relname, t.nspname, t.name, t.history, x.indisprimary, x.indisunique, k.conname,
           CASE WHEN pg_catalog.octet_length(c.relname) <= 55 THEN c.relname || '_history'
                ELSE 'index_' || c.oid || '_history' END AS aside,
           pg_catalog.pg_get_constraintdef(k.oid) AS constraint_definition,
           pg_catalog.pg_get_indexdef(x.indexrelid) AS definition,
           pg_catalog.obj_description(x.indexrelid, 'pg_class') AS comment,
           pg_catalog.obj_description(k.oid, 'pg_constraint') AS constraint_comment
      FROM t
      JOIN pg_catalog.pg_index AS x ON x.indrelid = t.oid
      JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid
      LEFT JOIN pg_catalog.pg_constraint AS k
             ON k.conindid = x.indexrelid AND k.conrelid = t.oid AND k.contype IN ('p', 'u')
     WHERE c.relname <> $4::text
), p AS (
    SELECT i.*, (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY u.place)
                   FROM pg_catalog.pg_constraint AS k
                  CROSS JOIN pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)
                   JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
                  WHERE k.conindid = i.indexrelid AND k.contype = 'p' AND k.conrelid = $1::oid) AS columns
      FROM i WHERE i.indisprimary
), f AS (
    SELECT k.oid, k.conname, k.conrelid::pg_catalog.regclass::text AS child, k.convalidated,
           pg_catalog.pg_get_constraintdef(k.oid) AS definition, pg_catalog.format('%I.%I', n.nspname, c.relname) AS other
      FROM pg_catalog.pg_constraint AS k
      JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE k.confrelid = $1::oid AND k.contype = 'f' AND k.conparentid = 0 AND k.conrelid <> $1::oid
       AND k.conname::text IN (SELECT g.name FROM pg_catalog.json_array_elements_text($7::json) AS g (name))
), g AS (
    SELECT t.name, t.history, x.tgname, (x.tgtype & 1) <> 0 AS is_row, x.tgenabled,
           pg_catalog.pg_get_triggerdef(x.oid) AS definition,
           pg_catalog.obj_description(x.oid, 'pg_trigger') AS comment
      FROM t JOIN pg_catalog.pg_trigger AS x ON x.tgrelid = t.oid AND NOT x.tgisinternal
), q AS (
    SELECT t.name, t.history, pg_catalog.quote_ident(a.attname) AS column,
           pg_catalog.format('%I.%I', n.nspname, s.relname) AS sequence
      FROM t
      JOIN pg_catalog.pg_depend AS d
        ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = t.oid AND d.deptype = 'a'
           AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0
      JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
      JOIN pg_catalog.pg_namespace AS n ON n.oid = s.relnamespace
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
), o AS (
    SELECT DISTINCT k.confrelid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
      FROM pg_catalog.pg_constraint AS k
      JOIN pg_catalog.pg_class AS c ON c.oid = k.confrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE k.conrelid = $1::oid AND k.contype = 'f' AND k.confrelid <> k.conrelid
)
SELECT x.stage, x.statement
  FROM (
    -- The exchange. Locks are taken first, so that whoever has to give way does so before anything is done.
    SELECT 'exchange', 10, '', pg_catalog.format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', t.name) FROM t
    UNION ALL SELECT 'exchange', 11, o.name, pg_catalog.format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', o.name) FROM o
    UNION ALL SELECT 'exchange', 12, f.other || f.conname,
                     pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', f.other, f.conname) FROM f
    UNION ALL SELECT 'exchange', 13, g.tgname::text, pg_catalog.format('DROP TRIGGER %I ON %s', g.tgname, g.name)
                FROM g WHERE g.is_row
    UNION ALL SELECT 'exchange', 14, '', pg_catalog.format('ALTER TABLE %s RENAME TO %I', t.name, $3::text) FROM t
    UNION ALL SELECT 'exchange', 15, '', pg_catalog.format(
                     'ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I PRIMARY KEY USING INDEX %I',
                     p.history, p.conname, $4::text, $4::text) FROM p WHERE $4::text <> ''
    UNION ALL SELECT 'exchange', 16, i.relname::text,
                     CASE WHEN i.conname IS NULL
                          THEN pg_catalog.format('ALTER INDEX %I.%I RENAME TO %I', i.nspname, i.relname, i.aside)
                          ELSE pg_catalog.format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', i.history, i.conname,
                                                 i.aside) END
                FROM i WHERE NOT i.indisprimary OR $4::text = ''
    UNION ALL SELECT 'exchange', 20, '', pg_catalog.format(
                     'CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE '
                     'INCLUDING COMPRESSION INCLUDING COMMENTS INCLUDING GENERATED INCLUDING STATISTICS) '
                     'PARTITION BY RANGE (%I)', t.name, t.history, $2::text) FROM t
    UNION ALL SELECT 'exchange', 21, '', pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', t.name, $5::text) FROM t
    UNION ALL SELECT 'exchange', 22, '', pg_catalog.format('ALTER TABLE %s OWNER TO %s', t.name, t.owner) FROM t
    UNION ALL SELECT 'exchange', 23, '', pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I PRIMARY KEY (%s%s)',
                     p.name, p.conname, p.columns, CASE WHEN $4::text <> '' THEN ', ' || pg_catalog.quote_ident($2::text) ELSE '' END)
                FROM p
    UNION ALL SELECT 'exchange', 24, i.relname::text,
                     CASE WHEN i.conname IS NOT NULL
                          THEN pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', i.name, i.conname,
                                                 i.constraint_definition)
                          ELSE i.definition END
                FROM i WHERE NOT i.indisprimary
    UNION ALL SELECT 'exchange', 25, k.conname::text, pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', t.name,
                     k.conname, pg_catalog.pg_get_constraintdef(k.oid))
                FROM t JOIN pg_catalog.pg_constraint AS k ON k.conrelid = t.oid AND k.contype = 'f'
    UNION ALL SELECT 'exchange', 30, '', pg_catalog.format(
                     'ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (MINVALUE) TO (%L)', t.name, t.history, $6::text)
                FROM t
    UNION ALL SELECT 'exchange', 31, '', pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', t.history, $5::text) FROM t
    -- What the new table has besides.
    UNION ALL SELECT 'attached', 40, q.sequence,
                     pg_catalog.format('ALTER SEQUENCE %s OWNED BY %s.%s', q.sequence, q.name, q.column) FROM q
    UNION ALL SELECT 'attached', 41, '', pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t.name)
                FROM t WHERE t.relrowsecurity
    UNION ALL SELECT 'attached', 42, '', pg_catalog.format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t.name)
                FROM t WHERE t.relforcerowsecurity
    UNION ALL SELECT 'attached', 43, l.polname::text,
                     pg_catalog.format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', l.polname, t.name,
                         CASE WHEN l.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                         CASE l.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                       WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                         (SELECT pg_catalog.string_agg(CASE WHEN r.oid = 0 THEN 'PUBLIC'
                                     ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r.oid)) END, ', ')
                            FROM pg_catalog.unnest(l.polroles) AS r (oid)))
                     || COALESCE(' USING (' || pg_catalog.pg_get_expr(l.polqual, l.polrelid) || ')', '')
                     || COALESCE(' WITH CHECK (' || pg_catalog.pg_get_expr(l.polwithcheck, l.polrelid) || ')', '')
                FROM t JOIN pg_catalog.pg_policy AS l ON l.polrelid = t.oid
    UNION ALL SELECT 'attached', 44, a.grantee::text || a.privilege_type,
                     pg_catalog.format('GRANT %s ON %s TO %s%s', a.privilege_type, t.name,
                         CASE WHEN a.grantee = 0 THEN 'PUBLIC'
                              ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
                         CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
                FROM t CROSS JOIN LATERAL pg_catalog.aclexplode(t.relacl) AS a
    UNION ALL SELECT 'attached', 45, c.attname || a.grantee::text || a.privilege_type,
                     pg_catalog.format('GRANT %s (%I) ON %s TO %s%s', a.privilege_type, c.attname, t.name,
                         CASE WHEN a.grantee = 0 THEN 'PUBLIC'
                              ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
                         CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
                FROM t JOIN pg_catalog.pg_attribute AS c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
               CROSS JOIN LATERAL pg_catalog.aclexplode(c.attacl) AS a
    UNION ALL SELECT 'attached', 46, g.tgname::text, g.definition FROM g
    UNION ALL SELECT 'attached', 47, g.tgname::text, pg_catalog.format('ALTER TABLE %s %s TRIGGER %I', g.name,
                     CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END,
                     g.tgname) FROM g WHERE g.tgenabled <> 'O'
    UNION ALL SELECT 'attached', 48, '', pg_catalog.format('COMMENT ON TABLE %s IS %L', t.name,
                     pg_catalog.obj_description(t.oid, 'pg_class'))
                FROM t WHERE pg_catalog.obj_description(t.oid, 'pg_class') IS NOT NULL
    UNION ALL SELECT 'attached', 49, a.attname::text, pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s',
                     t.name, a.attname, a.attstattarget)
                FROM t JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
               WHERE a.attstattarget >= 0
    UNION ALL SELECT 'attached', 50, a.attname::text, pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET (%s)',
                     t.name, a.attname, o.option)
                FROM t JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
               CROSS JOIN LATERAL pg_catalog.unnest(a.attoptions) AS o (option)
               WHERE o.option LIKE 'n_distinct%'
    UNION ALL SELECT 'attached', 51, b.pubname::text,
                     pg_catalog.format('ALTER PUBLICATION %I DROP TABLE %s', b.pubname, t.history)
                FROM t JOIN pg_catalog.pg_publication_rel AS r ON r.prrelid = t.oid
                JOIN pg_catalog.pg_publication AS b ON b.oid = r.prpubid
    UNION ALL SELECT 'attached', 52, b.pubname::text,
                     pg_catalog.format('ALTER PUBLICATION %I ADD TABLE %s', b.pubname, t.name)
                FROM t JOIN pg_catalog.pg_publication_rel AS r ON r.prrelid = t.oid
                JOIN pg_catalog.pg_publication AS b ON b.oid = r.prpubid
    UNION ALL SELECT 'attached', 53, '', pg_catalog.format('ALTER TABLE %s REPLICA IDENTITY %s', t.name,
                     CASE t.relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END)
                FROM t WHERE t.relreplident IN ('f', 'n')
    UNION ALL SELECT 'attached', 54, i.relname::text,
                     pg_catalog.format('COMMENT ON INDEX %I.%I IS %L', i.nspname, i.relname, i.comment)
                FROM i WHERE i.comment IS NOT NULL
    UNION ALL SELECT 'attached', 55, i.relname::text,
                     pg_catalog.format('COMMENT ON CONSTRAINT %I ON %s IS %L', i.conname, i.name, i.constraint_comment)
                FROM i WHERE i.constraint_comment IS NOT NULL
    UNION ALL SELECT 'attached', 56, g.tgname::text,
                     pg_catalog.format('COMMENT ON TRIGGER %I ON %s IS %L', g.tgname, g.name, g.comment)
                FROM g WHERE g.comment IS NOT NULL
    -- Back again, when the partitions are detached.
    UNION ALL SELECT 'undo', 60, q.sequence,
                     pg_catalog.format('ALTER SEQUENCE %s OWNED BY %s.%s', q.sequence, q.history, q.column) FROM q
    UNION ALL SELECT 'undo', 61, b.pubname::text,
                     pg_catalog.format('ALTER PUBLICATION %I ADD TABLE %s', b.pubname, t.history)
                FROM t JOIN pg_catalog.pg_publication_rel AS r ON r.prrelid = t.oid
                JOIN pg_catalog.pg_publication AS b ON b.oid = r.prpubid
    UNION ALL SELECT 'undo', 62, '', pg_catalog.format('DROP TABLE %s', t.name) FROM t
    UNION ALL SELECT 'undo', 63, '', pg_catalog.format('ALTER TABLE %s RENAME TO %I', t.history, t.relname) FROM t
    UNION ALL SELECT 'undo', 64, '', pg_catalog.format(
                     'ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I PRIMARY KEY USING INDEX %I',
                     p.name, $4::text, p.conname, p.aside) FROM p WHERE $4::text <> ''
    UNION ALL SELECT 'undo', 65, i.relname::text,
                     CASE WHEN i.conname IS NULL
                          THEN pg_catalog.format('ALTER INDEX %I.%I RENAME TO %I', i.nspname, i.aside, i.relname)
                          ELSE pg_catalog.format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', i.name, i.aside,
                                                 i.conname) END
                FROM i WHERE NOT i.indisprimary OR $4::text = ''
    UNION ALL SELECT 'undo', 66, '', pg_catalog.format('COMMENT ON INDEX %I.%I IS %L', p.nspname, p.relname, p.comment)
                FROM p WHERE p.comment IS NOT NULL AND $4::text <> ''
    UNION ALL SELECT 'undo', 67, '',
                     pg_catalog.format('COMMENT ON CONSTRAINT %I ON %s IS %L', p.conname, p.name, p.constraint_comment)
                FROM p WHERE p.constraint_comment IS NOT NULL AND $4::text <> ''
    UNION ALL SELECT 'undo', 68, g.tgname::text, g.definition FROM g WHERE g.is_row
    UNION ALL SELECT 'undo', 69, g.tgname::text, pg_catalog.format('ALTER TABLE %s %s TRIGGER %I', g.name,
                     CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END,
                     g.tgname) FROM g WHERE g.is_row AND g.tgenabled <> 'O'
    UNION ALL SELECT 'undo', 70, g.tgname::text,
                     pg_catalog.format('COMMENT ON TRIGGER %I ON %s IS %L', g.tgname, g.name, g.comment)
                FROM g WHERE g.is_row AND g.comment IS NOT NULL
    -- When all rows are in the table again.
    UNION ALL SELECT 'restore', 80, f.other || f.conname, pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s%s',
                     f.other, f.conname, f.definition, CASE WHEN f.convalidated THEN ' NOT VALID' ELSE '' END) FROM f
    UNION ALL SELECT 'validate', 81, f.other || f.conname,
                     pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT %I', f.other, f.conname)
                FROM f WHERE f.convalidated
    UNION ALL SELECT 'primary', 90, '', pg_catalog.format('CREATE UNIQUE INDEX CONCURRENTLY %I ON %s (%s)', p.aside,
                     p.history, p.columns) FROM p WHERE $4::text <> ''
    UNION ALL SELECT 'primary name', 91, '', p.aside FROM p WHERE $4::text <> ''
    UNION ALL SELECT 'clash', 92, '', pg_catalog.format(
                     'SELECT x.* FROM (SELECT %s FROM %s GROUP BY %s HAVING pg_catalog.count(*) > 1) AS x LIMIT 1',
                     p.columns, p.name, p.columns) FROM p WHERE $4::text <> ''
  ) AS x (stage, place, object, statement)
 ORDER BY x.place, x.object;
