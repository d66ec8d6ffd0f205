\ir ../../tables.sql
INSERT INTO account VALUES (101, 'User7@Example.com', 'free', '2026-01-02'), (102, 'new@example.com', NULL, '2026-01-02'),
    (103, 'newer@example.com', NULL, '2026-01-02');
