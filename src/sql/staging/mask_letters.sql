-- Every digit and letter by another of its class, in place; kind "digits" replaces only digits. What has only
-- hexadecimal digits keeps that. A byte of a digest for each letter, a digest for 32 of them.
-- @server 14+
CREATE OR REPLACE FUNCTION pg_temp.mask_letters(kind text, value text) RETURNS text
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    is_digits boolean := kind = 'digits';
    small text := CASE WHEN value ~ '^[0-9a-f]+$' THEN 'abcdef' ELSE 'abcdefghijklmnopqrstuvwxyz' END;
    large text := CASE WHEN value ~ '^[0-9A-F]+$' THEN 'ABCDEF' ELSE 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' END;
    result text := '';
    digest bytea;
    letter text;
    code integer;
    number integer;
BEGIN
    FOR i IN 0 .. pg_catalog.length(value) - 1 LOOP
        IF i % 32 = 0 THEN
            digest := pg_catalog.decode(pg_temp.mask_digest(kind || i, value), 'hex');
        END IF;
        letter := pg_catalog.substr(value, i + 1, 1);
        code := pg_catalog.ascii(letter);
        number := pg_catalog.get_byte(digest, i % 32);
        result := result || CASE WHEN code BETWEEN 48 AND 57 THEN (number % 10)::text
                                 WHEN is_digits THEN letter
                                 WHEN code BETWEEN 65 AND 90 THEN pg_catalog.substr(large, 1 + number % pg_catalog.length(large), 1)
                                 WHEN code BETWEEN 97 AND 122 OR code > 127
                                 THEN pg_catalog.substr(small, 1 + number % pg_catalog.length(small), 1)
                                 ELSE letter END;
    END LOOP;
    RETURN result;
END
$$
