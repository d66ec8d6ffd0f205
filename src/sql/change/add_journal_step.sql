-- What the journal of an older version lacks: the step of the plan that a change belongs to.
-- @server 14+
ALTER TABLE pgmend.journal ADD COLUMN IF NOT EXISTS step text;
