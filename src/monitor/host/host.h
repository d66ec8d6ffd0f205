/*
 * The machine that the server runs on, from /proc, and only when that is known to be this one: a
 * connection by socket, or by an address of this machine, to a server whose postmaster is seen here.
 * Otherwise nothing is known, and nothing is said.
 */
#pragma once

#include "base/ctx.h"
#include "monitor/metric/metric.h"

enum host_mode { HOST_AUTO, HOST_LOCAL, HOST_OFF };

/* Counters since boot where the name ends in _total. */
struct host_facts {
    bool is_known;
    const char *why_not; /* when it is not known: a clause */
    int64_t at_us;
    int32_t cpus;
    double cpu_busy_total; /* seconds of all CPUs; iowait is not busy, steal is */
    double cpu_wait_total;
    double cpu_all_total;
    double load1;
    int64_t memory_bytes; /* of the machine, or of the control group if that allows less */
    int64_t memory_available_bytes;
    int64_t swap_used_bytes;
    int64_t disk_bytes; /* volume of the data directory; 0: not known */
    int64_t disk_free_bytes;
    int64_t io_read_bytes_total; /* of its device; -1: not known */
    int64_t io_written_bytes_total;
    double io_busy_total;     /* seconds */
    int64_t server_rss_bytes; /* of the postmaster and its children, without shared memory twice */
    double server_cpu_total;  /* seconds */
};

struct host_question {
    enum host_mode mode;
    const char *host;           /* of the connection */
    int backend_pid;            /* of our session */
    const char *data_directory; /* or NULL */
    const char *root;           /* in front of /proc and /sys, for tests; NULL: "" */
};

/* What host_samples() gives, for the documentation. */
extern const struct metric host_metrics[];
extern const size_t host_metric_count;

/* Fills facts; without any error: what is not known is not known. */
void host_read(struct arena *arena, const struct host_question *question, struct host_facts *ret);

/* Ratios between two readings and the levels of now, as samples (pgmend_host_…). before may be NULL. */
void host_samples(
    struct samples *samples, const struct host_facts *before, const struct host_facts *now);
