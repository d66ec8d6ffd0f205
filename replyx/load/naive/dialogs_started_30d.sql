-- GET /assistants/stats, once for each assistant: its dialogs started in the last 30 days (-D assistants=N)
\set assistant random_zipfian(1, :assistants, 1.1)
SELECT count(*)
  FROM dialogs
 WHERE assistant_id = :assistant
   AND started_at >= localtimestamp - interval '30 days';
