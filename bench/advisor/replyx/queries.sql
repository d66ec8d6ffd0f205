-- What ReplyX asks of its database, as the naive endpoints do (the shapes of src/sql/replyx/*_naive.sql), and what its
-- back office, its queues and its writers ask. Weights are calls; parameters come from the rows, so that busy
-- assistants, users and dialogs are asked for more often than others.

-- name: assistants_active
-- weight: 4
-- params: SELECT user_id AS u FROM dialogs ORDER BY md5(id::text || 'a') LIMIT 5
SELECT id, name, ai_model, is_active, created_at FROM assistants WHERE user_id = :u AND is_active = true ORDER BY created_at DESC, id DESC;

-- name: messages_newest
-- weight: 5
-- params: SELECT dialog_id AS d FROM dialog_messages ORDER BY md5(id::text || 'b') LIMIT 5
SELECT id, sender, text, "timestamp" FROM dialog_messages WHERE dialog_id = :d ORDER BY "timestamp" DESC, id DESC LIMIT 50;

-- name: dialog_of_user
-- weight: 3
-- params: SELECT id AS d, user_id AS u FROM dialogs ORDER BY md5(id::text || 'c') LIMIT 5
SELECT id FROM dialogs WHERE id = :d AND user_id = :u;

-- name: stats_assistants
-- weight: 1
-- params: SELECT user_id AS u FROM dialogs ORDER BY md5(id::text || 'd') LIMIT 5
SELECT id, name, is_active FROM assistants WHERE user_id = :u ORDER BY created_at DESC, id DESC;

-- name: stats_messages
-- weight: 2
-- params: SELECT user_id AS u, assistant_id AS a FROM dialogs WHERE assistant_id IS NOT NULL ORDER BY md5(id::text || 'e') LIMIT 5
SELECT count(*) FROM dialog_messages AS m JOIN dialogs AS d ON d.id = m.dialog_id WHERE d.user_id = :u AND d.assistant_id = :a AND m.sender = 'assistant' AND m."timestamp" >= timestamp '2026-11-22' - interval '30 days';

-- name: stats_dialogs
-- weight: 2
-- params: SELECT user_id AS u, assistant_id AS a FROM dialogs WHERE assistant_id IS NOT NULL ORDER BY md5(id::text || 'f') LIMIT 5
SELECT count(*) FROM dialogs WHERE user_id = :u AND assistant_id = :a AND started_at >= timestamp '2026-11-22' - interval '30 days';

-- name: assistant_dialogs
-- weight: 2
-- params: SELECT user_id AS u, assistant_id AS a FROM dialogs WHERE assistant_id IS NOT NULL ORDER BY md5(id::text || 'g') LIMIT 5
SELECT id, first_name, last_name, telegram_username, ended_at, started_at FROM dialogs WHERE assistant_id = :a AND user_id = :u ORDER BY started_at DESC, id DESC;

-- name: message_count
-- weight: 5
-- params: SELECT dialog_id AS d FROM dialog_messages ORDER BY md5(id::text || 'h') LIMIT 5
SELECT count(*) FROM dialog_messages WHERE dialog_id = :d;

-- name: message_time
-- weight: 5
-- params: SELECT dialog_id AS d FROM dialog_messages ORDER BY md5(id::text || 'i') LIMIT 5
SELECT max("timestamp") FROM dialog_messages WHERE dialog_id = :d;

-- name: message_last
-- weight: 3
-- params: SELECT dialog_id AS d FROM dialog_messages ORDER BY md5(id::text || 'j') LIMIT 5
SELECT id, sender, text, "timestamp" FROM dialog_messages WHERE dialog_id = :d ORDER BY "timestamp" DESC, id DESC LIMIT 1;

-- name: documents_of_assistant
-- weight: 1
-- params: SELECT user_id AS u, assistant_id AS a FROM user_knowledge WHERE assistant_id IS NOT NULL ORDER BY md5(id::text || 'k') LIMIT 5
SELECT doc_id FROM user_knowledge WHERE assistant_id = :a AND user_id = :u ORDER BY id;

-- name: document
-- weight: 3
-- params: SELECT id AS d, user_id AS u FROM documents ORDER BY md5(id::text || 'l') LIMIT 5
SELECT id, filename, size, upload_date, doc_hash FROM documents WHERE id = :d AND user_id = :u;

-- name: dialogs_count
-- weight: 1
-- params: SELECT user_id AS u FROM dialogs ORDER BY md5(id::text || 'm') LIMIT 5
SELECT count(*) FROM dialogs WHERE user_id = :u;

-- name: dialogs_page
-- weight: 1
-- params: SELECT user_id AS u FROM dialogs ORDER BY md5(id::text || 'n') LIMIT 5
SELECT id, assistant_id, first_name, last_name, ended_at, handoff_status, started_at FROM dialogs WHERE user_id = :u ORDER BY started_at DESC, id DESC LIMIT 20 OFFSET 0;

-- name: owner_email
-- weight: 3
-- params: SELECT user_id AS u FROM dialogs ORDER BY md5(id::text || 'o') LIMIT 5
SELECT email FROM users WHERE id = :u;

-- name: bots_of_user
-- weight: 1
-- params: SELECT user_id AS u FROM bot_instances ORDER BY md5(id::text || 'p') LIMIT 5
SELECT id, platform, is_active, created_at, assistant_id FROM bot_instances WHERE user_id = :u ORDER BY created_at DESC, id DESC;

-- name: balance
-- weight: 1
-- params: SELECT user_id AS u FROM user_balances ORDER BY md5(id::text || 'q') LIMIT 5
SELECT balance, total_spent, total_topped_up FROM user_balances WHERE user_id = :u;

-- name: transactions_count
-- weight: 1
-- params: SELECT user_id AS u FROM balance_transactions ORDER BY md5(id::text || 'r') LIMIT 5
SELECT count(*) FROM balance_transactions WHERE user_id = :u;

-- name: transactions_last
-- weight: 1
-- params: SELECT user_id AS u FROM balance_transactions ORDER BY md5(id::text || 's') LIMIT 5
SELECT amount, transaction_type, created_at FROM balance_transactions WHERE user_id = :u ORDER BY created_at DESC, id DESC LIMIT 10;

-- name: search_context
-- weight: 3
-- params: SELECT assistant_id AS a FROM knowledge_embeddings WHERE assistant_id IS NOT NULL ORDER BY md5(id::text || 't') LIMIT 5
SELECT id, chunk_text FROM knowledge_embeddings WHERE assistant_id = :a ORDER BY importance DESC, created_at DESC, id DESC LIMIT 20;

-- name: search_exact
-- weight: 2
-- params: SELECT user_id AS u, assistant_id AS a, embedding::text AS e FROM knowledge_embeddings WHERE assistant_id IS NOT NULL ORDER BY md5(id::text || 'u') LIMIT 2
SELECT id FROM (SELECT id, embedding <=> :e::vector AS distance FROM knowledge_embeddings WHERE user_id = :u AND assistant_id = :a OFFSET 0) AS f ORDER BY distance, id LIMIT 5;

-- name: login
-- weight: 2
-- params: SELECT email AS m FROM users ORDER BY md5(id::text || 'v') LIMIT 5
SELECT id, hashed_password, status FROM users WHERE email = :m;

-- name: login_lower
-- weight: 2
-- params: SELECT upper(email) AS m FROM users ORDER BY md5(id::text || 'w') LIMIT 5
SELECT id, hashed_password, status FROM users WHERE lower(email) = lower(:m);

-- name: documents_search
-- weight: 0.5
-- params: SELECT '%' || substr(filename, 2, 7) || '%' AS p FROM documents WHERE length(filename) > 10 ORDER BY md5(id::text || 'x') LIMIT 3
SELECT id, user_id, filename FROM documents WHERE filename ILIKE :p ORDER BY id;

-- name: chunks_search
-- weight: 0.5
-- params: SELECT '%' || substr(chunk_text, 10, 14) || '%' AS p FROM knowledge_embeddings ORDER BY md5(id::text || '1') LIMIT 3
SELECT id, assistant_id FROM knowledge_embeddings WHERE chunk_text ILIKE :p ORDER BY id LIMIT 200;

-- name: dialogs_search
-- weight: 1
-- params: SELECT '%' || upper(substr(telegram_username, 3)) || '%' AS p FROM dialogs WHERE length(telegram_username) > 9 ORDER BY md5(id::text || '2') LIMIT 3
SELECT id, telegram_username FROM dialogs WHERE telegram_username ILIKE :p ORDER BY id LIMIT 200;

-- name: messages_of_day
-- weight: 0.3
SELECT count(*), count(DISTINCT dialog_id) FROM dialog_messages WHERE "timestamp" >= timestamp '2026-11-20' AND "timestamp" < timestamp '2026-11-21';

-- name: handoff_queue
-- weight: 4
SELECT id, user_id, assistant_id, handoff_requested_at FROM dialogs WHERE handoff_status = 'requested' ORDER BY handoff_requested_at, id LIMIT 20;

-- name: manager_open
-- weight: 2
-- params: SELECT DISTINCT assigned_manager_id AS m FROM dialogs WHERE assigned_manager_id IS NOT NULL ORDER BY 1 LIMIT 5
SELECT id, handoff_status, started_at FROM dialogs WHERE assigned_manager_id = :m AND ended_at IS NULL ORDER BY started_at DESC, id DESC;

-- name: chat_dialog
-- weight: 4
-- params: SELECT telegram_chat_id AS c, assistant_id AS a FROM dialogs WHERE telegram_chat_id IS NOT NULL AND assistant_id IS NOT NULL ORDER BY md5(id::text || 'y') LIMIT 5
SELECT id, is_taken_over FROM dialogs WHERE assistant_id = :a AND telegram_chat_id = :c AND ended_at IS NULL ORDER BY started_at DESC, id DESC LIMIT 1;

-- name: guest_dialog
-- weight: 2
-- params: SELECT guest_id AS g FROM dialogs WHERE guest_id IS NOT NULL ORDER BY md5(id::text || 'z') LIMIT 5
SELECT id, assistant_id, started_at FROM dialogs WHERE guest_id = :g ORDER BY started_at DESC, id DESC LIMIT 1;

-- name: users_recent
-- weight: 0.5
SELECT id, email, last_activity FROM users ORDER BY last_activity DESC, id DESC LIMIT 20;

-- name: tokens_of_day
-- weight: 0.5
-- params: SELECT user_id AS u FROM ai_token_usage ORDER BY md5(id::text) LIMIT 5
SELECT sum(total_tokens) FROM ai_token_usage WHERE user_id = :u AND created_at >= timestamp '2026-11-15';

-- name: undelivered
-- weight: 1
SELECT id, dialog_id FROM dialog_messages WHERE delivered = 0 AND "timestamp" >= timestamp '2026-11-21 18:00' ORDER BY id LIMIT 50;

-- name: message_insert
-- weight: 3
-- params: SELECT id AS d FROM dialogs ORDER BY md5(id::text || 'A') LIMIT 5
INSERT INTO dialog_messages (dialog_id, sender, text) VALUES (:d, 'user', 'Здравствуйте! Подскажите, когда придёт заказ?');

-- name: dialog_insert
-- weight: 0.5
-- params: SELECT user_id AS u, assistant_id AS a FROM dialogs WHERE assistant_id IS NOT NULL ORDER BY md5(id::text || 'B') LIMIT 5
INSERT INTO dialogs (user_id, assistant_id, telegram_chat_id) VALUES (:u, :a, '99999999');

-- name: dialog_counter
-- weight: 2
-- params: SELECT id AS d FROM dialogs ORDER BY md5(id::text || 'C') LIMIT 5
UPDATE dialogs SET auto_response = auto_response + 1 WHERE id = :d;

-- name: dialog_handoff
-- weight: 0.3
-- params: SELECT id AS d FROM dialogs ORDER BY md5(id::text || 'D') LIMIT 5
UPDATE dialogs SET handoff_status = 'requested', handoff_requested_at = timestamp '2026-11-22 10:00' WHERE id = :d;

-- name: user_seen
-- weight: 3
-- params: SELECT id AS u FROM users ORDER BY md5(id::text || 'E') LIMIT 5
UPDATE users SET last_activity = timestamp '2026-11-22 10:00' WHERE id = :u;
