-- Rows that are odd in every way that the application's tables allow, beside those of replyx-data. Times are about
-- 2026-11-22 10:00, which is "now" of the tests. Users 900001 …: what each is for stands before its rows.

INSERT INTO users (id, email, hashed_password, first_name) VALUES
    (900001, 'nothing@example.org', '!', NULL),
    (900002, 'empty@example.org', '!', ''),
    (900003, 'names@example.org', '!', 'Ёж'),
    (900004, 'ties@example.org', '!', 'T'),
    (900005, 'documents@example.org', '!', 'D'),
    (900006, 'window@example.org', '!', 'W'),
    (900007, 'others@example.org', '!', 'O'),
    (900008, 'money@example.org', '!', 'M'),
    (900009, 'time@example.org', '!', 'Z'),
    (900010, E'"quoted"\\\t\u0001@example.org', '!', 'Q');

-- 900001 has nothing at all. 900002: assistants without dialogs, dialogs without messages, an ended one.
INSERT INTO assistants (id, user_id, name, system_prompt, is_active, created_at) VALUES
    (910001, 900002, 'empty', '', true, '2026-01-01'),
    (910002, 900002, '', '', false, '2026-01-02');
INSERT INTO dialogs (id, user_id, assistant_id, started_at, ended_at) VALUES
    (920001, 900002, 910002, '2026-11-20 10:00:00', NULL),
    (920002, 900002, 910002, '2026-11-20 11:00:00.5', '2026-11-21');

-- 900003: names and texts. The loops make one dialog for each pair of names, and texts of every control character.
INSERT INTO assistants (id, user_id, name, system_prompt, ai_model) VALUES
    (910003, 900003, E'Ассистент «ё» 🙂 "quoted" \\ / </script> \u2028 \u007f', '', E'gpt\n4');
INSERT INTO dialogs (id, user_id, assistant_id, first_name, last_name, telegram_username, started_at, handoff_status)
SELECT 921000 + row_number() OVER (ORDER BY f.n, l.n, u.n), 900003, 910003, f.v, l.v, u.v,
       timestamp '2026-11-01' + row_number() OVER (ORDER BY f.n, l.n, u.n) * interval '1.000001 s',
       (ARRAY['none', 'requested', 'active', 'resolved'])[1 + f.n % 4]
  FROM (VALUES (1, NULL), (2, ''), (3, 'Анна-Мария'), (4, E'👩‍👩‍👧 "O''Neil"\\'), (5, ' ')) AS f (n, v),
       (VALUES (1, NULL), (2, ''), (3, E'Ёлкина\nиз Москвы'), (4, '%s%n${x}')) AS l (n, v),
       (VALUES (1, NULL), (2, ''), (3, 'user_name'), (4, '@already')) AS u (n, v);
INSERT INTO dialog_messages (id, dialog_id, sender, text, timestamp)
SELECT 930000 + g, 921001, (ARRAY['user', 'assistant', 'manager'])[1 + g % 3], 'before ' || chr(g) || ' after',
       timestamp '2026-11-02' + g * interval '1 s'
  FROM generate_series(1, 160) AS g;
INSERT INTO dialog_messages (id, dialog_id, sender, text, timestamp) VALUES
    (930200, 921002, 'user', '', '2026-11-02'),
    (930201, 921003, 'assistant', repeat('длинный 🙂 ', 20000), '2026-11-02'),
    (930202, 921004, E'\u0007bell', '', '2026-11-02');

-- 900004: everything at the same time, ids not in the order of insertion.
INSERT INTO assistants (id, user_id, name, system_prompt, created_at, updated_at)
SELECT 911000 + (g * 7) % 12, 900004, 'tie ' || g, '', '2026-11-01', '2026-11-01' FROM generate_series(0, 11) AS g;
INSERT INTO dialogs (id, user_id, assistant_id, started_at)
SELECT 922000 + (g * 17) % 60, 900004, 911000, '2026-11-10 09:00' FROM generate_series(0, 59) AS g;
INSERT INTO dialog_messages (id, dialog_id, sender, text, timestamp)
SELECT 931000 + (g * 37) % 240, 922000 + g % 3, 'assistant', 'tie ' || g, '2026-11-10 09:00' FROM generate_series(0, 239) AS g;
INSERT INTO documents (id, user_id, filename, size, upload_date)
SELECT 940000 + (g * 7) % 12, 900004, 'tie ' || g, 1, '2026-11-10' FROM generate_series(0, 11) AS g;
INSERT INTO user_knowledge (id, user_id, assistant_id, doc_id, content)
SELECT 950000 + (g * 5) % 12, 900004, 911000, 940000 + g, 'tie' FROM generate_series(0, 11) AS g;
INSERT INTO bot_instances (id, user_id, assistant_id, created_at)
SELECT 960000 + (g * 7) % 12, 900004, 911000 + g, '2026-11-10' FROM generate_series(0, 11) AS g;
INSERT INTO user_balances (id, user_id, balance) VALUES (970001, 900004, 1);
INSERT INTO balance_transactions (id, user_id, amount, transaction_type, balance_before, balance_after, created_at)
SELECT 980000 + (g * 7) % 24, 900004, g, 'topup', 0, 0, '2026-11-10' FROM generate_series(0, 23) AS g;

-- 900005: documents that are known twice, have been deleted, have no hash, are somebody else's.
INSERT INTO assistants (id, user_id, name, system_prompt) VALUES
    (910005, 900005, 'knows', ''), (910006, 900005, 'knows only what was deleted', '');
INSERT INTO documents (id, user_id, filename, size, doc_hash, upload_date) VALUES
    (941001, 900005, 'дважды.pdf', 2147483647, repeat('f', 64), '2026-11-01'),
    (941002, 900005, E'no\thash.txt', 0, NULL, '2026-11-03 00:00:00.1'),
    (941003, 900007, 'not yours', 1, 'x', '2026-11-02'),
    (941005, 900005, 'known to nobody', 1, '', '2026-11-02'),
    (941006, 900005, 'known to another user only', 1, '', '2026-11-02');
INSERT INTO user_knowledge (id, user_id, assistant_id, doc_id, content, type) VALUES
    (951001, 900005, 910005, 941001, 'one', 'summary'),
    (951002, 900005, 910005, 941002, 'two', 'summary'),
    (951003, 900005, 910005, 941001, 'one again', 'confirmed'),
    (951004, 900005, 910005, 941003, 'of another user', 'summary'),
    (951007, 900007, 910005, 941006, 'row of another user', 'summary'),
    (951008, 900005, NULL, 941005, 'of no assistant', 'summary');

-- 900006: messages and dialogs on both sides of the edge of the last 30 days, and after now.
INSERT INTO assistants (id, user_id, name, system_prompt) VALUES
    (910007, 900006, 'edge', ''), (910008, 900006, 'old dialog, new messages', ''), (910009, 900006, 'without messages', '');
INSERT INTO dialogs (id, user_id, assistant_id, started_at) VALUES
    (923001, 900006, 910007, '2026-10-23 09:59:59.999999'),
    (923002, 900006, 910007, '2026-10-23 10:00:00'),
    (923003, 900006, 910007, '2026-10-23 10:00:00.000001'),
    (923004, 900006, 910007, '2026-11-22 10:00:00'),
    (923005, 900006, 910007, '2026-11-22 10:00:00.000001'),
    (923006, 900006, 910008, '2026-01-01'),
    (923007, 900006, 910009, '2026-11-22 09:59:59'),
    (923008, 900006, NULL, '2026-11-20');
INSERT INTO dialog_messages (id, dialog_id, sender, text, timestamp)
SELECT 932000 + d * 100 + t.n * 10 + s.n, 923000 + d, s.v, 'edge', t.v::timestamp
  FROM (VALUES (1), (6), (8)) AS x (d),
       (VALUES (1, '2026-10-23 09:59:59.999999'), (2, '2026-10-23 10:00:00'), (3, '2026-10-23 10:00:00.000001'),
               (4, '2026-11-22 10:00:00'), (5, '2026-11-22 10:00:00.000001'), (6, '2026-12-31')) AS t (n, v),
       (VALUES (1, 'assistant'), (2, 'user'), (3, 'manager'), (4, 'assistant')) AS s (n, v);

-- 900007: rows that belong to two users, as nothing forbids.
INSERT INTO assistants (id, user_id, name, system_prompt) VALUES (910010, 900007, 'of 900007', '');
INSERT INTO dialogs (id, user_id, assistant_id, started_at) VALUES
    (924001, 900007, 910005, '2026-11-20'), (924002, 900005, 910010, '2026-11-20');
INSERT INTO dialog_messages (id, dialog_id, sender, text, timestamp) VALUES
    (933001, 924001, 'assistant', 'secret of 900007', '2026-11-20'), (933002, 924002, 'assistant', 'secret of 900005', '2026-11-20');
INSERT INTO bot_instances (id, user_id, assistant_id, platform, bot_token, is_active, created_at) VALUES
    (961001, 900007, 910005, 'telegram', 'token-of-a-bot', true, '2026-11-01'),
    (961003, 900007, 910010, '', '', true, '2026-11-03');

-- 900008: sums that are hard to print. 900001 has no balance at all, 900002 one without transactions.
INSERT INTO user_balances (id, user_id, balance, total_spent, total_topped_up) VALUES
    (970002, 900008, 0.1::float8 + 0.2::float8, '-0', 1e300), (970003, 900002, 1e15, 123456789.125, 1e-7),
    (970004, 900009, 'NaN', 'Infinity', '-Infinity');
INSERT INTO balance_transactions (id, user_id, amount, transaction_type, description, balance_before, balance_after, related_id,
                                  created_at) VALUES
    (981001, 900008, -1e-10, 'ai_message', NULL, 1.0 / 3, 2.5, NULL, '2026-11-01'),
    (981002, 900008, 1e16, 'topup', '', 1e-5, 12345678901234567890, 7, '2026-11-02'),
    (981003, 900008, 100, 'topup', E'Пополнение "₽"\r\n\b\f', 'NaN', '-Infinity', 7, '2026-11-02'),
    (981004, 900009, 5e-324, 'topup', 'x', 1.7976931348623157e308, 3, 7, '2026-11-02');

-- 900009: times that are hard to print and to order.
INSERT INTO assistants (id, user_id, name, system_prompt, created_at)
SELECT 912000 + n, 900009, 'time ' || n, '', v::timestamp
  FROM (VALUES (1, '2026-11-22 10:00:00.100'), (2, '2026-11-22 10:00:00.09'), (3, '2026-11-22 10:00:00'), (4, '0044-03-15 BC'),
               (5, '12026-01-01 00:00:00.000001'), (6, 'infinity'), (7, '-infinity'), (8, '0001-01-01')) AS t (n, v);
INSERT INTO dialogs (id, user_id, assistant_id, started_at)
SELECT 925000 + a.id - 912000, 900009, 912001, a.created_at FROM assistants AS a WHERE a.user_id = 900009;
INSERT INTO dialog_messages (id, dialog_id, sender, text, timestamp)
SELECT 934000 + a.id - 912000, 925001, 'assistant', 'x', a.created_at FROM assistants AS a WHERE a.user_id = 900009;
INSERT INTO documents (id, user_id, filename, size, upload_date)
SELECT 942000 + a.id - 912000, 900009, 'x', 1, a.created_at FROM assistants AS a WHERE a.user_id = 900009;
INSERT INTO user_knowledge (id, user_id, assistant_id, doc_id, content)
SELECT 952000 + a.id - 912000, 900009, 912001, 942000 + a.id - 912000, 'x' FROM assistants AS a WHERE a.user_id = 900009;
INSERT INTO bot_instances (id, user_id, assistant_id, created_at)
SELECT 962000 + a.id - 912000, 900009, a.id, a.created_at FROM assistants AS a WHERE a.user_id = 900009;

-- 900010: an e-mail address that needs escaping.
INSERT INTO assistants (id, user_id, name, system_prompt) VALUES (910011, 900010, 'q', '');
INSERT INTO dialogs (id, user_id, assistant_id, started_at) VALUES (926001, 900010, 910011, '2026-11-20');

-- What has been deleted, while rows still refer to it: the triggers of foreign keys do not run here.
SET session_replication_role = replica;
INSERT INTO user_knowledge (id, user_id, assistant_id, doc_id, content, type) VALUES
    (951005, 900005, 910005, 941004, 'deleted', 'summary'),
    (951006, 900005, 910006, 941004, 'deleted', 'summary');
INSERT INTO dialogs (id, user_id, assistant_id, started_at) VALUES (924003, 900007, 999999, '2026-11-20');
INSERT INTO bot_instances (id, user_id, assistant_id, platform, bot_token, is_active, created_at) VALUES
    (961002, 900007, 999999, E'vk "x"', NULL, false, '2026-11-02');
SET session_replication_role = origin;
ANALYZE;
