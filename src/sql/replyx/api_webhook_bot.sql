-- Whose a bot is.
-- @arg bot_id int4
-- @column owner int4
-- @column assistant int4
-- @column is_answering bool
-- @server 14+
SELECT b.owner, b.assistant, b.is_answering
  FROM replyx_api.telegram_bot($1) AS b
