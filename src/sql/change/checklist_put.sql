-- Keeps a tick of the checklist, or its withdrawal.
-- @arg item text
-- @arg done bool
-- @arg note text?
-- @server 14+
INSERT INTO pgmend.checklist (item, done, note, actor, recorded_at)
VALUES ($1, $2::boolean, $3, SESSION_USER, pg_catalog.clock_timestamp());
