-- By hand, with the statements and the data at hand: every statement that a key does not serve already gets the
-- narrowest index that leaves no sort; what two statements can share they share.
CREATE INDEX x_messages_dialog_time ON dialog_messages (dialog_id, "timestamp" DESC, id DESC);
CREATE INDEX x_messages_time ON dialog_messages USING brin ("timestamp") WITH (pages_per_range = 16);
CREATE INDEX x_messages_undelivered ON dialog_messages ("timestamp") INCLUDE (id, dialog_id) WHERE delivered = 0;
CREATE INDEX x_dialogs_assistant_started ON dialogs (assistant_id, started_at DESC, id DESC);
CREATE INDEX x_dialogs_user_started ON dialogs (user_id, started_at DESC, id DESC);
CREATE INDEX x_dialogs_handoff ON dialogs (handoff_requested_at, id) WHERE handoff_status = 'requested';
CREATE INDEX x_dialogs_manager ON dialogs (assigned_manager_id) WHERE assigned_manager_id IS NOT NULL AND ended_at IS NULL;
CREATE INDEX x_dialogs_chat ON dialogs (telegram_chat_id) WHERE telegram_chat_id IS NOT NULL;
CREATE INDEX x_dialogs_guest ON dialogs (guest_id) WHERE guest_id IS NOT NULL;
CREATE INDEX x_assistants_user ON assistants (user_id, is_active, created_at DESC);
CREATE INDEX x_embeddings_assistant ON knowledge_embeddings (assistant_id, importance DESC, created_at DESC, id DESC);
CREATE INDEX x_knowledge_assistant ON user_knowledge (assistant_id);
CREATE INDEX x_transactions_user ON balance_transactions (user_id, created_at DESC, id DESC);
CREATE INDEX x_tokens_user ON ai_token_usage (user_id, created_at) INCLUDE (total_tokens);
CREATE INDEX x_chunks_text ON knowledge_embeddings USING gin (chunk_text gin_trgm_ops);
CREATE INDEX x_dialogs_username ON dialogs USING gin (telegram_username gin_trgm_ops);
CREATE INDEX x_users_lower ON users (lower(email));
CREATE INDEX x_users_activity ON users (last_activity DESC, id DESC);
