-- A metric with a set of labels, whichever server has it.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.series (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    metric text NOT NULL,
    labels text NOT NULL,
    seen date NOT NULL,
    UNIQUE (metric, labels)
)
