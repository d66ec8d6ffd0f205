-- A user's messages, the newest first.
CREATE INDEX CONCURRENTLY message_by_account ON message (account_id, created_at DESC);

-- Login.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS account_email ON account (lower(email));
