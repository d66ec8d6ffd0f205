-- Removes a snapshot with all that belongs to it.
-- @arg name text
-- @server 14+
DELETE FROM pgmend.snapshot AS s WHERE s.name = $1
