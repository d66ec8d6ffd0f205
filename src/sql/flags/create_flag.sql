-- Which variant of something who gets: a row a flag.
-- @server 14+
CREATE TABLE IF NOT EXISTS pgmend.flag (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_.]{0,99}$'),
    variant text NOT NULL CHECK (variant ~ '^[a-z][a-z0-9_]{0,39}$'),
    percent integer NOT NULL CHECK (percent BETWEEN 0 AND 100),
    salt text NOT NULL CHECK (pg_catalog.length(salt) <= 100),
    shadow_ratio double precision NOT NULL DEFAULT 0 CHECK (shadow_ratio BETWEEN 0 AND 1),
    until timestamptz CHECK (pg_catalog.isfinite(until)),
    fallback integer NOT NULL DEFAULT 0 CHECK (fallback BETWEEN 0 AND 100),
    reason text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);
