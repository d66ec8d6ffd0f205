#include "base/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/vec.h"

enum { PATH_BYTES = 4096, STAT_FIELDS = 24 };

bool
proc_file(const char *root, const char *path, char text[PROC_FILE_BYTES])
{
    char full[PATH_BYTES];
    size_t length = 0;
    ssize_t got;

    if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
        return false;

    int fd = open(full, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    while (length + 1 < PROC_FILE_BYTES &&
           (got = read(fd, text + length, PROC_FILE_BYTES - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    text[length] = '\0';
    return length > 0;
}

int64_t
proc_number(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0)
            return strtoll(line + length, NULL, 10);
    }
    return -1;
}

/* user nice system idle iowait irq softirq steal; guests are counted in user. */
bool
proc_processors(const char *root, struct proc_processors *ret)
{
    char text[PROC_FILE_BYTES];
    double ticks[8] = { 0 };
    double unit = 1.0 / (double)sysconf(_SC_CLK_TCK);

    *ret = (struct proc_processors){ 0 };
    if (!proc_file(root, "/proc/stat", text) || strncmp(text, "cpu ", 4) != 0)
        return false;

    char *at = text + 4;

    for (size_t i = 0; i < COUNT_OF(ticks); i++)
        ticks[i] = strtod(at, &at);
    ret->idle_s = ticks[3] * unit;
    ret->wait_s = ticks[4] * unit;
    ret->steal_s = ticks[7] * unit;
    ret->busy_s = (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) * unit;
    for (const char *line = text; (line = strstr(line, "\ncpu")) != NULL; line++)
        ret->count++;
    return ret->busy_s + ret->wait_s + ret->idle_s > 0;
}

/*
 * The numbers of /proc/PID/stat by their place in proc(5): 4 is the parent, 14 to 17 are times, 22 is the
 * start. They begin behind the name in parentheses, which may hold anything.
 */
static bool
read_stat(const char *root, int pid, double ret_fields[STAT_FIELDS])
{
    char path[64];
    char text[PROC_FILE_BYTES];
    const char *at;

    memset(ret_fields, 0, STAT_FIELDS * sizeof(ret_fields[0]));
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    if (!proc_file(root, path, text) || !(at = strrchr(text, ')')))
        return false;
    at++;
    for (int field = 3; field < STAT_FIELDS; field++) {
        at += strspn(at, " ");
        ret_fields[field] = field > 3 ? strtod(at, NULL) : 0;
        at += strcspn(at, " ");
    }
    return true;
}

bool
proc_usage_add(const char *root, int pid, bool with_ended, struct proc_usage *usage)
{
    char path[64];
    char text[PROC_FILE_BYTES];
    double fields[STAT_FIELDS];
    char *next;

    if (!read_stat(root, pid, fields))
        return false;
    usage->cpu_s += (fields[14] + fields[15] + (with_ended ? fields[16] + fields[17] : 0)) /
                    (double)sysconf(_SC_CLK_TCK);
    snprintf(path, sizeof(path), "/proc/%d/statm", pid);
    if (!proc_file(root, path, text))
        return true;
    (void)strtoll(text, &next, 10);

    int64_t page = sysconf(_SC_PAGESIZE);
    int64_t resident = strtoll(next, &next, 10) * page;
    int64_t shared = strtoll(next, &next, 10) * page;

    usage->own_bytes += resident > shared ? resident - shared : 0;
    if (shared > usage->shared_bytes)
        usage->shared_bytes = shared;
    return true;
}

static int
by_pid(const void *a, const void *b)
{
    int left = ((const struct proc_entry *)a)->pid;
    int right = ((const struct proc_entry *)b)->pid;

    return left < right ? -1 : left > right;
}

void
proc_table_read(struct arena *arena, const char *root, struct proc_table *ret)
{
    char path[PATH_BYTES];
    VEC(struct proc_entry) found = { 0 };
    double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
    double fields[STAT_FIELDS];
    DIR *folder;

    *ret = (struct proc_table){ 0 };
    if (snprintf(path, sizeof(path), "%s/proc", root) >= (int)sizeof(path) ||
        !(folder = opendir(path)))
        return;
    for (const struct dirent *item; (item = readdir(folder)) != NULL;) {
        int pid = (int)strtol(item->d_name, NULL, 10);

        if (pid <= 0 || !read_stat(root, pid, fields))
            continue;
        VEC_PUSH(arena, &found,
            (struct proc_entry){
                .pid = pid,
                .parent = (int)fields[4],
                .started = (int64_t)fields[22],
                .cpu_s = (fields[14] + fields[15]) * tick_s,
                .ended_s = (fields[16] + fields[17]) * tick_s,
            });
    }
    closedir(folder);
    if (found.count > 0)
        qsort(found.items, found.count, sizeof(found.items[0]), by_pid);
    ret->items = found.items;
    ret->count = found.count;
}

struct proc_entry *
proc_table_find(const struct proc_table *table, int pid)
{
    const struct proc_entry key = { .pid = pid };

    return table->count == 0
               ? NULL
               : bsearch(&key, table->items, table->count, sizeof(table->items[0]), by_pid);
}

/* Process numbers wrap round, so a child can stand before its parent: as often as something changes. */
void
proc_table_spread(struct proc_table *table)
{
    bool has_changed = true;

    while (has_changed) {
        has_changed = false;
        for (size_t i = 0; i < table->count; i++) {
            struct proc_entry *entry = &table->items[i];
            const struct proc_entry *parent =
                entry->is_marked ? NULL : proc_table_find(table, entry->parent);

            if (parent && parent->is_marked)
                entry->is_marked = has_changed = true;
        }
    }
}
