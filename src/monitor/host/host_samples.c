#include <math.h>

#include "monitor/host/host_part.h"

/* Id, kind, whether it is kept, name, help. */
#define HOST_METRICS(X)                                                                         \
    X(CPUS, GAUGE, false, "pgmend_host_cpus", "Processors that the server may use")             \
    X(CPU_BUSY, GAUGE, true, "pgmend_host_cpu_busy_ratio",                                      \
        "Share of processor time in use since the last tick, without waiting for disks")        \
    X(CPU_WAIT, GAUGE, true, "pgmend_host_cpu_wait_ratio",                                      \
        "Share of processor time that was idle because of disks")                               \
    X(CPU_SECONDS, COUNTER, false, "pgmend_host_cpu_seconds_total",                             \
        "Seconds of all processors since the machine was started, by mode: busy, wait or idle") \
    X(LOAD, GAUGE, true, "pgmend_host_load1", "Load of the last minute")                        \
    X(MEMORY, GAUGE, false, "pgmend_host_memory_bytes",                                         \
        "Memory of the machine, or what its control group leaves to the server")                \
    X(MEMORY_AVAILABLE, GAUGE, false, "pgmend_host_memory_available_bytes",                     \
        "Memory that can be had without swapping")                                              \
    X(MEMORY_USED, GAUGE, true, "pgmend_host_memory_used_ratio", "Share of the memory in use")  \
    X(SWAP, GAUGE, true, "pgmend_host_swap_used_bytes", "Bytes that are swapped out")           \
    X(DISK, GAUGE, false, "pgmend_host_disk_bytes", "Size of the volume of the data directory") \
    X(DISK_FREE, GAUGE, true, "pgmend_host_disk_free_bytes",                                    \
        "Room on the volume of the data directory")                                             \
    X(DISK_USED, GAUGE, true, "pgmend_host_disk_used_ratio",                                    \
        "Share of the volume of the data directory in use")                                     \
    X(IO_READ, COUNTER, false, "pgmend_host_io_read_bytes_total",                               \
        "Bytes read from the device of the data directory")                                     \
    X(IO_WRITTEN, COUNTER, false, "pgmend_host_io_written_bytes_total",                         \
        "Bytes written to the device of the data directory")                                    \
    X(IO_READ_RATE, GAUGE, true, "pgmend_host_io_read_bytes_rate",                              \
        "Bytes a second read from the device of the data directory")                            \
    X(IO_WRITTEN_RATE, GAUGE, true, "pgmend_host_io_written_bytes_rate",                        \
        "Bytes a second written to the device of the data directory")                           \
    X(IO_BUSY, GAUGE, true, "pgmend_host_io_busy_ratio",                                        \
        "Share of the time that the device of the data directory was at work")                  \
    X(SERVER_MEMORY, GAUGE, true, "pgmend_host_server_memory_bytes",                            \
        "Memory of the server's processes, what they share counted once")                       \
    X(SERVER_CPU_SECONDS, COUNTER, false, "pgmend_host_server_cpu_seconds_total",               \
        "Processor time of the server's processes")                                             \
    X(SERVER_CPU, GAUGE, true, "pgmend_host_server_cpus_used",                                  \
        "Processors that the server's processes used since the last tick")

#define HOST_ENUM(id, kind, kept, name, help) HOST_##id,
enum host_metric_id { HOST_METRICS(HOST_ENUM) };
#undef HOST_ENUM
#define HOST_METRIC(id, kind, kept, name, help) { name, METRIC_##kind, help, kept },
const struct metric host_metrics[] = { HOST_METRICS(HOST_METRIC) };
const size_t host_metric_count = COUNT_OF(host_metrics);

static void
add(struct samples *samples, enum host_metric_id id, double value)
{
    sample_add(samples, &host_metrics[id], NULL, NULL, value);
}

/* NaN when the counter went back: the machine was started again. */
static double
growth(double now, double before)
{
    return now >= before ? now - before : NAN;
}

/* Clocks that tick apart can make it a little more than all. */
static double
share(double ratio)
{
    return ratio > 1 ? 1 : ratio;
}

static void
add_rates(struct samples *samples, const struct host_facts *before, const struct host_facts *now)
{
    double span_s = (double)(now->at_us - before->at_us) / 1e6;
    double all = growth(now->cpu_all_total, before->cpu_all_total);

    if (span_s < 0.1)
        return;
    if (all > 0 && now->cpus == before->cpus) {
        add(samples, HOST_CPU_BUSY,
            share(growth(now->cpu_busy_total, before->cpu_busy_total) / all));
        add(samples, HOST_CPU_WAIT,
            share(growth(now->cpu_wait_total, before->cpu_wait_total) / all));
    }
    if (now->io_read_bytes_total >= 0 && before->io_read_bytes_total >= 0) {
        add(samples, HOST_IO_READ_RATE,
            growth((double)now->io_read_bytes_total, (double)before->io_read_bytes_total) / span_s);
        add(samples, HOST_IO_WRITTEN_RATE,
            growth((double)now->io_written_bytes_total, (double)before->io_written_bytes_total) /
                span_s);
        add(samples, HOST_IO_BUSY,
            share(growth(now->io_busy_total, before->io_busy_total) / span_s));
    }
    /* A process that ended between the two looks took its time along: no number then. */
    if (now->server_cpu_total > 0 && before->server_cpu_total > 0)
        add(samples, HOST_SERVER_CPU,
            growth(now->server_cpu_total, before->server_cpu_total) / span_s);
}

static void
add_cpu_seconds(struct samples *samples, const struct host_facts *now)
{
    static const char *const names[] = { "mode", NULL };
    static const char *const modes[] = { "busy", "wait", "idle" };
    double values[] = { now->cpu_busy_total, now->cpu_wait_total,
        now->cpu_all_total - now->cpu_busy_total - now->cpu_wait_total };

    for (size_t i = 0; i < COUNT_OF(modes); i++)
        sample_add(samples, &host_metrics[HOST_CPU_SECONDS], names, &modes[i], values[i]);
}

void
host_samples(struct samples *samples, const struct host_facts *before, const struct host_facts *now)
{
    if (!now->is_known)
        return;
    add(samples, HOST_CPUS, now->cpus);
    add_cpu_seconds(samples, now);
    add(samples, HOST_LOAD, now->load1);
    add(samples, HOST_MEMORY, (double)now->memory_bytes);
    add(samples, HOST_MEMORY_AVAILABLE, (double)now->memory_available_bytes);
    if (now->memory_bytes > 0)
        add(samples, HOST_MEMORY_USED,
            1 - (double)now->memory_available_bytes / (double)now->memory_bytes);
    add(samples, HOST_SWAP, (double)now->swap_used_bytes);
    if (now->disk_bytes > 0) {
        add(samples, HOST_DISK, (double)now->disk_bytes);
        add(samples, HOST_DISK_FREE, (double)now->disk_free_bytes);
        add(samples, HOST_DISK_USED, 1 - (double)now->disk_free_bytes / (double)now->disk_bytes);
    }
    if (now->io_read_bytes_total >= 0) {
        add(samples, HOST_IO_READ, (double)now->io_read_bytes_total);
        add(samples, HOST_IO_WRITTEN, (double)now->io_written_bytes_total);
    }
    if (now->server_rss_bytes > 0) {
        add(samples, HOST_SERVER_MEMORY, (double)now->server_rss_bytes);
        add(samples, HOST_SERVER_CPU_SECONDS, now->server_cpu_total);
    }
    if (before && before->is_known)
        add_rates(samples, before, now);
}
