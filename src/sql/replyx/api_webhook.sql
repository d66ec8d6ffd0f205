-- Stores an update of a Telegram bot and what it is answered with; the same update again: only the answer.
-- @arg bot_id int4
-- @arg update_id int8
-- @arg kind text
-- @arg chat text? NULL: there is nothing to act on
-- @arg username text?
-- @arg first_name text?
-- @arg last_name text?
-- @arg words text? NULL: there is nothing to act on
-- @arg question text? the vector of the words
-- @column owner int4
-- @column answer text
-- @server 14+
SELECT r.owner, r.answer
  FROM replyx_api.telegram_receive($1, $2, $3, $4, $5, $6, $7, $8, $9::public.vector) AS r
