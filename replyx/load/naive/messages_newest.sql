-- GET /dialogs/{id}/messages?limit=50: the newest 50 messages of a dialog (-D dialogs=N)
\set dialog random_zipfian(1, :dialogs, 1.1)
SELECT id, sender, text, timestamp
  FROM dialog_messages
 WHERE dialog_id = :dialog
 ORDER BY timestamp DESC
 LIMIT 50;
