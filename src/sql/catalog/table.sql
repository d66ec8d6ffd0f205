-- A relation by its name as the user writes it, found along the user's own search_path.
-- @arg name text quoted where needed, with or without schema
-- @column oid oid
-- @column schema text
-- @column name text
-- @column kind text relkind
-- @column rows int8 estimate, -1 when never analysed
-- @column bytes int8 of the table itself
-- @column may_own bool the role may create indexes on it
-- @column may_create bool the role may create objects in its schema
-- @column owner text
-- @server 14+
-- The path is the user's while this runs, so operators and types are qualified as well.
SELECT c.oid, n.nspname, c.relname, c.relkind::pg_catalog.text, c.reltuples::pg_catalog.int8,
       COALESCE(pg_catalog.pg_relation_size(c.oid), 0),
       pg_catalog.pg_has_role(SESSION_USER, c.relowner, 'USAGE'),
       pg_catalog.has_schema_privilege(SESSION_USER, n.oid, 'CREATE'),
       pg_catalog.pg_get_userbyid(c.relowner)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid;
