-- What most cases stand on:  \ir ../../tables.sql
CREATE TABLE account (
    id bigint PRIMARY KEY,
    email text NOT NULL,
    plan text,
    created_at timestamptz NOT NULL
);
CREATE TABLE message (
    id bigint PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account,
    body text,
    created_at timestamptz NOT NULL
);
INSERT INTO account
SELECT i, 'user' || i || '@example.com', 'free', '2026-01-01' FROM generate_series(1, 100) AS i;
INSERT INTO message
SELECT i, 1 + i % 100, 'hello', '2026-01-01' FROM generate_series(1, 1000) AS i;
ANALYZE account, message;
