--- table twice
CREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE users (id integer);
CREATE TABLE IF NOT EXISTS users (id integer);
--- table missing
ALTER TABLE nobody ADD COLUMN a integer;
DROP TABLE nobody;
DROP TABLE IF EXISTS nobody;
ALTER TABLE IF EXISTS nobody ADD COLUMN a integer;
ALTER TABLE nobody RENAME TO somebody;
ALTER TABLE nobody RENAME COLUMN a TO b;
ALTER TABLE nobody DROP COLUMN a;
ALTER TABLE nobody ADD CONSTRAINT c CHECK (a > 0);
ALTER TABLE nobody DROP CONSTRAINT c;
ALTER TABLE nobody SET SCHEMA app;
CREATE INDEX ix ON nobody (a);
INSERT INTO nobody VALUES (1);
UPDATE nobody SET a = 1;
DELETE FROM nobody;
TRUNCATE nobody;
COMMENT ON TABLE nobody IS 'x';
COMMENT ON COLUMN nobody.a IS 'x';
CREATE VIEW v AS SELECT * FROM nobody;
SELECT * FROM nobody;
LOCK TABLE nobody;
--- lock in a transaction
BEGIN;
LOCK TABLE nobody;
--- schema missing
CREATE TABLE app.t (a integer);
--- schema missing for others
ALTER TABLE app.t ADD COLUMN a integer;
DROP TABLE app.t;
DROP INDEX app.i;
CREATE TYPE app.mood AS ENUM ('a');
CREATE SEQUENCE app.s;
DROP SCHEMA app;
DROP SCHEMA IF EXISTS app;
--- qualified name
CREATE SCHEMA app;
ALTER TABLE app.t ADD COLUMN a integer;
CREATE SCHEMA app;
CREATE SCHEMA IF NOT EXISTS app;
CREATE TABLE app.t (a integer PRIMARY KEY);
CREATE TABLE t (a integer PRIMARY KEY);
CREATE TABLE app.t (a integer);
DROP TABLE app.nothing;
DROP SCHEMA app;
DROP SCHEMA app CASCADE;
ALTER TABLE app.t ADD COLUMN b integer;
--- columns
CREATE TABLE t (a integer, b text);
ALTER TABLE t ADD COLUMN a integer;
ALTER TABLE t ADD COLUMN IF NOT EXISTS a integer;
ALTER TABLE t ADD COLUMN c varchar(30) NOT NULL;
ALTER TABLE t DROP COLUMN nope;
ALTER TABLE t DROP COLUMN IF EXISTS nope;
ALTER TABLE t DROP COLUMN b;
ALTER TABLE t RENAME COLUMN b TO d;
ALTER TABLE t RENAME COLUMN a TO c;
ALTER TABLE t RENAME COLUMN a TO z;
ALTER TABLE t ALTER COLUMN nope SET NOT NULL;
ALTER TABLE t ALTER COLUMN nope DROP NOT NULL;
ALTER TABLE t ALTER COLUMN nope SET DEFAULT 1;
ALTER TABLE t ALTER COLUMN nope DROP DEFAULT;
ALTER TABLE t ALTER COLUMN nope TYPE text;
ALTER TABLE t ALTER COLUMN z SET NOT NULL;
ALTER TABLE t ADD COLUMN xmin integer;
COMMENT ON COLUMN t.nope IS 'x';
--- column twice in a table
CREATE TABLE t (a integer, a text);
--- missing type
CREATE TABLE t (a integer, b mood);
--- missing types of other kinds
CREATE TABLE t (a integer);
ALTER TABLE t ADD COLUMN b mood;
--- missing array type
CREATE TABLE t (a mood[]);
--- missing type to alter
CREATE TABLE t (a integer);
ALTER TABLE t ALTER COLUMN a TYPE mood USING a::text::mood;
DROP TYPE mood;
DROP TYPE IF EXISTS mood;
DROP DOMAIN mood;
ALTER TYPE mood ADD VALUE 'x';
ALTER TYPE mood RENAME TO other;
ALTER TYPE mood RENAME VALUE 'a' TO 'b';
--- missing extension
CREATE TABLE t (id integer, v vector(3));
--- missing extension for a column
CREATE TABLE t (id integer);
ALTER TABLE t ADD COLUMN e citext;
--- extension there
CREATE EXTENSION vector;
CREATE EXTENSION vector;
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE t (id integer, v vector(3));
CREATE INDEX ix ON t USING hnsw (v vector_cosine_ops);
DROP EXTENSION vector;
DROP EXTENSION vector CASCADE;
DROP EXTENSION vector;
DROP EXTENSION IF EXISTS vector;
--- vector index without the extension
CREATE TABLE t (id integer, v double precision[]);
CREATE INDEX ix ON t USING hnsw (v vector_cosine_ops);
CREATE INDEX ix ON t USING ivfflat (v);
--- vector index on an array
CREATE EXTENSION vector;
CREATE TABLE t (id integer, v double precision[]);
CREATE INDEX ix ON t USING ivfflat (v vector_cosine_ops);
CREATE INDEX ix ON t USING ivfflat (v);
--- trigrams
CREATE TABLE t (a text, n integer);
CREATE INDEX ix ON t USING gin (a gin_trgm_ops);
CREATE EXTENSION pg_trgm;
CREATE INDEX ix ON t USING gin (a gin_trgm_ops);
CREATE INDEX ix2 ON t USING gin (n gin_trgm_ops);
--- operator classes
CREATE TABLE t (a text, j json, b jsonb, n integer, ts tsvector, arr integer[], u uuid);
CREATE INDEX i1 ON t (j);
CREATE INDEX i2 ON t USING gin (a);
CREATE INDEX i3 ON t USING gin (b);
CREATE INDEX i4 ON t USING gin (arr);
CREATE INDEX i5 ON t USING gin (ts);
CREATE INDEX i6 ON t USING gin (j);
CREATE INDEX i7 ON t USING gist (n);
CREATE INDEX i8 ON t USING hash (u);
CREATE INDEX i9 ON t USING gin (b jsonb_path_ops);
CREATE INDEX i10 ON t USING gin (a jsonb_path_ops);
CREATE INDEX i11 ON t (a text_pattern_ops);
CREATE INDEX i12 ON t USING nope (a);
ALTER TABLE t ADD UNIQUE (j);
--- btree_gin mends
CREATE EXTENSION btree_gin;
CREATE TABLE t (a text);
CREATE INDEX i2 ON t USING gin (a);
--- uuid function without its extension
CREATE TABLE t (id uuid DEFAULT uuid_generate_v4());
--- uuid function
CREATE EXTENSION "uuid-ossp";
CREATE TABLE t (id uuid DEFAULT uuid_generate_v4() PRIMARY KEY);
--- uuid function set later
CREATE TABLE t (id uuid DEFAULT gen_random_uuid());
ALTER TABLE t ALTER COLUMN id SET DEFAULT uuid_generate_v4();
--- enum
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE mood AS ENUM ('x');
CREATE TABLE t (id integer, m mood DEFAULT 'ok');
ALTER TYPE mood ADD VALUE 'happy';
ALTER TYPE mood ADD VALUE 'happy';
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'happy';
ALTER TYPE mood RENAME VALUE 'nope' TO 'x';
ALTER TYPE mood RENAME VALUE 'sad' TO 'ok';
ALTER TYPE mood RENAME VALUE 'sad' TO 'unhappy';
DROP TYPE mood;
ALTER TYPE mood RENAME TO feeling;
ALTER TYPE mood ADD VALUE 'y';
DROP TYPE feeling CASCADE;
--- enum labels
CREATE TYPE mood AS ENUM ('a', 'a');
CREATE TYPE mood2 AS ENUM ('abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmn');
--- enum and its user
CREATE TYPE mood AS ENUM ('a');
CREATE TABLE t (m mood);
ALTER TABLE t DROP COLUMN m;
DROP TYPE mood;
--- type named as a table
CREATE TABLE users (id integer);
CREATE TYPE users AS ENUM ('a');
DROP TYPE users;
CREATE TYPE kind AS ENUM ('a');
CREATE TABLE kind (id integer);
ALTER TABLE users RENAME TO kind;
CREATE VIEW kind AS SELECT 1 AS one;
CREATE DOMAIN kind AS integer;
CREATE INDEX kind ON users (id);
--- array of a row type
CREATE TABLE a (id integer);
CREATE TABLE b (x a, y a[]);
--- domain
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN email AS text;
CREATE TABLE t (e email);
DROP DOMAIN email;
DROP TABLE t;
DROP DOMAIN email;
CREATE DOMAIN d AS nope;
--- composite
CREATE TYPE pair AS (a integer, b integer);
CREATE TYPE pair AS (a integer);
CREATE TABLE t (p pair);
DROP TYPE pair;
ALTER TYPE pair ADD VALUE 'x';
--- primary keys
CREATE TABLE t (a integer, b integer);
ALTER TABLE t ADD PRIMARY KEY (nope);
ALTER TABLE t ADD PRIMARY KEY (a);
ALTER TABLE t ADD PRIMARY KEY (b);
ALTER TABLE t ADD CONSTRAINT second PRIMARY KEY (b);
ALTER TABLE t ALTER COLUMN a DROP NOT NULL;
ALTER TABLE t DROP CONSTRAINT t_pkey;
ALTER TABLE t ALTER COLUMN a DROP NOT NULL;
ALTER TABLE t ADD PRIMARY KEY (b);
--- two primary keys at once
CREATE TABLE t (a integer PRIMARY KEY, b integer, PRIMARY KEY (b));
--- key columns
CREATE TABLE t (a integer, UNIQUE (nope));
--- key columns twice
CREATE TABLE t (a integer, UNIQUE (a, a));
--- key columns of a primary key twice
CREATE TABLE t (a integer, PRIMARY KEY (a, a));
--- constraint names chosen
CREATE TABLE t (a integer UNIQUE, b integer CHECK (b > 0), c integer, d text, UNIQUE (a, c), UNIQUE (c), CHECK (a < c), CHECK (d <> ''), CHECK (b < 10));
ALTER TABLE t ADD UNIQUE (a);
ALTER TABLE t ADD UNIQUE (a, c);
ALTER TABLE t ADD CHECK (b > 5);
ALTER TABLE t ADD CHECK (b > c);
ALTER TABLE t ADD COLUMN e integer UNIQUE CHECK (e > 0) REFERENCES t (a);
--- redundant keys
CREATE TABLE t (a integer PRIMARY KEY UNIQUE, b integer, CONSTRAINT named UNIQUE (b), UNIQUE (b));
--- redundant keys named later
CREATE TABLE t (a integer UNIQUE, b integer, CONSTRAINT named UNIQUE (a));
--- long names
CREATE TABLE a_very_long_table_name_that_goes_on_and_on_until_it_is_too_long_for (id serial PRIMARY KEY, a_column_with_a_rather_long_name_of_its_own integer UNIQUE, another_column_with_a_rather_long_name_as_well integer);
ALTER TABLE a_very_long_table_name_that_goes_on_and_on_until_it_is_too_long_for ADD UNIQUE (a_column_with_a_rather_long_name_of_its_own, another_column_with_a_rather_long_name_as_well);
CREATE INDEX ON a_very_long_table_name_that_goes_on_and_on_until_it_is_too_long_for (a_column_with_a_rather_long_name_of_its_own);
CREATE INDEX ON a_very_long_table_name_that_goes_on_and_on_until_it_is_too_long_for (a_column_with_a_rather_long_name_of_its_own);
CREATE INDEX ON a_very_long_table_name_that_goes_on_and_on_until_it_is_too_long_for (a_column_with_a_rather_long_name_of_its_own);
ALTER TABLE a_very_long_table_name_that_goes_on_and_on_until_it_is_too_long_for ADD FOREIGN KEY (another_column_with_a_rather_long_name_as_well) REFERENCES a_very_long_table_name_that_goes_on_and_on_until_it_is_too_long_for (a_column_with_a_rather_long_name_of_its_own);
ALTER TABLE a_very_long_table_name_that_goes_on_and_on_until_it_is_too_long_for ADD CHECK (another_column_with_a_rather_long_name_as_well > 0);
ALTER TABLE a_very_long_table_name_that_goes_on_and_on_until_it_is_too_long_for_another_end ADD COLUMN x integer;
CREATE TABLE a_very_long_table_name_that_goes_on_and_on_until_it_is_too_long_another (id integer);
--- long names in other alphabets
CREATE TABLE "таблица_с_очень_длинным_именем_на_русском_языке" ("колонка_с_длинным_именем" integer UNIQUE, id serial);
CREATE INDEX ON "таблица_с_очень_длинным_именем_на_русском_языке" ("колонка_с_длинным_именем");
ALTER TABLE "таблица_с_очень_длинным_именем_на_русском_языке" ADD CONSTRAINT "ограничение_с_очень_длинным_именем_на_русском" CHECK (id > 0);
ALTER TABLE "таблица_с_очень_длинным_именем_на_русском_языке" DROP CONSTRAINT "ограничение_с_очень_длинным_именем_на_русском";
--- long index and constraint names
CREATE TABLE t (a integer, b integer);
CREATE INDEX ix_t_a_very_long_index_name_that_is_cut_after_sixty_three_bytes_one ON t (a);
CREATE INDEX ix_t_a_very_long_index_name_that_is_cut_after_sixty_three_bytes_two ON t (b);
ALTER TABLE t ADD CONSTRAINT ck_t_a_very_long_constraint_name_that_is_cut_after_sixty_three_1 CHECK (a > 0);
ALTER TABLE t ADD CONSTRAINT ck_t_a_very_long_constraint_name_that_is_cut_after_sixty_three_2 CHECK (a > 0);
ALTER TABLE t ADD COLUMN a_very_long_column_name_that_is_cut_after_sixty_three_bytes_too_one integer;
ALTER TABLE t ADD COLUMN a_very_long_column_name_that_is_cut_after_sixty_three_bytes_too_two integer;
DROP INDEX ix_t_a_very_long_index_name_that_is_cut_after_sixty_three_bytes_other;
--- index names chosen
CREATE TABLE t (a integer, b integer, email text);
CREATE INDEX ON t (a);
CREATE INDEX ON t (a);
CREATE INDEX ON t (a, b);
CREATE INDEX ON t (lower(email));
CREATE INDEX ON t (lower(email), upper(email));
CREATE INDEX ON t ((a + b));
CREATE INDEX ON t ((a + b), (b + a), a);
CREATE INDEX ON t (a) INCLUDE (b);
CREATE INDEX ON t (coalesce(a, 0));
CREATE INDEX ON t ((a::text));
CREATE INDEX ON t ((email || 'x'), lower(email), (lower(email) || 'x'));
CREATE INDEX ON t (lower(email) text_pattern_ops, a DESC);
CREATE INDEX ON t ((case when a > 0 then 1 end));
CREATE INDEX ON t (date_part('year', '2020-01-01'::date + a));
DROP INDEX t_a_idx;
CREATE INDEX ON t (a);
CREATE INDEX ON t (a);
--- names that are taken
CREATE TABLE t (id integer, a integer);
CREATE TABLE t_pkey (id integer);
CREATE TABLE t_a_key (id integer);
ALTER TABLE t ADD PRIMARY KEY (id);
ALTER TABLE t ADD UNIQUE (a);
CREATE TABLE u (id serial);
CREATE TABLE v_id_seq (id integer);
CREATE TABLE v (id serial);
--- index named as a table
CREATE TABLE t (a integer);
CREATE TABLE u (a integer);
CREATE INDEX u ON t (a);
CREATE INDEX ix ON t (a);
CREATE INDEX ix ON t (a);
CREATE INDEX IF NOT EXISTS ix ON t (a);
CREATE INDEX IF NOT EXISTS ix ON t (nope);
CREATE TABLE ix (a integer);
CREATE VIEW ix AS SELECT 1 AS one;
CREATE SEQUENCE ix;
ALTER TABLE u RENAME TO ix;
ALTER TABLE t ADD CONSTRAINT ix UNIQUE (a);
--- index columns
CREATE TABLE t (a integer, b text);
CREATE INDEX ix ON t (nope);
CREATE INDEX ix ON t (lower(nope));
CREATE INDEX ix ON t (a) WHERE nope > 0;
CREATE INDEX ix ON t (a) INCLUDE (nope);
CREATE INDEX ix ON t ((a + nope));
--- index dropped
CREATE TABLE t (a integer UNIQUE, b integer, CONSTRAINT tb UNIQUE (b));
CREATE INDEX ix ON t (a);
DROP INDEX nope;
DROP INDEX IF EXISTS nope;
DROP INDEX t;
DROP TABLE ix;
DROP INDEX t_a_key;
DROP INDEX tb;
DROP INDEX ix;
DROP INDEX ix;
--- index renamed
CREATE TABLE t (a integer, b integer PRIMARY KEY);
CREATE INDEX ix ON t (a);
ALTER INDEX nope RENAME TO x;
ALTER INDEX IF EXISTS nope RENAME TO x;
ALTER INDEX ix RENAME TO t;
ALTER INDEX ix RENAME TO iy;
ALTER INDEX t_pkey RENAME TO pk_t;
ALTER TABLE t RENAME CONSTRAINT pk_t TO t_pkey;
ALTER TABLE t DROP CONSTRAINT pk_t;
ALTER TABLE t RENAME CONSTRAINT nope TO x;
ALTER TABLE t RENAME CONSTRAINT t_pkey TO iy;
--- table renamed keeps the names of its parts
CREATE TABLE t (id serial PRIMARY KEY, a integer UNIQUE);
CREATE INDEX ix_t_a ON t (a);
ALTER TABLE t RENAME TO u;
CREATE TABLE t (id serial PRIMARY KEY, a integer UNIQUE);
ALTER TABLE u RENAME TO t;
DROP TABLE t;
ALTER TABLE u RENAME TO t;
ALTER TABLE u ADD COLUMN x integer;
--- foreign keys
CREATE TABLE a (id integer PRIMARY KEY, code varchar(10), n integer);
CREATE TABLE b (id bigint, a_id integer REFERENCES a, code text);
ALTER TABLE b ADD FOREIGN KEY (nope) REFERENCES a (id);
ALTER TABLE b ADD FOREIGN KEY (a_id) REFERENCES a (nope);
ALTER TABLE b ADD FOREIGN KEY (a_id) REFERENCES nope (id);
ALTER TABLE b ADD FOREIGN KEY (a_id) REFERENCES a (n);
ALTER TABLE b ADD FOREIGN KEY (code) REFERENCES a (code);
ALTER TABLE b ADD FOREIGN KEY (a_id) REFERENCES b;
ALTER TABLE b ADD FOREIGN KEY (code) REFERENCES a (id);
ALTER TABLE b ADD FOREIGN KEY (id) REFERENCES a (id);
ALTER TABLE b ADD FOREIGN KEY (a_id, id) REFERENCES a (id);
ALTER TABLE b ADD CONSTRAINT b_a_id_fkey FOREIGN KEY (a_id) REFERENCES a (id);
DROP TABLE a;
ALTER TABLE a DROP CONSTRAINT a_pkey;
ALTER TABLE a DROP COLUMN id;
TRUNCATE a;
TRUNCATE a, b;
TRUNCATE a CASCADE;
DROP INDEX a_pkey;
ALTER TABLE b DROP COLUMN a_id;
ALTER TABLE b DROP CONSTRAINT b_id_fkey;
DROP TABLE a;
--- foreign key to a missing table
CREATE TABLE b (a_id integer REFERENCES a (id));
--- foreign key to a view
CREATE VIEW v AS SELECT 1 AS id;
CREATE TABLE b (v_id integer);
ALTER TABLE b ADD FOREIGN KEY (v_id) REFERENCES v (id);
--- foreign key on a unique index
CREATE TABLE a (x integer, y integer);
CREATE UNIQUE INDEX ux ON a (x);
CREATE UNIQUE INDEX uy ON a (y) WHERE y > 0;
CREATE TABLE b (x integer REFERENCES a (x));
ALTER TABLE b ADD FOREIGN KEY (x) REFERENCES a (y);
DROP INDEX ux;
DROP INDEX ux CASCADE;
--- composite foreign key in another order
CREATE TABLE a (x integer, y integer, PRIMARY KEY (x, y));
CREATE TABLE b (p integer, q integer, FOREIGN KEY (p, q) REFERENCES a (y, x));
ALTER TABLE b ADD FOREIGN KEY (p) REFERENCES a (x);
--- foreign key types
CREATE TABLE a (i integer UNIQUE, l bigint UNIQUE, n numeric UNIQUE, t text UNIQUE, u uuid UNIQUE, ts timestamp UNIQUE, f double precision UNIQUE);
CREATE TABLE b (i integer, s smallint, l bigint, n numeric, t text, v varchar(20), u uuid, d date, tz timestamptz, f real);
ALTER TABLE b ADD FOREIGN KEY (s) REFERENCES a (i);
ALTER TABLE b ADD FOREIGN KEY (l) REFERENCES a (i);
ALTER TABLE b ADD FOREIGN KEY (i) REFERENCES a (n);
ALTER TABLE b ADD FOREIGN KEY (n) REFERENCES a (i);
ALTER TABLE b ADD FOREIGN KEY (v) REFERENCES a (t);
ALTER TABLE b ADD FOREIGN KEY (t) REFERENCES a (i);
ALTER TABLE b ADD FOREIGN KEY (i) REFERENCES a (t);
ALTER TABLE b ADD FOREIGN KEY (u) REFERENCES a (u);
ALTER TABLE b ADD FOREIGN KEY (u) REFERENCES a (t);
ALTER TABLE b ADD FOREIGN KEY (t) REFERENCES a (u);
ALTER TABLE b ADD FOREIGN KEY (d) REFERENCES a (ts);
ALTER TABLE b ADD FOREIGN KEY (tz) REFERENCES a (ts);
ALTER TABLE b ADD FOREIGN KEY (f) REFERENCES a (f);
ALTER TABLE b ADD FOREIGN KEY (i) REFERENCES a (f);
ALTER TABLE b ADD FOREIGN KEY (f) REFERENCES a (n);
--- foreign key between enums
CREATE TYPE e1 AS ENUM ('a');
CREATE TYPE e2 AS ENUM ('a');
CREATE TABLE a (e e1 UNIQUE, t text UNIQUE);
CREATE TABLE b (e e1, o e2, t text);
ALTER TABLE b ADD FOREIGN KEY (e) REFERENCES a (e);
ALTER TABLE b ADD FOREIGN KEY (o) REFERENCES a (e);
ALTER TABLE b ADD FOREIGN KEY (t) REFERENCES a (e);
ALTER TABLE b ADD FOREIGN KEY (e) REFERENCES a (t);
--- foreign key to itself
CREATE TABLE t (id integer PRIMARY KEY, parent integer REFERENCES t (id));
ALTER TABLE t DROP CONSTRAINT t_pkey;
ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE;
DROP TABLE t;
--- foreign key to itself and its column
CREATE TABLE t (id integer PRIMARY KEY, parent integer REFERENCES t (id));
ALTER TABLE t DROP COLUMN id;
ALTER TABLE t DROP COLUMN parent;
ALTER TABLE t DROP COLUMN id;
--- deferrable key
CREATE TABLE a (x integer UNIQUE DEFERRABLE);
CREATE TABLE b (x integer);
ALTER TABLE b ADD FOREIGN KEY (x) REFERENCES a (x);
--- drop with cascade
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (a_id integer REFERENCES a);
DROP TABLE a CASCADE;
CREATE TABLE a (id integer PRIMARY KEY);
ALTER TABLE b ADD FOREIGN KEY (a_id) REFERENCES a;
ALTER TABLE a DROP CONSTRAINT a_pkey CASCADE;
ALTER TABLE a ADD PRIMARY KEY (id);
ALTER TABLE b ADD FOREIGN KEY (a_id) REFERENCES a;
ALTER TABLE a DROP COLUMN id CASCADE;
--- drop of both at once
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (a_id integer REFERENCES a);
DROP TABLE a, b;
--- constraints
CREATE TABLE t (a integer, b integer);
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);
ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0);
ALTER TABLE t ADD CONSTRAINT c UNIQUE (b);
ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (b) REFERENCES t (a);
ALTER TABLE t ADD CONSTRAINT d CHECK (nope > 0);
ALTER TABLE t DROP CONSTRAINT nope;
ALTER TABLE t DROP CONSTRAINT IF EXISTS nope;
ALTER TABLE t VALIDATE CONSTRAINT nope;
ALTER TABLE t ADD CONSTRAINT u UNIQUE (a);
ALTER TABLE t VALIDATE CONSTRAINT u;
ALTER TABLE t VALIDATE CONSTRAINT c;
ALTER TABLE t RENAME CONSTRAINT c TO u;
ALTER TABLE t RENAME CONSTRAINT c TO e;
ALTER TABLE t DROP CONSTRAINT c;
ALTER TABLE t DROP CONSTRAINT e;
ALTER TABLE t DROP CONSTRAINT u;
--- check names twice in one statement
CREATE TABLE t (a integer, CONSTRAINT c CHECK (a > 0), CONSTRAINT c CHECK (a > 1));
--- check on a missing column
CREATE TABLE t (a integer, CHECK (b > 0));
--- constraint using an index
CREATE TABLE t (a integer, b integer);
CREATE TABLE u (a integer);
CREATE UNIQUE INDEX ua ON t (a);
CREATE INDEX ib ON t (b);
CREATE UNIQUE INDEX up ON t (b) WHERE b > 0;
CREATE UNIQUE INDEX ue ON t ((b + 1));
ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX nope;
ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX ib;
ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX up;
ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX ue;
ALTER TABLE u ADD CONSTRAINT k UNIQUE USING INDEX ua;
ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY USING INDEX ua;
ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX pk;
DROP INDEX pk;
--- columns in use
CREATE TABLE t (a integer, b integer, c integer, CHECK (a < b), UNIQUE (b, c));
CREATE INDEX ix ON t (c) WHERE a > 0;
CREATE INDEX iy ON t (b, c);
CREATE INDEX iz ON t (c) INCLUDE (a);
ALTER TABLE t DROP COLUMN a;
CREATE INDEX ix ON t (c);
ALTER TABLE t DROP COLUMN c;
--- column renamed in its parts
CREATE TABLE t (id serial PRIMARY KEY, a integer, UNIQUE (a));
CREATE INDEX ix ON t (a) WHERE a > 0;
CREATE TABLE u (t_a integer REFERENCES t (a));
ALTER TABLE t RENAME COLUMN a TO b;
ALTER TABLE u ADD FOREIGN KEY (t_a) REFERENCES t (b);
ALTER TABLE u ADD FOREIGN KEY (t_a) REFERENCES t (a);
ALTER TABLE t DROP COLUMN b;
ALTER TABLE t RENAME COLUMN id TO key;
ALTER TABLE t DROP COLUMN key;
--- views
CREATE TABLE t (a integer, b integer);
CREATE VIEW v AS SELECT a FROM t;
CREATE VIEW v AS SELECT a FROM t;
CREATE OR REPLACE VIEW v AS SELECT a FROM t;
CREATE OR REPLACE VIEW t AS SELECT 1 AS a;
CREATE VIEW w AS SELECT * FROM v;
DROP TABLE t;
DROP VIEW v;
DROP VIEW t;
DROP TABLE v;
DROP VIEW nope;
DROP VIEW IF EXISTS nope;
ALTER TABLE t DROP COLUMN a;
ALTER TABLE t ALTER COLUMN a TYPE bigint;
ALTER TABLE t DROP COLUMN b;
ALTER VIEW v RENAME TO x;
ALTER VIEW t RENAME TO x2;
DROP VIEW w;
DROP VIEW x;
DROP TABLE t;
--- views dropped with their table
CREATE TABLE t (a integer);
CREATE VIEW v AS SELECT a FROM t;
CREATE VIEW w AS SELECT a FROM v;
DROP TABLE t CASCADE;
--- views and a column with cascade
CREATE TABLE t (a integer, b integer);
CREATE VIEW v AS SELECT a FROM t;
ALTER TABLE t DROP COLUMN a CASCADE;
--- view on itself after a rename of its table
CREATE TABLE t (a integer);
CREATE VIEW v AS SELECT a FROM t;
ALTER TABLE t RENAME TO u;
DROP TABLE u;
DROP VIEW v;
DROP TABLE u;
--- materialized views
CREATE TABLE t (a integer);
CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
CREATE MATERIALIZED VIEW IF NOT EXISTS m AS SELECT a FROM t;
CREATE UNIQUE INDEX ON m (a);
REFRESH MATERIALIZED VIEW m;
REFRESH MATERIALIZED VIEW nope;
DROP VIEW m;
DROP MATERIALIZED VIEW nope;
DROP TABLE t;
DROP MATERIALIZED VIEW m;
DROP TABLE t;
--- tables made of a query
CREATE TABLE t (a integer);
CREATE TABLE u AS SELECT * FROM nope;
CREATE TABLE t AS SELECT 1 AS a;
--- serial
CREATE TABLE t (id serial PRIMARY KEY, n bigserial);
DROP SEQUENCE t_id_seq;
CREATE SEQUENCE t_n_seq;
ALTER TABLE t ALTER COLUMN id DROP DEFAULT;
DROP SEQUENCE t_id_seq;
ALTER TABLE t DROP COLUMN n;
DROP SEQUENCE t_n_seq;
--- identity
CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY, n integer NOT NULL, o integer);
DROP SEQUENCE t_id_seq;
ALTER TABLE t ALTER COLUMN id SET DEFAULT 1;
ALTER TABLE t ALTER COLUMN id DROP NOT NULL;
ALTER TABLE t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE t ALTER COLUMN o ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE t ALTER COLUMN o DROP IDENTITY;
ALTER TABLE t ALTER COLUMN n ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE t ALTER COLUMN id DROP IDENTITY;
ALTER TABLE t ALTER COLUMN id DROP IDENTITY IF EXISTS;
--- sequences
CREATE SEQUENCE s;
CREATE SEQUENCE s;
CREATE SEQUENCE IF NOT EXISTS s;
CREATE TABLE t (id integer DEFAULT nextval('s'));
DROP SEQUENCE s;
ALTER TABLE t ALTER COLUMN id DROP DEFAULT;
ALTER SEQUENCE s OWNED BY t.id;
ALTER SEQUENCE s OWNED BY t.nope;
ALTER SEQUENCE nope OWNED BY NONE;
DROP SEQUENCE nope;
DROP SEQUENCE t;
DROP TABLE s;
ALTER SEQUENCE s RENAME TO r;
DROP TABLE t;
DROP SEQUENCE r;
--- sequence missing in a default
CREATE TABLE t (id integer DEFAULT nextval('nope'));
--- sequence missing in a later default
CREATE TABLE t (id integer);
ALTER TABLE t ALTER COLUMN id SET DEFAULT nextval('t_id_seq'::regclass);
CREATE SEQUENCE t_id_seq OWNED BY t.id;
ALTER TABLE t ALTER COLUMN id SET DEFAULT nextval('t_id_seq'::regclass);
DROP SEQUENCE t_id_seq;
DROP SEQUENCE t_id_seq CASCADE;
--- generated columns
CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED);
ALTER TABLE t DROP COLUMN a;
ALTER TABLE t ALTER COLUMN a TYPE bigint;
ALTER TABLE t ALTER COLUMN b SET DEFAULT 1;
ALTER TABLE t DROP COLUMN b;
ALTER TABLE t DROP COLUMN a;
--- type changes
CREATE TABLE t (a text, b integer, c varchar(10), d boolean, e timestamp, f jsonb);
ALTER TABLE t ALTER COLUMN a TYPE integer;
ALTER TABLE t ALTER COLUMN a TYPE uuid;
ALTER TABLE t ALTER COLUMN a TYPE integer USING a::integer;
ALTER TABLE t ALTER COLUMN b TYPE bigint;
ALTER TABLE t ALTER COLUMN b TYPE text;
ALTER TABLE t ALTER COLUMN c TYPE varchar(20);
ALTER TABLE t ALTER COLUMN c TYPE text;
ALTER TABLE t ALTER COLUMN d TYPE integer;
ALTER TABLE t ALTER COLUMN d TYPE text;
ALTER TABLE t ALTER COLUMN e TYPE timestamptz;
ALTER TABLE t ALTER COLUMN e TYPE integer;
ALTER TABLE t ALTER COLUMN f TYPE json;
--- type changes and defaults
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (a varchar(10) DEFAULT 'ok', b varchar(10), c text DEFAULT NULL);
ALTER TABLE t ALTER COLUMN b TYPE mood;
ALTER TABLE t ALTER COLUMN b TYPE mood USING b::mood;
ALTER TABLE t ALTER COLUMN c TYPE mood USING c::mood;
ALTER TABLE t ALTER COLUMN b TYPE text;
ALTER TABLE t ALTER COLUMN c TYPE integer;
ALTER TABLE t ALTER COLUMN a TYPE mood USING a::mood;
--- type changes with the default out of the way
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE feeling AS ENUM ('sad', 'ok');
CREATE TABLE t (a varchar(10) DEFAULT 'ok');
ALTER TABLE t ALTER COLUMN a DROP DEFAULT;
ALTER TABLE t ALTER COLUMN a TYPE mood USING a::mood;
ALTER TABLE t ALTER COLUMN a SET DEFAULT 'ok';
ALTER TABLE t ALTER COLUMN a TYPE feeling;
--- type changes and defaults of an enum
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE feeling AS ENUM ('sad', 'ok');
CREATE TABLE t (a mood DEFAULT 'ok');
ALTER TABLE t ALTER COLUMN a TYPE feeling USING a::text::feeling;
--- type change under a foreign key
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (a_id integer REFERENCES a);
ALTER TABLE b ALTER COLUMN a_id TYPE bigint;
ALTER TABLE b ALTER COLUMN a_id TYPE text;
--- enum renamed away and made again
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (a mood);
ALTER TYPE mood RENAME TO mood_old;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
ALTER TABLE t ALTER COLUMN a TYPE mood USING a::text::mood;
DROP TYPE mood_old;
--- enum renamed away too early
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (a mood);
ALTER TYPE mood RENAME TO mood_old;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
DROP TYPE mood_old;
--- schemas
CREATE SCHEMA app;
CREATE TABLE t (id serial PRIMARY KEY, a integer UNIQUE);
CREATE INDEX ix ON t (a);
CREATE TABLE app.u (id integer);
ALTER TABLE t SET SCHEMA nope;
ALTER TABLE app.u SET SCHEMA public;
ALTER TABLE t SET SCHEMA app;
CREATE TABLE t (id serial PRIMARY KEY);
ALTER TABLE t SET SCHEMA app;
DROP INDEX ix;
DROP INDEX app.ix;
CREATE SCHEMA pg_mine;
ALTER TABLE app.t ADD UNIQUE (a);
--- search path
CREATE SCHEMA app;
SET search_path TO app, public;
CREATE TABLE t (a integer);
ALTER TABLE public.t ADD COLUMN b integer;
ALTER TABLE t ADD COLUMN b integer;
CREATE TABLE public.u (a integer);
ALTER TABLE u ADD COLUMN b integer;
SET search_path TO public;
ALTER TABLE t ADD COLUMN c integer;
--- temporary tables
CREATE TABLE t (a integer);
CREATE TEMPORARY TABLE t (b integer);
ALTER TABLE t ADD COLUMN a integer;
CREATE TEMP TABLE t (x integer);
DROP TABLE t;
ALTER TABLE t ADD COLUMN a integer;
--- partitions
CREATE TABLE p (id integer, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE p2 PARTITION OF nope FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
ALTER TABLE p ADD COLUMN note text;
ALTER TABLE p RENAME COLUMN note TO remark;
ALTER TABLE p DROP COLUMN remark;
CREATE TABLE p3 (id integer NOT NULL, day date NOT NULL, CONSTRAINT p3_pk PRIMARY KEY (id, day));
ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
ALTER TABLE p DETACH PARTITION p3;
CREATE INDEX CONCURRENTLY ix ON p (id);
DROP TABLE p;
ALTER TABLE p1 ADD COLUMN x integer;
--- attach to a plain table
CREATE TABLE t (a integer);
CREATE TABLE u (a integer);
ALTER TABLE t ATTACH PARTITION u FOR VALUES IN (1);
--- inheritance
CREATE TABLE parent (a integer);
CREATE TABLE child (b integer) INHERITS (parent);
ALTER TABLE parent ADD COLUMN c integer;
DROP TABLE parent;
ALTER TABLE parent DROP COLUMN a;
DROP TABLE parent CASCADE;
--- triggers
CREATE TABLE t (a integer);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
CREATE OR REPLACE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
CREATE TRIGGER tr BEFORE INSERT ON nope FOR EACH ROW EXECUTE FUNCTION f();
DROP TRIGGER nope ON t;
DROP TRIGGER IF EXISTS nope ON t;
DROP TRIGGER tr ON nope;
DROP TRIGGER IF EXISTS tr ON nope;
DROP TRIGGER tr ON t;
DROP TRIGGER tr ON t;
--- policies
CREATE TABLE t (a integer);
CREATE POLICY p ON t USING (true);
CREATE POLICY p ON t USING (true);
CREATE POLICY p ON nope USING (true);
DROP POLICY nope ON t;
DROP POLICY IF EXISTS nope ON t;
DROP POLICY p ON t;
DROP POLICY p ON t;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
ALTER TABLE nope ENABLE ROW LEVEL SECURITY;
--- statistics
CREATE TABLE t (a integer, b integer);
CREATE STATISTICS st ON a, b FROM t;
CREATE STATISTICS st ON a, b FROM t;
CREATE STATISTICS IF NOT EXISTS st ON a, b FROM t;
CREATE STATISTICS s2 ON a, b FROM nope;
DROP STATISTICS nope;
DROP STATISTICS IF EXISTS nope;
DROP STATISTICS st;
DROP STATISTICS st;
--- functions
CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 2';
DROP FUNCTION f;
DROP FUNCTION IF EXISTS f;
--- in a transaction: concurrently
CREATE TABLE t (a integer);
BEGIN;
CREATE INDEX CONCURRENTLY ix ON t (a);
--- in a transaction: drop concurrently
CREATE TABLE t (a integer);
CREATE INDEX ix ON t (a);
BEGIN;
DROP INDEX CONCURRENTLY ix;
--- in a transaction: vacuum
CREATE TABLE t (a integer);
BEGIN;
VACUUM t;
--- in a transaction: reindex concurrently
CREATE TABLE t (a integer);
CREATE INDEX ix ON t (a);
BEGIN;
REINDEX INDEX CONCURRENTLY ix;
--- in a transaction: database
BEGIN;
CREATE DATABASE x;
--- outside of a transaction
CREATE TABLE t (a integer);
CREATE INDEX CONCURRENTLY ix ON t (a);
CREATE INDEX CONCURRENTLY ix ON t (a);
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON t (a);
DROP INDEX CONCURRENTLY ix;
VACUUM t;
BEGIN;
ALTER TABLE t ADD COLUMN b integer;
COMMIT;
CREATE INDEX CONCURRENTLY ON t (b);
--- new enum value used
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE t (m mood);
BEGIN;
ALTER TYPE mood ADD VALUE 'ok';
ALTER TABLE t ALTER COLUMN m SET DEFAULT 'ok';
--- new enum value used in an update
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE t (m mood);
BEGIN;
ALTER TYPE mood ADD VALUE 'ok';
UPDATE t SET m = 'ok';
--- new enum value in an index
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE t (m mood);
BEGIN;
ALTER TYPE mood ADD VALUE 'ok';
CREATE INDEX ix ON t (m) WHERE m = 'ok';
--- new enum value in a check
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE t (m mood);
BEGIN;
ALTER TYPE mood ADD VALUE 'ok';
ALTER TABLE t ADD CONSTRAINT c CHECK (m <> 'ok');
--- new enum value of a new type
BEGIN;
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE t (m mood);
ALTER TYPE mood ADD VALUE 'ok';
ALTER TABLE t ALTER COLUMN m SET DEFAULT 'ok';
COMMIT;
--- new enum value after the commit
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE t (m mood);
BEGIN;
ALTER TYPE mood ADD VALUE 'ok';
COMMIT;
ALTER TABLE t ALTER COLUMN m SET DEFAULT 'ok';
UPDATE t SET m = 'ok';
--- kinds mixed up
CREATE TABLE t (a integer);
CREATE INDEX ix ON t (a);
CREATE VIEW v AS SELECT 1 AS a;
CREATE SEQUENCE s;
ALTER TABLE v ADD COLUMN b integer;
ALTER TABLE ix ADD COLUMN b integer;
ALTER TABLE s DROP COLUMN b;
ALTER TABLE v ADD CONSTRAINT c CHECK (a > 0);
CREATE INDEX iv ON v (a);
DROP TABLE v;
DROP TABLE s;
DROP SEQUENCE v;
DROP MATERIALIZED VIEW t;
ALTER TABLE v RENAME TO w;
ALTER TABLE s RENAME TO r;
ALTER TABLE ix RENAME TO iy;
--- exclusion constraints
CREATE TABLE t (a integer, r int4range, EXCLUDE USING gist (r WITH &&));
ALTER TABLE t ADD EXCLUDE USING gist (r WITH &&);
ALTER TABLE t DROP COLUMN r;
--- comments elsewhere
CREATE TABLE t (a integer, CONSTRAINT c CHECK (a > 0));
COMMENT ON TABLE t IS 'x';
COMMENT ON COLUMN t.a IS 'x';
COMMENT ON SCHEMA public IS 'x';
COMMENT ON CONSTRAINT c ON t IS 'x';
--- not null stays after a rename
CREATE TABLE t (a integer NOT NULL, b integer);
ALTER TABLE t RENAME COLUMN a TO c;
ALTER TABLE t ALTER COLUMN b SET NOT NULL;
ALTER TABLE t ALTER COLUMN c DROP NOT NULL;
--- several commands at once
CREATE TABLE t (a integer);
ALTER TABLE t ADD COLUMN b integer, ADD COLUMN c integer, ADD CONSTRAINT u UNIQUE (a);
ALTER TABLE t DROP COLUMN b, DROP CONSTRAINT u, ALTER COLUMN a SET NOT NULL;
--- quoted names
CREATE TABLE "User" ("Id" integer PRIMARY KEY, "e mail" text UNIQUE);
ALTER TABLE user_ ADD COLUMN a integer;
ALTER TABLE "User" DROP COLUMN id;
CREATE INDEX "Ix" ON "User" ("e mail");
DROP INDEX ix;
CREATE TABLE "User" (a integer);
ALTER TABLE "User" ADD UNIQUE ("Id", "e mail");
--- hstore and ltree
CREATE EXTENSION hstore;
CREATE TABLE t (h hstore);
CREATE TABLE u (l ltree);
--- drop and make again
CREATE TABLE t (id serial PRIMARY KEY);
DROP TABLE t;
CREATE TABLE t (id serial PRIMARY KEY);
DROP TABLE t;
ALTER TABLE t ADD COLUMN a integer;
DROP TABLE t;
--- column dropped and added again
CREATE TABLE t (id integer, a integer UNIQUE);
ALTER TABLE t DROP COLUMN a;
ALTER TABLE t DROP COLUMN a;
ALTER TABLE t ADD COLUMN a text UNIQUE;
CREATE INDEX ix ON t (b);
--- missing column of a primary key in a table
CREATE TABLE t (a integer, PRIMARY KEY (nope));
--- missing column of a primary key, named
CREATE TABLE t (a integer);
ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY (a, nope);
ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a, nope);
ALTER TABLE t ADD COLUMN b integer PRIMARY KEY;
ALTER TABLE t ADD COLUMN c integer PRIMARY KEY;
--- detach from a plain table
CREATE TABLE t (a integer);
CREATE TABLE u (a integer);
ALTER TABLE t DETACH PARTITION u;
--- detach concurrently in a transaction
CREATE TABLE p (id integer) PARTITION BY LIST (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
BEGIN;
ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;
--- foreign keys on partitioned tables
CREATE TABLE p (id integer PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE u (p_id integer REFERENCES p (id));
DROP TABLE p;
ALTER TABLE p DROP CONSTRAINT p_pkey;
--- partition of a table that is not partitioned
CREATE TABLE t (a integer);
CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);
--- like
CREATE TABLE t (a integer, b text);
CREATE TABLE u (LIKE t INCLUDING ALL);
CREATE TABLE v (LIKE nope);
--- checks and inline names
CREATE TABLE t (a integer CONSTRAINT a_pos CHECK (a > 0), b integer CONSTRAINT b_uq UNIQUE, c integer CONSTRAINT c_pk PRIMARY KEY, d integer CONSTRAINT d_fk REFERENCES t (c));
ALTER TABLE t DROP CONSTRAINT a_pos, DROP CONSTRAINT b_uq, DROP CONSTRAINT d_fk, DROP CONSTRAINT c_pk;
--- check with a function
CREATE TABLE t (a text, b text, CHECK (length(a) > 3), CHECK (lower(a) = upper(b)), CHECK (t.a <> ''));
ALTER TABLE t ADD CHECK (char_length(b) < 5);
ALTER TABLE t RENAME CONSTRAINT t_a_check TO renamed;
ALTER TABLE t ADD CHECK (a <> 'z');
ALTER TABLE t DROP COLUMN a;
--- names are shared by foreign keys and checks in a schema
CREATE TABLE t (a integer PRIMARY KEY);
CREATE TABLE u (a integer, CONSTRAINT t_a_check CHECK (a > 0));
ALTER TABLE t ADD CHECK (a > 0);
CREATE TABLE v (a integer CONSTRAINT w_a_fkey REFERENCES t);
CREATE TABLE w (a integer REFERENCES t, CONSTRAINT w_a_key CHECK (a > 1));
ALTER TABLE w ADD UNIQUE (a);
--- two foreign keys on a column
CREATE TABLE t (a integer PRIMARY KEY);
CREATE TABLE u (a integer REFERENCES t, FOREIGN KEY (a) REFERENCES t);
ALTER TABLE u DROP CONSTRAINT u_a_fkey;
ALTER TABLE u ADD FOREIGN KEY (a) REFERENCES t;
ALTER TABLE u DROP CONSTRAINT u_a_fkey2;
--- many of one name
CREATE TABLE t (a integer);
CREATE INDEX ON t (a);
CREATE INDEX ON t (a);
CREATE INDEX ON t (a);
CREATE INDEX ON t (a);
DROP INDEX t_a_idx2;
DROP INDEX t_a_idx1;
CREATE INDEX ON t (a);
CREATE INDEX ON t (a);
CREATE INDEX ON t (a);
ALTER INDEX t_a_idx RENAME TO t_a_idx9;
CREATE INDEX ON t (a);
CREATE INDEX ON t (a);
DROP TABLE t;
CREATE TABLE t (a integer);
CREATE INDEX ON t (a);
--- sequences numbered
CREATE SEQUENCE t_id_seq;
CREATE TABLE t (id serial);
DROP TABLE t;
CREATE TABLE t (id serial);
ALTER TABLE t RENAME COLUMN id TO key;
ALTER TABLE t ADD COLUMN id serial;
--- serial added later
CREATE TABLE t (a integer);
ALTER TABLE t ADD COLUMN id serial PRIMARY KEY;
ALTER TABLE t ADD COLUMN n bigint GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE t DROP COLUMN id, DROP COLUMN n;
--- sequence moved to another owner
CREATE TABLE t (a integer);
CREATE TABLE u (a integer);
CREATE SEQUENCE s OWNED BY t.a;
ALTER SEQUENCE s OWNED BY u.a;
DROP TABLE t;
DROP TABLE u;
DROP SEQUENCE s;
--- drop column with its own sequence in use elsewhere
CREATE TABLE t (id serial);
CREATE TABLE u (id integer DEFAULT nextval('t_id_seq'));
DROP TABLE t;
DROP TABLE t CASCADE;
--- column of a view over two tables
CREATE TABLE a (x integer, y integer);
CREATE TABLE b (z integer);
CREATE VIEW v AS SELECT x, z FROM a, b;
ALTER TABLE a DROP COLUMN y;
DROP TABLE b;
--- schema rename of a type
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('a');
CREATE TABLE t (m app.mood);
DROP TYPE mood;
DROP TYPE app.mood;
DROP SCHEMA app;
--- type in another schema is not found
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('a');
CREATE TABLE t (m mood);
--- missing type with a schema
CREATE SCHEMA app;
CREATE TABLE t (m app.mood);
--- create and replace
CREATE OR REPLACE VIEW v AS SELECT 1 AS a;
CREATE OR REPLACE VIEW v AS SELECT 1 AS a, 2 AS b;
--- view twice removed
CREATE TABLE t (a integer);
CREATE VIEW v AS SELECT a FROM t;
CREATE VIEW w AS SELECT a FROM v;
DROP VIEW v, w;
DROP TABLE t;
--- view with a common table expression
CREATE TABLE t (a integer);
CREATE VIEW v AS WITH x AS (SELECT a FROM t) SELECT a FROM x;
DROP TABLE t;
--- truncate with and without
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (id integer REFERENCES a);
TRUNCATE nope;
TRUNCATE TABLE b;
TRUNCATE TABLE a;
--- alter table's other commands
CREATE TABLE t (a integer);
ALTER TABLE t SET (fillfactor = 70);
ALTER TABLE t ALTER COLUMN a SET STATISTICS 100;
ALTER TABLE t ALTER COLUMN nope SET STATISTICS 100;
ALTER TABLE nope SET (fillfactor = 70);
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
--- grants
CREATE TABLE t (a integer);
GRANT SELECT ON t TO PUBLIC;
GRANT SELECT ON nope TO PUBLIC;
--- comment on what is no relation
COMMENT ON TYPE nope IS 'x';
COMMENT ON INDEX nope IS 'x';
COMMENT ON SCHEMA nope IS 'x';
--- drop not null of a composite key
CREATE TABLE t (a integer, b integer, PRIMARY KEY (a, b));
ALTER TABLE t ALTER COLUMN b DROP NOT NULL;
ALTER TABLE t RENAME COLUMN b TO c;
ALTER TABLE t ALTER COLUMN c DROP NOT NULL;
ALTER TABLE t DROP COLUMN a;
ALTER TABLE t ALTER COLUMN c DROP NOT NULL;
--- enum array
CREATE TYPE mood AS ENUM ('a');
CREATE TABLE t (m mood[]);
DROP TYPE mood;
ALTER TABLE t DROP COLUMN m;
DROP TYPE mood;
--- rename to itself
CREATE TABLE t (a integer);
ALTER TABLE t RENAME TO t;
ALTER TABLE t RENAME COLUMN a TO a;
--- drop type of a dropped table
CREATE TYPE mood AS ENUM ('a');
CREATE TABLE t (m mood, n mood);
DROP TYPE mood;
DROP TABLE t;
DROP TYPE mood;
--- on delete and not valid
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (a_id integer);
ALTER TABLE b ADD CONSTRAINT fk FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE CASCADE NOT VALID;
ALTER TABLE b VALIDATE CONSTRAINT fk;
ALTER TABLE b ADD CONSTRAINT ck CHECK (a_id > 0) NOT VALID;
ALTER TABLE b VALIDATE CONSTRAINT ck;
--- drop index of a primary key's table
CREATE TABLE t (id integer CONSTRAINT pk PRIMARY KEY);
DROP INDEX pk;
DROP INDEX pk CASCADE;
ALTER TABLE t DROP CONSTRAINT pk;
DROP INDEX pk;
--- unique index and constraint of one name
CREATE TABLE t (a integer);
CREATE UNIQUE INDEX uq_t_a ON t (a);
ALTER TABLE t ADD CONSTRAINT uq_t_a UNIQUE (a);
DROP INDEX uq_t_a;
ALTER TABLE t ADD CONSTRAINT uq_t_a UNIQUE (a);
CREATE UNIQUE INDEX uq_t_a ON t (a);
--- typed by hand
CREATE TABLE t (a int4, b varchar, c character(3), d timestamp(3), e numeric(10, 2)[], f timetz, g bool, h float8, i bit(3), j "char");
--- columns written
CREATE TABLE t (id integer PRIMARY KEY, a text);
INSERT INTO t (id, nope) VALUES (1, 'x');
INSERT INTO t (id, a) VALUES (1, 'x');
INSERT INTO t VALUES (2, 'x');
UPDATE t SET nope = 1;
UPDATE t SET a = 'y' WHERE nope = 1;
UPDATE t SET a = 'y' WHERE t.id = 1 AND ctid IS NOT NULL;
UPDATE t SET a = u.a FROM (SELECT 1 AS key, 'b' AS a) AS u WHERE u.key = t.id;
UPDATE t AS x SET a = 'y' WHERE x.id = 1;
DELETE FROM t WHERE nope = 1;
DELETE FROM t WHERE id IN (SELECT x.y FROM (SELECT 1 AS y) AS x);
DELETE FROM t USING (SELECT 1 AS z) AS u WHERE u.z = id;
INSERT INTO t (id) SELECT 5 ON CONFLICT (id) DO UPDATE SET a = excluded.a;
WITH w AS (SELECT 1 AS q) UPDATE t SET a = 'z' FROM w WHERE w.q = id;
--- exclusion constraints of expressions
CREATE TABLE t (id integer, r int4range, EXCLUDE USING gist (int4range(id, id + 1) WITH &&));
ALTER TABLE t ADD EXCLUDE USING gist (r WITH &&, int4range(id, 9) WITH =);
ALTER TABLE t ADD EXCLUDE USING gist ((int4range(id, 9)) WITH =);
ALTER TABLE t ADD EXCLUDE USING gist ((int4range(id, 9) * r) WITH =, r WITH =);
--- children inherit
CREATE TABLE parent (a integer PRIMARY KEY, CHECK (a > 0));
CREATE TABLE child (b integer) INHERITS (parent);
ALTER TABLE parent ADD CONSTRAINT named CHECK (a < 100);
ALTER TABLE parent ADD UNIQUE (a);
CREATE INDEX ON parent (a);
--- partitions inherit
CREATE TABLE other_table (id integer PRIMARY KEY);
CREATE TABLE p (id integer, o integer REFERENCES other_table, CHECK (o > 0), UNIQUE (id)) PARTITION BY LIST (id);
CREATE INDEX ix ON p (o);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
ALTER TABLE p ADD CONSTRAINT later CHECK (o < 5);
CREATE INDEX iy ON p (o, id);
ALTER TABLE p ADD PRIMARY KEY (id);
