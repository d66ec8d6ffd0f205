\ir ../../tables.sql
CREATE INDEX account_plan ON account (plan);
CREATE INDEX message_body ON message (body);
CREATE TABLE event (id bigint, at date) PARTITION BY RANGE (at);
CREATE VIEW recent AS SELECT * FROM message;
CREATE SEQUENCE taken;
