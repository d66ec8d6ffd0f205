\ir ../../tables.sql
CREATE INDEX message_body ON message (body);
CREATE UNIQUE INDEX account_email ON account (email);
