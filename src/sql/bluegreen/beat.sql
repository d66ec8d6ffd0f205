-- The last token of a side that has come here.
-- @arg side text
-- @column token text
-- @server 14+
SELECT b.token FROM pgmend.bluegreen_beat AS b WHERE b.side = $1;
