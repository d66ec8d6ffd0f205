-- Adds a goal, or changes what is given of one.
-- @arg name text
-- @arg title text?
-- @arg unit text?
-- @arg less_is_better text?
-- @arg target text?
-- @arg deadline text?
-- @server 14+
INSERT INTO pgmend.kpi AS k (name, title, unit, less_is_better, target, deadline)
VALUES ($1, $2, $3, $4::text::boolean, $5::text::double precision, $6::text::date)
ON CONFLICT (name) DO UPDATE
   SET title = coalesce(EXCLUDED.title, k.title),
       unit = coalesce(EXCLUDED.unit, k.unit),
       less_is_better = coalesce(EXCLUDED.less_is_better, k.less_is_better),
       target = coalesce(EXCLUDED.target, k.target),
       deadline = coalesce(EXCLUDED.deadline, k.deadline)
