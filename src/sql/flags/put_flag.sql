-- Sets a flag, and tells all who listen.
-- @arg name text
-- @arg variant text
-- @arg percent int4
-- @arg salt text
-- @arg shadow_ratio float8
-- @arg until_us int8 0: for ever
-- @arg fallback int4
-- @arg reason text
-- @column name text
-- @server 14+
WITH put AS (
    INSERT INTO pgmend.flag AS f (name, variant, percent, salt, shadow_ratio, until, fallback, reason,
                                  changed_at, changed_by)
    VALUES ($1, $2, $3, $4, $5, pg_catalog.to_timestamp(nullif($6::int8, 0) / 1000000.0), $7, $8,
            pg_catalog.clock_timestamp(), SESSION_USER)
    ON CONFLICT (name) DO UPDATE
       SET variant = EXCLUDED.variant, percent = EXCLUDED.percent, salt = EXCLUDED.salt,
           shadow_ratio = EXCLUDED.shadow_ratio, until = EXCLUDED.until,
           fallback = EXCLUDED.fallback, reason = EXCLUDED.reason,
           changed_at = EXCLUDED.changed_at, changed_by = EXCLUDED.changed_by
    RETURNING f.name
)
SELECT p.name FROM put AS p CROSS JOIN LATERAL pg_catalog.pg_notify('pgmend_flag', p.name) AS n;
