-- A number from 0 to 2^63 - 1 by a keyed digest.
-- @server 14+
CREATE OR REPLACE FUNCTION pg_temp.mask_number(salt text, value text) RETURNS bigint
LANGUAGE sql STABLE STRICT AS $$
SELECT ('x' || pg_catalog.left(pg_temp.mask_digest($1, $2), 16))::bit(64)::bigint & 9223372036854775807
$$
