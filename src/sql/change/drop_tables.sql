-- Drops the tables and views that pgmend made in its schema, and its view outside of it; anything
-- else that stands there or depends on them stops it.
-- @server 14+
DO LANGUAGE plpgsql $$
DECLARE
    item pg_catalog.text;
BEGIN
    -- The store's view of statements stands where its reader looks for it.
    FOR item IN
        SELECT DISTINCT pg_catalog.format('%I.%I', n.nspname, c.relname)
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = c.oid
          JOIN pg_catalog.pg_depend AS d
            ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
           AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
          JOIN pg_catalog.pg_class AS h ON h.oid = d.refobjid
          JOIN pg_catalog.pg_namespace AS p ON p.oid = h.relnamespace
         WHERE c.relname = 'pg_stat_statements_snapshot' AND c.relkind = 'v'
           AND p.nspname = 'pgmend' AND h.relname = 'statement_history'
    LOOP
        EXECUTE 'DROP VIEW ' || item || ' RESTRICT';
    END LOOP;
    DROP VIEW IF EXISTS pgmend.statement_history, pgmend.metric_history, pgmend.relation_history RESTRICT;
    DROP TABLE IF EXISTS pgmend.sample, pgmend.sample_minute, pgmend.sample_hour,
        pgmend.statement_sample, pgmend.statement_minute, pgmend.statement_hour,
        pgmend.session_sample, pgmend.relation_sample, pgmend.relation, pgmend.series, pgmend.statement, pgmend.statement_text,
        pgmend.store_progress, pgmend.monitored_server RESTRICT;
    DROP FUNCTION IF EXISTS pgmend.flag_off(text, text) RESTRICT;
    DROP TABLE IF EXISTS pgmend.flag RESTRICT;
    DROP TABLE IF EXISTS pgmend.kpi_value, pgmend.kpi RESTRICT;
    DROP TABLE IF EXISTS pgmend.snapshot_statement, pgmend.snapshot_index, pgmend.snapshot_table,
        pgmend.snapshot_setting, pgmend.snapshot_plan, pgmend.snapshot_query, pgmend.snapshot,
        pgmend.checklist_item, pgmend.checklist, pgmend.bluegreen_beat, pgmend.bluegreen,
        pgmend.partition, pgmend.step,
        pgmend.plan, pgmend.value, pgmend.gate, pgmend.journal, pgmend.run RESTRICT;
END
$$
