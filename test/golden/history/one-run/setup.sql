\ir ../../tables.sql
