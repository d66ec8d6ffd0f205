-- The rights of this user, as row-level security sees them, until the transaction ends.
-- @arg user_id int4 0: nobody's
-- @arg is_asked bool whether he is still there and not blocked has to be looked up
-- @column user_id text
-- @column is_active bool true, too, when it was not asked
-- @server 14+
SELECT pg_catalog.set_config('replyx.user_id', $1::pg_catalog.int4::pg_catalog.text, true) AS user_id,
       NOT $2::pg_catalog.bool OR replyx_api.is_active_user($1::pg_catalog.int4) AS is_active;
