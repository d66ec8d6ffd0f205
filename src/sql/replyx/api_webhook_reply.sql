-- What a bot says, as it is stored and as the answer to a webhook.
-- @arg chat text
-- @arg words text? NULL: it knows nothing
-- @column said text
-- @column answer text
-- @server 14+
SELECT t.said, replyx_api.telegram_reply($1, t.said) AS answer
  FROM replyx_api.telegram_text(coalesce($2, replyx_api.telegram_fallback())) AS t (said)
