-- The four critical indexes. Run outside a transaction: every statement waits for the transactions that use its table,
-- and leaves an INVALID index behind when it fails.

CREATE INDEX CONCURRENTLY idx_messages_dialog_timestamp
    ON dialog_messages (dialog_id, timestamp DESC);

CREATE INDEX CONCURRENTLY idx_assistants_user_active_created
    ON assistants (user_id, is_active, created_at DESC);

CREATE INDEX CONCURRENTLY idx_dialogs_assistant_started
    ON dialogs (assistant_id, started_at DESC);

CREATE INDEX CONCURRENTLY idx_embeddings_assistant_importance
    ON knowledge_embeddings (assistant_id, importance DESC, created_at DESC);
