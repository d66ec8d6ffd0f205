-- Forgets what is kept under a name.
-- @arg name text
-- @server 14+
DELETE FROM pgmend.value WHERE name = $1;
