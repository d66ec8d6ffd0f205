-- Writes a token that the other side will see when everything committed before has come there.
-- @arg side text
-- @arg token text
-- @server 14+
INSERT INTO pgmend.bluegreen_beat (side, token, sent_at)
VALUES ($1, $2, pg_catalog.clock_timestamp())
ON CONFLICT (side) DO UPDATE SET token = EXCLUDED.token, sent_at = EXCLUDED.sent_at;
