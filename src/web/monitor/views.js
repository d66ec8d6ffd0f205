"use strict";
/*
 * Which charts there are. A line is the first metric of .of that the server has; its series are added up, or
 * by the label .by each is a line of its own. .limitOf: where a limit is, from the state. .optional: left out
 * where there is nothing to draw. The first four stand above the statements.
 */
const CHARTS = [
  {
    id: "load", title: "Load", unit: "count", note: "statements at once",
    lines: [
      { of: ["pgmend_statement_load"], title: "running, on average", color: 1 },
      { of: ["pgmend_sessions"], where: (tags) => tags.state === "active", title: "active sessions", color: 2 },
      { of: ["pgmend_blocked_sessions"], title: "waiting for a lock", color: 6 },
    ],
  },
  {
    id: "latency", title: "Response time", unit: "seconds",
    lines: [
      { of: ["pgmend_application_p95_seconds"], by: "application", before: "p95 of ", colors: {} },
      { of: ["pgmend_statement_p95_seconds"], title: "p95 of statements", color: 2 },
      { of: ["pgmend_statement_mean_seconds"], title: "mean", color: 5 },
    ],
  },
  {
    id: "connections", title: "Connections", unit: "count", isTotal: true, isNow: true,
    limitOf: (server) => server.server && server.server.rows[0] ? server.server.rows[0].max_connections - server.server.rows[0].reserved_connections : undefined,
    lines: [{
      of: ["pgmend_sessions"], by: "state",
      colors: { active: 1, idle: 5, "idle in transaction": 3, "idle in transaction (aborted)": 6 },
    }],
  },
  {
    id: "cache", title: "Cache", unit: "ratio", note: "blocks from memory", top: true, limit: 0.95,
    lines: [{ of: ["pgmend_cache_hit_ratio"], by: "datname" }],
  },
  {
    id: "throughput", title: "Throughput", unit: "rate", isMore: true,
    lines: [
      { of: ["pgmend_statements_rate"], title: "statements", color: 1 },
      { of: ["pgmend_transactions_rate"], title: "transactions", color: 2 },
      { of: ["pgmend_application_requests_rate"], title: "requests", color: 3 },
    ],
  },
  {
    id: "machine", title: "Machine", unit: "ratio", isMore: true, optional: true, limit: 0.8,
    lines: [
      { of: ["pgmend_host_cpu_busy_ratio"], title: "CPU", color: 1 },
      { of: ["pgmend_host_memory_used_ratio"], title: "memory", color: 2 },
      { of: ["pgmend_host_disk_used_ratio"], title: "disk", color: 5 },
      { of: ["pgmend_host_io_busy_ratio"], title: "disk busy", color: 3 },
    ],
  },
  {
    id: "writes", title: "Writes", unit: "byteRate", isMore: true,
    lines: [
      { of: ["pgmend_wal_bytes_rate"], title: "WAL", color: 1 },
      { of: ["pgmend_temp_bytes_rate"], title: "temporary files", color: 3 },
    ],
  },
  {
    id: "lag", title: "Replication", unit: "seconds", note: "behind", isMore: true, optional: true,
    lines: [{ of: ["pgmend_replication_lag_seconds"], by: "application_name", colors: {} }],
  },
  {
    id: "oldest", title: "Oldest transaction", unit: "seconds", isMore: true,
    lines: [
      { of: ["pgmend_longest_transaction_seconds"], title: "open transaction", color: 1 },
      { of: ["pgmend_idle_in_transaction_seconds"], title: "idle in one", color: 3 },
    ],
  },
];
