-- Keyed digest of a value, sixty-four hexadecimal digits. The key stands in a setting of the session.
-- @server 14+
CREATE OR REPLACE FUNCTION pg_temp.mask_digest(salt text, value text) RETURNS text
LANGUAGE sql STABLE STRICT AS $$
SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.sha256(pg_catalog.convert_to(
           pg_catalog.current_setting('pgmend.mask_key') || ':' || $1 || ':' || $2, 'UTF8'))
           || pg_catalog.convert_to(pg_catalog.current_setting('pgmend.mask_key'), 'UTF8')), 'hex')
$$
