-- The publications, as others.
-- @column kind text publication
-- @column name text quoted
-- @column definition text
-- @column removal text
-- @column owner text?
-- @column comment text?
-- @server 14+
SELECT 'publication'::text, pg_catalog.quote_ident(p.pubname),
       pg_catalog.concat('CREATE PUBLICATION ', pg_catalog.quote_ident(p.pubname),
           ' FOR ' || CASE WHEN p.puballtables THEN 'ALL TABLES' ELSE o.objects END,
           ' WITH (publish = ', pg_catalog.quote_literal(pg_catalog.concat_ws(', ',
               CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
               CASE WHEN p.pubdelete THEN 'delete' END,
               CASE WHEN p.pubtruncate THEN 'truncate' END)),
           CASE WHEN p.pubviaroot THEN ', publish_via_partition_root = true' END,
           -- Since 18.
           ', publish_generated_columns = ' || CASE pg_catalog.to_jsonb(p) ->> 'pubgencols'
               WHEN 's' THEN 'stored' END, ')'),
       'DROP PUBLICATION ' || pg_catalog.quote_ident(p.pubname),
       pg_catalog.pg_get_userbyid(p.pubowner)::text, d.description
  FROM pg_catalog.pg_publication AS p
  LEFT JOIN (
    SELECT x.pubid, pg_catalog.string_agg(x.object, ', ' ORDER BY x.object COLLATE "C") AS objects
      FROM (SELECT r.prpubid, pg_catalog.concat('TABLE ONLY ',
                       pg_catalog.format('%I.%I', n.nspname, c.relname),
                       ' (' || (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname),
                                                             ', ' ORDER BY a.attnum)
                                  FROM pg_catalog.pg_attribute AS a
                                 WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs))
                            || ')',
                       ' WHERE (' || pg_catalog.pg_get_expr(r.prqual, r.prrelid) || ')')
              FROM pg_catalog.pg_publication_rel AS r
              JOIN pg_catalog.pg_class AS c ON c.oid = r.prrelid
              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            UNION ALL
            SELECT s.pnpubid, 'TABLES IN SCHEMA ' || pg_catalog.quote_ident(n.nspname)
              FROM pg_catalog.pg_publication_namespace AS s
              JOIN pg_catalog.pg_namespace AS n ON n.oid = s.pnnspid) AS x (pubid, object)
     GROUP BY x.pubid) AS o ON o.pubid = p.oid
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = p.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_publication'::pg_catalog.regclass
 WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_publication'::pg_catalog.regclass
                      AND e.objid = p.oid AND e.deptype = 'e')
 ORDER BY p.pubname;
