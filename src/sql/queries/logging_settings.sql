-- What is in force for the server's log, as far as this role may see it.
-- @column name text
-- @column value text in .unit
-- @server 14+
SELECT s.name, s.reset_val
  FROM pg_catalog.pg_settings AS s
 WHERE s.name IN ('logging_collector', 'log_destination', 'log_line_prefix', 'log_min_messages',
                  'log_parameter_max_length', 'log_transaction_sample_rate',
                  'log_min_duration_statement', 'log_duration', 'log_statement', 'lc_messages',
                  'data_directory');
