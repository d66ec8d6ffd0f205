-- A piece of a log file as hexadecimal digits: its bytes need not be of any encoding.
-- @arg path text
-- @arg first int8
-- @arg length int8
-- @column bytes text?
-- @server 14+
SELECT pg_catalog.encode(pg_catalog.pg_read_binary_file($1, $2, $3, true), 'hex');
