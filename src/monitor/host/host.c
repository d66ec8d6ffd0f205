#include "monitor/host/host.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "monitor/host/host_part.h"

/* /proc/stat: user nice system idle iowait irq softirq steal; guests are counted in user. */
static bool
read_processors(const char *root, struct host_facts *ret)
{
    char text[HOST_FILE_BYTES];
    double ticks[8] = { 0 };
    double unit = 1.0 / (double)sysconf(_SC_CLK_TCK);

    if (!host_file(root, "/proc/stat", text) || strncmp(text, "cpu ", 4) != 0)
        return false;

    char *at = text + 4;

    for (size_t i = 0; i < COUNT_OF(ticks); i++)
        ticks[i] = strtod(at, &at);
    ret->cpu_wait_total = ticks[4] * unit;
    ret->cpu_busy_total = (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) * unit;
    ret->cpu_all_total = ret->cpu_busy_total + ret->cpu_wait_total + ticks[3] * unit;
    for (const char *line = text; (line = strstr(line, "\ncpu")) != NULL; line++)
        ret->cpus++;
    return ret->cpu_all_total > 0;
}

static bool
read_memory(const char *root, struct host_facts *ret)
{
    char text[HOST_FILE_BYTES];

    if (!host_file(root, "/proc/meminfo", text))
        return false;

    int64_t all = host_number(text, "MemTotal:");
    int64_t available = host_number(text, "MemAvailable:");
    int64_t swap = host_number(text, "SwapTotal:");
    int64_t swap_free = host_number(text, "SwapFree:");

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
    char text[HOST_FILE_BYTES];

    if (group->memory_bytes > 0 && group->memory_bytes < ret->memory_bytes) {
        int64_t left = group->memory_bytes - group->memory_used_bytes;

        ret->memory_bytes = group->memory_bytes;
        if (left < ret->memory_available_bytes)
            ret->memory_available_bytes = left > 0 ? left : 0;
    }
    if (group->cpus > 0 && group->cpus < ret->cpus && host_file(root, "/proc/uptime", text)) {
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
    char text[HOST_FILE_BYTES];
    struct host_group group;

    *ret = (struct host_facts){
        .at_us = clock_us(), .io_read_bytes_total = -1, .io_written_bytes_total = -1
    };
    if (question->mode == HOST_OFF) {
        ret->why_not = "the host's metrics are switched off";
        return;
    }

    int postmaster = host_postmaster(arena, question, &ret->why_not);

    if (postmaster == 0 && question->mode == HOST_AUTO)
        return;
    if (!read_processors(root, ret) || !read_memory(root, ret)) {
        ret->why_not = "/proc cannot be read";
        return;
    }
    ret->why_not = NULL;
    ret->is_known = true;
    if (host_file(root, "/proc/loadavg", text))
        ret->load1 = strtod(text, NULL);
    if (question->data_directory)
        host_disk(root, question->data_directory, ret);
    if (postmaster == 0)
        return;
    host_group(root, postmaster, &group);
    apply_group(root, &group, ret);
    host_server(root, postmaster, ret);
}
