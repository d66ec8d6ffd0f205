-- All indexes of the database with what decides whether one may go. Sizes are those of the files, or as
-- of the last vacuum or analyze where somebody holds a lock that asking would wait for.
-- @column oid oid
-- @column schema text
-- @column name text
-- @column table_oid oid
-- @column table_schema text
-- @column table_name text
-- @column kind text relkind: i, or I for that of a partitioned table
-- @column method text
-- @column is_unique bool
-- @column is_primary bool
-- @column is_exclusion bool
-- @column constraint_name text? that it was made by
-- @column referenced_by text? a foreign key of another table that needs it, with its table
-- @column carries_key text? a foreign key of its table whose columns no other valid index begins with
-- @column carried_keys text foreign keys of its table with whose columns it begins, each between two characters 31
-- @column is_replica_identity bool
-- @column is_clustered bool
-- @column is_valid bool
-- @column is_ready bool
-- @column is_live bool
-- @column parent_oid oid of the index of the partitioned table that it is a part of; 0: none
-- @column builder_pid int4 the server process that builds it now; 0: none that the role may see
-- @column builder_phase text
-- @column builder_command text
-- @column locker_pid int4 who holds the table as a build of an index does; 0: nobody
-- @column bytes int8
-- @column table_bytes int8
-- @column is_size_old bool it is as of the last vacuum or analyze
-- @column table_rows float8 -1: never analysed
-- @column owner text
-- @column may_drop bool
-- @column definition text what follows the table in CREATE INDEX; empty while somebody holds the table exclusively
-- @column key_count int4
-- @column column_count int4 with those of INCLUDE
-- @column classes text operator classes
-- @column collations text
-- @column orders text 1: descending, 2: nulls first
-- @column parts text columns and expressions, each ended by the character 31
-- @column predicate text
-- @column is_nulls_equal bool NULLS NOT DISTINCT
-- @column has_statistics bool ANALYZE keeps statistics of its expressions
-- @column has_comment bool
-- @column has_targets bool ALTER INDEX … SET STATISTICS was given for a column
-- @column extension text? that it belongs to
-- @column created_at text? where the server keeps the times of commits
-- @server 14+
WITH locked AS MATERIALIZED (
    SELECT DISTINCT l.relation
      FROM pg_catalog.pg_locks AS l
     WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                          WHERE d.datname = pg_catalog.current_database())
), worked AS MATERIALIZED (
    SELECT l.relation, pg_catalog.min(l.pid) AS pid
      FROM pg_catalog.pg_locks AS l
     WHERE l.locktype = 'relation' AND l.granted
       AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'AccessExclusiveLock')
       AND l.pid <> pg_catalog.pg_backend_pid()
       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                          WHERE d.datname = pg_catalog.current_database())
     GROUP BY l.relation
), foreign_key AS MATERIALIZED (
    SELECT k.conrelid, pg_catalog.quote_ident(k.conname) AS name, k.conkey,
           pg_catalog.array_agg(i.indexrelid) AS carriers
      FROM pg_catalog.pg_constraint AS k
      JOIN pg_catalog.pg_index AS i ON i.indrelid = k.conrelid
      JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
      JOIN pg_catalog.pg_am AS m ON m.oid = x.relam AND m.amname = 'btree'
     WHERE k.contype = 'f' AND i.indisvalid AND i.indisready
       AND (i.indpred IS NULL
            OR CASE WHEN NOT EXISTS (SELECT 1 FROM locked AS l WHERE l.relation = i.indrelid)
                    THEN pg_catalog.pg_get_expr(i.indpred, i.indrelid) ~ '^\([^()]+ IS NOT NULL\)$' END)
       AND pg_catalog.cardinality(k.conkey) <= i.indnkeyatts
       AND (i.indkey::pg_catalog.int2[])[0:pg_catalog.cardinality(k.conkey) - 1] @> k.conkey
     GROUP BY k.oid, k.conrelid, k.conname, k.conkey
)
SELECT c.oid, n.nspname, c.relname, t.oid, tn.nspname, t.relname, c.relkind::pg_catalog.text, m.amname,
       i.indisunique, i.indisprimary, i.indisexclusion,
       (SELECT pg_catalog.min(k.conname::pg_catalog.text) FROM pg_catalog.pg_constraint AS k
         WHERE k.conindid = c.oid AND k.contype <> 'f'),
       (SELECT pg_catalog.min(pg_catalog.format('%I of %s', k.conname, k.conrelid::pg_catalog.regclass))
          FROM pg_catalog.pg_constraint AS k WHERE k.conindid = c.oid AND k.contype = 'f'),
       (SELECT pg_catalog.min(f.name) FROM foreign_key AS f
         WHERE c.oid = ANY (f.carriers) AND pg_catalog.cardinality(f.carriers) = 1),
       COALESCE((SELECT pg_catalog.string_agg(pg_catalog.chr(31) || f.name || pg_catalog.chr(31), '')
                   FROM foreign_key AS f WHERE c.oid = ANY (f.carriers)), ''),
       i.indisreplident, i.indisclustered, i.indisvalid, i.indisready, i.indislive,
       COALESCE((SELECT h.inhparent FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = c.oid LIMIT 1), 0),
       COALESCE(p.pid, 0), COALESCE(p.phase, ''), COALESCE(p.command, ''), COALESCE(w.pid, 0),
       COALESCE(CASE WHEN il.relation IS NULL AND c.relkind = 'i'
                     THEN pg_catalog.pg_relation_size(c.oid) END, c.relpages::pg_catalog.int8 * z.size),
       COALESCE(CASE WHEN tl.relation IS NULL AND t.relkind IN ('r', 'm')
                     THEN pg_catalog.pg_relation_size(t.oid) END, t.relpages::pg_catalog.int8 * z.size),
       il.relation IS NOT NULL, t.reltuples::pg_catalog.float8, pg_catalog.pg_get_userbyid(t.relowner),
       pg_catalog.pg_has_role(SESSION_USER, t.relowner, 'USAGE'),
       COALESCE(pg_catalog.substr(d.text, pg_catalog.length(
           'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
           || pg_catalog.quote_ident(c.relname) || ' ON '
           || CASE WHEN c.relkind = 'I' THEN 'ONLY ' ELSE '' END
           || pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.relname)
           || ' ') + 1), ''),
       i.indnkeyatts::pg_catalog.int4, i.indnatts::pg_catalog.int4, i.indclass::pg_catalog.text,
       i.indcollation::pg_catalog.text, i.indoption::pg_catalog.text,
       COALESCE((SELECT pg_catalog.string_agg(CASE WHEN tl.relation IS NULL
                                                   THEN pg_catalog.pg_get_indexdef(c.oid, s.number, false) END
                                              || pg_catalog.chr(31), '' ORDER BY s.number)
                   FROM pg_catalog.generate_series(1, i.indnatts::pg_catalog.int4) AS s (number)), ''),
       COALESCE(CASE WHEN tl.relation IS NULL THEN pg_catalog.pg_get_expr(i.indpred, i.indrelid) END, ''),
       COALESCE((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::pg_catalog.bool, false),
       i.indexprs IS NOT NULL AND EXISTS (SELECT 1 FROM pg_catalog.pg_stats AS s
                                           WHERE s.schemaname = n.nspname AND s.tablename = c.relname),
       pg_catalog.obj_description(c.oid, 'pg_class') IS NOT NULL,
       EXISTS (SELECT 1 FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attstattarget >= 0),
       (SELECT pg_catalog.min(e.extname::pg_catalog.text)
          FROM pg_catalog.pg_depend AS q
          JOIN pg_catalog.pg_extension AS e ON e.oid = q.refobjid
         WHERE q.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND q.objid = t.oid AND q.deptype = 'e'
           AND q.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass),
       CASE WHEN pg_catalog.current_setting('track_commit_timestamp') = 'on'
            THEN pg_catalog.to_char(pg_catalog.pg_xact_commit_timestamp(i.xmin) AT TIME ZONE 'UTC',
                                    'YYYY-MM-DD"T"HH24:MI:SS"Z"') END
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
  JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
 CROSS JOIN (SELECT pg_catalog.current_setting('block_size')::pg_catalog.int8 AS size) AS z
  LEFT JOIN locked AS il ON il.relation = c.oid
  LEFT JOIN locked AS tl ON tl.relation = t.oid
  LEFT JOIN worked AS w ON w.relation = t.oid
 -- It opens the table, and would wait for who holds that exclusively.
 CROSS JOIN LATERAL (SELECT CASE WHEN tl.relation IS NULL THEN pg_catalog.pg_get_indexdef(c.oid)
                                 ELSE '' END AS text) AS d
  LEFT JOIN pg_catalog.pg_stat_progress_create_index AS p ON p.index_relid = c.oid
 WHERE c.relpersistence <> 't'
   AND n.nspname <> 'pgmend' AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   -- An index that vanishes while we look has no definition any more.
   AND d.text IS NOT NULL
 ORDER BY n.nspname, c.relname;
