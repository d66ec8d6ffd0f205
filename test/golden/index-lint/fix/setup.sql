CREATE TABLE person (id int PRIMARY KEY, email text NOT NULL UNIQUE, born timestamp, note text);
INSERT INTO person SELECT g, 'p' || g, '2000-01-01'::timestamp + g * interval '1 day', 'x'
  FROM generate_series(1, 2000) AS g;
CREATE INDEX person_born ON person (born);
ANALYZE;
