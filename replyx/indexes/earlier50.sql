-- What the team wrote before, by hand. Kept as it was: what is wrong with it is in README.md, not here.

-- users
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_email ON users (email);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_email_active ON users (email) WHERE status = 'active';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_email_lower ON users (lower(email));
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_yandex ON users (yandex_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_role ON users (role);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_plan ON users (plan, created_at DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_last_activity ON users (last_activity DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_recent ON users (last_activity) WHERE last_activity > now() - interval '30 days';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_onboarding ON users (onboarding_completed, onboarding_step);

-- assistants and bots
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_assistants_user ON assistants (user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_assistants_user_active ON assistants (user_id, is_active);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_assistants_active ON assistants (is_active);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_assistants_model ON assistants (ai_model);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_assistants_name_trgm ON assistants USING gin (name gin_trgm_ops);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_bots_user_platform ON bot_instances (user_id, platform);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_bots_assistant_active ON bot_instances (assistant_id) WHERE is_active;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_bots_last_seen ON bot_instances (last_seen_at DESC);

-- dialogs
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_dialogs_user ON dialogs (user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_dialogs_user_started ON dialogs (user_id, started_at DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_dialogs_assistant_started_at ON dialogs (assistant_id, started_at DESC);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS idx_dialogs_chat ON dialogs (telegram_chat_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_dialogs_guest ON dialogs (guest_id, started_at DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_dialogs_last_message ON dialogs (user_id, last_message_at DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_dialogs_taken_over ON dialogs (is_taken_over);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_dialogs_open ON dialogs (assigned_manager_id) WHERE ended_at IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_dialogs_started_day ON dialogs (date(started_at));

-- messages
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_messages_dialog ON dialog_messages (dialog_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_messages_dialog_sender ON dialog_messages (dialog_id, sender, timestamp DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_messages_day ON dialog_messages (timestamp::date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_messages_unread ON dialog_messages (dialog_id) WHERE is_read = false;
CREATE INDEX IF NOT EXISTS idx_messages_undelivered ON dialog_messages (delivered) WHERE delivered = 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_messages_text ON dialog_messages USING gin (to_tsvector('russian', text));

-- money
BEGIN;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_transactions_user_created ON balance_transactions (user_id, created_at DESC);
COMMIT;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_transactions_type ON balance_transactions (transaction_type);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_balances_user ON user_balances (user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_prices_type ON service_prices (service_type);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_referral_codes_code ON referral_codes (code);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_token_usage_user_created ON ai_token_usages (user_id, created_at DESC);

-- knowledge
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_knowledge_user_assistant ON user_knowledge (user_id, assistant_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_knowledge_user_importance ON user_knowledge (user_id, assistant_id, importance DESC) INCLUDE (content);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_documents_user_assistant ON documents (user_id, assistant_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_embeddings_assistant ON knowledge_embeddings (assistant_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_embeddings_assistant_doc_type ON knowledge_embeddings (assistant_id, doc_type, importance DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_embeddings_text ON knowledge_embeddings USING gin (to_tsvector('russian', chunk_text));
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_query_cache_hash ON query_embeddings_cache (query_hash);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_settings_category_key ON system_settings (category, key);

-- vectors
DO $$
BEGIN
    IF (SELECT count(*) FROM knowledge_embeddings) > 1000 THEN
        EXECUTE 'CREATE INDEX CONCURRENTLY idx_embeddings_cosine ON knowledge_embeddings USING ivfflat (embedding vector_cosine_ops) WITH (lists = 316)';
    END IF;
END
$$;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_embeddings_active_assistants ON knowledge_embeddings USING ivfflat (embedding vector_cosine_ops) WITH (lists = 100) WHERE assistant_id IN (SELECT id FROM assistants WHERE is_active);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_embeddings_important ON knowledge_embeddings USING ivfflat (embedding vector_cosine_ops) WITH (lists = 100) WHERE importance >= 8;
SELECT id, embedding <-> (SELECT embedding FROM knowledge_embeddings WHERE id = 1) AS distance FROM knowledge_embeddings WHERE importance >= 8 ORDER BY embedding <-> (SELECT embedding FROM knowledge_embeddings WHERE id = 1) LIMIT 10;
