CREATE INDEX "Quoted ""name""" ON "Other one"."Order" ("from");
CREATE INDEX not_quoted ON MESSAGE (Created_At);
CREATE INDEX grün ON message (body text_pattern_ops);
CREATE INDEX name_of_63_bytes_9012345678901234567890123456789012345678901234 ON message ((id + 1));
CREATE INDEX open_orders ON "Other one"."Order" (id DESC NULLS LAST) INCLUDE (note)
    WITH (fillfactor = 70)
    TABLESPACE pg_default
    WHERE state = 'open' AND note IS NOT NULL;
-- The same one under another name.
CREATE INDEX open_orders_again ON "Other one"."Order" (id DESC NULLS LAST) INCLUDE (note)
    WITH (fillfactor = 70) WHERE state = 'open' AND note IS NOT NULL;
CREATE INDEX by_hash ON message USING hash (account_id);
CREATE UNIQUE INDEX totals_account ON totals (account_id);
