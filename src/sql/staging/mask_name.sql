-- A name of invented syllables, as many words as the value has (at most four).
-- @server 14+
CREATE OR REPLACE FUNCTION pg_temp.mask_name(value text) RETURNS text
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    first text[] := ARRAY['Va','Ke','Mo','Tri','Sel','No','Dra','Pi','Lu','Ga','Zen','Hu','Bor','Fi','Ry','Ta'];
    middle text[] := ARRAY['mi','ro','ste','lan','vu','de','qua','shi','no','ber','ze','pa','ul','ti','go','ne'];
    last text[] := ARRAY['ra','kov','nel','dis','mar','ten','lo','via','sor','by','rin','dek','mo','las','que','zu'];
    number bigint := pg_temp.mask_number('name', value);
    words integer := least(4, 1 + pg_catalog.length(pg_catalog.btrim(value))
                                - pg_catalog.length(pg_catalog.replace(pg_catalog.btrim(value), ' ', '')));
    result text := '';
BEGIN
    IF pg_catalog.btrim(value) = '' THEN
        RETURN value;
    END IF;
    FOR i IN 1 .. words LOOP
        result := result || CASE WHEN i > 1 THEN ' ' ELSE '' END || first[1 + (number & 15)]
                  || middle[1 + (number >> 4 & 15)] || last[1 + (number >> 8 & 15)];
        number := number >> 12;
    END LOOP;
    RETURN result;
END
$$
