/*
 * An HTTP server on loopback that answers after delays of known distributions and remembers how long each answer
 * really took, so that what a load tester reports can be held to what happened. The path says the distribution:
 *   /fixed/US   /uniform/LOW/HIGH   /exponential/MEAN   /lognormal/MEDIAN/SIGMA   /bimodal/FAST/SLOW/SHARE_OF_SLOW
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DELAY_PATHS = 16, DELAY_PATH_BYTES = 128 };

struct delay_answer {
    size_t path;         /* index into the server's paths */
    int64_t received_us; /* wall clock, by the kernel */
    int64_t took_us;     /* from then to just before the answer was written */
};

struct delay_log {
    const struct delay_answer *items; /* in the order of writing */
    size_t count;
    char paths[DELAY_PATHS][DELAY_PATH_BYTES];
    size_t path_count;
    /* Of the one stall, wall clock; zeros while there was none. */
    int64_t stall_from_us;
    int64_t stall_to_us;
    /* How long the server's own thread was not run when it had something to do, at most. */
    int64_t held_us;
};

struct delay_server;

/* Port 0: any free one. NULL with errno. */
struct delay_server *delay_server_start(uint16_t port, uint64_t seed);
uint16_t delay_server_port(const struct delay_server *server);
/* So long after the first request it does nothing for so long: it neither reads nor answers. */
void delay_server_stall(struct delay_server *server, int64_t after_us, int64_t length_us);
/* Ends its thread; from then on the log can be looked at. */
const struct delay_log *delay_server_stop(struct delay_server *server);
void delay_server_free(struct delay_server *server);

/* The smallest that at least this share of the sorted numbers are not greater than, some ranks further. */
int64_t delay_quantile_us(const int64_t *sorted, size_t count, double share, int ranks);
