-- Sets the sequence behind column id of a table, so that the next row comes after the last one.
-- @arg    relation   text   qualified and quoted
-- @arg    last       int8   the newest id; 0: the table is empty
-- @column name       text?  of the sequence; null when the table has none
-- @server 14+
SELECT CASE WHEN s.name IS NOT NULL AND pg_catalog.setval(s.name::pg_catalog.regclass,
                    GREATEST($2::int8, 1), $2::int8 > 0) > 0
            THEN s.name
       END
  FROM (SELECT pg_catalog.pg_get_serial_sequence($1::text, 'id')) AS s (name)
