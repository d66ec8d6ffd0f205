/* The machine from files of /proc and /sys that are made up, and from the real ones of this process. */
#include "support/test.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/host/host.h"

enum { POSTMASTER = 700, BACKEND = 801, OTHER = 802 };

struct machine {
    struct ctx *ctx;
    const char *root;
    struct host_question question;
};

static void
put_bytes(struct machine *machine, const char *path, const char *text, size_t length)
{
    const char *full = arena_printf(machine->ctx->arena, "%s%s", machine->root, path);
    char *folder = arena_strdup(machine->ctx->arena, full);

    *strrchr(folder, '/') = '\0';
    assert_true(file_make_folder(machine->ctx, folder));
    assert_true(file_write(machine->ctx, full, text, length, 0600));
}

static void
put(struct machine *machine, const char *path, const char *text)
{
    put_bytes(machine, path, text, strlen(text));
}

/* comm, utime, stime, cutime, cstime in ticks; resident and shared pages. */
static void
put_process(struct machine *machine, int pid, int parent, const char *ticks, const char *pages)
{
    struct arena *arena = machine->ctx->arena;

    put(machine, arena_printf(arena, "/proc/%d/status", pid),
        arena_printf(arena, "Name:\tpostgres\nPid:\t%d\nPPid:\t%d\n", pid, parent));
    put(machine, arena_printf(arena, "/proc/%d/stat", pid),
        arena_printf(arena, "%d (odd) name)) S %d 1 1 0 -1 4194560 1 2 3 4 %s 20 0 1 0 100", pid,
            parent, ticks));
    put(machine, arena_printf(arena, "/proc/%d/statm", pid),
        arena_printf(arena, "99999 %s 1 0 5 0\n", pages));
}

static struct machine *
machine_new(struct ctx *ctx)
{
    struct machine *machine = ARENA_NEW(ctx->arena, struct machine);

    machine->ctx = ctx;
    machine->root = test_folder(ctx);
    put(machine, "/proc/stat",
        "cpu  1000 200 300 5000 400 10 20 70 999 0\ncpu0 1 0 0 0\ncpu1 1 0 0 0\nintr 5\n");
    put(machine, "/proc/meminfo",
        "MemTotal:       8000000 kB\nMemFree:         100000 kB\nMemAvailable:   2000000 kB\n"
        "SwapTotal:      1000 kB\nSwapFree:        400 kB\n");
    put(machine, "/proc/loadavg", "1.25 0.5 0.1 2/345 6789\n");
    put(machine, "/proc/uptime", "1000.50 1900.00\n");
    put(machine, "/proc/diskstats", "   7       0 loop0 1 2 3 4 5 6 7 8 9 10 11\n");
    put_process(machine, POSTMASTER, 1, "100 50 400 200", "3000 2000");
    put_process(machine, BACKEND, POSTMASTER, "10 5 1 1", "5000 4500");
    put_process(machine, OTHER, POSTMASTER, "20 5 1 1", "6000 4800");
    put_bytes(machine, "/proc/700/cmdline", "/usr/lib/postgresql/15/bin/postgres\0-D\0/data\0", 45);
    put(machine, "/proc/801/cmdline", "postgres: app app [local] idle");
    put(machine, "/proc/700/task/700/children", "801 802 ");
    put(machine, "/data/PG_VERSION", "15\n");
    machine->question = (struct host_question){
        .host = "/var/run/postgresql",
        .backend_pid = BACKEND,
        .data_directory = "/data",
        .root = machine->root,
    };
    return machine;
}

static void
ask(struct machine *machine, struct host_facts *facts)
{
    host_read(machine->ctx->arena, &machine->question, facts);
}

static void
numbers_are_those_of_the_files(void **state)
{
    struct machine *machine = machine_new(*state);
    struct host_facts facts;
    double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);

    ask(machine, &facts);
    assert_true(facts.is_known);
    assert_null(facts.why_not);
    assert_int_equal(facts.cpus, 2);
    /* 1000 + 200 + 300 + 10 + 20 + 70; guests are in user already. */
    assert_true(fabs(facts.cpu_busy_total - 1600 * tick) < 1e-6);
    assert_true(fabs(facts.cpu_wait_total - 400 * tick) < 1e-6);
    assert_true(fabs(facts.cpu_all_total - 7000 * tick) < 1e-6);
    assert_true(facts.load1 == 1.25);
    assert_true(facts.memory_bytes == INT64_C(8000000) * 1024);
    assert_true(facts.memory_available_bytes == INT64_C(2000000) * 1024);
    assert_int_equal(facts.swap_used_bytes, 600 * 1024);
    /* The postmaster's own time and that of children that ended, and of the living children. */
    assert_true(fabs(facts.server_cpu_total - (100 + 50 + 400 + 200 + 15 + 25) * tick) < 1e-6);
    /* 1000 + 500 + 1200 pages of their own, and the most that one shares. */
    assert_int_equal(facts.server_rss_bytes, (1000 + 500 + 1200 + 4800) * sysconf(_SC_PAGESIZE));
    assert_true(facts.disk_bytes > 0 && facts.disk_free_bytes <= facts.disk_bytes);
    assert_int_equal(facts.io_read_bytes_total, -1);
    assert_true(file_remove(machine->ctx, machine->root));
}

static void
a_control_group_that_allows_less_is_the_machine(void **state)
{
    struct machine *machine = machine_new(*state);
    struct host_facts facts;

    put(machine, "/proc/700/cgroup", "0::/system.slice/pg.service\n");
    put(machine, "/sys/fs/cgroup/system.slice/pg.service/memory.max", "max\n");
    put(machine, "/sys/fs/cgroup/system.slice/memory.max", "1000000000\n");
    put(machine, "/sys/fs/cgroup/system.slice/memory.current", "900000000\n");
    put(machine, "/sys/fs/cgroup/system.slice/memory.stat", "anon 5\ninactive_file 300000000\n");
    put(machine, "/sys/fs/cgroup/system.slice/pg.service/cpu.max", "50000 100000\n");
    put(machine, "/sys/fs/cgroup/system.slice/pg.service/cpu.stat",
        "usage_usec 120000000\nuser_usec 1\n");
    ask(machine, &facts);
    assert_true(facts.is_known);
    assert_int_equal(facts.memory_bytes, 1000000000);
    assert_int_equal(facts.memory_available_bytes, 400000000);
    /* Half a processor for 1000.5 seconds, of which 120 were used. */
    assert_int_equal(facts.cpus, 1);
    assert_true(fabs(facts.cpu_busy_total - 120) < 1e-6);
    assert_true(fabs(facts.cpu_all_total - 500.25) < 1e-6);
    assert_true(file_remove(machine->ctx, machine->root));
}

static void
expect_unknown(struct machine *machine, const char *why)
{
    struct host_facts facts;
    struct samples samples = { .arena = machine->ctx->arena };

    ask(machine, &facts);
    assert_false(facts.is_known);
    if (!facts.why_not || !strstr(facts.why_not, why))
        fail_msg("\"%s\" is not in \"%s\"", why, facts.why_not ? facts.why_not : "");
    host_samples(&samples, NULL, &facts);
    assert_int_equal(samples.count, 0);
}

static void
nothing_is_said_of_a_server_that_is_elsewhere(void **state)
{
    struct machine *machine = machine_new(*state);
    struct host_facts facts;

    machine->question.host = "192.0.2.1";
    expect_unknown(machine, "another machine");
    machine->question.host = "127.0.0.1";
    ask(machine, &facts);
    assert_true(facts.is_known);
    /* Through a tunnel or a container's socket the number belongs to nobody, or to something else. */
    machine->question.backend_pid = 4242;
    expect_unknown(machine, "no process of this machine");
    machine->question.backend_pid = OTHER;
    put(machine, "/proc/802/cmdline", "nginx: worker process");
    expect_unknown(machine, "no process of this machine");
    machine->question.backend_pid = BACKEND;
    machine->question.data_directory = "/other";
    expect_unknown(machine, "belongs to another server");
    machine->question.data_directory = NULL;
    expect_unknown(machine, "data_directory");
    machine->question.mode = HOST_OFF;
    expect_unknown(machine, "switched off");
    /* Whoever says that it is local gets the machine, but not processes that may be another's. */
    machine->question.mode = HOST_LOCAL;
    ask(machine, &facts);
    assert_true(facts.is_known);
    assert_int_equal(facts.server_rss_bytes, 0);
    assert_true(file_remove(machine->ctx, machine->root));
}

static void
the_working_directory_proves_it_too(void **state)
{
    struct machine *machine = machine_new(*state);
    struct host_facts facts;

    put_bytes(machine, "/proc/700/cmdline", "postgres\0", 9);
    expect_unknown(machine, "belongs to another server");
    assert_int_equal(
        symlink("/data", arena_printf(machine->ctx->arena, "%s/proc/700/cwd", machine->root)), 0);
    ask(machine, &facts);
    assert_true(facts.is_known);
    assert_true(file_remove(machine->ctx, machine->root));
}

static void
damaged_files_are_not_known(void **state)
{
    struct machine *machine = machine_new(*state);

    put(machine, "/proc/stat", "cpu \n");
    expect_unknown(machine, "/proc cannot be read");
    put(machine, "/proc/stat", "cpu  1 2 3 4 5 6 7 8\n");
    put(machine, "/proc/meminfo", "MemTotal:\n");
    expect_unknown(machine, "/proc cannot be read");
    put(machine, "/proc/801/status", "Name:\tpostgres\n");
    expect_unknown(machine, "no postmaster");
    assert_true(file_remove(machine->ctx, machine->root));
}

static double
value(const struct samples *samples, const char *name)
{
    const struct sample *sample = sample_find(samples, name, NULL);

    return sample ? sample->value : NAN;
}

static void
ratios_are_of_the_time_between(void **state)
{
    struct ctx *ctx = *state;
    struct samples samples = { .arena = ctx->arena };
    struct host_facts before = { .is_known = true,
        .at_us = 1000000,
        .cpus = 2,
        .cpu_busy_total = 100,
        .cpu_wait_total = 10,
        .cpu_all_total = 1000,
        .io_read_bytes_total = 1000,
        .io_written_bytes_total = 50,
        .io_busy_total = 5,
        .server_cpu_total = 40 };
    struct host_facts now = before;

    now.at_us = 6000000;
    now.cpu_busy_total = 107;
    now.cpu_wait_total = 11;
    now.cpu_all_total = 1010;
    now.io_read_bytes_total = 6000;
    now.io_written_bytes_total = 50;
    now.io_busy_total = 7;
    now.server_cpu_total = 45;
    now.server_rss_bytes = 1;
    now.memory_bytes = 1000;
    now.memory_available_bytes = 250;
    now.disk_bytes = 2000;
    now.disk_free_bytes = 100;
    host_samples(&samples, &before, &now);
    assert_true(fabs(value(&samples, "pgmend_host_cpu_busy_ratio") - 0.7) < 1e-9);
    assert_true(fabs(value(&samples, "pgmend_host_cpu_wait_ratio") - 0.1) < 1e-9);
    assert_true(fabs(value(&samples, "pgmend_host_memory_used_ratio") - 0.75) < 1e-9);
    assert_true(fabs(value(&samples, "pgmend_host_disk_used_ratio") - 0.95) < 1e-9);
    assert_true(fabs(value(&samples, "pgmend_host_io_read_bytes_rate") - 1000) < 1e-9);
    assert_true(value(&samples, "pgmend_host_io_written_bytes_rate") == 0);
    assert_true(fabs(value(&samples, "pgmend_host_io_busy_ratio") - 0.4) < 1e-9);
    assert_true(fabs(value(&samples, "pgmend_host_server_cpus_used") - 1) < 1e-9);

    /* The machine was started again: no rate, and above all none that is full or negative. */
    samples.count = 0;
    now.cpu_busy_total = 1;
    now.cpu_all_total = 2;
    now.io_read_bytes_total = 1;
    now.io_busy_total = 0;
    now.server_cpu_total = 1;
    host_samples(&samples, &before, &now);
    assert_true(isnan(value(&samples, "pgmend_host_cpu_busy_ratio")));
    assert_true(isnan(value(&samples, "pgmend_host_io_busy_ratio")));
    assert_true(isnan(value(&samples, "pgmend_host_io_read_bytes_rate")));
    assert_true(isnan(value(&samples, "pgmend_host_server_cpus_used")));
    assert_true(value(&samples, "pgmend_host_cpus") == 2);
}

/* This machine's own files have the form that is expected of them. */
static void
the_real_files_can_be_read(void **state)
{
    struct ctx *ctx = *state;
    struct host_facts facts;

    host_read(ctx->arena,
        &(struct host_question){ .mode = HOST_LOCAL, .data_directory = "/", .backend_pid = -1 },
        &facts);
    assert_true(facts.is_known);
    assert_int_equal(facts.cpus, sysconf(_SC_NPROCESSORS_ONLN));
    assert_true(facts.memory_bytes == (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
    assert_true(facts.cpu_busy_total > 0 && facts.cpu_all_total >= facts.cpu_busy_total);
    assert_true(facts.disk_bytes > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(numbers_are_those_of_the_files),
        test_with_ctx(a_control_group_that_allows_less_is_the_machine),
        test_with_ctx(nothing_is_said_of_a_server_that_is_elsewhere),
        test_with_ctx(the_working_directory_proves_it_too),
        test_with_ctx(damaged_files_are_not_known),
        test_with_ctx(ratios_are_of_the_time_between),
        test_with_ctx(the_real_files_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
