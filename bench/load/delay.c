/*
 * The delay server of the tests as a program, for load testers that are programs: answers after delays that the path
 * names, and writes at its end how long each answer really took.
 * Usage: delay PORT LOG [STALL_AFTER_MS STALL_MS]     serves until SIGINT or SIGTERM
 * LOG: "PATH RECEIVED_US TOOK_US" a line.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "support/delay_server.h"

static bool
write_log(const char *path, const struct delay_log *log)
{
    FILE *file = fopen(path, "w");

    if (!file)
        return false;
    for (size_t i = 0; i < log->count; i++)
        fprintf(file, "%s %" PRId64 " %" PRId64 "\n", log->paths[log->items[i].path],
            log->items[i].received_us, log->items[i].took_us);
    return fclose(file) == 0;
}

int
main(int argc, char **argv)
{
    struct rlimit limit;
    struct delay_server *server;
    sigset_t wanted;
    int signal;
    bool is_written;

    if (argc != 3 && argc != 5) {
        fputs("usage: delay PORT LOG [STALL_AFTER_MS STALL_MS]\n", stderr);
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &wanted, NULL);
    server = delay_server_start((uint16_t)strtoul(argv[1], NULL, 10), 1);
    if (!server) {
        perror("delay");
        return 1;
    }
    if (argc == 5)
        delay_server_stall(
            server, strtoll(argv[3], NULL, 10) * 1000, strtoll(argv[4], NULL, 10) * 1000);
    printf("%d\n", (int)delay_server_port(server));
    fflush(stdout);
    sigwait(&wanted, &signal);
    is_written = write_log(argv[2], delay_server_stop(server));
    if (!is_written)
        perror(argv[2]);
    delay_server_free(server);
    return is_written ? 0 : 1;
}
