/*
 * Processes and processors of this machine, as /proc tells them. root stands in front of /proc and /sys,
 * for tests; "" is the machine itself. What cannot be read is not there: no function sets an error.
 */
#pragma once

#include "base/arena.h"

enum { PROC_FILE_BYTES = 16384 };

/* The beginning of a file below root, as a C string; false when it cannot be read. */
bool proc_file(const char *root, const char *path, char text[PROC_FILE_BYTES]);

/* A number behind a name at the start of a line ("MemTotal:"); -1 when it is not there. */
int64_t proc_number(const char *text, const char *name);

/* /proc/stat, in seconds of all processors since boot. Waiting for disks is not busy, steal is. */
struct proc_processors {
    int32_t count;
    double busy_s;
    double steal_s;
    double wait_s;
    double idle_s;
};
bool proc_processors(const char *root, struct proc_processors *ret);

struct proc_usage {
    double cpu_s;
    int64_t own_bytes;
    int64_t shared_bytes; /* of the one that has most: what they share is counted once */
};

/* Adds a process; with_ended: and the time of children that it has seen end. False when there is none. */
bool proc_usage_add(const char *root, int pid, bool with_ended, struct proc_usage *usage);

struct proc_entry {
    int pid;
    int parent;
    int64_t started; /* in ticks since boot: with pid the process's identity */
    double cpu_s;
    double ended_s; /* of children that have ended */
    bool is_marked;
};
struct proc_table {
    struct proc_entry *items; /* by pid */
    size_t count;
};

/* All processes that are seen here. */
void proc_table_read(struct arena *arena, const char *root, struct proc_table *ret);
struct proc_entry *proc_table_find(const struct proc_table *table, int pid);
/* Marks all descendants of those that are marked. */
void proc_table_spread(struct proc_table *table);
