-- A document of this user.
-- @arg    user_id      int4
-- @arg    doc_id       int4
-- @column id           int4
-- @column filename     text
-- @column size         int4
-- @column upload_date  text
-- @column upload_us    float8  the same to sort by: microseconds, or infinite
-- @column doc_hash     text?
-- @server 14+
SELECT d.id,
       d.filename::text,
       d.size,
       d.upload_date::text,
       (EXTRACT(epoch FROM d.upload_date) * 1000000)::float8,
       d.doc_hash::text
  FROM public.documents AS d
 WHERE d.id = $2
   AND d.user_id = $1
