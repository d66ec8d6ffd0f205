-- Tables, partitioned and foreign tables, views, materialized views.
-- @column schema text
-- @column name text
-- @column kind text table, partitioned table, foreign table, view, materialized view
-- @column persistence text permanent, unlogged
-- @column access_method text? when it is not the standard one
-- @column partition_key text? "RANGE (created_at)"
-- @column parent text? the table it is a partition of, quoted
-- @column bound text? "FOR VALUES FROM …" or DEFAULT
-- @column inherits text? parents in order, quoted, separated by commas
-- @column of_type text? of a typed table: its type
-- @column options text? reloptions, sorted, as WITH (…) takes them: "autovacuum_enabled=false, fillfactor=70"
-- @column toast_options text? the same, each with "toast." in front
-- @column tablespace text? when it is not the database's
-- @column definition text? of a view: its query
-- @column is_populated bool of a materialized view
-- @column row_security bool
-- @column force_row_security bool
-- @column replica_identity text default, nothing, full, or the name of an index
-- @column clustered_on text? name of an index
-- @column foreign_server text?
-- @column foreign_options text? as OPTIONS (…) takes them: "a 'b', c 'd'"
-- @column owner text
-- @column acl text? a JSON array of sorted "grantee=rights/grantor" items as aclitem writes them, the owner's among them; NULL: the default rights
-- @column comment text?
-- @server 14+
SELECT n.nspname::text, c.relname::text,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
                      WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view'
                      ELSE 'materialized view' END,
       CASE c.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'permanent' END,
       CASE WHEN m.amname <> 'heap' THEN m.amname::text END,
       CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
       CASE WHEN c.relispartition THEN h.parents END,
       CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END,
       CASE WHEN NOT c.relispartition THEN h.parents END,
       CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END,
       CASE WHEN c.reloptions IS NOT NULL THEN (
           SELECT pg_catalog.string_agg(
                      CASE WHEN o.value ~ '^[A-Za-z0-9_.+-]+$' THEN o.option
                           ELSE pg_catalog.split_part(o.option, '=', 1) || '='
                                || pg_catalog.quote_literal(o.value) END,
                      ', ' ORDER BY o.option COLLATE "C")
             FROM (SELECT x, pg_catalog.substr(x, pg_catalog.strpos(x, '=') + 1)
                     FROM pg_catalog.unnest(c.reloptions) AS x) AS o (option, value)) END,
       CASE WHEN t.reloptions IS NOT NULL THEN (
           SELECT pg_catalog.string_agg('toast.' || o, ', ' ORDER BY o COLLATE "C")
             FROM pg_catalog.unnest(t.reloptions) AS o) END,
       s.spcname::text,
       CASE WHEN c.relkind IN ('v', 'm')
            THEN pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';') END,
       c.relispopulated, c.relrowsecurity, c.relforcerowsecurity,
       CASE WHEN c.relkind NOT IN ('r', 'p', 'm') THEN 'default' ELSE
       CASE c.relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full'
                           WHEN 'i' THEN COALESCE(ric.relname::text, 'nothing')
                           ELSE 'default' END END,
       cic.relname::text,
       v.srvname::text,
       CASE WHEN f.ftoptions IS NOT NULL THEN (
           SELECT pg_catalog.string_agg(
                      pg_catalog.quote_ident(o.option_name) || ' '
                      || pg_catalog.quote_literal(o.option_value),
                      ', ' ORDER BY o.option_name COLLATE "C")
             FROM pg_catalog.pg_options_to_table(f.ftoptions) AS o) END,
       pg_catalog.pg_get_userbyid(c.relowner)::text,
       CASE WHEN c.relacl IS NOT NULL THEN NULLIF(
           pg_catalog.to_json(ARRAY(SELECT x::text FROM pg_catalog.unnest(c.relacl) AS x
                                     ORDER BY x::text COLLATE "C"))::text,
           pg_catalog.to_json(ARRAY(SELECT x::text
                                      FROM pg_catalog.unnest(
                                           pg_catalog.acldefault('r', c.relowner)) AS x
                                     ORDER BY x::text COLLATE "C"))::text) END,
       d.description
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
  LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
  LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = c.reltablespace
  LEFT JOIN pg_catalog.pg_index AS ri ON ri.indrelid = c.oid AND ri.indisreplident
  LEFT JOIN pg_catalog.pg_class AS ric ON ric.oid = ri.indexrelid
  LEFT JOIN pg_catalog.pg_index AS ci ON ci.indrelid = c.oid AND ci.indisclustered
  LEFT JOIN pg_catalog.pg_class AS cic ON cic.oid = ci.indexrelid
  LEFT JOIN pg_catalog.pg_foreign_table AS f ON f.ftrelid = c.oid
  LEFT JOIN pg_catalog.pg_foreign_server AS v ON v.oid = f.ftserver
  LEFT JOIN (SELECT i.inhrelid, pg_catalog.string_agg(
                        pg_catalog.format('%I.%I', pn.nspname, p.relname),
                        ', ' ORDER BY i.inhseqno) AS parents
               FROM pg_catalog.pg_inherits AS i
               JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent
               JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace
              WHERE p.relkind IN ('r', 'p', 'f')
              GROUP BY i.inhrelid) AS h ON h.inhrelid = c.oid
  LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = c.oid AND d.objsubid = 0
   AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
   AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgmend')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e
                    WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND e.objid = c.oid AND e.deptype = 'e')
 ORDER BY n.nspname, c.relname;
