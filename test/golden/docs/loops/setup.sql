\ir ../replyx.sql
