-- As many words of the same lengths, white space as it is. A word is a piece of a pool of random letters (a setting of
-- the session, one for each width of letters); of 1,000 places some are taken often, as words are. Which place is
-- taken is known only by the digest of the whole value.
-- @server 14+
CREATE OR REPLACE FUNCTION pg_temp.mask_text(value text) RETURNS text
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    words text[] := pg_catalog.array_remove(pg_catalog.regexp_split_to_array(value, '\s+'), '');
    spaces text[] := pg_catalog.regexp_split_to_array(value, '\S+');
    pools text[] := ARRAY[pg_catalog.current_setting('pgmend.mask_pool1'), pg_catalog.current_setting('pgmend.mask_pool2'),
                          pg_catalog.current_setting('pgmend.mask_pool3')];
    seed bigint := pg_temp.mask_number('text', value);
    result text := spaces[1];
    letters integer;
    share float8;
    pool text;
BEGIN
    FOR i IN 1 .. coalesce(pg_catalog.array_length(words, 1), 0) LOOP
        letters := pg_catalog.length(words[i]);
        pool := pools[least(3, pg_catalog.octet_length(words[i]) / letters)];
        share := (pg_catalog.hashint8extended(i, seed) & 1048575) / 1048576::float8;
        result := result || pg_catalog.rpad(pg_catalog.substr(pool, 1 + pg_catalog.floor(1000 * share * share * share)::integer,
                                                              letters), letters, pool) || spaces[i + 1];
    END LOOP;
    RETURN result;
END
$$
