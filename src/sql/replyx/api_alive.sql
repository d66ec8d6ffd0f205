-- Whether the database answers.
-- @column alive bool
-- @server 14+
SELECT true AS alive;
