-- One index that somebody thought would help, for trying what pgmend does with it: every message has one of two
-- senders, and no query of the application asks by sender. It does not pay, and is undone by itself.
CREATE INDEX CONCURRENTLY idx_messages_sender ON dialog_messages (sender);
