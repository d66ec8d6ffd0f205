-- A run ended.
-- @arg id text
-- @arg state text
-- @arg message text?
-- @arg ended_at text
-- @server 14+
UPDATE pgmend.run
   SET state = $2, message = $3, ended_at = $4::timestamptz
 WHERE id = $1;
