-- GET /assistants?active=true: the active assistants of a user, newest first (-D users=N)
\set user random_zipfian(1, :users, 1.1)
SELECT id, name, ai_model, is_active, created_at
  FROM assistants
 WHERE user_id = :user
   AND is_active = true
 ORDER BY created_at DESC;
