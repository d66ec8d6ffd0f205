-- One row a value of a goal that somebody told.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.kpi_value (
    name text NOT NULL REFERENCES pgmend.kpi,
    at timestamptz NOT NULL,
    value double precision NOT NULL,
    note text,
    recorded_by text NOT NULL DEFAULT session_user,
    recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (name, at)
)
