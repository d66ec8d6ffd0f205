-- The rights of this user, as row-level security sees them, until the transaction ends.
-- @arg user_id int4 0: nobody's
-- @column user_id text
-- @server 14+
SELECT pg_catalog.set_config('replyx.user_id', $1::pg_catalog.int4::pg_catalog.text, true) AS user_id;
