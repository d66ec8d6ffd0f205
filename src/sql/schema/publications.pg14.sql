-- The publications, as others, of servers that know only whole tables.
SELECT 'publication'::text, pg_catalog.quote_ident(p.pubname),
       pg_catalog.concat('CREATE PUBLICATION ', pg_catalog.quote_ident(p.pubname),
           ' FOR ' || CASE WHEN p.puballtables THEN 'ALL TABLES' ELSE 'TABLE ' || o.objects END,
           ' WITH (publish = ', pg_catalog.quote_literal(pg_catalog.concat_ws(', ',
               CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
               CASE WHEN p.pubdelete THEN 'delete' END,
               CASE WHEN p.pubtruncate THEN 'truncate' END)),
           CASE WHEN p.pubviaroot THEN ', publish_via_partition_root = true' END, ')'),
       'DROP PUBLICATION ' || pg_catalog.quote_ident(p.pubname),
       pg_catalog.pg_get_userbyid(p.pubowner)::text, d.description
  FROM pg_catalog.pg_publication AS p
  LEFT JOIN (
    SELECT r.prpubid, pg_catalog.string_agg(
               pg_catalog.format('ONLY %I.%I', n.nspname, c.relname), ', '
               ORDER BY n.nspname, c.relname) AS objects
      FROM pg_catalog.pg_publication_rel AS r
      JOIN pg_catalog.pg_class AS c ON c.oid = r.prrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     GROUP BY r.prpubid) AS o ON o.prpubid = p.oid
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = p.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_publication'::pg_catalog.regclass
 WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_publication'::pg_catalog.regclass
                      AND e.objid = p.oid AND e.deptype = 'e')
 ORDER BY p.pubname;
