-- What a database is called now, and whether its sessions begin read-only.
-- @arg id oid
-- @column name text
-- @column is_read_only bool set for the database
-- @column owner text
-- @server 14+
SELECT d.datname::text AS name,
       EXISTS (SELECT FROM pg_catalog.pg_db_role_setting AS s
                WHERE s.setdatabase = d.oid AND s.setrole = 0
                  AND 'default_transaction_read_only=on' = ANY (s.setconfig)) AS is_read_only,
       pg_catalog.pg_get_userbyid(d.datdba)::text AS owner
  FROM pg_catalog.pg_database AS d
 WHERE d.oid = $1;
