-- Drops the tables that pgmend made in its schema; anything else there stops it.
-- @server 14+
DROP TABLE IF EXISTS pgmend.snapshot_statement, pgmend.snapshot_index, pgmend.snapshot_table,
    pgmend.snapshot_setting, pgmend.snapshot_plan, pgmend.snapshot_query, pgmend.snapshot,
    pgmend.value, pgmend.gate, pgmend.journal, pgmend.run RESTRICT;
