-- Sets a flag to 0 with the right that the function has.
-- @arg name text
-- @arg reason text
-- @column was_on bool
-- @server 14+
SELECT pgmend.flag_off($1, $2);
