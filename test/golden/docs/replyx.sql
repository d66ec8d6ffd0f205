-- The tables of ReplyX that its plan speaks of, with few rows:  \ir ../replyx.sql
CREATE EXTENSION vector;
CREATE EXTENSION pg_stat_statements;
CREATE TABLE users (id serial PRIMARY KEY, email varchar NOT NULL UNIQUE, created_at timestamp);
CREATE TABLE assistants (
    id serial PRIMARY KEY,
    user_id int NOT NULL REFERENCES users,
    name varchar,
    is_active boolean DEFAULT true,
    created_at timestamp
);
CREATE TABLE dialogs (
    id serial PRIMARY KEY,
    user_id int NOT NULL REFERENCES users,
    assistant_id int REFERENCES assistants,
    started_at timestamp
);
CREATE TABLE dialog_messages (
    id serial PRIMARY KEY,
    dialog_id int NOT NULL REFERENCES dialogs,
    sender varchar,
    text text,
    timestamp timestamp
);
CREATE TABLE documents (id serial PRIMARY KEY, user_id int NOT NULL REFERENCES users, filename varchar);
CREATE TABLE knowledge_embeddings (
    id serial PRIMARY KEY,
    user_id int NOT NULL REFERENCES users,
    assistant_id int REFERENCES assistants,
    doc_id int NOT NULL REFERENCES documents,
    chunk_index int,
    chunk_text text,
    embedding vector(8) NOT NULL,
    doc_type varchar,
    importance int DEFAULT 10,
    created_at timestamp
);
INSERT INTO users SELECT n, 'u' || n || '@example.com', '2025-08-01' FROM generate_series(1, 20) AS n;
INSERT INTO assistants SELECT n, 1 + n % 20, 'AI-ассистент', n % 3 > 0, '2025-08-01' FROM generate_series(1, 40) AS n;
INSERT INTO dialogs
SELECT n, 1 + n % 20, 1 + n % 40, timestamp '2025-08-01' + n * interval '1 min' FROM generate_series(1, 400) AS n;
INSERT INTO dialog_messages
SELECT n, 1 + n % 400, 'user', 'здравствуйте', timestamp '2025-08-01' + n * interval '1 s' FROM generate_series(1, 4000) AS n;
INSERT INTO documents SELECT n, 1 + n % 20, 'price.pdf' FROM generate_series(1, 40) AS n;
INSERT INTO knowledge_embeddings
SELECT n, 1 + n % 20, 1 + n % 4, 1 + n % 40, n, 'доставка и возврат, часть ' || n, (SELECT array_agg(sin(n * k)) FROM generate_series(1, 8) AS k)::vector,
    'faq', 1 + n % 10, '2025-08-01' FROM generate_series(1, 400) AS n;
ANALYZE;
