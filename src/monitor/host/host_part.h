/* Shared by the files of this folder. */
#pragma once

#include "monitor/host/host.h"

enum { HOST_FILE_BYTES = 16384 };

/* The beginning of a file below root, as a C string; false when it cannot be read. */
bool host_file(const char *root, const char *path, char text[HOST_FILE_BYTES]);

/* A number behind a name at the start of a line ("MemTotal:"); -1 when it is not there. */
int64_t host_number(const char *text, const char *name);

/*
 * The postmaster of our session, proven by what /proc says of both processes. 0: it is not seen here,
 * and *ret_why says why.
 */
int host_postmaster(
    struct arena *arena, const struct host_question *question, const char **ret_why);

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
