-- One row a step of a plan that was begun: what became of it. The states are those of change/step.h.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.step (
    number bigint GENERATED ALWAYS AS IDENTITY,
    plan_hash text NOT NULL,
    step text NOT NULL,
    phase integer NOT NULL,
    title text NOT NULL,
    feature text NOT NULL,
    state text NOT NULL
        CHECK (state IN ('running', 'proven', 'waiting', 'done', 'undoing', 'undone', 'failed',
                         'by hand', 'ticked')),
    run text,
    promise text,
    why text,
    before json,
    after json,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (plan_hash, step)
);
