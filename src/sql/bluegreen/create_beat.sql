-- A row a side, written by the live one: what has come to the other side was committed before the token.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.bluegreen_beat (
    side text PRIMARY KEY,
    token text NOT NULL,
    sent_at timestamptz NOT NULL
);
