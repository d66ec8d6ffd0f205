CREATE TABLE person (id int PRIMARY KEY, email text NOT NULL UNIQUE, note text);
INSERT INTO person SELECT i, 'p' || i || '@firm.org', 'a few words about somebody' FROM generate_series(1, 50) AS i;
CREATE TABLE invite (email text REFERENCES person (email));
INSERT INTO invite VALUES ('p1@firm.org');
