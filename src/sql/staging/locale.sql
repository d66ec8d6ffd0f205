-- How this database sorts and spells; unlike the server's facts for a backup, everybody may read this.
-- @column encoding text
-- @column collate  text
-- @column ctype    text
-- @column provider text  c, i or b
-- @column locale   text? of ICU or the built-in provider
-- @server 14+
SELECT pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
       d.datcollate::text AS collate,
       d.datctype::text AS ctype,
       coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') AS provider,
       coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale') AS locale
  FROM pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database()
