-- What people have ticked of the checklist: a row a tick or its withdrawal, the newest of an item counts.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.checklist (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item text NOT NULL,
    done boolean NOT NULL,
    note text,
    actor text NOT NULL,
    recorded_at timestamptz NOT NULL
)
