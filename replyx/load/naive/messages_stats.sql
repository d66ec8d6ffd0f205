-- GET /assistants/{id}/dialogs, for each dialog: how many messages it has, and the last one's time (-D dialogs=N)
\set dialog random_zipfian(1, :dialogs, 1.1)
SELECT count(*) AS message_count, max(timestamp) AS last_message_at
  FROM dialog_messages
 WHERE dialog_id = :dialog;
