-- GET /assistants/{id}/dialogs: the dialogs of an assistant and its owner, newest first (-D assistants=N)
\set assistant random_zipfian(1, :assistants, 1.1)
SELECT id, first_name, last_name, telegram_username, started_at, ended_at
  FROM dialogs
 WHERE assistant_id = :assistant
   AND user_id = (SELECT user_id FROM assistants WHERE id = :assistant)
 ORDER BY started_at DESC;
