-- An address that exists nowhere (RFC 2606), by a digest of so many digits.
-- @server 14+
CREATE OR REPLACE FUNCTION pg_temp.mask_email(value text, digits integer) RETURNS text
LANGUAGE sql STABLE STRICT AS $$
SELECT CASE WHEN $1 = '' THEN '' ELSE 'user' || pg_catalog.left(pg_temp.mask_digest('email', $1), $2) || '@example.com' END
$$
