/* Every fact that there can be. Goals use the names, docs/load.md explains them. */
#include "load/result/record.h"

const struct load_fact_kind load_fact_kinds[] = {
    { "pg_cpu_share", "PostgreSQL's share of all processors", "share" },
    { "pg_cpu_us", "PostgreSQL's CPU a request", "us" },
    { "api_cpu_share", "The API's share of all processors", "share" },
    { "api_cpu_us", "The API's CPU a request", "us" },
    { "generator_cpu_share", "The generator's share of all processors", "share" },
    { "others_cpu_share", "Other programs' share of all processors", "share" },
    { "steal_share", "Processor time the hypervisor withheld", "share" },
    { "busy_share", "Processors in use by all of them", "share" },
    { "processors", "Processors", "" },
    { "pg_memory", "PostgreSQL's memory at most", "bytes" },
    { "api_memory", "The API's memory at most", "bytes" },
    { "statements", "Statements a request", "" },
    { "statement_us", "Time in statements a request", "us" },
    { "transactions", "Transactions a request", "" },
    { "blocks", "Pages touched a request", "" },
    { "cache_hit", "Pages found in shared buffers", "share" },
    { "wal_bytes", "WAL a request", "bytes" },
    { "wal_rate", "WAL a second", "bytes" },
    { "temp_bytes", "Temporary files", "bytes" },
    { "connections", "Sessions of the database at most", "" },
    { "active", "Sessions at work, on average", "" },
    { "active_most", "Sessions at work at most", "" },
    { "lock_waits", "Sessions waiting for a lock, on average", "" },
    { "lock_waits_most", "Sessions waiting for a lock at most", "" },
    { "lock_wait_us", "Longest wait for a lock seen", "us" },
    { "deadlocks", "Deadlocks", "" },
    { "checkpoints", "Checkpoints", "" },
};
const size_t load_fact_kind_count = COUNT_OF(load_fact_kinds);
