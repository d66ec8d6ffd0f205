\ir ../../tables.sql
CREATE SCHEMA "Other one";
CREATE TABLE "Other one"."Order" (id bigint, "from" text, note text, state text);
CREATE MATERIALIZED VIEW totals AS SELECT account_id, count(*) AS messages FROM message GROUP BY 1;
