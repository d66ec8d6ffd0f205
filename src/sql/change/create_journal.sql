-- One row a change: written before it starts and again after it ends.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.journal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry text NOT NULL UNIQUE,
    run text NOT NULL,
    step text,
    kind text NOT NULL,
    object text NOT NULL,
    relation text,
    statement text NOT NULL,
    undo text,
    state text NOT NULL
        CHECK (state IN ('started', 'done', 'failed', 'leftover', 'undoing', 'undone')),
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    detail json NOT NULL DEFAULT '{}'
);
