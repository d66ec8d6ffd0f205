\ir ../../tables.sql
CREATE INDEX message_account ON message (account_id);
CREATE INDEX message_account_time ON message (account_id, created_at);
CREATE INDEX message_time_down ON message (created_at DESC);
CREATE INDEX message_time ON message (created_at) INCLUDE (body);
CREATE UNIQUE INDEX account_twin ON account (id);
CREATE INDEX message_some ON message (account_id) WHERE body IS NOT NULL;
CREATE INDEX message_other_class ON message (body text_pattern_ops);
CREATE INDEX message_body ON message (body);
