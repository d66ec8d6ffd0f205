-- The sum over all large objects, in pieces of 1 MB, of a hash of their bytes.
-- @column checksum text
-- @server 14+
SELECT coalesce(pg_catalog.sum(pg_catalog.hashtextextended(
           pg_catalog.concat(o.loid, ':', piece, ':',
               pg_catalog.encode(pg_catalog.lo_get(o.loid, piece, 1048576), 'hex')) COLLATE pg_catalog."C", 0)), 0)::text
           AS checksum
  FROM (SELECT l.loid, (pg_catalog.max(l.pageno) + 1)::pg_catalog.int8 * 2048 AS bytes
          FROM pg_catalog.pg_largeobject l GROUP BY l.loid) o,
       LATERAL pg_catalog.generate_series(0::pg_catalog.int8, o.bytes - 1, 1048576::pg_catalog.int8) piece
