-- What the fast form needs at the plan's size beside the four critical indexes: without them GET /dialogs, /balance and
-- /documents and a bot's next message each read a whole table.
CREATE INDEX IF NOT EXISTS load_dialogs_user_started ON public.dialogs (user_id, started_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS load_dialogs_chat ON public.dialogs (assistant_id, telegram_chat_id, id DESC)
    WHERE telegram_chat_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS load_knowledge_assistant ON public.user_knowledge (assistant_id, doc_id);
CREATE INDEX IF NOT EXISTS load_transactions_user ON public.balance_transactions (user_id, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS load_bots_user ON public.bot_instances (user_id);
