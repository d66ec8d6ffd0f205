CREATE EXTENSION vector;
CREATE TABLE chunk (id int PRIMARY KEY, assistant_id int NOT NULL, embedding vector(3) NOT NULL);
INSERT INTO chunk SELECT n, n % 2, ARRAY[n, n % 7, 1]::vector FROM generate_series(1, 40) AS n;
CREATE TABLE asked (id int PRIMARY KEY, embedding vector(4), words text);
ANALYZE chunk;
