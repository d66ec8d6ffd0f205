-- Why a table cannot be partitioned as it stands: what a partitioned table cannot have, and what would go on
-- looking at the old table because it knows it by its number.
-- @arg table_oid oid
-- @arg key text the column of time
-- @arg give_up text foreign keys to the table that may go, a JSON array of their names
-- @column problem text
-- @column remedy text?
-- @server 14+
WITH t AS (
    SELECT c.oid, c.reltype, c.relpersistence, c.relreplident, c.reloftype, c.relhasrules, n.nspname, c.relname,
           pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, k.attnum AS key
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_attribute AS k
             ON k.attrelid = c.oid AND k.attname = $2 AND k.attnum > 0 AND NOT k.attisdropped
     WHERE c.oid = $1::oid
)
SELECT x.problem, x.remedy
  FROM (SELECT 1, 'it is not a permanent table', 'ALTER TABLE ' || t.name || ' SET LOGGED;'
          FROM t WHERE t.relpersistence <> 'p'
        UNION ALL
        SELECT 1, 'it is a table of a type', 'ALTER TABLE ' || t.name || ' NOT OF;' FROM t WHERE t.reloftype <> 0
        UNION ALL
        SELECT 2, 'it has no primary key', 'give it one that can be built online first'
          FROM t WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS k
                                    WHERE k.conrelid = t.oid AND k.contype = 'p')
        UNION ALL
        SELECT 3, 'the foreign key ' || pg_catalog.quote_ident(k.conname) || ' of '
                  || k.conrelid::pg_catalog.regclass::text
                  || ' refers to it, and nothing can refer to a row of a partitioned table without its time',
               '--give-up-foreign-key ' || k.conname || ' drops it in the exchange and the undo brings it back; or add '
               || pg_catalog.quote_ident($2) || ' to ' || k.conrelid::pg_catalog.regclass::text
          FROM t JOIN pg_catalog.pg_constraint AS k
            ON k.confrelid = t.oid AND k.contype = 'f' AND k.conparentid = 0
         WHERE k.conrelid = t.oid
            OR k.conname::text NOT IN (SELECT g.name FROM pg_catalog.json_array_elements_text($3::json) AS g (name))
        UNION ALL
        SELECT 4, 'its unique index ' || i.indexrelid::pg_catalog.regclass::text || ' does not contain '
                  || pg_catalog.quote_ident($2) || ': partitions are unique each for itself',
               'drop it, or let it contain the column'
          FROM t JOIN pg_catalog.pg_index AS i ON i.indrelid = t.oid
         WHERE i.indisunique AND NOT i.indisprimary
           AND NOT t.key = ANY (i.indkey[0:i.indnkeyatts - 1])
        UNION ALL
        SELECT 4, 'its index ' || i.indexrelid::pg_catalog.regclass::text || ' is not valid', 'pgmend index invalid'
          FROM t JOIN pg_catalog.pg_index AS i ON i.indrelid = t.oid
         WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
        UNION ALL
        SELECT 4, 'its constraint ' || pg_catalog.quote_ident(k.conname) || ' is '
                  || CASE WHEN k.contype = 'x' THEN 'an exclusion constraint' WHEN k.condeferrable THEN 'deferrable'
                          ELSE 'not valid' END,
               CASE WHEN NOT k.convalidated
                    THEN pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', t.name, k.conname) END
          FROM t JOIN pg_catalog.pg_constraint AS k ON k.conrelid = t.oid
         WHERE k.contype = 'x' OR k.contype IN ('p', 'u') AND k.condeferrable
            OR k.contype = 'f' AND NOT k.convalidated
        UNION ALL
        SELECT 5, 'its column ' || pg_catalog.quote_ident(a.attname)
                  || ' is an identity column, which a partition cannot be',
               pg_catalog.format('ALTER TABLE %s ALTER %I DROP IDENTITY; then a sequence of its own as DEFAULT',
                                 t.name, a.attname)
          FROM t JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0
         WHERE a.attidentity <> ''
        UNION ALL
        SELECT 5, 'it is partitioned by ' || pg_catalog.quote_ident($2) || ', which is generated', NULL
          FROM t JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = t.key
         WHERE a.attgenerated <> ''
        UNION ALL
        SELECT 6, 'its trigger ' || pg_catalog.quote_ident(g.tgname)
                  || ' looks at all rows of a statement and fires for each of them, which no trigger of a partitioned '
                  || 'table can',
               'make it a trigger FOR EACH STATEMENT'
          FROM t JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = t.oid AND NOT g.tgisinternal
         WHERE (g.tgtype & 1) <> 0 AND (g.tgoldtable IS NOT NULL OR g.tgnewtable IS NOT NULL)
        UNION ALL
        SELECT 7, 'its replica identity is an index', 'ALTER TABLE ' || t.name || ' REPLICA IDENTITY DEFAULT;'
          FROM t WHERE t.relreplident = 'i'
        UNION ALL
        SELECT 7, 'publication ' || pg_catalog.quote_ident(p.pubname) || ' has only some of its rows or columns',
               'pg_catalog.pg_publication_rel: take it out of the publication first'
          FROM t JOIN pg_catalog.pg_publication_rel AS r ON r.prrelid = t.oid
          JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
         WHERE COALESCE(pg_catalog.to_jsonb(r) ->> 'prqual', pg_catalog.to_jsonb(r) ->> 'prattrs') IS NOT NULL
        UNION ALL
        SELECT 7, 'a subscription fills it', 'partition it on the publishing server'
          FROM t JOIN pg_catalog.pg_subscription_rel AS r ON r.srrelid = t.oid
        UNION ALL
        SELECT DISTINCT 8, pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
               || ' would go on with the old table: it knows it by its number',
               'drop it before and create it again afterwards'
          FROM t JOIN pg_catalog.pg_depend AS d
            ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = t.oid
               OR d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
                  AND d.refobjid IN (t.reltype, (SELECT y.typarray FROM pg_catalog.pg_type AS y
                                                  WHERE y.oid = t.reltype))
         WHERE d.deptype = 'n'
           AND (d.classid, d.objid) NOT IN (SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass::oid, k.oid
                                              FROM pg_catalog.pg_constraint AS k
                                             WHERE k.conrelid = t.oid OR k.confrelid = t.oid)
           AND (d.classid, d.objid) NOT IN (SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass::oid, p.oid
                                              FROM pg_catalog.pg_policy AS p WHERE p.polrelid = t.oid)
           AND (d.classid, d.objid) NOT IN (SELECT 'pg_catalog.pg_trigger'::pg_catalog.regclass::oid, g.oid
                                              FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = t.oid)
           AND NOT (d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                    AND d.objid IN (SELECT i.indexrelid FROM pg_catalog.pg_index AS i WHERE i.indrelid = t.oid))
           AND NOT (d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                    AND d.objid IN (SELECT f.oid FROM pg_catalog.pg_attrdef AS f WHERE f.adrelid = t.oid))
        UNION ALL
        SELECT 8, 'extension ' || pg_catalog.quote_ident(e.extname) || ' owns it', NULL
          FROM t JOIN pg_catalog.pg_depend AS d
            ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e'
          JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid) AS x (rank, problem, remedy)
 ORDER BY x.rank, x.problem;
