#include "monitor/host/host.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/proc.h"
#include "db/local.h"
#include "monitor/host/host_part.h"

static bool
read_processors(const char *root, struct host_facts *ret)
{
    struct proc_processors all;

    if (!proc_processors(root, &all))
        return false;
    ret->cpus = all.count;
    ret->cpu_wait_total = all.wait_s;
    ret->cpu_busy_total = all.busy_s;
    ret->cpu_all_total = all.busy_s + all.wait_s + all.idle_s;
    return true;
}

static bool
read_memory(const char *root, struct host_facts *ret)
{
    char text[PROC_FILE_BYTES];

    if (!proc_file(root, "/proc/meminfo", text))
        return false;

    int64_t all = proc_number(text, "MemTotal:");
    int64_t available = proc_number(text, "MemAvailable:");
    int64_t swap = proc_number(text, "SwapTotal:");
    int64_t swap_free = proc_number(text, "SwapFree:");

    if (all <= 0 || available < 0)
        return false;
    ret->memory_bytes = all * 1024;
    ret->memory_available_bytes = available * 1024;
    ret->swap_used_bytes = swap > swap_free && swap_free >= 0 ? (swap - swap_free) * 1024 : 0;
    return true;
}

/* Where the server's control group allows less than the machine has, the group is the machine. */
static void
apply_group(const char *root, const struct host_group *group, struct host_facts *ret)
{
    char text[PROC_FILE_BYTES];

    if (group->memory_bytes > 0 && group->memory_bytes < ret->memory_bytes) {
        int64_t left = group->memory_bytes - group->memory_used_bytes;

        ret->memory_bytes = group->memory_bytes;
        if (left < ret->memory_available_bytes)
            ret->memory_available_bytes = left > 0 ? left : 0;
    }
    if (group->cpus > 0 && group->cpus < ret->cpus && proc_file(root, "/proc/uptime", text)) {
        ret->cpus = (int32_t)ceil(group->cpus);
        ret->cpu_busy_total = group->cpu_seconds;
        ret->cpu_wait_total = 0;
        ret->cpu_all_total = strtod(text, NULL) * group->cpus;
    }
}

void
host_read(struct arena *arena, const struct host_question *question, struct host_facts *ret)
{
    const char *root = question->root ? question->root : "";
    char text[PROC_FILE_BYTES];
    struct host_group group;

    *ret = (struct host_facts){
        .at_us = clock_us(), .io_read_bytes_total = -1, .io_written_bytes_total = -1
    };
    if (question->mode == HOST_OFF) {
        ret->why_not = "the host's metrics are switched off";
        return;
    }

    const struct db_local_question local = {
        .host = question->mode == HOST_AUTO ? question->host : NULL,
        .backend_pid = question->backend_pid,
        .data_directory = question->data_directory,
        .root = root,
    };
    int postmaster = db_local_postmaster(arena, &local, &ret->why_not);

    if (postmaster == 0 && question->mode == HOST_AUTO)
        return;
    if (!read_processors(root, ret) || !read_memory(root, ret)) {
        ret->why_not = "/proc cannot be read";
        return;
    }
    ret->why_not = NULL;
    ret->is_known = true;
    if (proc_file(root, "/proc/loadavg", text))
        ret->load1 = strtod(text, NULL);
    if (question->data_directory)
        host_disk(root, question->data_directory, ret);
    if (postmaster == 0)
        return;
    host_group(root, postmaster, &group);
    apply_group(root, &group, ret);
    host_server(root, postmaster, ret);
}
