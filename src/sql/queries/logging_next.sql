-- The first file of the log that was written after the one that is read, up to the one that is written now,
-- of the same form (told by how its name ends); no row: not known. There may be some in between, where the
-- server goes on to another file often.
-- @arg from text of the one that is read
-- @arg now text of the one that is written
-- @column path text
-- @server 14+
SELECT pg_catalog.regexp_replace($2, '[^/]*$', '') || l.name
  FROM pg_catalog.pg_ls_logdir() AS l,
       (SELECT o.modification, o.name
          FROM pg_catalog.pg_ls_logdir() AS o
         WHERE o.name = pg_catalog.regexp_replace($1, '^.*/', '')) AS old
 WHERE (l.modification, l.name) > (old.modification, old.name)
   AND pg_catalog.substring(l.name, '[^.]*$') = pg_catalog.substring($2, '[^.]*$')
 ORDER BY l.modification, l.name
 LIMIT 1;
