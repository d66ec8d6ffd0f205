/* Shared by the files of this folder. */
#pragma once

#include "monitor/host/host.h"

/* The control group that a process is in, as far as it bounds memory and processors. */
struct host_group {
    int64_t memory_bytes; /* 0: not bounded */
    int64_t memory_used_bytes;
    double cpus; /* 0: not bounded */
    double cpu_seconds;
};
void host_group(const char *root, int pid, struct host_group *ret);

/* Memory and processor time of the postmaster and its children. */
void host_server(const char *root, int postmaster, struct host_facts *ret);

/* The volume of the data directory, and its device. */
void host_disk(const char *root, const char *folder, struct host_facts *ret);
