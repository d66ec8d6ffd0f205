#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "base/proc.h"
#include "monitor/host/host_part.h"

enum { PATH_BYTES = 4096, MOST_CHILDREN = 1000, SECTOR_BYTES = 512 };

/* Its own bound and those of the groups above: the smallest counts. */
static void
look_at_group(const char *root, const char *group, struct host_group *ret)
{
    char path[PATH_BYTES];
    char text[PROC_FILE_BYTES];

    snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", group);
    if (proc_file(root, path, text)) {
        int64_t bytes = strtoll(text, NULL, 10); /* "max" is 0 */

        if (bytes > 0 && (ret->memory_bytes == 0 || bytes < ret->memory_bytes)) {
            ret->memory_bytes = bytes;
            snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.current", group);
            ret->memory_used_bytes = proc_file(root, path, text) ? strtoll(text, NULL, 10) : 0;
            snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.stat", group);
            /* What was read once and can go at any time is not used, as in MemAvailable. */
            if (proc_file(root, path, text) && proc_number(text, "inactive_file ") > 0)
                ret->memory_used_bytes -= proc_number(text, "inactive_file ");
        }
    }
    snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.max", group);
    if (proc_file(root, path, text)) {
        char *end;
        double quota = strtod(text, &end); /* "max 100000" is 0 */
        double period = strtod(end, NULL);

        if (quota > 0 && period > 0 && (ret->cpus <= 0 || quota / period < ret->cpus)) {
            ret->cpus = quota / period;
            snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.stat", group);
            ret->cpu_seconds =
                proc_file(root, path, text) ? (double)proc_number(text, "usage_usec ") / 1e6 : 0;
        }
    }
}

void
host_group(const char *root, int pid, struct host_group *ret)
{
    char path[64];
    char text[PROC_FILE_BYTES];
    char *group;

    *ret = (struct host_group){ 0 };
    snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
    if (!proc_file(root, path, text))
        return;
    /* Version 2 has one line, "0::/system.slice/…"; what version 1 says is left alone. */
    group = strstr(text, "0::/");
    if (!group || (group > text && group[-1] != '\n'))
        return;
    group += 3;
    group[strcspn(group, "\n")] = '\0';
    if (strlen(group) > PATH_BYTES / 2 || strstr(group, ".."))
        return;
    while (strlen(group) > 1) {
        look_at_group(root, group, ret);
        *strrchr(group, '/') = '\0';
    }
}

void
host_server(const char *root, int postmaster, struct host_facts *ret)
{
    char path[64];
    char text[PROC_FILE_BYTES];
    struct proc_usage usage = { 0 };

    proc_usage_add(root, postmaster, true, &usage);
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", postmaster, postmaster);
    if (!proc_file(root, path, text))
        return;

    char *at = text;

    for (int i = 0; i < MOST_CHILDREN && *at; i++) {
        int pid = (int)strtol(at, &at, 10);

        if (pid <= 0)
            break;
        proc_usage_add(root, pid, false, &usage);
        at += strspn(at, " \n");
    }
    ret->server_rss_bytes = usage.own_bytes + usage.shared_bytes;
    ret->server_cpu_total = usage.cpu_s;
}

/* A line of /proc/diskstats: major minor name, reads merged sectors ms, writes merged sectors ms, … */
static bool
take_device(const char *line, unsigned major_number, unsigned minor_number, struct host_facts *ret)
{
    char *at;
    double fields[10] = { 0 };

    if (strtoul(line, &at, 10) != major_number || strtoul(at, &at, 10) != minor_number)
        return false;
    at += strspn(at, " ");
    at += strcspn(at, " \n");
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        fields[i] = strtod(at, &at);
    ret->io_read_bytes_total = (int64_t)fields[2] * SECTOR_BYTES;
    ret->io_written_bytes_total = (int64_t)fields[6] * SECTOR_BYTES;
    ret->io_busy_total = fields[9] / 1000;
    return true;
}

void
host_disk(const char *root, const char *folder, struct host_facts *ret)
{
    char path[PATH_BYTES];
    char text[PROC_FILE_BYTES];
    struct statvfs volume;
    struct stat status;

    if (snprintf(path, sizeof(path), "%s%s", root, folder) >= (int)sizeof(path))
        return;
    if (statvfs(path, &volume) == 0) {
        int64_t block = (int64_t)volume.f_frsize;

        /* What only root may fill is not there for the server. */
        ret->disk_free_bytes = (int64_t)volume.f_bavail * block;
        ret->disk_bytes =
            ((int64_t)volume.f_blocks - (int64_t)volume.f_bfree + (int64_t)volume.f_bavail) * block;
    }
    if (stat(path, &status) != 0 || !proc_file(root, "/proc/diskstats", text))
        return;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (take_device(line, major(status.st_dev), minor(status.st_dev), ret))
            return;
    }
}
