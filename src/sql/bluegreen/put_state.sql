-- Keeps what is known of the pair; the schema stays what it was when none is given.
-- @arg id text
-- @arg version int8
-- @arg state text JSON
-- @arg schema text JSON, or NULL
-- @server 14+
INSERT INTO pgmend.bluegreen (id, version, state, schema, changed_at)
VALUES ($1, $2, $3, $4, pg_catalog.clock_timestamp())
ON CONFLICT (id) DO UPDATE
   SET version = EXCLUDED.version, state = EXCLUDED.state,
       schema = COALESCE(EXCLUDED.schema, bluegreen.schema), changed_at = EXCLUDED.changed_at
 WHERE bluegreen.version <= EXCLUDED.version;
