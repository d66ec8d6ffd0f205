CREATE INDEX message_body ON public.message USING btree (body ASC NULLS LAST);
CREATE INDEX another_name ON message (body);
CREATE UNIQUE INDEX IF NOT EXISTS account_email ON account ("email");
