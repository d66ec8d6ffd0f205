-- One row a goal: the plan's own, with what was changed of them, and those that people add.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.kpi (
    name text PRIMARY KEY,
    title text,              -- NULL here and below: as the program knows it
    unit text,
    less_is_better boolean,
    target double precision,
    deadline date
)
