#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "monitor/host/host_part.h"

enum { PATH_BYTES = 4096, MOST_CHILDREN = 1000, SECTOR_BYTES = 512 };

bool
host_file(const char *root, const char *path, char text[HOST_FILE_BYTES])
{
    char full[PATH_BYTES];
    size_t length = 0;
    ssize_t got;

    if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
        return false;

    int fd = open(full, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    while (length + 1 < HOST_FILE_BYTES &&
           (got = read(fd, text + length, HOST_FILE_BYTES - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    text[length] = '\0';
    return length > 0;
}

int64_t
host_number(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0)
            return strtoll(line + length, NULL, 10);
    }
    return -1;
}

/* Its own bound and those of the groups above: the smallest counts. */
static void
look_at_group(const char *root, const char *group, struct host_group *ret)
{
    char path[PATH_BYTES];
    char text[HOST_FILE_BYTES];

    snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", group);
    if (host_file(root, path, text)) {
        int64_t bytes = strtoll(text, NULL, 10); /* "max" is 0 */

        if (bytes > 0 && (ret->memory_bytes == 0 || bytes < ret->memory_bytes)) {
            ret->memory_bytes = bytes;
            snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.current", group);
            ret->memory_used_bytes = host_file(root, path, text) ? strtoll(text, NULL, 10) : 0;
            snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.stat", group);
            /* What was read once and can go at any time is not used, as in MemAvailable. */
            if (host_file(root, path, text) && host_number(text, "inactive_file ") > 0)
                ret->memory_used_bytes -= host_number(text, "inactive_file ");
        }
    }
    snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.max", group);
    if (host_file(root, path, text)) {
        char *end;
        double quota = strtod(text, &end); /* "max 100000" is 0 */
        double period = strtod(end, NULL);

        if (quota > 0 && period > 0 && (ret->cpus <= 0 || quota / period < ret->cpus)) {
            ret->cpus = quota / period;
            snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.stat", group);
            ret->cpu_seconds =
                host_file(root, path, text) ? (double)host_number(text, "usage_usec ") / 1e6 : 0;
        }
    }
}

void
host_group(const char *root, int pid, struct host_group *ret)
{
    char path[64];
    char text[HOST_FILE_BYTES];
    char *group;

    *ret = (struct host_group){ 0 };
    snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
    if (!host_file(root, path, text))
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

/* Behind the name in parentheses, which may hold anything. */
static const char *
stat_fields(const char *text)
{
    const char *end = strrchr(text, ')');

    return end ? end + 1 : NULL;
}

struct sum {
    double ticks;
    int64_t own_pages;
    int64_t shared_pages; /* of the one that has most */
};

/* Fields 14 to 17 of /proc/PID/stat are times; 16 and 17 are those of children that have ended. */
static void
add_process(const char *root, int pid, bool with_children, struct sum *sum)
{
    char path[64];
    char text[HOST_FILE_BYTES];
    const char *at;
    char *next;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    if (!host_file(root, path, text) || !(at = stat_fields(text)))
        return;
    for (int field = 3; field <= 17; field++) {
        at += strspn(at, " ");
        if (field >= 14 && (field <= 15 || with_children))
            sum->ticks += strtod(at, NULL);
        at += strcspn(at, " ");
    }
    snprintf(path, sizeof(path), "/proc/%d/statm", pid);
    if (!host_file(root, path, text))
        return;
    (void)strtoll(text, &next, 10);

    int64_t resident = strtoll(next, &next, 10);
    int64_t shared = strtoll(next, &next, 10);

    sum->own_pages += resident > shared ? resident - shared : 0;
    if (shared > sum->shared_pages)
        sum->shared_pages = shared;
}

void
host_server(const char *root, int postmaster, struct host_facts *ret)
{
    char path[64];
    char text[HOST_FILE_BYTES];
    struct sum sum = { 0 };

    add_process(root, postmaster, true, &sum);
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", postmaster, postmaster);
    if (!host_file(root, path, text))
        return;

    char *at = text;

    for (int i = 0; i < MOST_CHILDREN && *at; i++) {
        int pid = (int)strtol(at, &at, 10);

        if (pid <= 0)
            break;
        add_process(root, pid, false, &sum);
        at += strspn(at, " \n");
    }
    ret->server_rss_bytes = (sum.own_pages + sum.shared_pages) * sysconf(_SC_PAGESIZE);
    ret->server_cpu_total = sum.ticks / (double)sysconf(_SC_CLK_TCK);
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
    char text[HOST_FILE_BYTES];
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
    if (stat(path, &status) != 0 || !host_file(root, "/proc/diskstats", text))
        return;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (take_device(line, major(status.st_dev), minor(status.st_dev), ret))
            return;
    }
}
